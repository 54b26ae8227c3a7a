//! A release's chart, objects and records may each be somewhere else, and its history is as long as asked for.

use anyhow::Result;
use common::meta::FluxObject as _;
use serde_json::{Value, json};

use crate::world::{CONFIG, World};

#[tokio::test(flavor = "multi_thread")]
async fn chart_objects_and_records_are_where_the_spec_puts_them() -> Result<()> {
    let world = World::start().await?;
    world.chart("config", "1.0.0", CONFIG);
    let records = world.plane.namespace().await?;
    let target = format!("{}-target", world.namespace);
    // A chart that several releases share, and values from one key of a Secret put at a path.
    let chart = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
                       "metadata": {"name": "shared", "namespace": world.namespace},
                       "spec": {"chart": "config", "version": "1.0.0", "interval": "1h",
                                "sourceRef": {"kind": "HelmRepository", "name": "charts"}}});
    world.plane.apply(&chart.to_string()).await?;
    world.kubectl(&["create", "secret", "generic", "words", "--from-literal=greeting=from a path"]).await?;
    let spec = json!({
        "chart": null, "chartRef": {"kind": "HelmChart", "name": "shared"},
        "releaseName": "away", "targetNamespace": target, "storageNamespace": records, "maxHistory": 2,
        "install": {"createNamespace": true}, "uninstall": {"keepHistory": true},
        "valuesFrom": [{"kind": "Secret", "name": "words", "valuesKey": "greeting", "targetPath": "greeting"}],
    });
    world.release("here", "config", "1.0.0", spec).await?;
    world.ready("here").await?;
    let greeting = async || {
        let path = "jsonpath={.data.greeting}";
        world.plane.kubectl(&["get", "configmap", "away", "--namespace", &target, "-o", path]).await
    };
    assert_eq!(greeting().await?, "from a path");
    for number in 0..3 {
        let change = world.change("here", json!({"values": {"round": number}})).await?;
        let generation = change.generation();
        world.until("here", |release| release.observed_generation() == generation && release.is_ready()).await?;
    }
    let history = async |arguments: &[&str]| {
        let all = [&["--namespace", records.as_str(), "-o", "json"], arguments].concat();
        Ok::<Vec<Value>, anyhow::Error>(serde_json::from_str(&world.plane.run("helm", &all).await?)?)
    };
    let kept = history(&["history", "away"]).await?;
    let kept: Vec<_> = kept.iter().map(|entry| (entry["revision"].clone(), entry["status"].clone())).collect();
    assert_eq!(kept, [(json!(3), json!("superseded")), (json!(4), json!("deployed"))]);
    let other = world.kubectl(&["get", "secrets", "--selector=owner=helm", "-o", "name"]).await?;
    assert_eq!(other, "", "no record is in the object's own namespace");
    world.delete("here").await?;
    assert!(greeting().await.is_err(), "its objects are gone");
    let kept = history(&["history", "away"]).await?;
    assert_eq!(kept.last().map(|entry| entry["status"].clone()), Some(json!("uninstalled")), "{kept:?}");
    world.plane.kubectl(&["get", "helmchart", "shared", "--namespace", &world.namespace]).await?;
    Ok(())
}
