//! Releases on another cluster, with the rights of the kubeconfig they name.

use anyhow::Result;
use serde_json::json;
use testkit::{ControlPlane, Options};

use crate::world::{LIMIT, WEB, World, condition};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_to_the_cluster_of_its_kubeconfig_with_its_rights() -> Result<()> {
    let world = World::start().await?;
    let namespace = world.namespace.as_str();
    let other = ControlPlane::start(Options { api_only: true, ..Options::default() }).await?;
    other.kubectl(&["create", "namespace", namespace]).await?;
    let identity = other.service_account(namespace, "deployer").await?;
    let there = async |arguments: &[&str]| {
        let mut all = vec!["--namespace", namespace];
        all.extend(arguments);
        other.kubectl(&all).await
    };
    let kubeconfig = format!("--from-file=value={}", identity.kubeconfig.display());
    world.kubectl(&["create", "secret", "generic", "other-cluster", &kubeconfig]).await?;
    world.chart("web", "1.0.0", WEB);
    world.release("web", "web", "1.0.0", json!({"kubeConfig": {"secretRef": {"name": "other-cluster"}}})).await?;

    // Another cluster, and nobody there yet who may do anything.
    let user = format!("system:serviceaccount:{namespace}:deployer");
    let refused = world.until("web", |release| condition(release, "Ready").2.contains(&user)).await?;
    let (status, _, message) = condition(&refused, "Ready");
    assert!(status == "False" && message.contains("forbidden"), "{message}");

    // Rights in one namespace are enough: readiness is then seen without watching the whole cluster.
    let account = format!("--serviceaccount={namespace}:deployer");
    there(&["create", "rolebinding", "deployer", "--clusterrole=cluster-admin", &account]).await?;
    testkit::until("the Deployment on the other cluster", LIMIT, async || {
        there(&["get", "deployment", "web"]).await.ok()
    })
    .await?;
    assert!(world.kubectl(&["get", "deployment", "web"]).await.is_err(), "nothing is released on our own cluster");
    // No controllers run there: the test plays the one that brings the Deployment up.
    let status = json!({"status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
        "availableReplicas": 1, "conditions": [{"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}});
    there(&["patch", "deployment", "web", "--subresource=status", "--type=merge", "-p", &status.to_string()]).await?;
    world.ready("web").await?;
    let history = other.run("helm", &["--namespace", namespace, "history", "web", "-o", "json"]).await?;
    assert!(history.contains(r#""status":"deployed""#), "{history}");
    assert!(world.history("web").await.is_err(), "the record is where the release is");

    world.change("web", json!({"upgrade": {"disableWait": true}, "values": {"greeting": "salut"}})).await?;
    testkit::until("the upgrade on the other cluster", LIMIT, async || {
        let found = there(&["get", "configmap", "web", "-o", "jsonpath={.data.greeting}"]).await.ok()?;
        (found == "salut").then_some(())
    })
    .await?;
    world.ready("web").await?;
    world.delete("web").await?;
    assert!(there(&["get", "deployment", "web"]).await.is_err(), "deleting the object uninstalls over there");
    let log = world.controller.log();
    assert!(!log.contains(&identity.token), "the kubeconfig's token was logged");
    let everything = world.kubectl(&["get", "helmreleases.v2.helm.toolkit.fluxcd.io,events", "-o", "yaml"]).await?;
    assert!(!everything.contains(&identity.token), "the kubeconfig's token was quoted");
    Ok(())
}
