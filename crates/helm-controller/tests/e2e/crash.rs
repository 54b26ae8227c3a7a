//! `kill -9` at many moments of an install and of an upgrade: restarted, the controller ends at `deployed` by itself.

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use serde_json::json;

use crate::world::{LIMIT, WEB, World, condition};

pub(crate) const HOOK: (&str, &str) = (
    "templates/hook.yaml",
    "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}-migrate\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: example.invalid/a}]\n",
);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_many_points_it_ends_deployed() -> Result<()> {
    let mut world = World::start().await?;
    let mut chart = WEB.to_vec();
    chart.push(HOOK);
    world.chart("web", "1.0.0", &chart);
    for (number, delay) in [0u64, 30, 60, 120, 250, 500, 1000].into_iter().enumerate() {
        let name = format!("web{number}");
        world.release(&name, "web", "1.0.0", json!({})).await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        world.ready(&name).await?;
        let history = world.history(&name).await?;
        assert_eq!(
            history,
            ["deployed"],
            "killed {delay} ms after the release was created: no failed revision is left either"
        );

        let change = world.change(&name, json!({"values": {"greeting": format!("hello {number}")}})).await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        let generation = change.metadata.generation;
        world
            .until(&name, |release| {
                release.metadata.generation == generation && common::meta::FluxObject::is_ready(release)
            })
            .await?;
        let history = world.history(&name).await?;
        assert_eq!(history, ["superseded", "deployed"], "killed {delay} ms after the values were changed");
    }
    Ok(())
}

/// A Job that runs at an event.
fn job(event: &str) -> String {
    HOOK.1.replace("pre-install,pre-upgrade", event).replace("-migrate", &format!("-{event}"))
}

/// Waits until a release has a record with this status.
async fn recorded(world: &World, release: &str, status: &str) -> Result<()> {
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    let selector = ListParams::default().labels(&format!("owner=helm,name={release},status={status}"));
    testkit::until(&format!("{release} {status}"), LIMIT, async || {
        secrets.list(&selector).await.is_ok_and(|list| !list.items.is_empty()).then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_rollback_it_ends_rolled_back() -> Result<()> {
    let mut world = World::start().await?;
    let before = job("pre-rollback");
    let mut good = WEB.to_vec();
    good.push(("templates/rollback.yaml", &before));
    world.chart("web", "1.0.0", &good);
    let mut bad = good.clone();
    bad.push((
        "templates/bad.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}-bad\"}\ndata: {a: [not, text]}\n",
    ));
    world.chart("web", "2.0.0", &bad);
    for (number, delay) in [0u64, 40, 150, 600].into_iter().enumerate() {
        let name = format!("web{number}");
        let remediation = json!({"upgrade": {"remediation": {"retries": 0, "remediateLastFailure": true}}});
        world.release(&name, "web", "1.0.0", remediation).await?;
        world.ready(&name).await?;
        world.change(&name, json!({"chart": {"spec": {"version": "2.0.0"}}})).await?;
        recorded(&world, &name, "pending-rollback").await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        let release = world.until(&name, |release| condition(release, "Stalled").0 == "True").await?;
        let (_, reason, message) = condition(&release, "Ready");
        assert_eq!(reason, "RollbackSucceeded", "killed {delay} ms into the rollback: {message}");
        assert_eq!(
            world.history(&name).await?,
            ["superseded", "failed", "deployed"],
            "killed {delay} ms into the rollback"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_an_uninstall_it_ends_gone() -> Result<()> {
    let mut world = World::start().await?;
    let before = job("pre-delete");
    let mut chart = WEB.to_vec();
    chart.push(("templates/delete.yaml", &before));
    world.chart("web", "1.0.0", &chart);
    for (number, delay) in [0u64, 40, 150, 600].into_iter().enumerate() {
        let name = format!("web{number}");
        world.release(&name, "web", "1.0.0", json!({})).await?;
        world.ready(&name).await?;
        world.releases().delete(&name, &DeleteParams::default()).await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        world.controller.kill()?;
        world.controller.restart()?;
        testkit::wait::object(world.releases(), &name, LIMIT, |release| release.is_none()).await?;
        assert!(world.history(&name).await.is_err(), "killed {delay} ms after the deletion: no record stays");
        for kind in ["deployment", "configmap"] {
            let found = world.kubectl(&["get", kind, &name, "--ignore-not-found", "-o", "name"]).await?;
            assert_eq!(found, "", "killed {delay} ms after the deletion");
        }
    }
    Ok(())
}
