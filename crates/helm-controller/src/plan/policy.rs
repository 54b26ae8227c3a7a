//! What the spec says about failures: how often to try again, and how to clean up.

use std::time::Duration;

use common::helm::v2::{
    FailureStrategy, HelmReleaseSpec, HelmReleaseStatus, ReleaseAction, RemediationStrategy, Strategy,
};

/// How failures of one action are remediated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remediation {
    action: ReleaseAction,
    /// How often it is tried again; negative is for ever.
    pub retries: i64,
    /// Whether failed tests count as success.
    pub ignore_test_failures: bool,
    /// Whether the last failure is remediated too.
    pub remediate_last_failure: bool,
    /// How.
    pub strategy: RemediationStrategy,
}

/// Which gates are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Failures are tried again rather than remediated, unless the spec says otherwise.
    pub default_to_retry_on_failure: bool,
}

/// The remediation of failed installs.
pub fn install_remediation(spec: &HelmReleaseSpec) -> Remediation {
    let settings = spec.install.as_ref().and_then(|install| install.remediation.clone()).unwrap_or_default();
    Remediation {
        action: ReleaseAction::Install,
        retries: settings.retries,
        ignore_test_failures: settings.ignore_test_failures.unwrap_or_else(|| spec.ignores_test_failures()),
        remediate_last_failure: settings.remediate_last_failure.unwrap_or(false),
        strategy: RemediationStrategy::Uninstall,
    }
}

/// The remediation of failed upgrades.
pub fn upgrade_remediation(spec: &HelmReleaseSpec) -> Remediation {
    let settings = spec.upgrade.as_ref().and_then(|upgrade| upgrade.remediation.clone()).unwrap_or_default();
    Remediation {
        action: ReleaseAction::Upgrade,
        retries: settings.retries,
        ignore_test_failures: settings.ignore_test_failures.unwrap_or_else(|| spec.ignores_test_failures()),
        remediate_last_failure: settings.remediate_last_failure.unwrap_or(settings.retries > 0),
        strategy: settings.strategy.unwrap_or_default(),
    }
}

/// The remediation of the last attempt's action, if there was one.
pub fn active_remediation(spec: &HelmReleaseSpec, status: &HelmReleaseStatus) -> Option<Remediation> {
    status.last_attempted_release_action.map(|action| match action {
        ReleaseAction::Install => install_remediation(spec),
        ReleaseAction::Upgrade => upgrade_remediation(spec),
    })
}

impl Remediation {
    /// Failures counted against it.
    pub fn failures(&self, status: &HelmReleaseStatus) -> i64 {
        match self.action {
            ReleaseAction::Install => status.install_failures,
            ReleaseAction::Upgrade => status.upgrade_failures,
        }
    }

    /// Counts one more.
    pub fn count_failure(&self, status: &mut HelmReleaseStatus) {
        match self.action {
            ReleaseAction::Install => status.install_failures += 1,
            ReleaseAction::Upgrade => status.upgrade_failures += 1,
        }
    }

    /// Whether no retry is left.
    pub fn exhausted(&self, status: &HelmReleaseStatus) -> bool {
        self.retries >= 0 && self.failures(status) > self.retries
    }

    /// Whether a failed upgrade is remediated by an uninstall, after which an install follows with retries of its own.
    pub fn uninstalls_after_upgrade(&self) -> bool {
        self.action == ReleaseAction::Upgrade && self.strategy == RemediationStrategy::Uninstall
    }
}

/// Time to the next try of an action whose failures are not remediated; `None` if they are.
pub fn retry_interval(spec: &HelmReleaseSpec, action: ReleaseAction, gates: Gates) -> Option<Duration> {
    const DEFAULT: Duration = Duration::from_secs(300);
    let strategy: Option<&Strategy> = match action {
        ReleaseAction::Install => spec.install.as_ref().and_then(|install| install.strategy.as_ref()),
        ReleaseAction::Upgrade => spec.upgrade.as_ref().and_then(|upgrade| upgrade.strategy.as_ref()),
    };
    match strategy {
        None => gates.default_to_retry_on_failure.then_some(DEFAULT),
        Some(strategy) if strategy.name == FailureStrategy::RetryOnFailure => {
            Some(strategy.retry_interval.map_or(DEFAULT, common::duration::GoDuration::to_std))
        }
        Some(_) => None,
    }
}

/// As [`retry_interval`], for the last attempt's action.
pub fn active_retry(spec: &HelmReleaseSpec, status: &HelmReleaseStatus, gates: Gates) -> Option<Duration> {
    status.last_attempted_release_action.and_then(|action| retry_interval(spec, action, gates))
}

/// Forgets failures: what they were about has changed.
pub fn clear_failures(status: &mut HelmReleaseStatus) {
    status.failures = 0;
    status.install_failures = 0;
    status.upgrade_failures = 0;
}
