//! `towline template` beside the real `helm template`, each as a whole process.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Bench;
use super::child::{command, compare};
use super::report::{Bar, Report};
use super::workload::{SmallChart, corpus};

/// Measures a small chart and a very large one.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section("towline template beside helm template, whole process");
    let helm = match testkit::tool("helm") {
        Ok(helm) => helm,
        Err(error) => {
            report.skip("towline template", &format!("no real helm ({error:#})"));
            return Ok(());
        }
    };
    let place = testkit::TempDir::new("bench-charts")?;
    let small = SmallChart::load()?;
    let path = place.join("small.tgz");
    fs_err::write(&path, &small.archive)?;
    beside(bench, report, &helm, &small.name, &path, bench.repeat(15))?;
    match corpus("kube-prometheus-stack-88.5.3.tgz") {
        Some(path) => {
            let (ours, theirs) = beside(bench, report, &helm, "kube-prometheus-stack", &path, bench.repeat(9))?;
            report.bar("kube-prometheus-stack: share of Helm's peak memory", ours / theirs, "", Bar::AtMost(1.0 / 3.0));
        }
        None => report.skip("kube-prometheus-stack", "the shared corpus is not there"),
    }
    Ok(())
}

/// Peak memory of ours and Helm's.
fn beside(
    bench: &Bench,
    report: &mut Report,
    helm: &Path,
    name: &str,
    chart: &Path,
    times: usize,
) -> Result<(f64, f64)> {
    let chart = chart.to_string_lossy();
    let arguments = ["template", "release", &*chart];
    let programs: [PathBuf; 2] = [bench.binary("towline"), helm.to_owned()];
    let costs = compare(times, &programs.map(|program| command(program, &arguments)))?;
    let [ours, theirs] = costs.as_slice() else { anyhow::bail!("two programs have two costs") };
    report.value(&format!("{name}: towline template"), &ours.text());
    report.value(&format!("{name}: helm template"), &theirs.text());
    report.bar(&format!("{name}: times faster (wall)"), theirs.wall() / ours.wall(), "x", Bar::AtLeast(5.0));
    report.value(&format!("{name}: times less CPU"), &format!("{:.1}x", theirs.cpu() / ours.cpu()));
    Ok((ours.peak(), theirs.peak()))
}
