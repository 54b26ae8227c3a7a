//! Condition reasons. Events about a condition use the same word.

/// Common: done.
pub const SUCCEEDED: &str = "Succeeded";
/// Common: failed.
pub const FAILED: &str = "Failed";
/// Common: working.
pub const PROGRESSING: &str = "Progressing";
/// Common: failed, and trying again.
pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
/// Common: suspended.
pub const SUSPENDED: &str = "Suspended";
/// Common: a dependency is not ready.
pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
/// Common: a reference across namespaces is forbidden.
pub const ACCESS_DENIED: &str = "AccessDenied";
/// Common: a field needs a feature gate that is off.
pub const FEATURE_GATE_DISABLED: &str = "FeatureGateDisabled";
/// Common: a CEL expression does not compile.
pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
/// Common: health checks passed.
pub const HEALTH_CHECK_SUCCEEDED: &str = "HealthCheckSucceeded";
/// Common: health checks failed.
pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
/// Common: health checks were given up for a newer revision.
pub const HEALTH_CHECK_CANCELED: &str = "HealthCheckCanceled";
/// Common: the stored object cannot be read as its kind.
pub const INVALID_OBJECT: &str = "InvalidObject";

/// Sources: the URL is not usable.
pub const URL_INVALID: &str = "URLInvalid";
/// Sources: credentials are missing or refused.
pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
/// Sources: the signature does not verify.
pub const VERIFICATION_ERROR: &str = "VerificationError";
/// Sources: a directory could not be made.
pub const DIRECTORY_CREATION_FAILED: &str = "DirectoryCreationFailed";
/// Sources: a file could not be looked at.
pub const STAT_OPERATION_FAILED: &str = "StatOperationFailed";
/// Sources: a file could not be read.
pub const READ_OPERATION_FAILED: &str = "ReadOperationFailed";
/// Sources: a lock could not be taken.
pub const ACQUIRE_LOCK_FAILED: &str = "AcquireLockFailed";
/// Sources: a path is not usable.
pub const INVALID_PATH: &str = "InvalidPath";
/// Sources: packing failed.
pub const ARCHIVE_OPERATION_FAILED: &str = "ArchiveOperationFailed";
/// Sources: the "latest" link could not be changed.
pub const SYMLINK_UPDATE_FAILED: &str = "SymlinkUpdateFailed";
/// Sources: the artifact is current.
pub const ARTIFACT_UP_TO_DATE: &str = "ArtifactUpToDate";
/// Sources: the cache failed.
pub const CACHE_OPERATION_FAILED: &str = "CacheOperationFailed";
/// Sources: the object could not be patched.
pub const PATCH_OPERATION_FAILED: &str = "PatchOperationFailed";
/// Sources: there is no artifact yet.
pub const NO_ARTIFACT: &str = "NoArtifact";
/// Sources: a newer revision is upstream.
pub const NEW_REVISION: &str = "NewRevision";
/// Buckets: the STS configuration is not usable.
pub const INVALID_STS_CONFIGURATION: &str = "InvalidSTSConfiguration";
/// Sources: the provider configuration is not usable.
pub const INVALID_PROVIDER_CONFIGURATION: &str = "InvalidProviderConfiguration";

/// Git: fetched.
pub const GIT_OPERATION_SUCCEEDED: &str = "GitOperationSucceeded";
/// Git: fetching failed.
pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
/// Git: an included repository changed.
pub const INCLUDE_CHANGE: &str = "IncludeChange";
/// Git: there is nothing in the repository.
pub const EMPTY_GIT_REPOSITORY: &str = "EmptyGitRepository";
/// Git: an include leads out of the repository.
pub const ILLEGAL_PATH: &str = "IllegalPath";
/// Git: an include could not be copied.
pub const COPY_FAILURE: &str = "CopyFailure";
/// Git: the ignore file could not be read.
pub const SOURCE_IGNORE_ERROR: &str = "SourceIgnoreError";
/// Git: an included repository does not exist.
pub const NOT_FOUND: &str = "NotFound";
/// Git: the verification mode is unknown.
pub const INVALID_VERIFICATION_MODE: &str = "InvalidVerificationMode";
/// Git: the object to verify is missing.
pub const INVALID_GIT_OBJECT: &str = "InvalidGitObject";
/// Git: the tag's signature is missing or wrong.
pub const INVALID_TAG_SIGNATURE: &str = "InvalidTagSignature";
/// Git: the commit's signature is missing or wrong.
pub const INVALID_COMMIT_SIGNATURE: &str = "InvalidCommitSignature";

/// Helm repositories: the index could not be had.
pub const INDEXATION_FAILED: &str = "IndexationFailed";

