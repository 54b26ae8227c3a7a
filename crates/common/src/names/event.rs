//! Reasons and severities of events that are not condition reasons.

/// Sources: a new artifact is in storage.
pub const NEW_ARTIFACT: &str = "NewArtifact";
/// Sources: old artifacts were removed.
pub const GARBAGE_COLLECTION_SUCCEEDED: &str = "GarbageCollectionSucceeded";
/// Sources: old artifacts could not be removed.
pub const GARBAGE_COLLECTION_FAILED: &str = "GarbageCollectionFailed";

/// Helm: the HelmChart of a release was made.
pub const HELM_CHART_CREATED: &str = "HelmChartCreated";
/// Helm: the HelmChart of a release was changed.
pub const HELM_CHART_CONFIGURED: &str = "HelmChartConfigured";
/// Helm: the HelmChart of a release was deleted.
pub const HELM_CHART_DELETED: &str = "HelmChartDeleted";
/// Helm: the HelmChart of a release could not be written.
pub const HELM_CHART_SYNC_ERROR: &str = "HelmChartSyncErr";
/// Helm: drift was undone.
pub const DRIFT_CORRECTED: &str = "DriftCorrected";
/// Helm: drift could not be undone.
pub const DRIFT_CORRECTION_FAILED: &str = "DriftCorrectionFailed";
/// Helm: the inventory could not be computed.
pub const INVENTORY_BUILD_FAILED: &str = "InventoryBuildFailed";
/// Helm: whether a kind is namespaced could not be found out.
pub const NAMESPACE_CHECK_SKIPPED: &str = "NamespaceCheckSkipped";

/// Helm operator: a release was synchronised.
pub const RELEASE_SYNCED: &str = "ReleaseSynced";
/// Helm operator: a release could not be synchronised.
pub const FAILED_RELEASE_SYNC: &str = "FailedReleaseSync";

/// Type of a Kubernetes event: all is well.
pub const TYPE_NORMAL: &str = "Normal";
/// Type of a Kubernetes event: something went wrong.
pub const TYPE_WARNING: &str = "Warning";

/// Severity of an outbound event: only of interest when tracing.
pub const SEVERITY_TRACE: &str = "trace";
/// Severity of an outbound event: worth knowing.
pub const SEVERITY_INFO: &str = "info";
/// Severity of an outbound event: an error.
pub const SEVERITY_ERROR: &str = "error";
