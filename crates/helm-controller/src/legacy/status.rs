//! What the engine found, in the words of the Helm operator: phases and conditions.

use common::{
    Time,
    conditions::{self, is_false, is_true},
    helm::v2,
    helm_operator::v1::{ConditionStatus, ConditionType, HelmRelease, HelmReleaseCondition, HelmReleaseStatus, Phase},
    names::{
        condition::{READY, RECONCILING, RELEASED, REMEDIATED, TEST_SUCCESS},
        reason,
    },
};
use jiff::Timestamp;

/// The phase and what it says of conditions.
pub fn phase(status: &v2::HelmReleaseStatus) -> Phase {
    let list = &status.conditions;
    let ready_reason = conditions::reason(list, READY);
    if is_true(list, READY) {
        return Phase::Succeeded;
    }
    if matches!(ready_reason, reason::SOURCE_NOT_READY | reason::ARTIFACT_FAILED) {
        return Phase::ChartFetchFailed;
    }
    if is_true(list, REMEDIATED) && conditions::reason(list, REMEDIATED) == reason::ROLLBACK_SUCCEEDED {
        return Phase::RolledBack;
    }
    if is_false(list, REMEDIATED) && conditions::reason(list, REMEDIATED) == reason::ROLLBACK_FAILED {
        return Phase::RollbackFailed;
    }
    if is_false(list, TEST_SUCCESS) {
        return Phase::TestFailed;
    }
    let running = conditions::message(list, RECONCILING);
    for (word, phase) in [
        ("Running 'install'", Phase::Installing),
        ("Running 'upgrade'", Phase::Upgrading),
        ("Running 'rollback'", Phase::RollingBack),
        ("Running 'test'", Phase::Testing),
    ] {
        if running.starts_with(word) {
            return phase;
        }
    }
    if is_false(list, RELEASED) {
        return Phase::DeployFailed;
    }
    if is_false(list, READY) { Phase::Failed } else { Phase::ChartFetched }
}

