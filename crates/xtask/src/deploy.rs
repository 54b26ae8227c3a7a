//! Tests of deploy/: what other tools rely on, and that the API server accepts every overlay.
#![cfg(test)]

use std::process::Command;

use serde_json::{Value, json};

use crate::controllers::CONTROLLERS;
use crate::generated::workspace;
use crate::yaml_text;

const OVERLAYS: &[&str] = &["default", "dev", "ha"];

fn read(path: &str) -> Value {
    let text = fs_err::read(workspace().join(path)).unwrap();
    serde_json::from_str(&yaml::v2::yaml_to_json(&text).unwrap()).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Installers patch arguments by index, and `flux logs` looks for the container and the labels.
#[test]
fn deployments_are_as_installers_expect() {
    let first = [
        "--events-addr=",
        "--watch-all-namespaces=true",
        "--log-level=info",
        "--log-encoding=json",
        "--enable-leader-election",
    ];
    for controller in CONTROLLERS {
        let name = controller.name;
        let deployment = read(&format!("deploy/base/{name}/deployment.yaml"));
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(names(&pod["containers"]), ["manager"], "{name}");
        let container = &pod["containers"][0];
        let arguments: Vec<_> = container["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        assert_eq!(arguments.get(..5), Some(&first[..]), "{name}");
        assert_eq!(container["image"], format!("towline/{name}:v{}", env!("CARGO_PKG_VERSION")));
        assert!(container.get("command").is_none(), "{name}: the image knows its program");
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], json!({ "app": name }));
        assert_eq!(deployment["metadata"]["labels"]["app.kubernetes.io/component"], name);
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        let ports = names(&container["ports"]);
        assert!(ports.ends_with(&["http-prom", "healthz"]), "{name}: {ports:?}");
    }
    let source = read("deploy/base/source-controller/deployment.yaml");
    let arguments = &source["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(arguments[6], "--storage-adv-addr=source-controller.flux-system.svc.cluster.local.");
    assert_eq!(source["spec"]["strategy"]["type"], "Recreate");
    let service = read("deploy/base/source-controller/service.yaml");
    assert_eq!(
        (&service["spec"]["ports"][0]["name"], &service["spec"]["ports"][0]["port"]),
        (&json!("http"), &json!(80))
    );
}

fn build(overlay: &str) -> Vec<Value> {
    let kustomize = testkit::programs::tool("kustomize").unwrap();
    let path = workspace().join("deploy/overlays").join(overlay);
    let output = Command::new(kustomize).arg("build").arg(&path).output().unwrap();
    assert!(output.status.success(), "{overlay}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut objects: Vec<Value> = text
        .split("\n---\n")
        .map(|document| serde_json::from_str(&yaml::v2::yaml_to_json(document.as_bytes()).unwrap()).unwrap())
        .collect();
    objects.retain(|object| !object.is_null());
    objects
}

fn find<'o>(objects: &'o [Value], kind: &str, name: &str) -> Option<&'o Value> {
    objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
}

#[tokio::test]
async fn overlays_build_and_the_api_server_accepts_them() {
    let plane = testkit::ControlPlane::shared().await.unwrap();
    plane.apply_crds().await.unwrap();
    plane.create_namespace("flux-system").await.unwrap();
    plane
        .kubectl(&["label", "namespace", "flux-system", "pod-security.kubernetes.io/enforce=restricted"])
        .await
        .unwrap();
    for overlay in OVERLAYS {
        let objects = build(overlay);
        let mut text = String::new();
        for object in &objects {
            text.push_str("---\n");
            text.push_str(&yaml_text::document(object).unwrap());
        }
        for controller in CONTROLLERS {
            let deployment = find(&objects, "Deployment", controller.name).unwrap();
            assert_eq!(deployment["metadata"]["labels"]["app.kubernetes.io/part-of"], "flux", "{overlay}");
            // Admission judges Pods, not Deployments: put the Pod that would be made to it.
            text.push_str("---\n");
            let template = &deployment["spec"]["template"];
            let mut metadata = template["metadata"].clone();
            metadata["name"] = json!(format!("pod-{}", controller.name));
            metadata["namespace"] = json!("flux-system");
            let mut spec = template["spec"].clone();
            // There is no such account yet, and a dry run makes none.
            spec["serviceAccountName"] = json!("default");
            let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec });
            text.push_str(&yaml_text::document(&pod).unwrap());
        }
        for crd in objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition") {
            assert_eq!(crd["metadata"]["labels"]["app.kubernetes.io/part-of"], "flux", "{overlay}");
        }
        assert!(find(&objects, "ClusterRoleBinding", "helm-controller-cluster-admin").is_some());
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        fs_err::write(file.path(), text).unwrap();
        let path = file.path().to_string_lossy().into_owned();
        let answer = plane
            .kubectl(&["apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", &path])
            .await
            .unwrap();
        println!("{overlay}: {} objects accepted", answer.lines().count());
        assert!(answer.lines().count() > 15, "{answer}");
    }
}
