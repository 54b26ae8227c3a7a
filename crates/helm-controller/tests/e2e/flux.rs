//! The real `flux` command reads and drives our objects.

use anyhow::Result;
use common::meta::FluxObject as _;
use serde_json::json;
use testkit::HelmRepositoryServer;

use crate::world::{LIMIT, WEB, World};

fn add(charts: &HelmRepositoryServer, version: &str) -> Result<()> {
    let metadata = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    let mut files = WEB.to_vec();
    files.push(("Chart.yaml", &metadata));
    charts.add_chart(&files)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flux_command_reads_and_drives_releases_and_sources() -> Result<()> {
    let world = World::start_with_sources(None, &[]).await?;
    crate::sources::allow_fetching(&world).await?;
    let charts = HelmRepositoryServer::start().await?;
    add(&charts, "1.0.0")?;
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": world.namespace},
        "spec": {"url": charts.url(), "interval": "1h"},
    });
    world.plane.apply(&source.to_string()).await?;
    let flux = async |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--namespace", &world.namespace, "--timeout=2m"]);
        world.plane.run("flux", &all).await
    };
    world.release("web", "web", "*", json!({"interval": "1h"})).await?;
    world.ready("web").await?;

    let releases = flux(&["get", "helmreleases"]).await?;
    let row = releases.lines().find(|line| line.starts_with("web")).unwrap_or_default().to_owned();
    assert!(row.contains("1.0.0") && row.contains("True"), "{releases}");
    let sources = flux(&["get", "sources", "helm"]).await?;
    assert!(sources.contains("charts") && sources.contains("True"), "{sources}");
    let sources = flux(&["get", "sources", "chart"]).await?;
    assert!(sources.contains("1.0.0"), "{sources}");
    assert!(flux(&["get", "all"]).await?.contains("helmrelease/web"));
    // A new chart is found by asking the source, then the release.
    add(&charts, "1.1.0")?;
    flux(&["reconcile", "source", "helm", "charts"]).await?;
    flux(&["reconcile", "source", "chart", &format!("{}-web", world.namespace)]).await?;
    flux(&["reconcile", "helmrelease", "web"]).await?;
    world
        .until("web", |release| {
            release.is_ready()
                && release.status.as_ref().is_some_and(|status| status.history[0].chart_version == "1.1.0")
        })
        .await?;
    add(&charts, "1.2.0")?;
    flux(&["reconcile", "helmrelease", "web", "--with-source"]).await?;
    let release = world.releases().get("web").await?;
    assert_eq!(release.status.unwrap().history[0].chart_version, "1.2.0", "--with-source follows the whole chain");
    let revision =
        async || Ok::<_, anyhow::Error>(world.releases().get("web").await?.status.unwrap().history[0].version);
    let before = revision().await?;
    flux(&["reconcile", "helmrelease", "web", "--force"]).await?;
    assert_eq!(revision().await?, before + 1, "--force upgrades without a change");
    flux(&["reconcile", "helmrelease", "web", "--reset"]).await?;
    assert_eq!(revision().await?, before + 1);

    flux(&["suspend", "helmrelease", "web"]).await?;
    assert!(world.releases().get("web").await?.spec.suspend);
    world.change("web", json!({"values": {"greeting": "later"}})).await?;
    assert!(flux(&["reconcile", "helmrelease", "web"]).await.is_err(), "a suspended release is not reconciled");
    assert_eq!(revision().await?, before + 1);
    // It waits until the release is ready.
    flux(&["resume", "helmrelease", "web"]).await?;
    let greeting = world.kubectl(&["get", "configmap", "web", "-o", "jsonpath={.data.greeting}"]).await?;
    assert_eq!(greeting, "later");
    flux(&["suspend", "source", "helm", "charts"]).await?;
    flux(&["resume", "source", "helm", "charts"]).await?;

    let events = testkit::until("the events", LIMIT, async || {
        let text = flux(&["events", "--for", "HelmRelease/web"]).await.ok()?;
        text.contains("UpgradeSucceeded").then_some(text)
    })
    .await?;
    assert!(events.contains("Helm upgrade succeeded"), "{events}");
    let export = flux(&["export", "helmrelease", "web"]).await?;
    assert!(export.contains("chart: web") && !export.contains("status:"), "{export}");
    let values = flux(&["debug", "helmrelease", "web", "--show-values"]).await?;
    assert!(values.contains("greeting: later"), "{values}");
    let log = world.controller.log();
    assert!(log.contains(r#""controllerKind":"HelmRelease""#), "`flux logs` selects by these keys");
    flux(&["delete", "helmrelease", "web", "--silent"]).await?;
    testkit::wait::object(world.releases(), "web", LIMIT, |release| release.is_none()).await?;
    Ok(())
}
