//! What Helm releases cost: requests, processor time, memory, and how long many of them take beside a bare loop.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use common::helm::v2::HelmRelease;
use common::meta::FluxObject as _;
use common::names::annotation;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Bench;
use super::bare;
use super::report::{Bar, Report, count, mebibytes};
use super::workload::{PreparedRelease, SmallChart};
use super::world::{Controller, CpuTimes, Usage, World, binary_size};

const LIMIT: Duration = Duration::from_secs(400);
const CONCURRENT_REQUESTS: usize = 8;
/// Growth of a release's cost that is still none when measured on a busy machine.
const LINEAR: f64 = 1.25;
/// What a stripped release binary may have; the bar is in megabytes of a million bytes.
const LARGEST_BINARY: f64 = 25.0;

/// Measures both controllers.
pub(super) async fn run(bench: &Bench, world: &World, report: &mut Report) -> Result<()> {
    let (many, few) = if bench.quick { (8, 4) } else { (100, 20) };
    let chart = SmallChart::load()?;
    world.charts.add_archive(&chart.archive)?;

    report.section("size");
    for name in ["source-controller", "helm-controller", "towline"] {
        #[expect(clippy::cast_precision_loss, reason = "no binary is near 2^53 bytes")]
        let size = binary_size(bench, name)? as f64 / 1e6;
        report.bar(&format!("{name}, stripped release binary"), size, " MB", Bar::AtMost(LARGEST_BINARY));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    memory(world, report, "idle, no releases", false, Some(20.0))?;

    report.section(&format!("{many} releases of {} {} (bare loop beside ours)", chart.name, chart.version));
    let (bare_waiting, bare_cpu) = bare_loop(world, &chart, "bare", many, true).await?;
    let (bare_writing, _) = bare_loop(world, &chart, "bare-writes", many, false).await?;
    report.value("bare loop: objects and Secrets written", &seconds(bare_waiting.writes));
    report.value("bare loop: and all Deployments available", &seconds(bare_waiting.all));
    report.value("bare loop that waits for nothing", &seconds(bare_writing.all));

    let first = Batch::new(world, &chart, "warm").await?;
    first.create(1, &json!({})).await?;
    let batch = Batch::new(world, &chart, "releases").await?;
    let before = world.settled().await?;
    let all_before = world.cpu_times().await?;
    let took = batch.create(many, &json!({})).await?;
    let all_used = world.cpu_times().await?.since(&all_before);
    let created = world.settled().await?;
    let cpu_at_first = created.since(&before).cpu() / count(many);
    report.value("towline: from creation to all Ready", &seconds(took));
    ratio(report, "ratio to the bare loop", took, bare_waiting.all, 1.3);
    // On two cores both are bound by these, which other work on the machine changes less than the time on the clock.
    for (label, used) in [("the bare loop", &bare_cpu), ("towline", &all_used)] {
        let text = format!("{:.2} s", used.total().as_secs_f64());
        report.value(&format!("CPU of all programs, {label}"), &text);
        report.value("", &format!("per release {}", used.detail(count(many))));
    }
    cost(report, "per release created", &created.since(&before), count(many), 18.0, 12.0);
    memory(world, report, &format!("peak after {many} releases"), true, None)?;

    report.section(&format!("{few} of these releases upgraded, asked for, left alone"));
    let names: Vec<String> = (0..few).map(Batch::name).collect();
    let before = world.settled().await?;
    let took = batch.change(&names, &json!({ "values": { "ui": { "message": "changed" } } })).await?;
    let upgraded = world.settled().await?;
    report.value("from the change to all Ready", &seconds(took));
    cost(report, "per upgrade", &upgraded.since(&before), count(few), 14.0, 10.0);
    batch.request(&names).await?;
    let requested = world.settled().await?;
    let used = requested.since(&upgraded);
    report.bar("per requested no-op: API requests", used.total() / count(few), "", Bar::AtMost(1.0));
    report.value("", &used.detail(count(few)));
    report.value("per requested no-op: CPU", &format!("{:.2} ms", used.cpu() / count(few)));
    idle(bench, world, &batch, &names, report).await?;

    report.section(&format!("{many} releases with disableWait"));
    let hasty = Batch::new(world, &chart, "hasty").await?;
    let took = hasty.create(many, &json!({ "install": { "disableWait": true } })).await?;
    report.value("towline: from creation to all Ready", &seconds(took));
    ratio(report, "ratio to the writes alone", took, bare_writing.all, 3.0);

    let further = if bench.quick { 8 } else { 300 };
    let all = 2 * many + further;
    report.section(&format!("growth to {all} releases"));
    let before = world.settled().await?;
    let grown = Batch::new(world, &chart, "growth").await?;
    let took = grown.create(further, &json!({})).await?;
    let after = world.settled().await?;
    report.value(&format!("towline: {further} more from creation to all Ready"), &seconds(took));
    let cpu_now = after.since(&before).cpu() / count(further);
    report.value("CPU per release created now", &format!("{cpu_now:.1} ms"));
    report.bar("CPU per release, beside that of the first", cpu_now / cpu_at_first, "x", Bar::AtMost(LINEAR));
    memory(world, report, &format!("peak with {all} releases"), true, Some(60.0))?;
    tokio::time::sleep(Duration::from_secs(if bench.quick { 1 } else { 10 })).await;
    memory(world, report, &format!("idle with {all} releases"), false, None)?;
    Ok(())
}

/// The loop in a namespace of its own, which is gone afterwards.
async fn bare_loop(
    world: &World,
    chart: &SmallChart,
    namespace: &str,
    many: usize,
    wait: bool,
) -> Result<(bare::Times, CpuTimes)> {
    world.plane.create_namespace(namespace).await?;
    let releases: Vec<PreparedRelease> =
        (0..many).map(|index| chart.release(&Batch::name(index), namespace)).collect::<Result<_>>()?;
    let before = world.cpu_times().await?;
    let times = bare::run(&world.client, namespace, &releases, wait).await?;
    let used = world.cpu_times().await?.since(&before);
    world.clear(namespace).await?;
    Ok((times, used))
}

/// Nothing changes: releases whose interval passes again and again must cost no request at all.
async fn idle(bench: &Bench, world: &World, batch: &Batch<'_>, names: &[String], report: &mut Report) -> Result<()> {
    let window = Duration::from_secs(if bench.quick { 5 } else { 30 });
    batch.change(names, &json!({ "interval": "5s" })).await?;
    let before = world.settled().await?;
    let reconciles = world.reconciles().await?;
    tokio::time::sleep(window).await;
    let used = world.usage().await?.since(&before);
    let reconciles = world.reconciles().await? - reconciles;
    let label = format!("{} s without a change: interval reconciles", window.as_secs());
    report.value(&label, &format!("{reconciles}, watches renewed {}", used.watches));
    report.bar("API requests by all of them", used.total(), "", Bar::AtMost(0.0));
    report.bar("writes but Lease renewals", used.writes(), "", Bar::AtMost(0.0));
    if used.total() > 0.0 {
        report.value("", &used.detail(1.0));
    }
    report.value("CPU per interval no-op", &format!("{:.2} ms", used.cpu() / reconciles.max(1.0)));
    batch.change(names, &json!({ "interval": "1h" })).await?;
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn ratio(report: &mut Report, label: &str, ours: Duration, theirs: Duration, limit: f64) {
    report.bar(label, ours.as_secs_f64() / theirs.as_secs_f64(), "x", Bar::AtMost(limit));
}

fn cost(report: &mut Report, what: &str, used: &Usage, objects: f64, requests: f64, cpu: f64) {
    report.bar(&format!("{what}: API requests"), used.total() / objects, "", Bar::AtMost(requests));
    report.value("", &used.detail(objects));
    report.value(&format!("{what}: watches opened"), &format!("{:.2}", used.watches / objects));
    report.bar(&format!("{what}: CPU of both"), used.cpu() / objects, " ms", Bar::AtMost(cpu));
    let each = |time: Duration| super::report::milliseconds(time) / objects;
    let text =
        format!("source-controller {:.1} ms, helm-controller {:.1} ms", each(used.source_cpu), each(used.helm_cpu));
    report.value("", &text);
}

fn memory(world: &World, report: &mut Report, when: &str, peak: bool, bar: Option<f64>) -> Result<()> {
    for Controller { process, .. } in [&world.source, &world.helm] {
        let size = mebibytes(if peak { process.peak_memory()? } else { process.memory()? });
        let label = format!("{} RSS, {when}", process.name());
        match bar {
            Some(limit) => report.bar(&label, size, " MiB", Bar::AtMost(limit)),
            None => report.value(&label, &format!("{size:.1} MiB")),
        }
    }
    Ok(())
}

/// HelmReleases of one chart in a namespace of their own.
struct Batch<'a> {
    world: &'a World,
    chart: &'a SmallChart,
    namespace: &'a str,
    api: Api<HelmRelease>,
}

impl<'a> Batch<'a> {
    /// Makes the namespace and its chart repository.
    async fn new(world: &'a World, chart: &'a SmallChart, namespace: &'a str) -> Result<Self> {
        world.plane.create_namespace(namespace).await?;
        let repository = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": { "name": "charts", "namespace": namespace },
            "spec": { "interval": "1h", "url": world.charts.url() },
        });
        world.plane.apply(&repository.to_string()).await?;
        world
            .plane
            .kubectl(&["wait", "--for=condition=Ready", "helmrepository/charts", "-n", namespace, "--timeout=60s"])
            .await?;
        Ok(Self { world, chart, namespace, api: Api::namespaced(world.client.clone(), namespace) })
    }

    fn name(index: usize) -> String {
        format!("r{index:03}")
    }

    /// Creates releases; how long it took until all were Ready.
    async fn create(&self, many: usize, more: &Value) -> Result<Duration> {
        let started = Instant::now();
        let names: Vec<String> = (0..many).map(Self::name).collect();
        let creating = futures::stream::iter(&names)
            .map(|name| async move {
                self.api
                    .create(&PostParams::default(), &self.object(name, more)?)
                    .await
                    .map(drop)
                    .map_err(anyhow::Error::from)
            })
            .buffer_unordered(CONCURRENT_REQUESTS)
            .try_collect::<()>();
        self.until_all(&names, creating, HelmRelease::is_ready).await?;
        Ok(started.elapsed())
    }

    /// Changes the spec of releases; how long it took until all were Ready again.
    async fn change(&self, names: &[String], spec: &Value) -> Result<Duration> {
        let started = Instant::now();
        let generations = self.patch(names, &json!({ "spec": spec })).await?;
        let is_ready = |release: &HelmRelease| {
            release.is_ready()
                && generations
                    .iter()
                    .any(|(name, at)| *name == release.name_any() && release.observed_generation() >= *at)
        };
        self.until_all(names, async { Ok(()) }, is_ready).await?;
        Ok(started.elapsed())
    }

    /// Asks for a reconcile of releases and waits until each has answered.
    async fn request(&self, names: &[String]) -> Result<()> {
        let token = "bench";
        self.patch(names, &json!({ "metadata": { "annotations": { (annotation::REQUESTED_AT): token } } })).await?;
        self.until_all(names, async { Ok(()) }, |release| release.last_handled_reconcile_at() == Some(token)).await
    }

    async fn patch(&self, names: &[String], patch: &Value) -> Result<Vec<(String, i64)>> {
        futures::stream::iter(names)
            .map(|name| async move {
                let changed = self.api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
                anyhow::Ok((name.clone(), changed.metadata.generation.unwrap_or_default()))
            })
            .buffer_unordered(CONCURRENT_REQUESTS)
            .try_collect()
            .await
    }

    /// Does something while watching the releases, until each of them has met the condition.
    async fn until_all(
        &self,
        names: &[String],
        doing: impl Future<Output = Result<()>>,
        condition: impl Fn(&HelmRelease) -> bool,
    ) -> Result<()> {
        let watching = async {
            let mut left: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let changes = watcher(self.api.clone(), watcher::Config::default());
            let mut changes = changes.default_backoff().applied_objects().boxed();
            while let Some(change) = changes.next().await {
                let Ok(release) = change else { continue };
                if condition(&release) {
                    left.remove(release.name_any().as_str());
                }
                if left.is_empty() {
                    return Ok(());
                }
            }
            bail!("the watch of HelmReleases ended")
        };
        match tokio::time::timeout(LIMIT, async { tokio::try_join!(doing, watching) }).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => {
                let log = self.world.helm.process.log_tail(20);
                Err(anyhow::anyhow!("helm-controller's last words:\n{log}"))
                    .with_context(|| format!("the releases in {} are not ready in time", self.namespace))
            }
        }
    }

    fn object(&self, name: &str, more: &Value) -> Result<HelmRelease> {
        let mut spec = json!({
            "interval": "1h",
            "timeout": "5m",
            "chart": { "spec": {
                "chart": self.chart.name, "version": self.chart.version, "interval": "1h",
                "sourceRef": { "kind": "HelmRepository", "name": "charts" },
            } },
            "values": self.chart.values,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        Ok(serde_json::from_value(json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": { "name": name, "namespace": self.namespace },
            "spec": spec,
        }))?)
    }
}
