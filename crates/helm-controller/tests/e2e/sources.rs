//! Charts from the real source-controller: by gRPC, with a ServiceAccount's token, as far as its rights go.

use anyhow::Result;
use serde_json::json;
use testkit::{GitServer, HelmRepositoryServer, OtlpReceiver};

use crate::world::{CONFIG, LIMIT, World, condition};

/// Lets the ServiceAccount whose token is used read the charts of its namespace.
pub(crate) async fn allow_fetching(world: &World) -> Result<()> {
    world
        .kubectl(&[
            "create",
            "role",
            "fetcher",
            "--verb=get,list,watch",
            "--resource=helmcharts.source.toolkit.fluxcd.io",
        ])
        .await?;
    let account = format!("--serviceaccount={}:fetcher", world.namespace);
    world.kubectl(&["create", "rolebinding", "fetcher", "--role=fetcher", &account]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_in_git_is_fetched_by_grpc_with_the_rights_of_a_service_account() -> Result<()> {
    let git = GitServer::start().await?;
    let repository = git.repository("charts")?;
    let chart = |version: &str| format!("apiVersion: v2\nname: config\nversion: {version}\n");
    repository.write("charts/config/Chart.yaml", chart("1.0.0"))?;
    for (path, content) in CONFIG {
        repository.write(&format!("charts/config/{path}"), content)?;
    }
    repository.commit_and_push("a chart")?;

    let world = World::start_with_sources(None, &[]).await?;
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "charts", "namespace": world.namespace},
        "spec": {"url": git.url("charts"), "interval": "1s", "ref": {"branch": "main"}},
    });
    world.plane.apply(&source.to_string()).await?;
    let chart_spec = json!({"chart": {"spec": {"chart": "./charts/config", "version": "*", "sourceRef": {"kind": "GitRepository", "name": "charts"}}}});
    world.release("config", "config", "*", chart_spec).await?;

    let user = format!("system:serviceaccount:{}:fetcher", world.namespace);
    let refused = world.until("config", |release| condition(release, "Ready").2.contains(&user)).await?;
    assert_eq!(condition(&refused, "Ready").0, "False", "a token without rights fetches nothing");
    assert!(world.history("config").await.is_err());

    allow_fetching(&world).await?;
    world.ready("config").await?;
    assert_eq!(world.history("config").await?, ["deployed"]);

    repository.write("charts/config/Chart.yaml", chart("1.1.0"))?;
    repository.write("charts/config/values.yaml", "greeting: pushed\n")?;
    repository.commit_and_push("another greeting")?;
    testkit::wait::until("the pushed greeting", crate::world::LIMIT, || async {
        let found = world.kubectl(&["get", "configmap", "config", "-o", "jsonpath={.data.greeting}"]).await.ok()?;
        (found == "pushed").then_some(())
    })
    .await?;
    world.ready("config").await?;
    assert_eq!(world.history("config").await?, ["superseded", "deployed"]);
    world.delete("config").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_through_both_controllers_over_grpc() -> Result<()> {
    let receiver = OtlpReceiver::start().await?;
    let endpoint = receiver.endpoint();
    let world =
        World::start_with_sources_and(None, &[], &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())]).await?;
    allow_fetching(&world).await?;
    let charts = HelmRepositoryServer::start().await?;
    let mut files = CONFIG.to_vec();
    files.push(("Chart.yaml", "apiVersion: v2\nname: config\nversion: 1.0.0\n"));
    charts.add_chart(&files)?;
    let source = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": world.namespace},
        "spec": {"url": charts.url(), "interval": "1h"},
    });
    world.plane.apply(&source.to_string()).await?;
    world.release("config", "config", "1.0.0", json!({})).await?;
    world.ready("config").await?;
    let (fetch, served) = testkit::until("the spans of a fetch on both sides", LIMIT, async || {
        let spans = receiver.spans();
        let fetch = spans.iter().find(|span| span.service == "helm-controller" && span.name == "fetch artifact")?;
        let served = spans.iter().find(|span| span.service == "source-controller" && span.name == "FetchArtifact")?;
        Some((fetch.clone(), served.clone()))
    })
    .await?;
    assert_eq!(served.trace, fetch.trace, "the fetch is one trace");
    assert_eq!(served.parent, fetch.id, "what source-controller does is part of what helm-controller asked for");
    let reconcile = testkit::until("the span of the reconcile", LIMIT, async || {
        receiver.spans().into_iter().find(|span| span.id == fetch.parent)
    })
    .await?;
    assert_eq!(reconcile.name, format!("HelmRelease {}/config", world.namespace));
    Ok(())
}
