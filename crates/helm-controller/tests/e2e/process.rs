//! The process around the reconciles: what it waits for, who leads, what it tells others.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use common::names::lease;
use serde_json::{Value, json};
use testkit::{ControlPlane, Options, Process, TempDir, free_port, process::ProcessCommand};

use crate::world::{CONFIG, LIMIT, World, command, condition};

/// What `/readyz` says, with its status; nothing as long as nobody answers.
async fn readiness(client: &reqwest::Client, port: u16) -> Option<(u16, String)> {
    let response = client.get(format!("http://127.0.0.1:{port}/readyz")).send().await.ok()?;
    Some((response.status().as_u16(), response.text().await.ok()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_are_not_installed_are_waited_for() -> Result<()> {
    let plane = ControlPlane::start(Options { api_only: true, ..Options::default() }).await?;
    let storage = TempDir::new("storage")?;
    let (helm_port, source_port) = (free_port()?, free_port()?);
    let source = std::path::PathBuf::from(env!("CARGO_BIN_EXE_helm-controller")).with_file_name("source-controller");
    let source = Process::command(source).env("KUBECONFIG", plane.kubeconfig()).args([
        "--metrics-addr=0".to_owned(),
        format!("--health-addr=127.0.0.1:{source_port}"),
        format!("--storage-path={}", storage.path().display()),
        format!("--storage-addr=127.0.0.1:{}", free_port()?),
    ]);
    let mut processes = [command(&plane, "default", helm_port, free_port()?).start()?, source.start()?];
    let kinds = [
        (
            helm_port,
            vec![
                "helmreleases.helm.toolkit.fluxcd.io",
                "helmreleases.helm.fluxcd.io",
                "helmcharts.source.toolkit.fluxcd.io",
            ],
        ),
        (source_port, vec!["gitrepositories.source.toolkit.fluxcd.io", "helmrepositories.source.toolkit.fluxcd.io"]),
    ];
    let client = reqwest::Client::new();
    for (port, names) in &kinds {
        let named = testkit::until("all missing kinds are named", LIMIT, async || {
            let (status, text) = readiness(&client, *port).await?;
            let all = names.iter().all(|name| text.contains(&format!("{name} is not installed")));
            (status == 503 && all).then_some(())
        });
        if let Err(error) = named.await {
            panic!("{error}: {names:?}, but there is {:?}", readiness(&client, *port).await);
        }
    }
    plane.apply_crds().await?;
    for (process, (port, _)) in processes.iter_mut().zip(&kinds) {
        process.wait_ready(&format!("http://127.0.0.1:{port}/readyz"), LIMIT).await?;
        assert!(process.is_running() && !process.log().contains("panic"), "{}", process.log_tail(20));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_level_changes_while_it_runs() -> Result<()> {
    let plane = ControlPlane::shared().await?;
    plane.apply_crds().await?;
    let namespace = plane.namespace().await?;
    let port = free_port()?;
    let mut process = command(plane, &namespace, port, free_port()?).start()?;
    process.wait_ready(&format!("http://127.0.0.1:{port}/readyz"), LIMIT).await?;
    let url = format!("http://127.0.0.1:{port}/log-level");
    let client = reqwest::Client::new();
    assert_eq!(client.get(&url).send().await?.text().await?.trim(), "info");
    assert!(!process.log().contains(r#""level":"debug""#), "{}", process.log_tail(5));
    assert_eq!(client.put(&url).body("loud").send().await?.status().as_u16(), 400);
    assert!(client.put(&url).body("debug").send().await?.status().is_success());
    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "a", "namespace": namespace},
                         "spec": {"interval": "1h", "chartRef": {"kind": "HelmChart", "name": "absent"}}});
    plane.apply(&release.to_string()).await?;
    process.wait_log(r#""level":"debug""#, LIMIT).await?;
    Ok(())
}

/// Another replica of a world's controller, with its health port.
fn replica(world: &World) -> Result<(ProcessCommand, u16)> {
    let port = free_port()?;
    Ok((command(&world.plane, &world.namespace, port, free_port()?).args(ELECTION), port))
}

const ELECTION: [&str; 4] = [
    "--enable-leader-election",
    "--leader-election-lease-duration=3s",
    "--leader-election-renew-deadline=2s",
    "--leader-election-retry-period=500ms",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_leads_and_another_follows_it() -> Result<()> {
    let mut world = World::start_with(&ELECTION).await?;
    world.chart("config", "1.0.0", CONFIG);
    let holder = async || {
        let path = "jsonpath={.spec.holderIdentity}";
        world.kubectl(&["get", "lease", lease::HELM, "-o", path]).await
    };
    let first = holder().await?;
    let (command, port) = replica(&world)?;
    let mut second = command.start()?;
    let client = reqwest::Client::new();
    let waiting = testkit::until("the second waits for the Lease", LIMIT, async || {
        readiness(&client, port).await.filter(|(_, text)| text.contains("leader election") && text.contains(&first))
    })
    .await?;
    assert_eq!(waiting.0, 503, "{}", waiting.1);
    world.release("one", "config", "1.0.0", json!({})).await?;
    world.ready("one").await?;
    assert!(!second.log().contains("Helm install"), "only the leader reconciles");
    // The leader dies without a word; its Lease runs out.
    world.controller.kill()?;
    second.wait_ready(&format!("http://127.0.0.1:{port}/readyz"), LIMIT).await?;
    let path = "jsonpath={.spec.holderIdentity}";
    let taken = world.kubectl(&["get", "lease", lease::HELM, "-o", path]).await?;
    assert!(!taken.is_empty() && taken != first);
    world.release("two", "config", "1.0.0", json!({})).await?;
    world.ready("two").await?;
    assert_eq!(world.history("one").await?, ["deployed"]);
    // Asked to stop, it gives the Lease back.
    assert_eq!(second.terminate(LIMIT).await?, 0);
    assert_eq!(world.kubectl(&["get", "lease", lease::HELM, "-o", path]).await?, "");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_to_a_notification_controller() -> Result<()> {
    let received: Arc<Mutex<Vec<Value>>> = Arc::default();
    let store = Arc::clone(&received);
    let router = axum::Router::new().fallback(axum::routing::post(move |body: String| {
        store.lock().unwrap().extend(serde_json::from_str::<Value>(&body));
        async { axum::http::StatusCode::ACCEPTED }
    }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("--events-addr=http://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let world = World::start_with(&[&address]).await?;
    world.chart("config", "1.0.0", CONFIG);
    world.release("config", "config", "1.0.0", json!({})).await?;
    world.ready("config").await?;
    let event = testkit::until("the event arrives", LIMIT, async || {
        let received = received.lock().unwrap();
        received.iter().find(|event| event["reason"] == "InstallSucceeded").cloned()
    })
    .await?;
    assert_eq!(event["involvedObject"]["kind"], "HelmRelease");
    assert_eq!(event["involvedObject"]["namespace"], world.namespace);
    assert_eq!((&event["severity"], &event["reportingController"]), (&json!("info"), &json!("helm-controller")));
    assert!(event["message"].as_str().unwrap_or_default().contains("config@1.0.0"), "{event}");
    assert_eq!(event["metadata"]["helm.toolkit.fluxcd.io/revision"], "1.0.0", "{event}");
    server.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn references_to_other_namespaces_can_be_forbidden() -> Result<()> {
    let world = World::start_with(&["--no-cross-namespace-refs=true"]).await?;
    world.chart("config", "1.0.0", CONFIG);
    let elsewhere = json!({"kind": "HelmRepository", "name": "charts", "namespace": "elsewhere"});
    for (name, spec) in [
        ("chart", json!({"chart": {"spec": {"sourceRef": elsewhere}}})),
        ("ref", json!({"chart": null, "chartRef": {"kind": "HelmChart", "name": "charts", "namespace": "elsewhere"}})),
    ] {
        world.release(name, "config", "1.0.0", spec).await?;
        let release = world.until(name, |release| condition(release, "Ready").0 == "False").await?;
        let (_, reason, message) = condition(&release, "Ready");
        assert_eq!(reason, "AccessDenied", "{message}");
        assert!(message.contains("elsewhere"), "{message}");
        assert_eq!(condition(&release, "Stalled").0, "True", "it is not tried again until it is changed");
    }
    world.release("own", "config", "1.0.0", json!({})).await?;
    world.ready("own").await?;
    assert!(world.history("chart").await.is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_objects_with_the_wanted_labels_are_reconciled() -> Result<()> {
    let world = World::start_with(&["--watch-label-selector=team=web"]).await?;
    world.chart("config", "1.0.0", CONFIG);
    world.release("others", "config", "1.0.0", json!({})).await?;
    world.release("ours", "config", "1.0.0", json!({})).await?;
    world.kubectl(&["label", "helmreleases.helm.toolkit.fluxcd.io", "ours", "team=web"]).await?;
    world.ready("ours").await?;
    let others = world.releases().get("others").await?;
    assert_eq!(others.metadata.finalizers, None);
    assert!(others.status.unwrap_or_default().conditions.is_empty(), "it is not ours to say anything of it");
    world.kubectl(&["label", "helmreleases.helm.toolkit.fluxcd.io", "others", "team=web"]).await?;
    world.ready("others").await?;
    Ok(())
}
