//! From the state of a release to the next action, by the rules for failures and requests.

use std::time::Duration;

use common::{
    helm::v2::{DriftDetectionMode, HelmReleaseStatus, ReleaseAction, RemediationStrategy, Snapshot},
    names::reason::{MISSING_ROLLBACK_TARGET, RETRIES_EXCEEDED},
};

use super::{
    history,
    policy::{self, Gates},
    requests::Requests,
    state::{Inputs, ReleaseStatus, State},
};

/// Kinds of actions; one reconcile performs each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Performed {
    /// Install or upgrade.
    Release,
    /// Rollback or uninstall of a failed release.
    Remediate,
    /// Tests.
    Test,
    /// Mending an abandoned record.
    Unlock,
    /// Undoing drift.
    DriftCorrection,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing: all is as it should be.
    Nothing,
    /// Compare the cluster with the release, and correct it if so said.
    CheckDrift {
        /// Undo what differs, rather than only report it.
        correct: bool,
    },
    /// Go on with an interrupted action.
    Resume(ReleaseStatus),
    /// Take a finished release into the status.
    Record,
    /// Mark the abandoned record as failed.
    Unlock(ReleaseStatus),
    /// Install.
    Install(&'static str),
    /// Upgrade; the history is dropped first if it cannot be relied on.
    Upgrade {
        /// Why.
        why: &'static str,
        /// Drop the history.
        forget_history: bool,
    },
    /// Run the tests.
    Test,
    /// Roll back to this release.
    Rollback(Box<Snapshot>),
    /// Uninstall the failed release.
    UninstallRemediation,
    /// Only a change of the object or its inputs can help.
    Stall {
        /// Reason of the condition.
        reason: &'static str,
        /// Message of the condition.
        message: String,
    },
    /// This reconcile has done its part; look again after this long.
    RetryAfter(Duration),
    /// This reconcile has done its part; look again now.
    Requeue,
    /// This reconcile has done its part and nothing is left to try.
    Rest,
}

/// Decides what to do. `performed` is what this reconcile has done already.
pub fn decide(
    state: &State,
    inputs: &Inputs<'_>,
    status: &mut HelmReleaseStatus,
    requests: Requests,
    performed: &[Performed],
    gates: Gates,
) -> Decision {
    let decision = for_state(state, inputs, status, requests, gates);
    let Some(kind) = decision.kind() else { return decision };
    if !performed.contains(&kind) {
        return decision;
    }
    after_performing(inputs, status, gates)
}

/// How to go on when the next action was already performed in this reconcile, or a remediation was.
pub fn after_performing(inputs: &Inputs<'_>, status: &HelmReleaseStatus, gates: Gates) -> Decision {
    if let Some(interval) = policy::active_retry(inputs.spec, status, gates) {
        return Decision::RetryAfter(interval);
    }
    match policy::active_remediation(inputs.spec, status) {
        Some(remediation) if remediation.exhausted(status) => Decision::Rest,
        _ => Decision::Requeue,
    }
}

/// How to go on after a remediation.
pub fn after_remediation(inputs: &Inputs<'_>, status: &HelmReleaseStatus, gates: Gates) -> Decision {
    if let Some(interval) = policy::active_retry(inputs.spec, status, gates) {
        return Decision::RetryAfter(interval);
    }
    match policy::active_remediation(inputs.spec, status) {
        Some(remediation) if remediation.exhausted(status) && !remediation.uninstalls_after_upgrade() => {
            exceeded(inputs, status)
        }
        _ => Decision::Requeue,
    }
}

impl Decision {
    fn kind(&self) -> Option<Performed> {
        match self {
            Self::Install(_) | Self::Upgrade { .. } => Some(Performed::Release),
            Self::Test => Some(Performed::Test),
            Self::Rollback(_) | Self::UninstallRemediation => Some(Performed::Remediate),
            Self::Unlock(_) => Some(Performed::Unlock),
            Self::CheckDrift { .. } => Some(Performed::DriftCorrection),
            Self::Nothing
            | Self::Resume(_)
            | Self::Record
            | Self::Stall { .. }
            | Self::RetryAfter(_)
            | Self::Requeue
            | Self::Rest => None,
        }
    }
}

