//! From a push to a ready release: how long until all objects are applied, and how long after the last is current.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client};
use parking_lot::Mutex;
use serde_json::Value;
use testkit::GitServer;
use tokio::time::Instant;

use super::Bench;
use super::report::{Bar, Report, median, milliseconds};
use super::world::World;

const NAMESPACE: &str = "hello";
const LIMIT: Duration = Duration::from_secs(60);
/// What the chart of the example consists of.
const KINDS: [(&str, &str, &str); 3] = [("", "v1", "ConfigMap"), ("", "v1", "Service"), ("apps", "v1", "Deployment")];

/// One state of an object, and when it was seen.
struct Seen {
    at: Instant,
    kind: String,
    object: Value,
}

type History = Arc<Mutex<Vec<Seen>>>;

/// Measures pushes to the example repository of the demo.
pub(super) async fn run(bench: &Bench, world: &World, report: &mut Report) -> Result<()> {
    report.section("a push to a running release (the example of the demo)");
    let git = GitServer::start().await?;
    let repository = git.repository("hello")?;
    repository.copy_directory(&testkit::workspace().join("examples/hello"), "")?;
    repository.commit_and_push("A greeting")?;
    world.plane.create_namespace(NAMESPACE).await?;
    let source = repository.read("cluster/source.yaml")?;
    world.plane.apply(&source.replace("https://git.example.org/hello.git", &git.url("hello"))).await?;
    world.plane.apply(&repository.read("cluster/release.yaml")?).await?;
    sync(bench, world).await?;

    let history = History::default();
    let mut watches = tokio::task::JoinSet::new();
    for (group, version, kind) in KINDS.into_iter().chain([("helm.toolkit.fluxcd.io", "v2", "HelmRelease")]) {
        watches.spawn(watch(world.client.clone(), GroupVersionKind::gvk(group, version, kind), Arc::clone(&history)));
    }
    testkit::until("a first look at every object", LIMIT, || async {
        (history.lock().len() > KINDS.len()).then_some(())
    })
    .await?;

    let (mut pushing, mut applied, mut ready, mut synced) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.repeat(7) {
        repository.write("environments/production.yaml", format!("replicas: 2\ngreeting: Hello {round}\n"))?;
        repository.commit(&format!("Greeting {round}"))?;
        let before = Instant::now();
        repository.push()?;
        let pushed = Instant::now();
        pushing.push(milliseconds(pushed - before));
        sync(bench, world).await?;
        synced.push(milliseconds(pushed.elapsed()));
        let moments = testkit::until("the end of a push", LIMIT, || async { moments(&history.lock(), pushed) }).await?;
        applied.push(milliseconds(moments.applied.saturating_duration_since(pushed)));
        ready.push(milliseconds(moments.ready.saturating_duration_since(moments.current)));
    }
    report.value("git push itself, median", &format!("{:.0} ms", median(pushing)));
    report.bar(
        "from the end of the push to all objects applied, median",
        median(applied) / 1000.0,
        " s",
        Bar::AtMost(0.7),
    );
    report.bar("from the last object current to Ready, median", median(ready) / 1000.0, " s", Bar::AtMost(0.3));
    report.value("from the end of the push to the end of towline sync, median", &format!("{:.0} ms", median(synced)));
    Ok(())
}

async fn sync(bench: &Bench, world: &World) -> Result<()> {
    let output = tokio::process::Command::new(bench.binary("towline"))
        .args(["sync", "--namespace", NAMESPACE])
        .env("KUBECONFIG", world.plane.kubeconfig())
        .output()
        .await
        .context("running towline sync")?;
    if !output.status.success() {
        bail!("towline sync: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Notes every state of the objects of a kind.
async fn watch(client: Client, kind: GroupVersionKind, history: History) {
    let api: Api<DynamicObject> = Api::namespaced_with(client, NAMESPACE, &ApiResource::from_gvk(&kind));
    let mut changes = watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
    while let Some(change) = changes.next().await {
        let at = Instant::now();
        if let Some(mut object) = change.ok().and_then(|object| serde_json::to_value(object).ok())
            && object["metadata"]["name"] == NAMESPACE
        {
            // The items of a list do not say what they are.
            object["apiVersion"] = kind.api_version().into();
            object["kind"] = kind.kind.clone().into();
            history.lock().push(Seen { at, kind: kind.kind.clone(), object });
        }
    }
}

/// When what a push led to happened.
struct Moments {
    applied: Instant,
    current: Instant,
    ready: Instant,
}

/// The chart's version names the commit, so every object of the release changes with it.
fn moments(history: &[Seen], pushed: Instant) -> Option<Moments> {
    let chart = |object: &Value| object["metadata"]["labels"]["helm.sh/chart"].clone();
    let of_kind = |kind: &'static str| history.iter().filter(move |seen| seen.kind == kind);
    let mut applied = pushed;
    let mut current = pushed;
    for (_, _, kind) in KINDS {
        let old = chart(&of_kind(kind).rfind(|seen| seen.at <= pushed)?.object);
        let new = |seen: &&Seen| seen.at > pushed && chart(&seen.object) != old;
        applied = applied.max(of_kind(kind).find(new)?.at);
        let is_current = |seen: &&Seen| {
            new(seen) && status::compute(&seen.object).is_ok_and(|result| result.status == status::Status::Current)
        };
        current = current.max(of_kind(kind).find(is_current)?.at);
    }
    let revision = |object: &Value| object["status"]["history"][0]["version"].clone();
    let old = revision(&of_kind("HelmRelease").rfind(|seen| seen.at <= pushed)?.object);
    let is_ready = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array();
        conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    let ready = of_kind("HelmRelease")
        .find(|seen| seen.at > pushed && revision(&seen.object) != old && is_ready(&seen.object))?;
    Some(Moments { applied, current, ready: ready.at })
}
