//! `towline build` as scripts call it: flags, files, exit codes and messages, beside the real kustomize where that is there.

use std::path::Path;
use std::process::{Command, Output};

use testkit::TempDir;

const TWO: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: A.b, namespace: Ns}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: z}\n---\n\
                   apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\n---\n\
                   apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:x'}\n";

fn tree(files: &[(&str, &str)]) -> TempDir {
    let place = TempDir::new("build").unwrap();
    for (path, text) in files {
        let path = place.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    place
}

fn run(program: &Path, directory: &Path, arguments: &[&str]) -> Output {
    Command::new(program).arg("build").arg(directory).args(arguments).output().unwrap()
}

fn towline(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = run(Path::new(env!("CARGO_BIN_EXE_towline")), directory, arguments);
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn flags_mean_what_they_mean_to_kustomize() {
    let place = tree(&[
        ("app/kustomization.yaml", "resources: [../two.yaml]\nnamePrefix: p-\n"),
        ("app/sorted/kustomization.yaml", "resources: [two.yaml]\nsortOptions: {order: fifo}\n"),
        ("app/sorted/two.yaml", TWO),
        ("two.yaml", TWO),
    ]);
    let kustomize = testkit::tool("kustomize");
    if let Err(error) = &kustomize {
        eprintln!("SKIPPED comparison with kustomize: {error:#}");
    }
    let cases: &[(&str, &[&str])] = &[
        ("app", &[]),
        ("app", &["--load-restrictor=LoadRestrictionsNone"]),
        ("app", &["--load-restrictor", "LoadRestrictionsNone", "--reorder=none"]),
        ("app", &["--load-restrictor", "LoadRestrictionsNone", "--reorder=legacy", "--enable-managedby-label"]),
        ("app", &["--load-restrictor=none"]),
        ("app", &["--reorder=kind", "--load-restrictor=LoadRestrictionsNone"]),
        ("app/sorted", &["--reorder=legacy"]),
        ("app/sorted", &["--enable-helm", "--enable-exec", "--enable-alpha-plugins", "--as-current-user", "--network"]),
        ("app/sorted", &["-e", "A=b", "--mount", "x", "--network-name", "n", "--helm-command", "h", "--helm-debug"]),
        ("app/sorted", &["--helm-kube-version", "1.30.0", "--helm-api-versions", "a/v1", "--stack-trace"]),
        ("app/absent", &[]),
        ("two.yaml", &[]),
        ("app", &["--bogus"]),
    ];
    for (directory, arguments) in cases {
        let (code, out, err) = towline(&place.join(directory), arguments);
        assert_eq!(out.is_empty(), code != 0, "{directory} {arguments:?} {err}");
        if let Ok(kustomize) = &kustomize {
            let theirs = run(kustomize, &place.join(directory), arguments);
            assert_eq!(out, text(theirs.stdout), "{directory} {arguments:?}");
            assert_eq!(code == 0, theirs.status.success(), "{directory} {arguments:?} {err}");
        }
    }
}

#[test]
fn one_file_for_each_resource_has_kustomizes_names() {
    let place = tree(&[("kustomization.yaml", "resources: [two.yaml]\n"), ("two.yaml", TWO)]);
    let out = place.join("out");
    fs_err::create_dir_all(&out).unwrap();
    let (code, printed, err) = towline(&place.join("."), &["-o", out.to_str().unwrap()]);
    assert_eq!((code, printed.as_str(), err.as_str()), (0, "", ""));
    let expected = [
        "default_apps_v1_deployment_w.yaml",
        "ns_v1_service_a.b.yaml",
        "rbac.authorization.k8s.io_v1_clusterrole_system:x.yaml",
        "v1_namespace_z.yaml",
    ];
    assert_eq!(names(&out), expected);
    if let Ok(kustomize) = testkit::tool("kustomize") {
        let theirs = place.join("theirs");
        fs_err::create_dir_all(&theirs).unwrap();
        assert!(run(&kustomize, &place.join("."), &["-o", theirs.to_str().unwrap()]).status.success());
        assert_eq!(names(&theirs), expected);
        for name in expected {
            let read = |directory: &Path| fs_err::read_to_string(directory.join(name)).unwrap();
            assert_eq!(read(&out), read(&theirs), "{name}");
        }
    }
    let file = place.join("all.yaml");
    assert_eq!(towline(&place.join("."), &["-o", file.to_str().unwrap()]).0, 0);
    assert_eq!(fs_err::read_to_string(&file).unwrap(), towline(&place.join("."), &[]).1);
    let (code, _, err) = towline(&place.join("."), &["-o", place.join("no/such/file").to_str().unwrap()]);
    assert!(code == 1 && err.contains("no/such/file"), "{err}");
}

/// Every message names what it is about: the kustomization or file, the field, the resource.
#[test]
fn messages_name_file_field_and_resource() {
    let function = "apiVersion: example.com/v1\nkind: Fn\nmetadata:\n  name: f\n  annotations: {config.kubernetes.io/function: 'container: {image: x}'}\n";
    let cases: &[(&str, &[&str])] = &[
        ("resorces: [two.yaml]\n", &["kustomization.yaml", "resorces"]),
        ("resources: [absent.yaml]\n", &["resources", "absent.yaml"]),
        ("resources: [two.yaml, two.yaml]\n", &["two.yaml", "Service.v1.[noGrp]/A.b.Ns"]),
        ("resources: [two.yaml]\nimages: [{name: 'a(b', newTag: x}]\n", &["kustomization.yaml", "images", "a(b"]),
        (
            "resources: [two.yaml]\nreplicas: [{name: absent, count: 1}]\n",
            &["kustomization.yaml", "replicas", "absent"],
        ),
        ("resources: [two.yaml]\npatches: [{path: absent.yaml}]\n", &["kustomization.yaml", "patches", "absent.yaml"]),
        (
            "resources: [two.yaml]\npatches: [{target: {kind: Deployment}, patch: '- {op: remove, path: /spec/x}'}]\n",
            &["kustomization.yaml", "patches", "Deployment.v1.apps/w", "/spec/x"],
        ),
        (
            "resources: [two.yaml]\nreplacements: [{source: {kind: X}, targets: [{select: {kind: Deployment}}]}]\n",
            &["kustomization.yaml", "replacements", "X"],
        ),
        (
            "resources: [two.yaml]\ntransformers: [fn.yaml]\n",
            &["kustomization.yaml", "transformers", "Fn", "KRM function", "built-in"],
        ),
        ("resources: [two.yaml]\ngenerators: [fn.yaml]\n", &["kustomization.yaml", "generators", "KRM function"]),
        ("helmCharts: [{name: c}]\n", &["kustomization.yaml", "helmCharts", "--enable-helm"]),
        (
            "configMapGenerator: [{name: c, files: [absent.txt]}]\n",
            &["kustomization.yaml", "configMapGenerator", "absent.txt"],
        ),
    ];
    for (kustomization, parts) in cases {
        let place =
            tree(&[("app/kustomization.yaml", kustomization), ("app/two.yaml", TWO), ("app/fn.yaml", function)]);
        let (code, out, err) = towline(&place.join("app"), &["--enable-exec", "--enable-alpha-plugins"]);
        assert_eq!((code, out.as_str()), (1, ""), "{kustomization}");
        for part in *parts {
            assert!(err.contains(part), "{kustomization}: no {part:?} in {err}");
        }
        assert!(err.starts_with("error: "), "{err}");
    }
    let (code, _, err) = towline(Path::new("."), &["another"]);
    assert_eq!(code, 1, "{err}");
}

#[test]
fn explanations_and_advice() {
    let place = tree(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: ClusterIP}\n"),
        ("patch.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}\n"),
        (
            "kustomization.yaml",
            "resources: [base]\nnamePrefix: p-\nimages: [{name: none, newTag: x}]\npatches: [{path: patch.yaml}]\n",
        ),
    ]);
    let advice = "# Warning: kustomization.yaml: images: no image is named 'none'\n";
    let (code, plain, err) = towline(&place.join("."), &[]);
    assert_eq!((code, err.as_str()), (0, advice));
    assert!(plain.contains("name: p-web"), "{plain}");
    let (code, out, err) = towline(&place.join("."), &["--explain"]);
    assert_eq!((code, err.as_str()), (0, advice));
    insta::assert_snapshot!(out, @r"
    Service p-web (v1)
      apiVersion     v1        base/web.yaml
      kind           Service   base/web.yaml
      metadata.name  p-web     kustomization.yaml (PrefixTransformer); before base/web.yaml
      spec.type      NodePort  patch.yaml (PatchTransformer); before base/web.yaml
    ");
    let (code, out, _) = towline(&place.join("."), &["--explain=json"]);
    assert_eq!(code, 0);
    let resources: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        resources[0]["fields"][3],
        serde_json::json!({
            "path": "spec.type", "pointer": "/spec/type", "value": "NodePort",
            "by": {"file": "patch.yaml", "transformer": "PatchTransformer", "configuredIn": "kustomization.yaml"},
            "before": [{"file": "base/web.yaml", "configuredIn": "base/kustomization.yaml"}],
        })
    );
    assert_eq!(resources[0]["kind"], "Service");
}