fn word(phase: Phase) -> String {
    serde_json::to_value(phase).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The conditions a phase sets, with the operator's messages.
fn for_phase(phase: Phase, release: &HelmRelease, detail: &str) -> Vec<(ConditionType, ConditionStatus, String)> {
    let (name, namespace) = (release.release_name(), release.target_namespace());
    let about = |text: &str| format!("{text} Helm release '{name}' in '{namespace}'.");
    let failed = |text: &str| {
        let message = about(text);
        if detail.is_empty() { message } else { format!("{message} {detail}") }
    };
    use ConditionStatus::{False, True, Unknown};
    use ConditionType::{ChartFetched, Deployed, Released, RolledBack, Tested};
    match phase {
        Phase::ChartFetched => vec![(ChartFetched, True, about("Chart fetch was successful for"))],
        Phase::ChartFetchFailed => {
            let message = failed("Chart fetch failed for");
            vec![(ChartFetched, False, message.clone()), (Released, False, message)]
        }
        Phase::Installing => vec![
            (ChartFetched, True, about("Chart fetch was successful for")),
            (Deployed, Unknown, about("Running installation for")),
        ],
        Phase::Upgrading => {
            vec![
                (ChartFetched, True, about("Chart fetch was successful for")),
                (Deployed, Unknown, about("Running upgrade for")),
            ]
        }
        Phase::Deployed => vec![(Deployed, True, about("Installation or upgrade succeeded for"))],
        Phase::DeployFailed => {
            let message = failed("Installation or upgrade failed for");
            vec![(Deployed, False, message.clone()), (Released, False, message)]
        }
        Phase::Testing => vec![(Tested, Unknown, about("Testing"))],
        Phase::Tested => vec![(Tested, True, about("Tested"))],
        Phase::TestFailed => {
            let message = failed("Test failed for");
            vec![(Tested, False, message.clone()), (Released, False, message)]
        }
        Phase::Succeeded => vec![
            (ChartFetched, True, about("Chart fetch was successful for")),
            (Deployed, True, about("Installation or upgrade succeeded for")),
            (Released, True, about("Release was successful for")),
        ],
        Phase::Failed => vec![(Released, False, failed("Release failed for"))],
        Phase::RollingBack => vec![(RolledBack, Unknown, about("Rolling back"))],
        Phase::RolledBack => vec![
            (Released, False, failed("Installation or upgrade failed for")),
            (RolledBack, True, about("Rolled back")),
        ],
        Phase::RollbackFailed => vec![(RolledBack, False, failed("Rollback failed for"))],
    }
}

/// The operator's status for what the engine found.
pub fn map(release: &HelmRelease, found: &v2::HelmReleaseStatus, now: Timestamp) -> HelmReleaseStatus {
    let mut status = release.status.clone().unwrap_or_default();
    let phase = phase(found);
    let detail = if phase == Phase::Succeeded { "" } else { conditions::message(&found.conditions, READY) };
    for (type_, state, message) in for_phase(phase, release, detail) {
        set(&mut status.conditions, type_, state, word(phase), message, now);
    }
    if found.conditions.iter().any(|condition| condition.type_ == TEST_SUCCESS && condition.status == "True") {
        for (type_, state, message) in for_phase(Phase::Tested, release, "") {
            set(&mut status.conditions, type_, state, word(Phase::Tested), message, now);
        }
    }
    if matches!(phase, Phase::Succeeded | Phase::Installing | Phase::Upgrading) {
        status.conditions.retain(|condition| condition.type_ != ConditionType::RolledBack);
    }
    if let Some(ready) = conditions::find(&found.conditions, READY) {
        let state = match ready.status.as_str() {
            "True" => ConditionStatus::True,
            "False" => ConditionStatus::False,
            _ => ConditionStatus::Unknown,
        };
        set(&mut status.conditions, ConditionType::Ready, state, ready.reason.clone(), ready.message.clone(), now);
    }
    status.phase = Some(phase);
    status.observed_generation = found.observed_generation.or(status.observed_generation);
    status.release_name = Some(release.release_name());
    let latest = crate::plan::history::latest(found);
    status.release_status = latest.map(|snapshot| snapshot.status.clone());
    if !found.last_attempted_revision.is_empty() {
        status.last_attempted_revision = Some(found.last_attempted_revision.clone());
    }
    if phase == Phase::Succeeded {
        status.revision = latest.map(|snapshot| snapshot.chart_version.clone());
        status.rollback_count = None;
    }
    if found.upgrade_failures > 0 && phase == Phase::RolledBack {
        status.rollback_count = Some(found.upgrade_failures);
    }
    status.towline = serde_json::to_value(found).ok();
    status
}

fn set(
    list: &mut Vec<HelmReleaseCondition>,
    type_: ConditionType,
    state: ConditionStatus,
    reason: String,
    message: String,
    now: Timestamp,
) {
    let existing = list.iter_mut().find(|condition| condition.type_ == type_);
    match existing {
        // Times change only with what is said, so that writing the same status again is no write at all.
        Some(condition)
            if condition.status == state
                && condition.reason.as_ref() == Some(&reason)
                && condition.message.as_ref() == Some(&message) => {}
        Some(condition) => {
            if condition.status != state {
                condition.last_transition_time = Some(Time(now));
            }
            condition.last_update_time = Some(Time(now));
            condition.status = state;
            condition.reason = Some(reason);
            condition.message = Some(message);
        }
        None => list.push(HelmReleaseCondition {
            last_transition_time: Some(Time(now)),
            last_update_time: Some(Time(now)),
            message: Some(message),
            reason: Some(reason),
            status: state,
            type_,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn release() -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease", "metadata": {"name": "web", "namespace": "apps"},
            "spec": {"chart": {"repository": "https://charts.example.invalid/", "name": "web", "version": "1.0.0"}},
        }))
        .unwrap()
    }

    fn found(list: &[(&str, &str, &str, &str)]) -> v2::HelmReleaseStatus {
        let conditions: Vec<_> = list
            .iter()
            .map(|(kind, status, reason, message)| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-01T00:00:00Z"}))
            .collect();
        serde_json::from_value(json!({"conditions": conditions})).unwrap()
    }

    #[test]
    fn phases() {
        for (conditions, expected) in [
            (
                vec![("Ready", "True", "InstallSucceeded", ""), ("Released", "True", "InstallSucceeded", "")],
                Phase::Succeeded,
            ),
            (
                vec![
                    ("Ready", "Unknown", "Progressing", ""),
                    ("Reconciling", "True", "Progressing", "Running 'install' action with timeout of 5m0s"),
                ],
                Phase::Installing,
            ),
            (
                vec![
                    ("Ready", "Unknown", "Progressing", ""),
                    ("Reconciling", "True", "Progressing", "Running 'upgrade' action with timeout of 5m0s"),
                ],
                Phase::Upgrading,
            ),
            (vec![("Ready", "False", "SourceNotReady", "")], Phase::ChartFetchFailed),
            (
                vec![("Ready", "False", "UpgradeFailed", ""), ("Released", "False", "UpgradeFailed", "")],
                Phase::DeployFailed,
            ),
            (
                vec![("Ready", "False", "RollbackSucceeded", ""), ("Remediated", "True", "RollbackSucceeded", "")],
                Phase::RolledBack,
            ),
            (vec![("Ready", "False", "TestFailed", ""), ("TestSuccess", "False", "TestFailed", "")], Phase::TestFailed),
            (vec![("Ready", "False", "ValuesError", "")], Phase::Failed),
        ] {
            assert_eq!(phase(&found(&conditions)), expected, "{conditions:?}");
        }
    }

    #[test]
    fn success_has_the_operators_words_and_a_ready_condition() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let status = map(
            &release(),
            &found(&[("Ready", "True", "InstallSucceeded", "done"), ("Released", "True", "InstallSucceeded", "done")]),
            now,
        );
        let condition =
            |type_: ConditionType| status.conditions.iter().find(|condition| condition.type_ == type_).unwrap().clone();
        let released = condition(ConditionType::Released);
        assert_eq!(released.status, ConditionStatus::True);
        assert_eq!(released.reason.as_deref(), Some("Succeeded"));
        assert_eq!(released.message.as_deref(), Some("Release was successful for Helm release 'apps-web' in 'apps'."));
        assert_eq!(condition(ConditionType::Ready).status, ConditionStatus::True);
        let mut again = release();
        again.status = Some(status.clone());
        let later: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let found =
            found(&[("Ready", "True", "InstallSucceeded", "done"), ("Released", "True", "InstallSucceeded", "done")]);
        assert_eq!(map(&again, &found, later), status, "saying the same again changes nothing");
    }
}
