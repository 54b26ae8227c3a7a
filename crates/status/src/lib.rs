//! kstatus: is this object current, still on its way, or failed? Pure: an object in, a judgement out.
//!
//! The rules are those of `cli-utils/pkg/kstatus/status`, messages included, because `flux`, `kubectl wait` and people read them:
//! first what holds for every object (deletion, generation, the conditions `Reconciling` and `Stalled`), then the rules of the
//! built-in kinds, then a `Ready` condition; an object that says nothing is current.
//!
//! Two rules differ between upstream's programs, and both are here:
//! * a running Job is current to kstatus, and in progress to Flux: [`compute`] against [`compute_for_flux`];
//! * Helm's older readiness check (`waitStrategy: legacy`) counts replicas in its own way. It is not kstatus and not in this crate.
//!
//! ```
//! let object = serde_json::json!({
//!     "apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": { "phase": "Pending" },
//! });
//! let result = status::compute(&object).unwrap();
//! assert_eq!(result.status, status::Status::InProgress);
//! assert_eq!(result.message, "PVC is not Bound. phase: Pending");
//! ```

mod augment;
mod field;
mod generic;
mod job;
mod kinds;
mod workloads;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use augment::augment;
pub use field::Error;

/// What an object is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Status {
    /// On its way to what the spec asks.
    InProgress,
    /// It will not get there by itself.
    Failed,
    /// It is what the spec asks.
    Current,
    /// It is being deleted.
    Terminating,
    /// It does not exist. Never computed from an object; for those who look for one.
    NotFound,
    /// It cannot be told. Never computed from an object; for those who failed to look.
    Unknown,
}

impl Status {
    /// The word upstream uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Current => "Current",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Type of the condition of objects that are in progress.
pub const RECONCILING: &str = "Reconciling";
/// Type of the condition of objects that failed.
pub const STALLED: &str = "Stalled";

/// A condition that would say on the object what was computed. Its status is always `True`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// [`RECONCILING`] or [`STALLED`].
    #[serde(rename = "type")]
    pub type_: &'static str,
    /// `True`.
    pub status: &'static str,
    /// Why, as one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

/// A judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusResult {
    /// What the object is doing.
    pub status: Status,
    /// How that was told, for people.
    pub message: String,
    /// The condition that says so; none for current and terminating objects.
    pub conditions: Vec<Condition>,
    /// When the judgement changes although the object does not: the moment a Pod that cannot be scheduled counts as failed.
    #[serde(skip)]
    pub until: Option<Timestamp>,
}

impl StatusResult {
    fn current(message: impl Into<String>) -> Self {
        Self { status: Status::Current, message: message.into(), conditions: Vec::new(), until: None }
    }

    fn terminating() -> Self {
        let message = "Resource scheduled for deletion".to_owned();
        Self { status: Status::Terminating, message, conditions: Vec::new(), until: None }
    }

    fn in_progress(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::abnormal(Status::InProgress, RECONCILING, reason.into(), message.into())
    }

    fn failed(reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self::abnormal(Status::Failed, STALLED, reason.into(), message.into())
    }

    fn abnormal(status: Status, type_: &'static str, reason: String, message: String) -> Self {
        let condition = Condition { type_, status: "True", reason, message: message.clone() };
        Self { status, message, conditions: vec![condition], until: None }
    }
}

/// The status of an object, without a clock: a Pod that cannot be scheduled stays in progress, because a node may still come.
///
/// # Errors
/// When a field the rules read has the wrong type.
pub fn compute(object: &Value) -> Result<StatusResult, Error> {
    judge(object, None)
}

/// The status of an object at a moment: 15 seconds after its creation, a Pod that cannot be scheduled has failed.
///
/// # Errors
/// When a field the rules read has the wrong type.
pub fn compute_at(object: &Value, now: Timestamp) -> Result<StatusResult, Error> {
    judge(object, Some(now))
}

/// The status of an object as Flux's controllers see it: as [`compute`], but a running Job is in progress and a suspended
/// one current.
///
/// # Errors
/// When a field the rules read has the wrong type.
pub fn compute_for_flux(object: &Value) -> Result<StatusResult, Error> {
    if field::group_kind(object) == ("batch", "Job") { job::for_flux(object) } else { judge(object, None) }
}

fn judge(object: &Value, now: Option<Timestamp>) -> Result<StatusResult, Error> {
    if let Some(result) = generic::check(object)? {
        return Ok(result);
    }
    if let Some(result) = kinds::check(object, now)? {
        return Ok(result);
    }
    if let Some(result) = generic::check_ready(object)? {
        return Ok(result);
    }
    Ok(StatusResult::current("Resource is current"))
}
