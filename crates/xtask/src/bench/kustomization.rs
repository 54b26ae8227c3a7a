//! Kustomizations built beside the real kustomize, and how the time grows.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use kustomize::fs::DirectoryFileSystem;
use kustomize::{Cache, Options};
use testkit::TempDir;
use tokio::time::Instant;

use super::Bench;
use super::child::{Costs, command, compare};
use super::report::{Bar, Report, median, milliseconds};

/// Growth in time by ten times as many resources that is still linear when measured on a busy machine.
const LINEAR: f64 = 13.0;

fn build(directory: &Path, cache: Option<Cache>) -> Result<String> {
    let root = fs_err::canonicalize(directory)?;
    let options = Options { cache, ..Options::default() };
    let built = kustomize::build(Arc::new(DirectoryFileSystem::whole_machine()), &root.to_string_lossy(), options)
        .map_err(|error| anyhow!("{error}"))?;
    built.to_yaml().map_err(|error| anyhow!("{error}"))
}

/// Measures builds from trivial to 10,000 resources.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section("kustomizations beside kustomize, whole process");
    let kustomize = match testkit::tool("kustomize") {
        Ok(path) => Some(path),
        Err(error) => {
            report.skip("ratios to kustomize", &format!("no real kustomize ({error:#})"));
            None
        }
    };
    let place = TempDir::new("bench-kustomize")?;
    floor(bench, report)?;
    for (name, patch) in [("trivial", false), ("with-patch", true)] {
        let directory = place.join(name);
        overlay(&directory, patch)?;
        let costs = beside(bench, report, kustomize.as_deref(), name, &directory, bench.repeat(41))?;
        bars(report, name, &costs, 10.0);
    }
    let (large, times) = if bench.quick { (50, 1) } else { (1000, 5) };
    let directory = place.join("large");
    resources(&directory, large)?;
    let name = format!("{large} resources");
    let costs = beside(bench, report, kustomize.as_deref(), &name, &directory, times)?;
    bars(report, &name, &costs, 50.0);
    growth(bench, report, &place)?;
    many_patches(bench, report, &place)?;
    again(bench, report, &directory)
}

/// What starting any process costs here: no ratio can be better than this allows.
fn floor(bench: &Bench, report: &mut Report) -> Result<()> {
    let costs = compare(bench.repeat(41), &[command("/bin/true", &[])])?;
    let [cost] = costs.as_slice() else { anyhow::bail!("one command has one cost") };
    report.value("a process that does nothing (/bin/true)", &cost.text());
    Ok(())
}

fn towline(bench: &Bench, directory: &Path) -> Vec<OsString> {
    command(bench.binary("towline"), &["build", &directory.to_string_lossy()])
}

fn beside(
    bench: &Bench,
    report: &mut Report,
    kustomize: Option<&Path>,
    name: &str,
    directory: &Path,
    times: usize,
) -> Result<Vec<Costs>> {
    let mut commands = vec![towline(bench, directory)];
    commands.extend(kustomize.map(|program| command(program, &["build", &directory.to_string_lossy()])));
    let costs = compare(times, &commands)?;
    for (who, cost) in ["towline", "kustomize"].iter().zip(&costs) {
        report.value(&format!("{name}: {who}"), &cost.text());
    }
    Ok(costs)
}

fn bars(report: &mut Report, name: &str, costs: &[Costs], faster: f64) {
    if let [ours, theirs] = costs {
        report.bar(&format!("{name}: times faster (wall)"), theirs.wall() / ours.wall(), "x", Bar::AtLeast(faster));
        report.bar(
            &format!("{name}: share of kustomize's peak memory"),
            ours.peak() / theirs.peak(),
            "",
            Bar::AtMost(1.0),
        );
    }
}

fn growth(bench: &Bench, report: &mut Report, place: &TempDir) -> Result<()> {
    report.section("growth: resources of a kustomization (ours only)");
    let sizes: &[usize] = if bench.quick { &[50, 500] } else { &[1000, 2000, 10_000] };
    let mut walls = Vec::new();
    for &size in sizes {
        let directory = place.join(format!("growth-{size}"));
        resources(&directory, size)?;
        let costs = compare(bench.repeat(3), &[towline(bench, &directory)])?;
        let [cost] = costs.as_slice() else { anyhow::bail!("one command has one cost") };
        report.value(&format!("{size}"), &cost.text());
        walls.push(cost.wall());
    }
    if let (Some(first), Some(last)) = (walls.first(), walls.last()) {
        report.bar("growth by ten times as many", last / first, "x", Bar::AtMost(LINEAR));
    }
    Ok(())
}

