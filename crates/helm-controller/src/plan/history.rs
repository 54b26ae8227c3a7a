//! The history in a HelmRelease's status: snapshots of releases, newest first.

use common::helm::v2::{HelmReleaseStatus, Snapshot};

/// How many snapshots are kept when nothing else limits them.
const KEPT: usize = 5;
/// Phase of a failed test.
const FAILED: &str = "Failed";
/// Phase of a passed test.
const SUCCEEDED: &str = "Succeeded";

/// The newest snapshot.
pub fn latest(status: &HelmReleaseStatus) -> Option<&Snapshot> {
    status.history.iter().max_by_key(|snapshot| snapshot.version)
}

/// Puts a snapshot in: over the one of the same revision, or as the newest.
pub fn record(status: &mut HelmReleaseStatus, snapshot: Snapshot) {
    let same = |other: &Snapshot| {
        other.name == snapshot.name && other.namespace == snapshot.namespace && other.version == snapshot.version
    };
    match status.history.iter_mut().find(|other| same(other)) {
        Some(slot) => {
            let test_hooks = slot.test_hooks.take();
            *slot = Snapshot { test_hooks: snapshot.test_hooks.clone().or(test_hooks), ..snapshot };
        }
        None => status.history.insert(0, snapshot),
    }
    sort(&mut status.history);
}

fn sort(history: &mut [Snapshot]) {
    history.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.version));
}

fn was_good(snapshot: &Snapshot, ignore_tests: bool) -> bool {
    matches!(snapshot.status.as_str(), "deployed" | "superseded") && (ignore_tests || !has_failed_test(snapshot))
}

/// The release to go back to: the newest good one before the latest.
pub fn previous(status: &HelmReleaseStatus, ignore_tests: bool) -> Option<Snapshot> {
    let mut history = status.history.clone();
    sort(&mut history);
    history.into_iter().skip(1).find(|snapshot| was_good(snapshot, ignore_tests))
}

/// Forgets what is older than the release to go back to.
pub fn truncate(status: &mut HelmReleaseStatus, ignore_tests: bool) {
    sort(&mut status.history);
    let previous = status.history.iter().skip(1).position(|snapshot| was_good(snapshot, ignore_tests));
    status.history.truncate(previous.map_or(KEPT, |index| index + 2));
}

/// Forgets all but the newest few.
pub fn truncate_to_newest(status: &mut HelmReleaseStatus) {
    sort(&mut status.history);
    status.history.truncate(KEPT);
}

/// Whether a test of the release failed.
pub fn has_failed_test(snapshot: &Snapshot) -> bool {
    snapshot.test_hooks.iter().flatten().any(|(_, test)| test.phase.as_deref() == Some(FAILED))
}

/// Whether the release's tests have run to their end.
pub fn has_been_tested(snapshot: &Snapshot) -> bool {
    let Some(tests) = &snapshot.test_hooks else { return false };
    has_failed_test(snapshot) || tests.values().all(|test| test.phase.as_deref() == Some(SUCCEEDED))
}

#[cfg(test)]
pub(crate) mod tests {
    use common::helm::v2::TestHookStatus;

    use super::*;

    pub(crate) fn snapshot(version: i64, status: &str) -> Snapshot {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "v2", "chartName": "web", "chartVersion": "1.0.0", "configDigest": "sha256:c", "digest": format!("sha256:{version}"),
            "firstDeployed": "2026-01-01T00:00:00Z", "lastDeployed": "2026-01-01T00:00:00Z", "name": "web", "namespace": "apps",
            "status": status, "version": version,
        }))
        .unwrap()
    }

    fn tested(mut snapshot: Snapshot, phase: &str) -> Snapshot {
        let test = TestHookStatus { phase: Some(phase.to_owned()), ..TestHookStatus::default() };
        snapshot.test_hooks = Some([("t".to_owned(), test)].into());
        snapshot
    }

    fn status(history: Vec<Snapshot>) -> HelmReleaseStatus {
        HelmReleaseStatus { history, ..HelmReleaseStatus::default() }
    }

    fn versions(status: &HelmReleaseStatus) -> Vec<i64> {
        status.history.iter().map(|snapshot| snapshot.version).collect()
    }

    #[test]
    fn previous_is_the_newest_good_release() {
        let status = status(vec![
            snapshot(5, "failed"),
            snapshot(4, "failed"),
            tested(snapshot(3, "superseded"), "Failed"),
            snapshot(2, "superseded"),
            snapshot(1, "superseded"),
        ]);
        assert_eq!(previous(&status, false).unwrap().version, 2);
        assert_eq!(previous(&status, true).unwrap().version, 3);
        assert_eq!(latest(&status).unwrap().version, 5);
    }

    #[test]
    fn truncation_keeps_what_rollback_needs() {
        let mut a = status(
            (1..=8)
                .rev()
                .map(|version| snapshot(version, if version == 3 { "superseded" } else { "failed" }))
                .collect(),
        );
        truncate(&mut a, false);
        assert_eq!(versions(&a), [8, 7, 6, 5, 4, 3]);
        let mut b = status((1..=8).rev().map(|version| snapshot(version, "failed")).collect());
        truncate(&mut b, false);
        assert_eq!(versions(&b), [8, 7, 6, 5, 4]);
        let mut c = status(vec![snapshot(1, "deployed")]);
        truncate(&mut c, false);
        assert_eq!(versions(&c), [1]);
        let mut d = status(vec![snapshot(2, "deployed"), snapshot(1, "superseded"), snapshot(0, "superseded")]);
        truncate(&mut d, false);
        assert_eq!(versions(&d), [2, 1]);
    }

    #[test]
    fn recording_replaces_the_same_revision_and_keeps_its_tests() {
        let mut status = status(vec![tested(snapshot(1, "pending-install"), "Succeeded")]);
        record(&mut status, snapshot(1, "deployed"));
        assert_eq!(versions(&status), [1]);
        assert!(status.history[0].test_hooks.is_some());
        record(&mut status, snapshot(2, "deployed"));
        assert_eq!(versions(&status), [2, 1]);
    }

    #[test]
    fn tested_means_run_to_the_end() {
        assert!(!has_been_tested(&snapshot(1, "deployed")));
        let mut none = snapshot(1, "deployed");
        none.test_hooks = Some([].into());
        assert!(has_been_tested(&none));
        assert!(has_been_tested(&tested(snapshot(1, "deployed"), "Failed")));
        assert!(has_been_tested(&tested(snapshot(1, "deployed"), "Succeeded")));
        assert!(!has_been_tested(&tested(snapshot(1, "deployed"), "Running")));
    }
}
