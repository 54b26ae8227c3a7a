//! When is a set of applied objects ready, and if it is not, which object is in the way and why?

use std::fmt;

use serde_json::Value;

use crate::object::{ObjectRef, text};

/// What kstatus says of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// As its spec asks.
    Current,
    /// On the way there.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// Being deleted.
    Terminating,
    /// It does not exist.
    NotFound,
    /// It could not be judged.
    Unknown,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}

/// One object's state at one resource version; small, because one is kept for every object watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// `metadata.uid`.
    pub uid: Box<str>,
    /// `metadata.resourceVersion`.
    pub resource_version: u64,
    /// kstatus' judgement.
    pub condition: Condition,
    /// kstatus' words for it; empty when current.
    pub message: Box<str>,
    /// For what runs to completion: how far it is.
    pub run: Run,
}

/// How far a Job or Pod is on the way to its end; what hooks and tests wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Not of a kind that ends.
    None,
    /// Not at its end yet.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
}

/// Longest message kept per object.
const MESSAGE_LIMIT: usize = 300;

impl Observed {
    /// Judges an object.
    pub fn of(object: &Value) -> Self {
        let (condition, message) = judge(object);
        let mut message = if condition == Condition::Current { String::new() } else { message };
        if message.len() > MESSAGE_LIMIT {
            let cut = (0..=MESSAGE_LIMIT).rev().find(|&at| message.is_char_boundary(at)).unwrap_or(0);
            message.truncate(cut);
            message.push('…');
        }
        Self {
            uid: text(object, "/metadata/uid").into(),
            resource_version: crate::object::resource_version(object),
            condition,
            message: message.into_boxed_str(),
            run: run(object),
        }
    }
}

fn run(object: &Value) -> Run {
    match (text(object, "/apiVersion"), text(object, "/kind")) {
        ("batch/v1", "Job") => {
            let conditions =
                object.pointer("/status/conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let held = |wanted: &str| {
                conditions
                    .iter()
                    .any(|condition| text(condition, "/type") == wanted && text(condition, "/status") == "True")
            };
            if held("Failed") {
                Run::Failed
            } else if held("Complete") {
                Run::Succeeded
            } else {
                Run::Running
            }
        }
        ("v1", "Pod") => match text(object, "/status/phase") {
            "Succeeded" => Run::Succeeded,
            "Failed" => Run::Failed,
            _ => Run::Running,
        },
        _ => Run::None,
    }
}

fn judge(object: &Value) -> (Condition, String) {
    match status::compute_for_flux(object) {
        Ok(result) => {
            let condition = match result.status {
                status::Status::Current => Condition::Current,
                status::Status::InProgress => Condition::InProgress,
                status::Status::Failed => Condition::Failed,
                status::Status::Terminating => Condition::Terminating,
                status::Status::NotFound => Condition::NotFound,
                status::Status::Unknown => Condition::Unknown,
            };
            (condition, result.message)
        }
        Err(error) => (Condition::Unknown, error.to_string()),
    }
}

/// An object that was applied and must become ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Which object.
    pub object: ObjectRef,
    /// Its state in the answer to the apply request.
    pub applied: Observed,
}

/// What a watch knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The watch has not caught up yet.
    Unsynced,
    /// The watch knows of no such object.
    Absent,
    /// The newest state seen.
    Seen(Observed),
}

/// Whether a set of objects is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Every object is current.
    Ready,
    /// Some are not there yet.
    Waiting(Vec<NotReady>),
    /// At least one will not get there by itself.
    Failed(Vec<NotReady>),
}

/// An object in the way of readiness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// Which object.
    pub object: ObjectRef,
    /// kstatus' judgement.
    pub condition: Condition,
    /// Why.
    pub message: String,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} status: '{}'", self.object, self.condition)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

/// Joins the first few objects in the way into one line.
pub fn describe(objects: &[NotReady]) -> String {
    const SHOWN: usize = 5;
    let mut text = objects.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if objects.len() > SHOWN {
        text.push_str(&format!(" and {} more", objects.len() - SHOWN));
    }
    text
}