/// One patch for each resource, which finds it by its id.
fn many_patches(bench: &Bench, report: &mut Report, place: &TempDir) -> Result<()> {
    report.section("growth: patches of one resource each (ours only)");
    let sizes: &[usize] = if bench.quick { &[50, 500] } else { &[500, 5000] };
    let mut walls = Vec::new();
    for &size in sizes {
        let directory = place.join(format!("patches-{size}"));
        patches(&directory, size)?;
        let costs = compare(bench.repeat(3), &[towline(bench, &directory)])?;
        let [cost] = costs.as_slice() else { anyhow::bail!("one command has one cost") };
        report.value(&format!("{size}"), &cost.text());
        walls.push(cost.wall());
    }
    if let [first, last] = walls.as_slice() {
        report.bar("growth by ten times as many", last / first, "x", Bar::AtMost(LINEAR));
    }
    Ok(())
}

/// A second build of the same tree parses nothing again, and one with a changed file that file.
fn again(bench: &Bench, report: &mut Report, directory: &Path) -> Result<()> {
    report.section("a second build of an unchanged tree, in process");
    let cache = Cache::new(64 << 20);
    let time = |cache: Option<Cache>| -> Result<f64> {
        let started = Instant::now();
        std::hint::black_box(build(directory, cache)?);
        Ok(milliseconds(started.elapsed()))
    };
    time(Some(cache.clone()))?;
    let times = bench.repeat(5);
    let cold = median((0..times).map(|_| time(None)).collect::<Result<Vec<_>>>()?);
    let warm = median((0..times).map(|_| time(Some(cache.clone()))).collect::<Result<Vec<_>>>()?);
    report.value("without a cache, and with what was parsed before", &format!("{cold:.1} ms, {warm:.1} ms"));
    report.bar("share of the time that a second build takes", warm / cold, "", Bar::AtMost(1.0));
    let parsed = cache.parsed_files();
    let part = directory.join("part-0.yaml");
    let text = fs_err::read_to_string(&part)?.replacen("replicas: 2", "replicas: 3", 1);
    fs_err::write(&part, text)?;
    time(Some(cache.clone()))?;
    let again = super::report::count(cache.parsed_files() - parsed);
    report.bar("files parsed again after one was changed", again, "", Bar::AtMost(1.0));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent)?;
    }
    fs_err::write(path, text)?;
    Ok(())
}

/// An overlay of a small base.
fn overlay(directory: &Path, patch: bool) -> Result<()> {
    write(&directory.join("base/kustomization.yaml"), "resources: [web.yaml]\n")?;
    write(&directory.join("base/web.yaml"), &format!("{}---\n{}", deployment(0), service(0)))?;
    let mut text = "namePrefix: dev-\nresources: [base]\n".to_owned();
    if patch {
        text.push_str("patches:\n  - path: patch.yaml\n");
        let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web-0}\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env: [{name: LEVEL, value: debug}]\n";
        write(&directory.join("patch.yaml"), patch)?;
    }
    write(&directory.join("kustomization.yaml"), &text)
}

/// Half Deployments, half Services, in files of fifty, with everything that visits all of them.
fn resources(directory: &Path, count: usize) -> Result<()> {
    let mut names = String::new();
    for (number, indices) in (0..count / 2).collect::<Vec<_>>().chunks(25).enumerate() {
        let text: Vec<String> =
            indices.iter().map(|index| format!("{}---\n{}", deployment(*index), service(*index))).collect();
        write(&directory.join(format!("part-{number}.yaml")), &text.join("---\n"))?;
        writeln!(names, "  - part-{number}.yaml")?;
    }
    let text = format!(
        "resources:\n{names}namespace: apps\nnamePrefix: dev-\nlabels:\n  - pairs: {{team: web}}\n    includeSelectors: true\nimages:\n  - name: nginx\n    newTag: \"1.29\"\npatches:\n  - target: {{kind: Deployment}}\n    patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {{name: any}}\n      spec: {{revisionHistoryLimit: 3}}\n"
    );
    write(&directory.join("kustomization.yaml"), &text)
}

/// Deployments, each with a patch of its own.
fn patches(directory: &Path, count: usize) -> Result<()> {
    let resources: Vec<String> = (0..count).map(deployment).collect();
    write(&directory.join("all.yaml"), &resources.join("---\n"))?;
    let mut text = "resources: [all.yaml]\npatches:\n".to_owned();
    for index in 0..count {
        writeln!(
            text,
            "- patch: '{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web-{index}}}, spec: {{replicas: 3}}}}'"
        )?;
    }
    write(&directory.join("kustomization.yaml"), &text)
}

fn deployment(index: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{index}\n  labels: {{app: web-{index}}}\nspec:\n  replicas: 2\n  selector:\n    matchLabels: {{app: web-{index}}}\n  template:\n    metadata:\n      labels: {{app: web-{index}}}\n    spec:\n      containers:\n        - name: web\n          image: nginx\n          ports: [{{containerPort: 80}}]\n"
    )
}

fn service(index: usize) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web-{index}\nspec:\n  selector: {{app: web-{index}}}\n  ports: [{{port: 80, targetPort: 80}}]\n"
    )
}
