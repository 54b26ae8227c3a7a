//! Flux's reading of Jobs, and the clock.

use serde_json::{Value, json};
use status::Status;

fn job(spec: &Value, status: &Value) -> Value {
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j" }, "spec": spec, "status": status })
}

#[test]
fn a_job_must_end_for_flux() {
    let started = "2020-01-01T00:00:00Z";
    let ended = |type_: &str| json!({ "startTime": started, "succeeded": 1, "conditions": [{ "type": type_, "status": "True" }] });
    let table = [
        (json!({}), json!({}), Status::InProgress, "Job not started. active: 0/1"),
        (json!({ "parallelism": 3 }), json!({}), Status::InProgress, "Job not started. active: 0/3"),
        (
            json!({}),
            json!({ "startTime": started, "active": 1 }),
            Status::InProgress,
            "Job in progress. success:0, active: 1, failed: 0",
        ),
        (json!({}), ended("Complete"), Status::Current, "Job Completed. succeeded: 1/1"),
        (json!({ "completions": 2 }), ended("Failed"), Status::Failed, "Job Failed. failed: 0/2"),
        (json!({ "suspend": true }), json!({ "startTime": started }), Status::Current, "Job is suspended"),
        (json!({ "suspend": "true" }), json!({}), Status::InProgress, "Job not started. active: 0/1"),
    ];
    for (spec, status, expected, message) in table {
        let result = status::compute_for_flux(&job(&spec, &status)).unwrap();
        assert_eq!((result.status, result.message.as_str()), (expected, message));
    }
    let running = job(&json!({}), &json!({ "startTime": started }));
    assert_eq!(status::compute(&running).unwrap().status, Status::Current);
}

#[test]
fn a_pod_without_a_node_fails_after_a_while() {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "creationTimestamp": "2026-01-01T00:00:00Z" },
        "status": {
            "phase": "Pending",
            "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" }],
        },
    });
    let at = |time: &str| status::compute_at(&pod, time.parse().unwrap()).unwrap();
    let early = at("2026-01-01T00:00:14Z");
    assert_eq!(early.status, Status::InProgress);
    assert_eq!(early.until, Some("2026-01-01T00:00:15Z".parse().unwrap()));
    assert_eq!(at("2026-01-01T00:00:16Z").status, Status::Failed);
    assert_eq!(status::compute(&pod).unwrap().status, Status::InProgress);
}

#[test]
fn errors_name_the_field() {
    let object = json!({ "apiVersion": "v1", "kind": "Pod", "status": { "conditions": "none" } });
    let error = status::compute(&object).unwrap_err().to_string();
    assert!(error.starts_with("status.conditions is a string, expected a list"), "{error}");
}
