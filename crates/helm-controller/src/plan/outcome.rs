//! What is written down about an attempt: conditions with their reasons and messages, and failure counters.

use common::{
    conditions::{self, Change, Status},
    helm::v2::{HelmReleaseSpec, HelmReleaseStatus, ReleaseAction, Snapshot},
    names::{
        condition::{DRIFTED, READY, RECONCILING, RELEASED, REMEDIATED, STALLED, TEST_SUCCESS, TRUE},
        reason,
    },
};
use jiff::Timestamp;

use super::{history, policy, state::Inputs};

/// A status being changed: conditions need a generation and a time.
#[derive(Debug)]
pub struct Ledger<'a> {
    /// The status.
    pub status: &'a mut HelmReleaseStatus,
    /// Generation the conditions speak of.
    pub generation: i64,
    /// When.
    pub now: Timestamp,
}

/// An event to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether something went wrong.
    pub warning: bool,
    /// Reason.
    pub reason: &'static str,
    /// Message.
    pub message: String,
}

impl Notice {
    /// Something went well.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { warning: false, reason, message: message.into() }
    }

    /// Something went wrong.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { warning: true, reason, message: message.into() }
    }
}

impl Ledger<'_> {
    /// Sets a condition.
    pub fn set(&mut self, type_: &str, status: impl Into<Status>, reason: &str, message: impl Into<String>) {
        let change = Change::new(type_, status, reason, message);
        conditions::set(&mut self.status.conditions, change, self.generation, self.now);
    }

    /// Removes a condition.
    pub fn remove(&mut self, type_: &str) {
        conditions::remove(&mut self.status.conditions, type_);
    }

    /// The attempt has begun.
    pub fn prerequisites(&mut self) {
        self.set(RECONCILING, true, reason::PROGRESSING, "Fulfilling prerequisites");
        self.remove(STALLED);
    }

    /// Something has to happen first.
    pub fn waiting(&mut self, reason: &str, message: &str) {
        self.set(RECONCILING, true, reason::PROGRESSING, "Fulfilling prerequisites");
        self.set(READY, false, reason, message);
    }

    /// Something failed and will be tried again.
    pub fn failing(&mut self, reason: &str, message: &str) {
        self.set(READY, false, reason, message);
        self.set(RECONCILING, true, reason::PROGRESSING_WITH_RETRY, message);
        self.remove(STALLED);
    }

    /// Only a change of the object or its inputs can help.
    pub fn stalled(&mut self, reason: &str, message: &str, and_not_ready: bool) {
        self.set(STALLED, true, reason, message);
        if and_not_ready {
            self.set(READY, false, reason, message);
        }
        self.remove(RECONCILING);
    }

    /// An action is about to run.
    pub fn running(&mut self, action: &str, timeout: std::time::Duration, releases: bool) {
        let message =
            format!("Running '{action}' action with timeout of {}", common::duration::GoDuration::from(timeout));
        self.set(RECONCILING, true, reason::PROGRESSING, message.as_str());
        self.remove(STALLED);
        if releases {
            self.set(READY, Status::Unknown, reason::PROGRESSING, message);
        }
    }

    /// An install or upgrade begins: what is known of earlier ones no longer counts.
    pub fn begin_release(&mut self, action: ReleaseAction) {
        self.status.last_attempted_release_action = Some(action);
        self.remove(TEST_SUCCESS);
        self.remove(REMEDIATED);
    }

    /// An install or upgrade succeeded.
    pub fn released(&mut self, spec: &HelmReleaseSpec, action: ReleaseAction, gates: policy::Gates) -> Option<Notice> {
        let snapshot = history::latest(self.status)?.clone();
        let (word, reason) = match action {
            ReleaseAction::Install => ("install", reason::INSTALL_SUCCEEDED),
            ReleaseAction::Upgrade => ("upgrade", reason::UPGRADE_SUCCEEDED),
        };
        let message = success_message(word, &snapshot);
        self.set(RELEASED, true, reason, message.as_str());
        if spec.tests_enabled() && !history::has_been_tested(&snapshot) {
            let pending = format!(
                "Helm release {} with chart {} is awaiting tests",
                snapshot.full_release_name(),
                snapshot.versioned_chart_name()
            );
            self.set(TEST_SUCCESS, Status::Unknown, reason::AWAITING_TESTS, pending);
        }
        if policy::retry_interval(spec, action, gates).is_some() {
            policy::clear_failures(self.status);
        }
        Some(Notice::normal(reason, message))
    }

    /// An install or upgrade failed. It counts against the retries only if a release was stored.
    pub fn release_failed(
        &mut self,
        inputs: &Inputs<'_>,
        release: (&str, &str),
        action: ReleaseAction,
        stored: bool,
        error: &str,
    ) -> Notice {
        let (word, reason, remediation) = match action {
            ReleaseAction::Install => ("install", reason::INSTALL_FAILED, policy::install_remediation(inputs.spec)),
            ReleaseAction::Upgrade => ("upgrade", reason::UPGRADE_FAILED, policy::upgrade_remediation(inputs.spec)),
        };
        let (namespace, name) = release;
        let message = format!(
            "Helm {word} failed for release {namespace}/{name} with chart {}@{}: {}",
            inputs.chart_name,
            inputs.chart_version,
            error.trim()
        );
        self.status.failures += 1;
        self.set(RELEASED, false, reason, message.as_str());
        if stored {
            remediation.count_failure(self.status);
        }
        Notice::warning(reason, message)
    }

    /// The tests ended.
    pub fn tested(&mut self, spec: &HelmReleaseSpec, result: Result<usize, &str>) -> Option<Notice> {
        let snapshot = history::latest(self.status)?.clone();
        let (release, chart) = (snapshot.full_release_name(), snapshot.versioned_chart_name());
        match result {
            Ok(count) => {
                let hooks = match count {
                    0 => "no test hooks".to_owned(),
                    1 => "1 test hook completed successfully".to_owned(),
                    count => format!("{count} test hooks completed successfully"),
                };
                let message = format!("Helm test succeeded for release {release} with chart {chart}: {hooks}");
                self.set(TEST_SUCCESS, true, reason::TEST_SUCCEEDED, message.as_str());
                Some(Notice::normal(reason::TEST_SUCCEEDED, message))
            }
            Err(error) => {
                let message = format!("Helm test failed for release {release} with chart {chart}: {}", error.trim());
                self.status.failures += 1;
                self.set(TEST_SUCCESS, false, reason::TEST_FAILED, message.as_str());
                if let Some(remediation) = policy::active_remediation(spec, self.status)
                    && !remediation.ignore_test_failures
                {
                    remediation.count_failure(self.status);
                }
                Some(Notice::warning(reason::TEST_FAILED, message))
            }
        }
    }

    /// A rollback ended.
    pub fn rolled_back(&mut self, target: &Snapshot, result: Result<(), &str>) -> Notice {
        let what = format!(
            "Helm rollback to previous release {} with chart {}",
            target.full_release_name(),
            target.versioned_chart_name()
        );
        self.remediated(&what, reason::ROLLBACK_SUCCEEDED, reason::ROLLBACK_FAILED, result)
    }

    /// A failed release was uninstalled.
    pub fn uninstalled_in_remediation(&mut self, release: &Snapshot, result: Result<(), &str>) -> Notice {
        let what = format!(
            "Helm uninstall remediation for release {} with chart {}",
            release.full_release_name(),
            release.versioned_chart_name()
        );
        self.remediated(&what, reason::UNINSTALL_SUCCEEDED, reason::UNINSTALL_FAILED, result)
    }

    fn remediated(
        &mut self,
        what: &str,
        succeeded: &'static str,
        failed: &'static str,
        result: Result<(), &str>,
    ) -> Notice {
        match result {
            Ok(()) => {
                let message = format!("{what} succeeded");
                self.set(REMEDIATED, true, succeeded, message.as_str());
                Notice::normal(succeeded, message)
            }
            Err(error) => {
                let message = format!("{what} failed: {}", error.trim());
                self.status.failures += 1;
                self.set(REMEDIATED, false, failed, message.as_str());
                Notice::warning(failed, message)
            }
        }
    }

    /// An abandoned record was marked failed.
    pub fn unlocked(&mut self, release: &Snapshot, pending: &str) -> Notice {
        let message = format!(
            "Unlocked Helm release {} with chart {} in {pending} state",
            release.full_release_name(),
            release.versioned_chart_name()
        );
        self.set(RELEASED, false, reason::PENDING_RELEASE, message.as_str());
        Notice::normal(reason::PENDING_RELEASE, message)
    }

    /// The release is what is wanted: failures that were recorded of it no longer hold.
    pub fn in_sync(&mut self, spec: &HelmReleaseSpec) {
        self.replace_remediated();
        let Some(snapshot) = history::latest(self.status).cloned() else { return };
        let released = conditions::is_true(&self.status.conditions, RELEASED);
        if !released || !conditions::is_true(&self.status.conditions, READY) {
            let recovered = match conditions::reason(&self.status.conditions, RELEASED) {
                reason::INSTALL_FAILED => Some(("install", reason::INSTALL_SUCCEEDED)),
                reason::UPGRADE_FAILED | reason::PENDING_RELEASE => Some(("upgrade", reason::UPGRADE_SUCCEEDED)),
                "" => Some(match self.status.last_attempted_release_action {
                    Some(ReleaseAction::Upgrade) => ("upgrade", reason::UPGRADE_SUCCEEDED),
                    _ => ("install", reason::INSTALL_SUCCEEDED),
                }),
                _ => None,
            };
            if let Some((word, reason)) = recovered {
                self.set(RELEASED, true, reason, success_message(word, &snapshot));
            }
        }
        if spec.drift_detection_mode() == common::helm::v2::DriftDetectionMode::Disabled {
            self.remove(DRIFTED);
        }
    }

    /// A rollback that led to what is wanted now counts as an upgrade to it.
    pub fn replace_remediated(&mut self) {
        if !conditions::is_true(&self.status.conditions, REMEDIATED) {
            return;
        }
        self.remove(REMEDIATED);
        if let Some(snapshot) = history::latest(self.status).cloned() {
            self.set(RELEASED, true, reason::UPGRADE_SUCCEEDED, success_message("upgrade", &snapshot));
        }
    }

    /// The comparison with the cluster ended; the lines name what differs.
    pub fn drift(&mut self, lines: &[String]) -> Option<Notice> {
        if lines.is_empty() {
            self.set(DRIFTED, false, reason::NO_DRIFT_DETECTED, "No drift detected against the cluster state");
            return None;
        }
        let release = history::latest(self.status).map(Snapshot::full_release_name).unwrap_or_default();
        let message =
            format!("Cluster state of release {release} has drifted from the desired state:\n{}", lines.join("\n"));
        self.set(DRIFTED, true, reason::DRIFT_DETECTED, message.as_str());
        Some(Notice::warning(reason::DRIFT_DETECTED, message))
    }

    /// Makes Ready out of Remediated, TestSuccess and Released: the first that speaks of the newest generation.
    pub fn summarize(&mut self, inputs: &Inputs<'_>) {
        let spec = inputs.spec;
        if !spec.tests_enabled() {
            self.remove(TEST_SUCCESS);
        }
        let considered: &[&str] = if spec.tests_enabled() && !spec.ignores_test_failures() {
            &[REMEDIATED, TEST_SUCCESS, RELEASED]
        } else {
            &[REMEDIATED, RELEASED]
        };
        let newest = considered
            .iter()
            .enumerate()
            .filter_map(|(rank, type_)| Some((rank, conditions::find(&self.status.conditions, type_)?)))
            .max_by_key(|(rank, condition)| (condition.observed_generation, std::cmp::Reverse(*rank)))
            .map(|(_, condition)| condition.clone());
        inputs.post_renderers_digest.clone_into(&mut self.status.observed_post_renderers_digest);
        inputs.common_metadata_digest.clone_into(&mut self.status.observed_common_metadata_digest);
        let Some(condition) = newest else { return };
        let status = match condition.status.as_str() {
            // A release that had to be remediated is not what was asked for.
            _ if condition.type_ == REMEDIATED => Status::False,
            TRUE => Status::True,
            common::names::condition::FALSE => Status::False,
            _ => Status::Unknown,
        };
        if status == Status::True {
            self.remove(STALLED);
        }
        self.set(READY, status, &condition.reason, condition.message);
    }
}

