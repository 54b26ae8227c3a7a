//! From the outcome of a reconcile to conditions. Pure.

use common::Condition;
use common::conditions::{self, Change, Status};
use common::names::{condition, reason};
use jiff::Timestamp;

use crate::failure::{Failure, Persistence};

/// Conditions that are there only while something is wrong.
const FAILURES: [&str; 5] = [
    condition::STORAGE_OPERATION_FAILED,
    condition::FETCH_FAILED,
    condition::BUILD_FAILED,
    condition::INCLUDE_UNAVAILABLE,
    condition::ARTIFACT_OUTDATED,
];

/// A reconcile that ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success {
    /// Reason of ArtifactInStorage and Ready.
    pub reason: &'static str,
    /// Message of ArtifactInStorage and Ready.
    pub message: String,
}

/// What the conditions are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The object's generation.
    pub generation: i64,
    /// The generation its status spoke of.
    pub observed: i64,
    /// Whether an artifact is in storage.
    pub has_artifact: bool,
    /// The time of changes.
    pub now: Timestamp,
}

/// Brings the conditions to what the outcome says; `true` when the status now speaks of the object's generation.
pub fn summarise(list: &mut Vec<Condition>, outcome: Result<&Success, &Failure>, situation: Situation) -> bool {
    let Situation { generation, observed, has_artifact, now } = situation;
    let set = |list: &mut Vec<Condition>, type_, status: Status, reason, message: &str| {
        conditions::set(list, Change::new(type_, status, reason, message), generation, now);
    };
    let current = outcome.err().map(|failure| failure.condition);
    for type_ in FAILURES.into_iter().filter(|type_| Some(*type_) != current) {
        conditions::remove(list, type_);
    }
    if current != Some(condition::SOURCE_VERIFIED) {
        conditions::remove(list, condition::SOURCE_VERIFIED);
    }
    if !has_artifact {
        conditions::remove(list, condition::ARTIFACT_IN_STORAGE);
    }
    match outcome {
        Ok(Success { reason, message }) => {
            conditions::remove(list, condition::RECONCILING);
            conditions::remove(list, condition::STALLED);
            set(list, condition::ARTIFACT_IN_STORAGE, Status::True, reason, message);
            set(list, condition::READY, Status::True, reason, message);
            true
        }
        Err(failure) => {
            let Failure { condition: type_, reason, message, persistence } = failure;
            set(list, type_, Status::from(*type_ != condition::SOURCE_VERIFIED), reason, message);
            set(list, condition::READY, Status::False, reason, message);
            if *persistence == Persistence::Stalled {
                conditions::remove(list, condition::RECONCILING);
                set(list, condition::STALLED, Status::True, reason, message);
                return true;
            }
            conditions::remove(list, condition::STALLED);
            let progress = if !has_artifact {
                "building artifact".to_owned()
            } else if observed != generation {
                format!("processing object: new generation {observed} -> {generation}")
            } else {
                "reconciliation in progress".to_owned()
            };
            set(list, condition::RECONCILING, Status::True, reason::PROGRESSING_WITH_RETRY, &progress);
            false
        }
    }
}

/// Whether the object had failed before, so that success is news.
pub fn had_failed(list: &[Condition]) -> bool {
    FAILURES.iter().any(|type_| conditions::find(list, type_).is_some())
        || conditions::is_false(list, condition::SOURCE_VERIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(has_artifact: bool) -> Situation {
        Situation { generation: 3, observed: 2, has_artifact, now: Timestamp::from_second(100).unwrap() }
    }

    fn shown(list: &[Condition]) -> Vec<String> {
        list.iter().map(|c| format!("{}={} {} {}", c.type_, c.status, c.reason, c.message)).collect()
    }

    #[test]
    fn success_leaves_two_conditions() {
        let mut list = Vec::new();
        summarise(&mut list, Err(&Failure::fetch(reason::GIT_OPERATION_FAILED, "no")), situation(false));
        let success = Success { reason: reason::SUCCEEDED, message: "stored".to_owned() };
        assert!(had_failed(&list));
        assert!(summarise(&mut list, Ok(&success), situation(true)));
        assert!(!had_failed(&list));
        assert_eq!(shown(&list), ["Ready=True Succeeded stored", "ArtifactInStorage=True Succeeded stored"]);
    }

    #[test]
    fn a_failure_is_tried_again_and_the_artifact_stays() {
        let mut list = Vec::new();
        summarise(&mut list, Ok(&Success { reason: reason::SUCCEEDED, message: "stored".to_owned() }), situation(true));
        let failure = Failure::fetch(reason::GIT_OPERATION_FAILED, "https://user:hunter2@h/x is gone");
        assert!(!summarise(&mut list, Err(&failure), situation(true)));
        assert_eq!(
            shown(&list),
            [
                "Ready=False GitOperationFailed https://*****@h/x is gone",
                "ArtifactInStorage=True Succeeded stored",
                "FetchFailed=True GitOperationFailed https://*****@h/x is gone",
                "Reconciling=True ProgressingWithRetry processing object: new generation 2 -> 3",
            ]
        );
        // Another failure replaces the first.
        summarise(&mut list, Err(&Failure::build(reason::CHART_PACKAGE_ERROR, "b")), situation(false));
        assert_eq!(
            shown(&list),
            [
                "Ready=False ChartPackageError b",
                "BuildFailed=True ChartPackageError b",
                "Reconciling=True ProgressingWithRetry building artifact",
            ]
        );
    }

    #[test]
    fn stalled_objects_are_not_reconciling() {
        let mut list = Vec::new();
        let failure = Failure::fetch(reason::URL_INVALID, "bad").stalled();
        assert!(summarise(&mut list, Err(&failure), situation(false)));
        assert_eq!(
            shown(&list),
            ["Ready=False URLInvalid bad", "FetchFailed=True URLInvalid bad", "Stalled=True URLInvalid bad"]
        );
        summarise(&mut list, Err(&Failure::verification("not built")), situation(false));
        assert_eq!(
            shown(&list),
            [
                "Ready=False VerificationError not built",
                "SourceVerified=False VerificationError not built",
                "Stalled=True VerificationError not built"
            ]
        );
    }
}
