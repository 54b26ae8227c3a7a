//! The bare loop: what it takes to write the objects and Secrets of releases and wait for their Deployments, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind, ObjectMeta};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::workload::PreparedRelease;

/// Releases written at the same time.
const CONCURRENT: usize = 8;
const LIMIT: Duration = Duration::from_secs(300);

/// What the loop took.
pub(super) struct Times {
    /// Until everything was written.
    pub(super) writes: Duration,
    /// Until every Deployment was available and the Secrets said so; the same as `writes` when nothing is waited for.
    pub(super) all: Duration,
}

/// Writes releases; `wait` also for their Deployments.
pub(super) async fn run(client: &Client, namespace: &str, releases: &[PreparedRelease], wait: bool) -> Result<Times> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let started = Instant::now();
    let deployments = available(client, namespace, if wait { releases.len() } else { 0 });
    let writing = async {
        futures::stream::iter(releases)
            .map(|release| write(client, namespace, &secrets, release, !wait))
            .buffer_unordered(CONCURRENT)
            .try_collect::<()>()
            .await?;
        anyhow::Ok(started.elapsed())
    };
    let (writes, ()) = tokio::time::timeout(LIMIT, async { tokio::try_join!(writing, deployments) })
        .await
        .context("the bare loop is not through in time")??;
    if wait {
        futures::stream::iter(releases)
            .map(|release| finish(&secrets, release))
            .buffer_unordered(CONCURRENT)
            .try_collect::<()>()
            .await?;
    }
    Ok(Times { writes, all: started.elapsed() })
}

async fn write(
    client: &Client,
    namespace: &str,
    secrets: &Api<Secret>,
    release: &PreparedRelease,
    finish_too: bool,
) -> Result<()> {
    let mut secret = record(release, &release.pending);
    secret.type_ = Some(helm::release::SECRET_TYPE.to_owned());
    secrets.create(&PostParams::default(), &secret).await?;
    for object in &release.objects {
        apply(client, namespace, object).await?;
    }
    if finish_too { finish(secrets, release).await } else { Ok(()) }
}

async fn apply(client: &Client, namespace: &str, object: &Value) -> Result<()> {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, text("kind")));
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let name = object["metadata"]["name"].as_str().context("an object without a name")?;
    api.patch(name, &PatchParams::apply("bare-loop").force(), &Patch::Apply(object)).await?;
    Ok(())
}

async fn finish(secrets: &Api<Secret>, release: &PreparedRelease) -> Result<()> {
    let secret = record(release, &release.deployed);
    secrets.patch(&secret.name_any(), &PatchParams::default(), &Patch::Merge(json!({ "data": secret.data }))).await?;
    Ok(())
}

fn record(release: &PreparedRelease, content: &str) -> Secret {
    let labels = [("owner", "helm"), ("name", &release.name), ("version", "1")];
    Secret {
        metadata: ObjectMeta {
            name: Some(helm::release::secret_name(&release.name, 1)),
            labels: Some(labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([("release".to_owned(), k8s_openapi::ByteString(content.as_bytes().to_vec()))])),
        ..Secret::default()
    }
}

/// Waits until this many Deployments are available.
async fn available(client: &Client, namespace: &str, wanted: usize) -> Result<()> {
    if wanted == 0 {
        return Ok(());
    }
    let api: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let mut changes = watcher(api, watcher::Config::default()).default_backoff().applied_objects().boxed();
    let mut seen = BTreeSet::new();
    while let Some(change) = changes.next().await {
        let Ok(deployment) = change else { continue };
        if is_available(&deployment) {
            seen.insert(deployment.name_any());
        }
        if seen.len() >= wanted {
            return Ok(());
        }
    }
    bail!("the watch of Deployments ended")
}

fn is_available(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    deployment.status.as_ref().is_some_and(|status| {
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas.unwrap_or_default() >= wanted
            && status.available_replicas.unwrap_or_default() >= wanted
    })
}