fn success_message(word: &str, snapshot: &Snapshot) -> String {
    format!(
        "Helm {word} succeeded for release {} with chart {}",
        snapshot.full_release_name(),
        snapshot.versioned_chart_name()
    )
}

/// Forgets failures when what they were about has changed. Returns why.
pub fn reset_failures(inputs: &Inputs<'_>, status: &mut HelmReleaseStatus, requested: bool) -> Option<&'static str> {
    let why = if status.last_attempted_generation != inputs.generation {
        Some("generation differs from last attempt")
    } else if status.last_attempted_revision != inputs.chart_version {
        Some("chart version differs from last attempt")
    } else if !status.last_attempted_config_digest.is_empty()
        && status.last_attempted_config_digest != inputs.config_digest
    {
        Some("values differ from last attempt")
    } else {
        requested.then_some("reset requested through annotation")
    };
    if why.is_some() {
        policy::clear_failures(status);
    }
    why
}

/// Records what is attempted.
pub fn record_attempt(
    inputs: &Inputs<'_>,
    status: &mut HelmReleaseStatus,
    storage_namespace: &str,
    revision_digest: &str,
) {
    storage_namespace.clone_into(&mut status.storage_namespace);
    status.last_attempted_generation = inputs.generation;
    inputs.chart_version.clone_into(&mut status.last_attempted_revision);
    revision_digest.clone_into(&mut status.last_attempted_revision_digest);
    inputs.config_digest.clone_into(&mut status.last_attempted_config_digest);
    status.last_attempted_values_checksum.clear();
    status.last_release_revision = 0;
}

/// Where a release lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Name of the release.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Namespace of its records.
    pub storage_namespace: String,
}

/// Whether the recorded release is another one than the spec names now, and has to be uninstalled first.
pub fn target_changed(
    status: &HelmReleaseStatus,
    target: &Target,
    chart_name: &str,
    reinstall_on_chart_name: bool,
) -> Option<&'static str> {
    let latest = history::latest(status)?;
    if status.storage_namespace.is_empty() {
        return None;
    }
    if status.storage_namespace != target.storage_namespace {
        Some("storage namespace")
    } else if latest.namespace != target.namespace {
        Some("release namespace")
    } else if latest.name != target.name {
        Some("release name")
    } else if latest.chart_name != chart_name && reinstall_on_chart_name {
        Some("chart name")
    } else {
        None
    }
}
