//! Plays the cases of `testdata/plan`: what storage and status hold, and what must be decided.

use common::helm::v2::{HelmReleaseSpec, HelmReleaseStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Performed, decide,
    history::tests::snapshot,
    policy::Gates,
    requests::Requests,
    state::{Inputs, ReleaseStatus, Stored, state},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default = "nothing")]
    spec: Value,
    #[serde(default = "nothing")]
    status: Value,
    /// `status`, `version`, `chart`, `values`, `digest`, `ours` of the newest stored revision.
    stored: Option<StoredCase>,
    /// Recorded snapshots as (revision, status) pairs, newest first; digests match storage unless `altered`.
    #[serde(default)]
    history: Vec<(i64, String)>,
    #[serde(default)]
    tests: Option<String>,
    #[serde(default)]
    performed: Vec<Performed>,
    #[serde(default)]
    force: bool,
    #[serde(default)]
    retry_by_default: bool,
    #[serde(default = "same")]
    wanted_chart: String,
    #[serde(default = "values")]
    wanted_values: String,
    #[serde(default = "one")]
    generation: i64,
    state: String,
    decision: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCase {
    status: ReleaseStatus,
    version: i64,
    #[serde(default = "yes")]
    ours: bool,
    #[serde(default)]
    altered: bool,
}

fn nothing() -> Value {
    json!({})
}
fn yes() -> bool {
    true
}
fn one() -> i64 {
    1
}
fn same() -> String {
    "1.0.0".to_owned()
}
fn values() -> String {
    "sha256:c".to_owned()
}

fn play(case: Case) {
    let mut spec = json!({"interval": "1m", "chartRef": {"kind": "HelmChart", "name": "x"}});
    json_patch::merge(&mut spec, &case.spec);
    let spec: HelmReleaseSpec = serde_json::from_value(spec).unwrap();
    let mut status = json!({"observedGeneration": 1, "lastAttemptedGeneration": 1, "storageNamespace": "apps"});
    json_patch::merge(&mut status, &case.status);
    let mut status: HelmReleaseStatus = serde_json::from_value(status).unwrap();
    status.history = case.history.iter().map(|(version, word)| snapshot(*version, word)).collect();
    if let (Some(phase), Some(newest)) = (&case.tests, status.history.first_mut()) {
        newest.test_hooks = serde_json::from_value(json!({"t": {"phase": phase}})).unwrap();
    }
    let stored = case.stored.map(|stored| {
        let mut snapshot = snapshot(stored.version, stored.status.word());
        if stored.altered {
            snapshot.digest = "sha256:other".to_owned();
        }
        Stored { status: stored.status, snapshot, ours: stored.ours }
    });
    let inputs = Inputs {
        spec: &spec,
        generation: case.generation,
        chart_name: "web",
        chart_version: &case.wanted_chart,
        config_digest: &case.wanted_values,
        post_renderers_digest: "",
        common_metadata_digest: "",
    };
    let found = state(&inputs, &status, stored.as_ref());
    let text = format!("{found:?}");
    assert!(text.starts_with(&case.state), "{}: state {text}, expected {}", case.name, case.state);
    let requests = Requests { reconcile: case.force, force: case.force, reset: false };
    let gates = Gates { default_to_retry_on_failure: case.retry_by_default };
    let decision = format!("{:?}", decide(&found, &inputs, &mut status, requests, &case.performed, gates));
    assert!(decision.contains(&case.decision), "{}: decision {decision}, expected {}", case.name, case.decision);
}

#[test]
fn cases() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/plan");
    let mut count = 0;
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let cases: Vec<Case> = serde_json::from_str(&fs_err::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        count += cases.len();
        cases.into_iter().for_each(play);
    }
    assert!(count >= 30, "only {count} cases were found");
}
