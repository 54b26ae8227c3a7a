//! Warnings about values that no template reads must be rare where people's values are right: over the corpus's own values
//! files and settings nearly none may be given, and a misspelt default must be noticed in most charts.
//!
//! `TOWLINE_SHOW=1` prints what is found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod corpus;

use corpus::values_options;
use helm::chart::{Chart, load_archive};
use helm::value::Map;
use helm::values::unknown::unknown_keys;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn values(directory: &Path, case: &Value) -> Option<Map> {
    values_options(directory, case).merge().ok()
}

/// Keys of the corpus's values that are truly read by nothing: looked at one by one.
const TRULY_UNREAD: &[&str] = &[
    "elasticsearch-8.5.1.tgz networkPolicy.transport.allowExternal",
    "ghost-9.1.13.tgz tolerations",
    "ingress-nginx-4.15.1.tgz controller.opentelemetry",
    "oauth2-proxy-10.7.0.tgz oauth2-proxy",
    "oauth2-proxy-10.7.0.tgz serviceMonitor",
    "prometheus-postgres-exporter-8.2.0.tgz podDisruptionBudget.minAvailable",
    "prometheus-postgres-exporter-8.2.0.tgz serviceMonitor.jobLabel",
];

#[test]
fn real_values_give_hardly_any_warning() {
    let Some(shared) = oracle::shared_directory() else { return };
    let directory = shared.join("corpus/charts");
    let cases: Vec<Value> = serde_json::from_slice(&fs_err::read(directory.join("cases.json")).unwrap()).unwrap();
    let mut charts: BTreeMap<String, Chart> = BTreeMap::new();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut with_values, mut warned) = (0, 0);
    for case in &cases {
        let file = case["chart"].as_str().unwrap().to_owned();
        let chart = charts
            .entry(file.clone())
            .or_insert_with(|| load_archive(&fs_err::read(directory.join(&file)).unwrap()).unwrap());
        let Some(values) = values(&directory, case).filter(|values| !values.is_empty()) else { continue };
        with_values += 1;
        let unknown = unknown_keys(chart, &values);
        warned += usize::from(!unknown.is_empty());
        for key in unknown {
            found.entry(format!("{file} {}", key.path)).or_default().insert(case["name"].as_str().unwrap().to_owned());
        }
    }
    let alarms: Vec<&String> = found.keys().filter(|key| !TRULY_UNREAD.contains(&key.as_str())).collect();
    // What is not looked at is silence too: a slip in a top-level default must be noticed in most charts.
    let noticed = charts.values().filter(|chart| notices_slip(chart)).count();
    eprintln!(
        "typo warnings: {warned} of {with_values} cases with values warned, {} keys, {} of them not known to be right; \
         a slip is noticed in {noticed} of {} charts",
        found.len(),
        alarms.len(),
        charts.len()
    );
    if std::env::var_os("TOWLINE_SHOW").is_some() {
        for (key, cases) in &found {
            eprintln!("  {key} ({} cases, {})", cases.len(), cases.first().unwrap());
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
    assert!(noticed * 2 > charts.len(), "a slip is noticed in {noticed} of {} charts only", charts.len());
}

fn notices_slip(chart: &Chart) -> bool {
    let Some(key) = chart.values.as_ref().and_then(|values| values.keys().find(|key| key.len() > 5)) else {
        return false;
    };
    let mut values = Map::new();
    values.insert(format!("{key}x"), true);
    unknown_keys(chart, &values).iter().any(|unknown| unknown.closest.as_deref() == Some(key))
}
