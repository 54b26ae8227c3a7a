//! The API server goes away in the middle of things, and objects are stored that today's definitions would not let in.

use std::time::Duration;

use anyhow::Result;
use common::meta::FluxObject as _;
use serde_json::json;
use testkit::{ControlPlane, Options};

use crate::world::{CONFIG, LIMIT, WEB, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_restarts_in_the_middle_of_an_install_and_of_an_upgrade() -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    plane.apply_crds().await?;
    let namespace = plane.namespace().await?;
    let mut world = World::start_on(plane, &namespace).await?;
    let mut chart = WEB.to_vec();
    chart.push(crate::crash::HOOK);
    world.chart("web", "1.0.0", &chart);
    // Downtime is as long as the API server takes to start; once it is longer, so that retries come to nothing first.
    for (number, (delay, down)) in [(0, 0), (150, 0), (500, 0), (300, 4)].into_iter().enumerate() {
        let name = format!("web{number}");
        // The control plane itself takes its time to come to its senses on a busy machine.
        world.release(&name, "web", "1.0.0", json!({"timeout": "4m"})).await?;
        interrupt(&world, delay, down).await?;
        world.ready(&name).await?;
        assert_eq!(world.history(&name).await?, ["deployed"], "interrupted {delay} ms after the creation");

        let change = world.change(&name, json!({"values": {"greeting": format!("hello {number}")}})).await?;
        interrupt(&world, delay, down).await?;
        let generation = change.metadata.generation;
        world.until(&name, |release| release.metadata.generation == generation && release.is_ready()).await?;
        assert_eq!(
            world.history(&name).await?,
            ["superseded", "deployed"],
            "interrupted {delay} ms after the change of the values"
        );
    }
    assert!(world.controller.is_running(), "it is the same process all the time");
    assert!(!world.controller.log().contains("panic"), "{}", world.controller.log_tail(40));
    Ok(())
}

async fn interrupt(world: &World, after_milliseconds: u64, down_seconds: u64) -> Result<()> {
    tokio::time::sleep(Duration::from_millis(after_milliseconds)).await;
    world.plane.stop_api_server().await?;
    tokio::time::sleep(Duration::from_secs(down_seconds)).await;
    world.plane.resume_api_server().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_object_with_a_junk_duration_stands_alone() -> Result<()> {
    // Its definitions are at first without the patterns that keep junk out, as before 2022.
    let plane = ControlPlane::start(Options { api_only: true, ..Options::default() }).await?;
    plane.apply_crds().await?;
    plane.kubectl(&["create", "namespace", "junk"]).await?;
    let definition = "helmreleases.helm.toolkit.fluxcd.io";
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/timeout/pattern";
    let pattern = plane
        .kubectl(&[
            "get",
            "crd",
            definition,
            "-o",
            "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.timeout.pattern}",
        ])
        .await?;
    let change = |patch: serde_json::Value| patch.to_string();
    let loosen = change(json!([{"op": "remove", "path": path}]));
    plane.kubectl(&["patch", "crd", definition, "--type=json", "-p", &loosen]).await?;
    let object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "junk", "namespace": "junk"},
        "spec": {"interval": "10m", "timeout": "one day", "chart": {"spec": {"chart": "config", "version": "1.0.0",
                 "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}},
    })
    .to_string();
    testkit::until("the junk is accepted", LIMIT, async || plane.apply(&object).await.ok()).await?;
    let mend = change(json!([{"op": "add", "path": path, "value": pattern}]));
    plane.kubectl(&["patch", "crd", definition, "--type=json", "-p", &mend]).await?;

    let mut world = World::start_on(plane, "junk").await?;
    world.chart("config", "1.0.0", CONFIG);
    world.release("good", "config", "1.0.0", json!({})).await?;
    world.ready("good").await?;
    let conditions = testkit::until("the junk is reported", LIMIT, async || {
        let text = world
            .kubectl(&["get", "helmrelease.v2.helm.toolkit.fluxcd.io", "junk", "-o", "jsonpath={.status.conditions}"])
            .await
            .ok()?;
        text.contains("Stalled").then_some(text)
    })
    .await?;
    assert!(conditions.contains("InvalidObject") && conditions.contains("one day"), "{conditions}");
    world.change("junk", json!({"timeout": "1m"})).await?;
    world.ready("junk").await?;
    assert_eq!(world.history("junk").await?, ["deployed"]);
    assert!(world.controller.is_running() && !world.controller.log().contains("panic"));
    Ok(())
}
