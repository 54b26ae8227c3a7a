//! The control plane starts, runs workloads, survives a crash of its API server and gives ServiceAccounts access.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use testkit::{ControlPlane, wait};

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_deployment_becomes_available_and_a_job_completes() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace().await.unwrap();
    let client = plane.client().await.unwrap();
    let pod = serde_json::json!({
        "metadata": { "labels": { "app": "web" } },
        "spec": { "containers": [{ "name": "web", "image": "example.org/web:1" }] },
    });
    let deployment: Deployment = serde_json::from_value(serde_json::json!({
        "metadata": { "name": "web" },
        "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "web" } }, "template": pod },
    }))
    .unwrap();
    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    deployments.create(&PostParams::default(), &deployment).await.unwrap();
    let job: Job = serde_json::from_value(serde_json::json!({
        "metadata": { "name": "once" },
        "spec": { "template": { "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "once", "image": "example.org/once:1" }],
        } } },
    }))
    .unwrap();
    let jobs = Api::<Job>::namespaced(client, &namespace);
    jobs.create(&PostParams::default(), &job).await.unwrap();

    wait::object(deployments, "web", LIMIT, |found| {
        found.and_then(|web| web.status.as_ref()?.available_replicas) == Some(3)
    })
    .await
    .unwrap();
    wait::object(jobs, "once", LIMIT, |found| found.and_then(|job| job.status.as_ref()?.succeeded) == Some(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_service_account_acts_as_itself() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace().await.unwrap();
    let access = plane.service_account(&namespace, "robot").await.unwrap();
    let client = access.client().await.unwrap();
    let review = Api::<SelfSubjectReview>::all(client.clone())
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await
        .unwrap();
    let user = review.status.unwrap().user_info.unwrap().username.unwrap();
    assert_eq!(user, format!("system:serviceaccount:{namespace}:robot"));
    // It has been given nothing, so it may read nothing.
    let refused = Api::<ConfigMap>::namespaced(client, &namespace).list(&kube::api::ListParams::default()).await;
    assert!(matches!(refused, Err(kube::Error::Api(status)) if status.code == 403));
}

#[tokio::test]
async fn kubectl_is_the_pinned_one_and_applies() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace().await.unwrap();
    let manifest = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: greeting, namespace: {namespace}}}\ndata: {{hello: world}}\n"
    );
    let said = plane.apply(&manifest).await.unwrap();
    assert!(said.contains("configmap/greeting"), "{said}");
    let versions = plane.kubectl(&["version", "-o", "json"]).await.unwrap();
    let versions: serde_json::Value = serde_json::from_str(&versions).unwrap();
    assert_eq!(versions["clientVersion"]["gitVersion"], versions["serverVersion"]["gitVersion"]);
    let refused = plane.kubectl(&["get", "configmap", "absent", "-n", &namespace]).await.unwrap_err();
    assert!(refused.to_string().contains("NotFound"), "{refused}");
    let log = fs_err::read_to_string(plane.audit_log()).unwrap();
    assert!(log.contains(&namespace));
}

#[tokio::test]
async fn a_killed_api_server_comes_back_with_its_objects() {
    let plane = ControlPlane::start(testkit::Options { api_only: true, ..testkit::Options::default() }).await.unwrap();
    let client = plane.client().await.unwrap();
    let maps = Api::<ConfigMap>::namespaced(client, "default");
    let map = ConfigMap {
        metadata: kube::api::ObjectMeta { name: Some("kept".to_owned()), ..Default::default() },
        ..ConfigMap::default()
    };
    // Without a controller manager the namespace itself may come a moment after readiness.
    testkit::until("creating a ConfigMap", LIMIT, async || maps.create(&PostParams::default(), &map).await.ok())
        .await
        .unwrap();
    plane.stop_api_server().await.unwrap();
    assert!(maps.get("kept").await.is_err());
    plane.resume_api_server().await.unwrap();
    maps.get("kept").await.unwrap();
}
