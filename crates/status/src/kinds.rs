//! Which built-in kind has which rules, and the rules of those that are no workloads.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::field::{ObjectCondition, conditions, group_kind, nested, string};
use crate::{Error, StatusResult, job, workloads};

/// How long a Pod may be without a node before that counts as failure.
const SCHEDULE_WINDOW: SignedDuration = SignedDuration::from_secs(15);

/// The judgement of the kind's own rules; `None` for kinds without any.
pub(crate) fn check(object: &Value, now: Option<Timestamp>) -> Result<Option<StatusResult>, Error> {
    let result = match group_kind(object) {
        ("", "Service") => service(object),
        ("", "Pod") => return pod(object, now).map(Some),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => StatusResult::current("Resource is always ready"),
        ("", "PersistentVolumeClaim") => persistent_volume_claim(object),
        ("apps", "StatefulSet") => workloads::stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => return workloads::daemon_set(object).map(Some),
        ("apps" | "extensions", "Deployment") => return workloads::deployment(object).map(Some),
        ("apps" | "extensions", "ReplicaSet") => return workloads::replica_set(object).map(Some),
        // That its generation was observed, which the generic rules see to, is all there is to know.
        ("policy", "PodDisruptionBudget") => StatusResult::current("AllowedDisruptions has been computed."),
        ("batch", "Job") => return job::for_kstatus(object).map(Some),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => return custom_resource_definition(object).map(Some),
        _ => return Ok(None),
    };
    Ok(Some(result))
}

fn service(object: &Value) -> StatusResult {
    let is_load_balancer = string(object, &["spec", "type"], "ClusterIP") == "LoadBalancer";
    if is_load_balancer && string(object, &["spec", "clusterIP"], "").is_empty() {
        return StatusResult::in_progress("NoIPAssigned", "ClusterIP not set. Service type: LoadBalancer");
    }
    StatusResult::current("Service is ready")
}

fn persistent_volume_claim(object: &Value) -> StatusResult {
    match string(object, &["status", "phase"], "unknown") {
        "Bound" => StatusResult::current("PVC is Bound"),
        phase => StatusResult::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}")),
    }
}

fn custom_resource_definition(object: &Value) -> Result<StatusResult, Error> {
    for condition in conditions(object)? {
        let ObjectCondition { type_, status, reason, message } = condition;
        match (type_, status) {
            ("NamesAccepted", "False") => return Ok(StatusResult::failed(reason, message)),
            ("Established", "False") if reason != "Installing" => return Ok(StatusResult::failed(reason, message)),
            ("Established", "True") => return Ok(StatusResult::current("CRD is established")),
            _ => {}
        }
    }
    Ok(StatusResult::in_progress("Installing", "Install in progress"))
}

fn pod(object: &Value, now: Option<Timestamp>) -> Result<StatusResult, Error> {
    let conditions = conditions(object)?;
    let has = |type_: &str, status: &str| {
        conditions.iter().find(|condition| condition.type_ == type_ && condition.status == status)
    };
    match string(object, &["status", "phase"], "") {
        "Succeeded" => Ok(StatusResult::current("Pod has completed successfully")),
        "Failed" => Ok(StatusResult::current("Pod has completed, but not successfully")),
        "Running" if has("Ready", "True").is_some() => Ok(StatusResult::current("Pod is Ready")),
        "Running" => {
            let looping = crash_looping_containers(object)?;
            if looping.is_empty() {
                return Ok(StatusResult::in_progress("PodRunningNotReady", "Pod is running but is not Ready"));
            }
            let message = format!("Containers in CrashLoop state: {}", looping.join(","));
            Ok(StatusResult::failed("ContainerCrashLooping", message))
        }
        "Pending" => {
            let unscheduled = has("PodScheduled", "False");
            if unscheduled.is_some_and(|condition| condition.reason == "Unschedulable") {
                return Ok(unschedulable(object, now));
            }
            Ok(StatusResult::in_progress("PodPending", "Pod is in the Pending phase"))
        }
        "" => Ok(StatusResult::in_progress("PodNotObserved", "Pod phase not available")),
        phase => Err(Error::UnknownPhase(phase.to_owned())),
    }
}

fn unschedulable(object: &Value, now: Option<Timestamp>) -> StatusResult {
    let created = string(object, &["metadata", "creationTimestamp"], "").parse::<Timestamp>().ok();
    let deadline = created.and_then(|created| created.checked_add(SCHEDULE_WINDOW).ok());
    let in_window = match (now, deadline) {
        (Some(now), Some(deadline)) => now < deadline,
        (Some(_), None) => false,
        (None, _) => true,
    };
    if !in_window {
        return StatusResult::failed("PodUnschedulable", "Pod could not be scheduled");
    }
    let mut result = StatusResult::in_progress("PodNotScheduled", "Pod has not been scheduled");
    result.until = deadline;
    result
}

/// Names of the containers that are waiting because they crash again and again.
fn crash_looping_containers(object: &Value) -> Result<Vec<&str>, Error> {
    let list = match nested(object, &["status", "containerStatuses"])? {
        None => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or_else(|| Error::WrongType {
            path: "status.containerStatuses".to_owned(),
            found: "something else",
            expected: "a list",
        })?,
    };
    Ok(list
        .iter()
        .filter(|status| string(status, &["state", "waiting", "reason"], "") == "CrashLoopBackOff")
        .filter_map(|status| status.get("name")?.as_str())
        .collect())
}
