//! Workloads that count replicas.

use serde_json::Value;

use crate::field::{conditions, integer, kind, strict_integer, string};
use crate::{Error, StatusResult};

/// What the API server stores for a Deployment without a deadline.
const NO_DEADLINE: i64 = i32::MAX as i64;

fn status_count(object: &Value, name: &str) -> i64 {
    integer(object, &["status", name], 0)
}

/// In progress with `<word>: <have>/<want>` when less is there than wanted.
fn less(reason: &str, word: &str, have: i64, want: i64) -> Option<StatusResult> {
    (want > have).then(|| StatusResult::in_progress(reason, format!("{word}: {have}/{want}")))
}

/// In progress while more replicas are there than wanted.
fn extra(have: i64, want: i64) -> Option<StatusResult> {
    (have > want)
        .then(|| StatusResult::in_progress("ExtraPods", format!("Pending termination: {}", have.saturating_sub(want))))
}

pub(crate) fn stateful_set(object: &Value) -> StatusResult {
    if string(object, &["spec", "updateStrategy", "type"], "") == "OnDelete" {
        return StatusResult::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = integer(object, &["spec", "replicas"], 1);
    let replicas = status_count(object, "replicas");
    let updated = status_count(object, "updatedReplicas");
    let partition = integer(object, &["spec", "updateStrategy", "rollingUpdate", "partition"], -1);
    let unfinished = less("LessReplicas", "Replicas", replicas, wanted)
        .or_else(|| less("LessReady", "Ready", status_count(object, "readyReplicas"), wanted))
        .or_else(|| extra(replicas, wanted));
    if let Some(result) = unfinished {
        return result;
    }
    if partition != -1 {
        return less("PartitionRollout", "updated", updated, wanted.saturating_sub(partition))
            .unwrap_or_else(|| StatusResult::current(format!("Partition rollout complete. updated: {updated}")));
    }
    if let Some(result) = less("LessCurrent", "current", status_count(object, "currentReplicas"), wanted) {
        return result;
    }
    if string(object, &["status", "currentRevision"], "") != string(object, &["status", "updateRevision"], "") {
        return StatusResult::in_progress("RevisionMismatch", "Waiting for updated revision to match current");
    }
    StatusResult::current(format!("All replicas scheduled as expected. Replicas: {replicas}"))
}

pub(crate) fn deployment(object: &Value) -> Result<StatusResult, Error> {
    // Without a deadline the controller never sets the condition Progressing.
    let mut progressing = integer(object, &["spec", "progressDeadlineSeconds"], NO_DEADLINE) == NO_DEADLINE;
    let mut available = false;
    for condition in conditions(object)? {
        match condition.type_ {
            "Progressing" if condition.reason == "ProgressDeadlineExceeded" => {
                let mut result = StatusResult::failed(condition.reason, condition.message);
                "Progress deadline exceeded".clone_into(&mut result.message);
                return Ok(result);
            }
            "Progressing" if condition.status == "True" && condition.reason == "NewReplicaSetAvailable" => {
                progressing = true;
            }
            "Available" if condition.status == "True" => available = true,
            _ => {}
        }
    }
    let wanted = integer(object, &["spec", "replicas"], 1);
    let replicas = status_count(object, "replicas");
    let updated = status_count(object, "updatedReplicas");
    let unfinished = less("LessReplicas", "Replicas", replicas, wanted)
        .or_else(|| less("LessUpdated", "Updated", updated, wanted))
        .or_else(|| extra(replicas, wanted))
        .or_else(|| less("LessAvailable", "Available", status_count(object, "availableReplicas"), updated))
        .or_else(|| less("LessReady", "Ready", status_count(object, "readyReplicas"), wanted));
    if let Some(result) = unfinished {
        return Ok(result);
    }
    if !progressing {
        return Ok(StatusResult::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available"));
    }
    if !available {
        return Ok(StatusResult::in_progress("DeploymentNotAvailable", "Deployment not Available"));
    }
    Ok(StatusResult::current(format!("Deployment is available. Replicas: {replicas}")))
}

pub(crate) fn replica_set(object: &Value) -> Result<StatusResult, Error> {
    if conditions(object)?.iter().any(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True") {
        return Ok(StatusResult::in_progress("ReplicaFailure", "Replica Failure condition. Check Pods"));
    }
    let wanted = integer(object, &["spec", "replicas"], 1);
    let replicas = status_count(object, "replicas");
    let unfinished = less("LessLabelled", "Labelled", status_count(object, "fullyLabeledReplicas"), wanted)
        .or_else(|| less("LessAvailable", "Available", status_count(object, "availableReplicas"), wanted))
        .or_else(|| less("LessReady", "Ready", status_count(object, "readyReplicas"), wanted))
        .or_else(|| extra(replicas, wanted));
    Ok(unfinished.unwrap_or_else(|| StatusResult::current(format!("ReplicaSet is available. Replicas: {replicas}"))))
}

pub(crate) fn daemon_set(object: &Value) -> Result<StatusResult, Error> {
    // Elsewhere a missing generation is let pass; here zero counts would look finished before the controller came by.
    let kind = kind(object);
    if strict_integer(object, &["metadata", "generation"])?.is_none() {
        return Ok(StatusResult::in_progress("NoGeneration", format!("{kind} metadata.generation not found")));
    }
    if strict_integer(object, &["status", "observedGeneration"])?.is_none() {
        let message = format!("{kind} status.observedGeneration not found");
        return Ok(StatusResult::in_progress("NoObservedGeneration", message));
    }
    let wanted = integer(object, &["status", "desiredNumberScheduled"], -1);
    if wanted == -1 {
        return Ok(StatusResult::in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled"));
    }
    let unfinished = less("LessCurrent", "Current", status_count(object, "currentNumberScheduled"), wanted)
        .or_else(|| less("LessUpdated", "Updated", status_count(object, "updatedNumberScheduled"), wanted))
        .or_else(|| less("LessAvailable", "Available", status_count(object, "numberAvailable"), wanted))
        .or_else(|| less("LessReady", "Ready", status_count(object, "numberReady"), wanted));
    Ok(unfinished
        .unwrap_or_else(|| StatusResult::current(format!("All replicas scheduled as expected. Replicas: {wanted}"))))
}
