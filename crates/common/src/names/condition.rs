//! Condition types and statuses.

/// Everything is as the spec asks, or what keeps it from being so.
pub const READY: &str = "Ready";
/// Work is in progress.
pub const RECONCILING: &str = "Reconciling";
/// Nothing will happen until something changes.
pub const STALLED: &str = "Stalled";

/// Sources: the artifact is in storage.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
/// Sources: the stored artifact is behind what is upstream.
pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
/// Sources: signature verification.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// Sources: fetching failed.
pub const FETCH_FAILED: &str = "FetchFailed";
/// Sources: building the artifact failed.
pub const BUILD_FAILED: &str = "BuildFailed";
/// Sources: storing failed.
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
/// Git: an included repository is not available.
pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";

/// Helm: the last install or upgrade.
pub const RELEASED: &str = "Released";
/// Helm: the last run of the release's tests.
pub const TEST_SUCCESS: &str = "TestSuccess";
/// Helm: the release was rolled back or uninstalled after a failure.
pub const REMEDIATED: &str = "Remediated";
/// Helm: the cluster differs from the release.
pub const DRIFTED: &str = "Drifted";
/// Kustomize: the health of what was applied.
pub const HEALTHY: &str = "Healthy";

/// Helm operator: the chart is there.
pub const CHART_FETCHED: &str = "ChartFetched";
/// Helm operator: the chart was deployed.
pub const DEPLOYED: &str = "Deployed";
/// Helm operator: the release was rolled back.
pub const ROLLED_BACK: &str = "RolledBack";
/// Helm operator: the release was tested.
pub const TESTED: &str = "Tested";

/// The condition holds.
pub const TRUE: &str = "True";
/// The condition does not hold.
pub const FALSE: &str = "False";
/// Not known yet.
pub const UNKNOWN: &str = "Unknown";
