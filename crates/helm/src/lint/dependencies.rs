//! Rules about declared and present dependencies.

use super::{ChartFiles, Findings};
use crate::chart::{Chart, ChartError};
use std::collections::BTreeSet;

pub(super) fn check(files: &ChartFiles, chart: Result<&Chart, &ChartError>, findings: &mut Findings) {
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => return findings.error("", format!("unable to load chart\n\t{error}")),
    };
    let declared: Vec<&str> = chart.metadata.dependencies.iter().map(|dependency| dependency.name.as_str()).collect();
    let present: Vec<&str> = chart.dependencies.iter().map(Chart::name).collect();
    let undeclared = without(&present, &declared);
    if !undeclared.is_empty() {
        let names = undeclared.join(",");
        findings.error(&files.directory, format!("chart metadata is missing these dependencies: {names}"));
    }
    let missing = without(&declared, &present);
    if !missing.is_empty() {
        let names = missing.join(",");
        findings.warning(&files.directory, format!("chart directory is missing these dependencies: {names}"));
    }
}

fn without<'a>(names: &[&'a str], others: &[&str]) -> Vec<&'a str> {
    let others: BTreeSet<&str> = others.iter().copied().collect();
    names.iter().copied().filter(|name| !others.contains(name)).collect()
}
