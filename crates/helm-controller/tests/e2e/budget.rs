//! How many requests a release costs.

use anyhow::Result;
use serde_json::json;

use crate::world::{WEB, World};

#[tokio::test(flavor = "multi_thread")]
async fn requests_stay_within_the_budget() -> Result<()> {
    let world = World::start().await?;
    world.chart("web", "1.0.0", WEB);
    // The first release pays for discovery.
    world.release("first", "web", "1.0.0", json!({})).await?;
    world.ready("first").await?;
    let sum = |counts: &std::collections::BTreeMap<String, f64>| counts.values().sum::<f64>();
    settle().await;
    let before = world.requests().await?;
    world.release("web", "web", "1.0.0", json!({})).await?;
    world.ready("web").await?;
    settle().await;
    let created = world.requests().await?;
    // The HelmChart, the finalizer, two statuses, two events, two objects, two writes of the record; and one more status
    // where the chart takes more than a moment, as on a busy machine.
    assert!(sum(&created) - sum(&before) <= 11.0, "{before:#?}\n{created:#?}");
    world.change("web", json!({"values": {"greeting": "salut"}})).await?;
    world.ready("web").await?;
    settle().await;
    let upgraded = world.requests().await?;
    assert!(sum(&upgraded) - sum(&created) <= 8.0, "{created:#?}\n{upgraded:#?}");
    world.annotate("web", json!({"reconcile.fluxcd.io/requestedAt": "1"})).await?;
    world
        .until("web", |release| release.status.as_ref().unwrap().last_handled_reconcile_at.as_deref() == Some("1"))
        .await?;
    settle().await;
    let requested = world.requests().await?;
    assert_eq!(
        sum(&requested) - sum(&upgraded),
        1.0,
        "a requested no-op is one status patch: {upgraded:#?}\n{requested:#?}"
    );
    world.change("web", json!({"interval": "1s"})).await?;
    world.ready("web").await?;
    settle().await;
    let start = world.requests().await?;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    let end = world.requests().await?;
    assert_eq!(sum(&end), sum(&start), "an interval without a change costs nothing: {start:#?}\n{end:#?}");
    Ok(())
}

/// Events are sent in the background.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
}