fn exceeded(inputs: &Inputs<'_>, status: &HelmReleaseStatus) -> Decision {
    let action = status.last_attempted_release_action.map_or("release", ReleaseAction::as_str);
    let failures =
        policy::active_remediation(inputs.spec, status).map_or(0, |remediation| remediation.failures(status));
    Decision::Stall { reason: RETRIES_EXCEEDED, message: format!("Failed to {action} after {failures} attempt(s)") }
}

fn for_state(
    state: &State,
    inputs: &Inputs<'_>,
    status: &mut HelmReleaseStatus,
    requests: Requests,
    gates: Gates,
) -> Decision {
    let upgrade = |why| Decision::Upgrade { why, forget_history: false };
    match state {
        State::Interrupted(pending) => Decision::Resume(*pending),
        State::Unrecorded => Decision::Record,
        State::Locked(pending) => Decision::Unlock(*pending),
        State::Absent(why) => {
            if policy::install_remediation(inputs.spec).exhausted(status)
                && !requests.force
                && policy::retry_interval(inputs.spec, ReleaseAction::Install, gates).is_none()
            {
                return exceeded(inputs, status);
            }
            Decision::Install(why)
        }
        State::Unmanaged(why) => Decision::Upgrade { why, forget_history: true },
        State::OutOfSync(why) => {
            if policy::upgrade_remediation(inputs.spec).exhausted(status)
                && !requests.force
                && policy::retry_interval(inputs.spec, ReleaseAction::Upgrade, gates).is_none()
            {
                return exceeded(inputs, status);
            }
            upgrade(why)
        }
        State::Untested => Decision::Test,
        State::InSync { check_drift } => {
            if policy::active_retry(inputs.spec, status, gates).is_some() {
                history::truncate_to_newest(status);
            } else {
                let ignore = policy::active_remediation(inputs.spec, status).map_or_else(
                    || inputs.spec.ignores_test_failures(),
                    |remediation| remediation.ignore_test_failures,
                );
                history::truncate(status, ignore);
            }
            if requests.force {
                return upgrade("force requested through annotation");
            }
            if *check_drift {
                let correct = inputs.spec.drift_detection_mode() == DriftDetectionMode::Enabled;
                return Decision::CheckDrift { correct };
            }
            Decision::Nothing
        }
        State::Failed(why) => failed(why, inputs, status, requests, gates),
    }
}

fn failed(
    why: &'static str,
    inputs: &Inputs<'_>,
    status: &mut HelmReleaseStatus,
    requests: Requests,
    gates: Gates,
) -> Decision {
    let upgrade = |why| Decision::Upgrade { why, forget_history: false };
    if policy::active_retry(inputs.spec, status, gates).is_some() {
        history::truncate_to_newest(status);
        return upgrade("retrying failed release");
    }
    let Some(remediation) = policy::active_remediation(inputs.spec, status) else {
        return upgrade("no active remediation");
    };
    if remediation.failures(status) <= 0 {
        return upgrade(if why.is_empty() { "release conditions have changed since last failure" } else { why });
    }
    if requests.force {
        return upgrade("force requested through annotation");
    }
    if remediation.exhausted(status) && !remediation.remediate_last_failure {
        return exceeded(inputs, status);
    }
    history::truncate(status, remediation.ignore_test_failures);
    match remediation.strategy {
        RemediationStrategy::Uninstall => Decision::UninstallRemediation,
        RemediationStrategy::Rollback => match history::previous(status, remediation.ignore_test_failures) {
            Some(previous) => Decision::Rollback(Box::new(previous)),
            None => Decision::Stall {
                reason: MISSING_ROLLBACK_TARGET,
                message: "Failed to perform remediation: missing target release for rollback: cannot remediate failed release"
                    .to_owned(),
            },
        },
    }
}
