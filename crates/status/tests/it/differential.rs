//! Random objects put to upstream's code and to ours: same status, message and conditions, or an error from both.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const KINDS: &[(&str, &str)] = &[
    ("v1", "Service"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Namespace"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("extensions/v1beta1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("policy/v1", "PodDisruptionBudget"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"),
];

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        12 => (-1i64..4).prop_map(|number| json!(number)),
        1 => Just(json!(1.5)),
        1 => Just(json!(u64::MAX)),
        1 => Just(json!("1")),
        1 => Just(Value::Null),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let type_ = select(vec![
        "Ready",
        "Reconciling",
        "Stalled",
        "Progressing",
        "Available",
        "ReplicaFailure",
        "PodScheduled",
        "Complete",
        "Failed",
        "NamesAccepted",
        "Established",
        "Other",
    ]);
    let status = select(vec!["True", "False", "Unknown", "Odd"]);
    let reason = select(vec![
        "",
        "Installing",
        "Unschedulable",
        "NewReplicaSetAvailable",
        "ProgressDeadlineExceeded",
        "Because",
    ]);
    (type_, status, reason, 0u8..40).prop_map(|(type_, status, reason, odd)| match odd {
        0 => Value::Null,
        1 => json!("text"),
        2 => json!({ "type": 5, "status": status }),
        3 => json!({ "type": type_, "status": null }),
        4 => json!({ "type": type_, "status": true }),
        _ => json!({ "type": type_, "status": status, "reason": reason, "message": "some words" }),
    })
}

fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::vec((select(names), number()), 0..names.len())
        .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

const COUNTS: &[&str] = &[
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "fullyLabeledReplicas",
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberReady",
    "succeeded",
    "active",
    "failed",
];
/// Counts that agree, so that the far ends of the rules are reached.
fn finished(count: i64) -> Map<String, Value> {
    COUNTS.iter().map(|name| ((*name).to_owned(), json!(count))).collect()
}

fn status() -> impl Strategy<Value = Value> {
    let counts = prop_oneof![some_of(COUNTS), (0i64..3).prop_map(finished)];
    let conditions = proptest::collection::vec(condition(), 0..4);
    let phase = select(vec!["", "Running", "Pending", "Succeeded", "Failed", "Bound", "Odd"]);
    let waiting = select(vec!["CrashLoopBackOff", "ContainerCreating"]);
    (counts, conditions, phase, waiting, 0u32..2048).prop_map(|(mut status, conditions, phase, waiting, bits)| {
        let mut set = |bit: u32, name: &str, value: Value| {
            if bits & (1 << bit) != 0 {
                status.insert(name.to_owned(), value);
            }
        };
        set(0, "conditions", Value::Array(conditions));
        set(1, "phase", json!(phase));
        set(2, "phase", json!(phase));
        set(3, "startTime", json!("2020-01-01T00:00:00Z"));
        set(4, "observedGeneration", json!(1));
        set(5, "currentRevision", json!("a"));
        set(6, "updateRevision", json!("a"));
        set(7, "containerStatuses", json!([{ "name": "c", "state": { "waiting": { "reason": waiting } } }, {}]));
        if bits >> 8 == 7 {
            status.insert("observedGeneration".to_owned(), json!(1.5));
        }
        Value::Object(status)
    })
}

fn object() -> impl Strategy<Value = Value> {
    let spec = (some_of(&["replicas", "parallelism", "completions", "progressDeadlineSeconds"]), 0u32..64);
    (select(KINDS), spec, status(), 0u32..256, select(vec!["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])).prop_map(
        |((api_version, kind), (mut spec, spec_bits), status, bits, created)| {
            if spec_bits & 1 != 0 {
                spec.insert("type".to_owned(), json!("LoadBalancer"));
            }
            if spec_bits & 2 != 0 {
                spec.insert("clusterIP".to_owned(), json!("10.0.0.1"));
            }
            match spec_bits >> 2 {
                0 => drop(spec.insert("updateStrategy".to_owned(), json!({ "type": "OnDelete" }))),
                1..4 => drop(spec.insert("updateStrategy".to_owned(), json!({ "rollingUpdate": { "partition": 1 } }))),
                _ => {}
            }
            let mut object = json!({
                "apiVersion": api_version,
                "kind": kind,
                "metadata": { "name": "o", "creationTimestamp": created },
                "spec": spec,
            });
            match bits & 15 {
                0 => {}
                1 => object["metadata"]["deletionTimestamp"] = json!("2020-01-01T00:00:00Z"),
                2 => object["metadata"]["generation"] = json!(2),
                _ => object["metadata"]["generation"] = json!(1),
            }
            match bits >> 4 {
                0 => {}
                1 => object["status"] = json!("text"),
                2 => object["status"] = Value::Null,
                _ => object["status"] = status,
            }
            object
        },
    )
}

#[test]
fn random_objects() {
    let Some(oracle) = oracle::Oracle::start_in("oracle-flux", "kstatus") else { return };
    let oracle = RefCell::new(oracle);
    let seen = RefCell::new(std::collections::BTreeMap::<String, usize>::new());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: oracle::fuzz_cases(20_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    runner
        .run(&object(), |object| {
            let answer = oracle.borrow_mut().ask(&json!({ "kind": "compute", "object": object }));
            if answer["error"] == "panic" {
                // Upstream ends on odd container statuses; there is nothing to compare.
                let _ = status::compute_at(&object, now);
                return Ok(());
            }
            let ours = status::compute_at(&object, now);
            let word = ours.as_ref().map_or("error", |result| result.status.as_str());
            *seen.borrow_mut().entry(word.to_owned()).or_default() += 1;
            match (answer.get("error"), ours) {
                (Some(_), Err(_)) => {}
                (None, Ok(result)) => {
                    let ours = serde_json::to_value(result).unwrap();
                    prop_assert_eq!(ours, answer, "{}", object);
                }
                (theirs, ours) => prop_assert!(false, "upstream {theirs:?}, ours {ours:?}: {object}"),
            }
            Ok(())
        })
        .unwrap();
    println!("{:?}", seen.borrow());
    assert!(seen.borrow().len() >= 5, "the generator reaches every status: {seen:?}");
}
