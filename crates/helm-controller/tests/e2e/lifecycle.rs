//! Install, upgrade, remediation, tests, drift and uninstall, as far as users see them.

use anyhow::Result;
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::world::{CONFIG, LIMIT, WEB, World, condition};

#[tokio::test(flavor = "multi_thread")]
async fn install_upgrade_and_uninstall() -> Result<()> {
    let world = World::start().await?;
    world.chart("web", "1.0.0", WEB);
    world.chart("web", "1.1.0", WEB);
    world.release("web", "web", "1.0.0", json!({"values": {"extra": true}})).await?;
    let release = world.ready("web").await?;
    let expected = format!("Helm install succeeded for release {}/web.v1 with chart web@1.0.0", world.namespace);
    assert_eq!(condition(&release, "Ready"), ("True".into(), "InstallSucceeded".into(), expected.clone()));
    assert_eq!(condition(&release, "Released").2, expected);
    assert_eq!(condition(&release, "Reconciling"), Default::default());
    let status = release.status.clone().unwrap();
    assert_eq!(status.storage_namespace, world.namespace);
    assert_eq!(status.history.len(), 1);
    assert_eq!(status.inventory.unwrap().entries.len(), 3);

    let list: Vec<Value> = serde_json::from_str(&world.helm(&["ls", "-o", "json"]).await?)?;
    assert_eq!(
        (&list[0]["name"], &list[0]["status"], &list[0]["chart"]),
        (&json!("web"), &json!("deployed"), &json!("web-1.0.0"))
    );
    assert_eq!(world.helm(&["get", "values", "web", "-o", "json"]).await?.trim(), r#"{"extra":true}"#);
    let manifest = world.helm(&["get", "manifest", "web"]).await?;
    assert!(manifest.contains("# Source: web/templates/deployment.yaml"), "{manifest}");
    assert!(manifest.contains("helm.toolkit.fluxcd.io/name: web"), "{manifest}");
    let status = world.helm(&["status", "web"]).await?;
    assert!(status.contains("Install complete"), "{status}");

    // Values, chart and removed objects.
    world.change("web", json!({"values": {"extra": false, "greeting": "salut"}})).await?;
    world.ready("web").await?;
    assert_eq!(world.history("web").await?, ["superseded", "deployed"]);
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    assert!(maps.get_opt("web-extra").await?.is_none(), "an object that left the manifest is deleted");
    assert_eq!(maps.get("web").await?.data.unwrap()["greeting"], "salut");
    world.change("web", json!({"chart": {"spec": {"version": "1.1.0"}}})).await?;
    let release = world.ready("web").await?;
    assert!(
        condition(&release, "Ready").2.contains("web.v3 with chart web@1.1.0"),
        "{:?}",
        condition(&release, "Ready")
    );
    assert_eq!(release.status.unwrap().history[0].chart_version, "1.1.0");

    // What helm does by hand is noticed and undone at the next reconcile.
    world.helm(&["rollback", "web", "1", "--force-conflicts"]).await?;
    assert_eq!(world.history("web").await?.last().unwrap(), "deployed");
    world.annotate("web", json!({"reconcile.fluxcd.io/requestedAt": "1"})).await?;
    world
        .until("web", |release| {
            release.status.as_ref().unwrap().history.first().is_some_and(|snapshot| snapshot.version == 5)
        })
        .await?;
    world.ready("web").await?;

    world.delete("web").await?;
    assert!(world.history("web").await.is_err());
    let deployments: Api<Deployment> = Api::namespaced(world.client.clone(), &world.namespace);
    assert!(deployments.get_opt("web").await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upgrade_is_rolled_back() -> Result<()> {
    let world = World::start().await?;
    world.chart("config", "1.0.0", CONFIG);
    let bad = [
        CONFIG[0],
        (
            "templates/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: [not, a, string]\n",
        ),
    ];
    world.chart("config", "2.0.0", &bad);
    world
        .release(
            "config",
            "config",
            "1.0.0",
            json!({"upgrade": {"remediation": {"retries": 0, "remediateLastFailure": true}}}),
        )
        .await?;
    world.ready("config").await?;
    world.change("config", json!({"chart": {"spec": {"version": "2.0.0"}}})).await?;
    let release = world.until("config", |release| condition(release, "Stalled").0 == "True").await?;
    let (status, reason, message) = condition(&release, "Ready");
    assert_eq!((status.as_str(), reason.as_str()), ("False", "RollbackSucceeded"), "{message}");
    assert_eq!(condition(&release, "Stalled").1, "RetriesExceeded");
    let (_, reason, message) = condition(&release, "Released");
    assert!(reason == "UpgradeFailed" && message.contains("ConfigMap"), "{reason} {message}");
    assert_eq!(world.history("config").await?, ["superseded", "failed", "deployed"]);
    // Mended, it recovers by itself.
    world.chart("config", "2.0.1", CONFIG);
    world.change("config", json!({"chart": {"spec": {"version": "2.0.1"}}})).await?;
    world.ready("config").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_install_is_uninstalled_and_tried_again() -> Result<()> {
    let world = World::start().await?;
    let bad = [(
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: [1]\n",
    )];
    world.chart("config", "1.0.0", &bad);
    world.release("config", "config", "1.0.0", json!({"install": {"remediation": {"retries": 1}}})).await?;
    let release = world.until("config", |release| condition(release, "Stalled").0 == "True").await?;
    assert_eq!(condition(&release, "Stalled").2, "Failed to install after 2 attempt(s)");
    assert_eq!(release.status.as_ref().unwrap().install_failures, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_in_order_and_tests_are_recorded() -> Result<()> {
    let world = World::start().await?;
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-pre\n  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-delete-policy: hook-succeeded\n";
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-job\n  annotations:\n    helm.sh/hook: post-install,post-upgrade\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: example.invalid/a}]\n";
    let test = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-test\n  annotations:\n    helm.sh/hook: test\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: example.invalid/a}]\n";
    world.chart(
        "config",
        "1.0.0",
        &[
            CONFIG[0],
            CONFIG[1],
            ("templates/hook.yaml", hook),
            ("templates/job.yaml", job),
            ("templates/test.yaml", test),
        ],
    );
    world.release("config", "config", "1.0.0", json!({"test": {"enable": true}})).await?;
    let release = world.ready("config").await?;
    let (status, reason, message) = condition(&release, "TestSuccess");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "TestSucceeded"), "{message}");
    assert!(message.ends_with("1 test hook completed successfully"), "{message}");
    let snapshot = &release.status.as_ref().unwrap().history[0];
    assert_eq!(snapshot.test_hooks.as_ref().unwrap()["config-test"].phase.as_deref(), Some("Succeeded"));
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    assert!(maps.get_opt("config-pre").await?.is_none(), "a succeeded hook with the policy is deleted");
    let jobs = world.kubectl(&["get", "jobs", "-o", "name"]).await?;
    assert!(jobs.contains("job.batch/config-job"), "a hook without a policy stays until its next run: {jobs}");
    let hooks = world.helm(&["get", "hooks", "config"]).await?;
    assert!(hooks.contains("config-test"), "{hooks}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_reported_and_undone() -> Result<()> {
    let world = World::start().await?;
    world.chart("config", "1.0.0", CONFIG);
    world.release("config", "config", "1.0.0", json!({"driftDetection": {"mode": "warn"}})).await?;
    world.ready("config").await?;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    let change = Patch::Merge(json!({"data": {"greeting": "changed"}}));
    maps.patch("config", &PatchParams::default(), &change).await?;
    world.annotate("config", json!({"reconcile.fluxcd.io/requestedAt": "1"})).await?;
    let release = world.until("config", |release| condition(release, "Drifted").0 == "True").await?;
    let message = condition(&release, "Drifted").2;
    assert!(
        message.contains(&format!("ConfigMap/{}/config changed (0 additions, 1 changes, 0 removals)", world.namespace)),
        "{message}"
    );
    assert_eq!(maps.get("config").await?.data.unwrap()["greeting"], "changed", "only reported");
    world.change("config", json!({"driftDetection": {"mode": "enabled"}})).await?;
    testkit::wait::object(maps.clone(), "config", LIMIT, |map| {
        map.is_some_and(|map| map.data.as_ref().unwrap()["greeting"] == "hello")
    })
    .await?;
    world.ready("config").await?;
    maps.delete("config", &DeleteParams::default()).await?;
    world.annotate("config", json!({"reconcile.fluxcd.io/requestedAt": "2"})).await?;
    testkit::wait::object(maps.clone(), "config", LIMIT, |map| map.is_some()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_values_and_targets() -> Result<()> {
    let world = World::start().await?;
    world.chart("config", "1.0.0", CONFIG);
    world.release("second", "config", "1.0.0", json!({"dependsOn": [{"name": "first"}]})).await?;
    let release = world.until("second", |release| condition(release, "Ready").0 == "False").await?;
    assert_eq!(condition(&release, "Ready").1, "DependencyNotReady");
    world.kubectl(&["create", "configmap", "values", "--from-literal=values.yaml=greeting: from a map"]).await?;
    world.kubectl(&["label", "configmap", "values", "reconcile.fluxcd.io/watch=Enabled"]).await?;
    world.release("first", "config", "1.0.0", json!({"valuesFrom": [{"kind": "ConfigMap", "name": "values"}]})).await?;
    world.ready("first").await?;
    world.ready("second").await?;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), &world.namespace);
    assert_eq!(maps.get("first").await?.data.unwrap()["greeting"], "from a map");
    world
        .kubectl(&[
            "patch",
            "configmap",
            "values",
            "--type=merge",
            "-p",
            r#"{"data":{"values.yaml":"greeting: changed"}}"#,
        ])
        .await?;
    testkit::wait::object(maps.clone(), "first", LIMIT, |map| {
        map.is_some_and(|map| map.data.as_ref().unwrap()["greeting"] == "changed")
    })
    .await?;
    // Another release name: the old release goes first.
    world.change("first", json!({"releaseName": "renamed"})).await?;
    testkit::wait::object(maps.clone(), "renamed", LIMIT, |map| map.is_some()).await?;
    world.ready("first").await?;
    assert!(maps.get_opt("first").await?.is_none());
    assert!(world.history("first").await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn post_renderers_change_what_is_released() -> Result<()> {
    let world = World::start().await?;
    world.chart("web", "1.0.0", WEB);
    let renderers = |image: &str, greeting: &str| {
        json!({"postRenderers": [
            {"kustomize": {"images": [{"name": "example.invalid/web", "newTag": image}]}},
            {"kustomize": {"patches": [{
                "target": {"kind": "ConfigMap"},
                "patch": format!("- op: replace\n  path: /data/greeting\n  value: {greeting}\n"),
            }]}},
        ]})
    };
    world.release("web", "web", "1.0.0", renderers("2", "patched")).await?;
    let release = world.ready("web").await?;
    let digest = release.status.unwrap().observed_post_renderers_digest;
    assert!(digest.starts_with("sha256:"), "{digest}");
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    assert_eq!(world.kubectl(&["get", "deployment", "web", "-o", image]).await?, "example.invalid/web:2");
    assert_eq!(world.kubectl(&["get", "configmap", "web", "-o", "jsonpath={.data.greeting}"]).await?, "patched");
    let manifest = world.helm(&["get", "manifest", "web"]).await?;
    assert!(
        manifest.contains("# Source: web/templates/config.yaml") && manifest.contains("greeting: patched"),
        "{manifest}"
    );
    assert!(!manifest.contains("postrenderer.helm.sh"), "{manifest}");
    // Other renderers are another release, the same ones are not.
    world.change("web", renderers("3", "patched")).await?;
    let release = world.ready("web").await?;
    assert_ne!(release.status.unwrap().observed_post_renderers_digest, digest);
    assert_eq!(world.kubectl(&["get", "deployment", "web", "-o", image]).await?, "example.invalid/web:3");
    world.change("web", json!({"interval": "11m"})).await?;
    world.ready("web").await?;
    assert_eq!(world.history("web").await?, ["superseded", "deployed"]);
    Ok(())
}