/// Judges the set from the answers to the apply requests and what the watches have seen since.
///
/// A sighting older than the answer to our own request is passed over: a watch may lag behind.
pub fn evaluate(required: &[Required], mut sighting: impl FnMut(&ObjectRef) -> Sighting) -> Readiness {
    let mut waiting = Vec::new();
    let mut failed = Vec::new();
    for Required { object, applied } in required {
        let state = match sighting(object) {
            Sighting::Seen(seen) if seen.uid != applied.uid && seen.resource_version > applied.resource_version => seen,
            Sighting::Seen(seen) if seen.uid == applied.uid && seen.resource_version >= applied.resource_version => {
                seen
            }
            // An object that was current when applied and is not watched stays so; one that was watched and is gone is not.
            Sighting::Absent if applied.condition != Condition::Current => Observed {
                condition: Condition::NotFound,
                message: "the object was deleted after it was applied".into(),
                ..applied.clone()
            },
            Sighting::Seen(_) | Sighting::Unsynced | Sighting::Absent => applied.clone(),
        };
        let not_ready =
            NotReady { object: object.clone(), condition: state.condition, message: state.message.into_string() };
        match state.condition {
            Condition::Current => {}
            Condition::Failed => failed.push(not_ready),
            _ => waiting.push(not_ready),
        }
    }
    if !failed.is_empty() {
        Readiness::Failed(failed)
    } else if waiting.is_empty() {
        Readiness::Ready
    } else {
        Readiness::Waiting(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Gvk;

    fn observed(version: u64, condition: Condition, message: &str) -> Observed {
        Observed { uid: "u".into(), resource_version: version, condition, message: message.into(), run: Run::None }
    }

    fn required(name: &str, condition: Condition) -> Required {
        Required {
            object: ObjectRef { gvk: Gvk::new("apps/v1", "Deployment"), namespace: "n".into(), name: name.into() },
            applied: observed(10, condition, "Replicas: 0/1"),
        }
    }

    #[test]
    fn a_lagging_watch_does_not_make_ready() {
        let set = [required("a", Condition::InProgress)];
        let old = observed(9, Condition::Current, "");
        let new = observed(11, Condition::Current, "");
        assert!(matches!(evaluate(&set, |_| Sighting::Seen(old.clone())), Readiness::Waiting(_)));
        assert!(matches!(evaluate(&set, |_| Sighting::Unsynced), Readiness::Waiting(_)));
        assert_eq!(evaluate(&set, |_| Sighting::Seen(new.clone())), Readiness::Ready);
    }

    #[test]
    fn what_was_current_and_is_not_watched_is_ready() {
        assert_eq!(evaluate(&[required("a", Condition::Current)], |_| Sighting::Unsynced), Readiness::Ready);
        assert_eq!(evaluate(&[], |_| Sighting::Unsynced), Readiness::Ready);
    }

    #[test]
    fn failure_wins_and_is_described() {
        let set = [required("a", Condition::InProgress), required("b", Condition::InProgress)];
        let readiness = evaluate(&set, |object| {
            if object.name == "b" {
                Sighting::Seen(observed(12, Condition::Failed, "Progress deadline exceeded"))
            } else {
                Sighting::Unsynced
            }
        });
        let Readiness::Failed(objects) = readiness else { panic!("{readiness:?}") };
        assert_eq!(describe(&objects), "Deployment/n/b status: 'Failed': Progress deadline exceeded");
    }

    #[test]
    fn a_job_is_done_when_it_is_complete() {
        let job = |status: Value, suspend: bool| {
            Observed::of(&serde_json::json!({
                "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n", "generation": 1},
                "spec": {"suspend": suspend}, "status": status,
            }))
        };
        let condition = |kind: &str| serde_json::json!({"conditions": [{"type": kind, "status": "True", "reason": "BackoffLimitExceeded"}], "startTime": "2024-01-01T00:00:00Z"});
        let running = job(serde_json::json!({"startTime": "2024-01-01T00:00:00Z", "active": 1}), false);
        assert_eq!((running.condition, running.run), (Condition::InProgress, Run::Running));
        assert_eq!(job(condition("Complete"), false).run, Run::Succeeded);
        let failed = job(condition("Failed"), false);
        assert_eq!((failed.condition, failed.run), (Condition::Failed, Run::Failed));
        assert!(!failed.message.is_empty());
    }

    #[test]
    fn a_deleted_object_is_named() {
        let readiness = evaluate(&[required("a", Condition::InProgress)], |_| Sighting::Absent);
        let Readiness::Waiting(objects) = readiness else { panic!("{readiness:?}") };
        assert_eq!(objects[0].condition, Condition::NotFound);
    }
}