/// Charts: pulled.
pub const CHART_PULL_SUCCEEDED: &str = "ChartPullSucceeded";
/// Charts: packaged.
pub const CHART_PACKAGE_SUCCEEDED: &str = "ChartPackageSucceeded";
/// Charts: the source has no artifact.
pub const NO_SOURCE_ARTIFACT: &str = "NoSourceArtifact";
/// Charts: the source could not be read.
pub const SOURCE_UNAVAILABLE: &str = "SourceUnavailable";
/// Charts: the source is of a kind charts do not come from.
pub const UNSUPPORTED_SOURCE_KIND: &str = "UnsupportedSourceKind";
/// Charts: name or version cannot be resolved, ever.
pub const INVALID_CHART_REFERENCE: &str = "InvalidChartReference";
/// Charts: pulling failed.
pub const CHART_PULL_ERROR: &str = "ChartPullError";
/// Charts: the metadata could not be changed.
pub const METADATA_PATCH_ERROR: &str = "MetadataPatchError";
/// Charts: values files are missing or cannot be merged.
pub const VALUES_FILES_ERROR: &str = "ValuesFilesError";
/// Charts: dependencies could not be had.
pub const DEPENDENCY_BUILD_ERROR: &str = "DependencyBuildError";
/// Charts: packaging failed.
pub const CHART_PACKAGE_ERROR: &str = "ChartPackageError";
/// Charts: the signature does not verify.
pub const CHART_VERIFICATION_ERROR: &str = "ChartVerificationError";
/// Charts: anything else.
pub const UNKNOWN: &str = "Unknown";

/// Buckets: fetched.
pub const BUCKET_OPERATION_SUCCEEDED: &str = "BucketOperationSucceeded";
/// Buckets: fetching failed.
pub const BUCKET_OPERATION_FAILED: &str = "BucketOperationFailed";
/// OCI: pulling failed.
pub const OCI_PULL_FAILED: &str = "OCIArtifactPullFailed";
/// OCI: the layer could not be used.
pub const OCI_LAYER_OPERATION_FAILED: &str = "OCIArtifactLayerOperationFailed";

/// Helm: installed.
pub const INSTALL_SUCCEEDED: &str = "InstallSucceeded";
/// Helm: install failed.
pub const INSTALL_FAILED: &str = "InstallFailed";
/// Helm: upgraded.
pub const UPGRADE_SUCCEEDED: &str = "UpgradeSucceeded";
/// Helm: upgrade failed.
pub const UPGRADE_FAILED: &str = "UpgradeFailed";
/// Helm: tests passed.
pub const TEST_SUCCEEDED: &str = "TestSucceeded";
/// Helm: tests failed.
pub const TEST_FAILED: &str = "TestFailed";
/// Helm: tests have not run yet.
pub const AWAITING_TESTS: &str = "AwaitingTests";
/// Helm: rolled back.
pub const ROLLBACK_SUCCEEDED: &str = "RollbackSucceeded";
/// Helm: rollback failed.
pub const ROLLBACK_FAILED: &str = "RollbackFailed";
/// Helm: uninstalled.
pub const UNINSTALL_SUCCEEDED: &str = "UninstallSucceeded";
/// Helm: uninstall failed.
pub const UNINSTALL_FAILED: &str = "UninstallFailed";
/// Helm and Kustomize: the artifact could not be had.
pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
/// Helm: the cluster differs from the release.
pub const DRIFT_DETECTED: &str = "DriftDetected";
/// Helm: the cluster is as the release says.
pub const NO_DRIFT_DETECTED: &str = "NoDriftDetected";
/// Helm: the release's state could not be told.
pub const STATE_ERROR: &str = "StateError";
/// Helm: anything else.
pub const RECONCILE_ERROR: &str = "ReconcileError";
/// Helm: no retries are left.
pub const RETRIES_EXCEEDED: &str = "RetriesExceeded";
/// Helm: there is nothing to roll back to.
pub const MISSING_ROLLBACK_TARGET: &str = "MissingRollbackTarget";
/// Helm: the chart's source is not ready.
pub const SOURCE_NOT_READY: &str = "SourceNotReady";
/// Helm: the values cannot be composed.
pub const VALUES_ERROR: &str = "ValuesError";
/// Helm: the chart's version could not be changed to carry its digest.
pub const CHART_MUTATE_ERROR: &str = "ChartMutateError";
/// Helm: no client for the target cluster.
pub const REST_CLIENT_ERROR: &str = "RESTClientError";
/// Helm: no resource manager for the target cluster.
pub const RESOURCE_MANAGER_ERROR: &str = "ResourceManagerError";
/// Helm: the action could not be set up.
pub const FACTORY_ERROR: &str = "FactoryError";
/// Helm: the action could not be set up while deleting.
pub const CONFIG_FACTORY_ERROR: &str = "ConfigFactoryErr";
/// Helm: an action on the release was interrupted.
pub const PENDING_RELEASE: &str = "PendingRelease";

/// Kustomize: applied.
pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
/// Kustomize: applying failed.
pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
/// Kustomize: the build failed.
pub const BUILD_FAILED: &str = "BuildFailed";
/// Kustomize: pruning failed.
pub const PRUNE_FAILED: &str = "PruneFailed";
