//! The state of a release, told from storage, the recorded status and what is desired now.

use common::helm::v2::{DriftDetectionMode, HelmReleaseSpec, HelmReleaseStatus, Snapshot};

use super::{history, policy};

/// Version of the snapshots' digest; older ones are not compared.
pub const SNAPSHOT_API_VERSION: &str = "v2";

/// Status of a stored release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseStatus {
    /// Not one of Helm's words.
    Unknown,
    /// In use.
    Deployed,
    /// Taken away, record kept.
    Uninstalled,
    /// Replaced by a later one.
    Superseded,
    /// It did not work.
    Failed,
    /// Being taken away.
    Uninstalling,
    /// Being installed.
    PendingInstall,
    /// Being upgraded.
    PendingUpgrade,
    /// Being rolled back.
    PendingRollback,
}

impl ReleaseStatus {
    /// Reads Helm's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "deployed" => Self::Deployed,
            "uninstalled" => Self::Uninstalled,
            "superseded" => Self::Superseded,
            "failed" => Self::Failed,
            "uninstalling" => Self::Uninstalling,
            "pending-install" => Self::PendingInstall,
            "pending-upgrade" => Self::PendingUpgrade,
            "pending-rollback" => Self::PendingRollback,
            _ => Self::Unknown,
        }
    }

    /// Helm's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether an action is (or was, when its process died) under way.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

/// The newest revision in storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Its status.
    pub status: ReleaseStatus,
    /// What a snapshot of it would say now.
    pub snapshot: Snapshot,
    /// Whether this controller wrote it (rather than somebody with Helm's command line).
    pub ours: bool,
}

/// What is desired now.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs<'a> {
    /// The spec.
    pub spec: &'a HelmReleaseSpec,
    /// Its generation.
    pub generation: i64,
    /// Name of the chart.
    pub chart_name: &'a str,
    /// Version of the chart.
    pub chart_version: &'a str,
    /// Digest of the composed values.
    pub config_digest: &'a str,
    /// Digest of the post-renderers; empty when there are none.
    pub post_renderers_digest: &'a str,
    /// Digest of the common metadata; empty when there is none.
    pub common_metadata_digest: &'a str,
}

/// The state of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none.
    Absent(&'static str),
    /// An action of somebody else's, or of a process before us that cannot be taken up, was left unfinished.
    Locked(ReleaseStatus),
    /// An action of ours was interrupted and is still what is wanted.
    Interrupted(ReleaseStatus),
    /// It is not as we left it.
    Unmanaged(&'static str),
    /// We finished it, but were interrupted before the status said so.
    Unrecorded,
    /// It is not what is wanted.
    OutOfSync(&'static str),
    /// It did not work.
    Failed(&'static str),
    /// Its tests have not run.
    Untested,
    /// It is what is wanted.
    InSync {
        /// Whether the cluster is to be compared with it.
        check_drift: bool,
    },
}

/// Tells the state.
pub fn state(inputs: &Inputs<'_>, status: &HelmReleaseStatus, stored: Option<&Stored>) -> State {
    let Some(stored) = stored else { return State::Absent("no release in storage for object") };
    let same_chart =
        stored.snapshot.chart_name == inputs.chart_name && stored.snapshot.chart_version == inputs.chart_version;
    let recorded = status
        .history
        .iter()
        .find(|snapshot| snapshot.version == stored.snapshot.version && snapshot.name == stored.snapshot.name);
    if stored.status.is_pending() {
        let wanted = match stored.status {
            // A rollback's chart and values are those of the revision gone back to.
            ReleaseStatus::PendingRollback => true,
            _ => same_chart && stored.snapshot.config_digest == inputs.config_digest,
        } && status.last_attempted_generation == inputs.generation;
        return if stored.ours && wanted && recorded.is_some() {
            State::Interrupted(stored.status)
        } else {
            State::Locked(stored.status)
        };
    }
    if stored.status == ReleaseStatus::Uninstalling {
        return State::Failed("an uninstall was interrupted");
    }
    let Some(latest) = history::latest(status) else {
        return if stored.status == ReleaseStatus::Uninstalled {
            State::Absent("found uninstalled release in storage")
        } else {
            State::Unmanaged("found existing release in storage")
        };
    };
    if latest.api_version.as_deref() == Some(SNAPSHOT_API_VERSION) {
        let matches = latest.digest == stored.snapshot.digest && latest.version == stored.snapshot.version;
        let interrupted = recorded.is_some_and(|recorded| ReleaseStatus::parse(&recorded.status).is_pending());
        // The last write of an action is the release record; the process may have died before the status followed.
        if !matches && stored.ours && interrupted && stored.status == ReleaseStatus::Deployed {
            return State::Unrecorded;
        }
        if !matches {
            return State::Unmanaged("release object has been modified or was not made by this controller");
        }
    }
    match stored.status {
        ReleaseStatus::Failed => State::Failed(""),
        ReleaseStatus::Uninstalled => State::Absent("found uninstalled release in storage"),
        ReleaseStatus::Deployed => deployed(inputs, status, latest, same_chart),
        _ => State::Unmanaged("release has a status that cannot be acted upon"),
    }
}

fn deployed(inputs: &Inputs<'_>, status: &HelmReleaseStatus, latest: &Snapshot, same_chart: bool) -> State {
    if !same_chart {
        return State::OutOfSync("chart changed");
    }
    if latest.config_digest != inputs.config_digest {
        return State::OutOfSync("values changed");
    }
    if status.observed_generation != Some(inputs.generation) {
        if status.observed_post_renderers_digest != inputs.post_renderers_digest {
            return State::OutOfSync("postrenderers digest has changed");
        }
        if status.observed_common_metadata_digest != inputs.common_metadata_digest {
            return State::OutOfSync("common metadata digest has changed");
        }
    }
    if inputs.spec.tests_enabled() {
        if !history::has_been_tested(latest) {
            return State::Untested;
        }
        if history::has_failed_test(latest)
            && policy::active_remediation(inputs.spec, status)
                .is_some_and(|remediation| !remediation.ignore_test_failures)
        {
            return State::Failed("release has test in failed phase");
        }
    }
    State::InSync { check_drift: inputs.spec.drift_detection_mode() != DriftDetectionMode::Disabled }
}
