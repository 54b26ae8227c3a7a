//! Annotations (some are read from labels too; the reader says so).

/// Asks for a reconcile now; any new value counts.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Asks for one forced install or upgrade; its value must equal [`REQUESTED_AT`]'s.
pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// Asks for the failure counters to be reset; its value must equal [`REQUESTED_AT`]'s.
pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Prefix of annotations copied into the metadata of outbound events.
pub const EVENT_METADATA_PREFIX: &str = "event.toolkit.fluxcd.io/";
/// W3C trace context of the change that caused this object's state, so the next controller's spans join the trace.
pub const TRACE_PARENT: &str = "towline.dev/traceparent";

/// On an event or artifact: the source's revision.
pub const SOURCE_REVISION: &str = "source.toolkit.fluxcd.io/revision";
/// On an event: the artifact's digest.
pub const SOURCE_DIGEST: &str = "source.toolkit.fluxcd.io/digest";

/// On an event of a release: chart version.
pub const HELM_REVISION: &str = "helm.toolkit.fluxcd.io/revision";
/// On an event of a release: a token that tells one configuration from another.
pub const HELM_TOKEN: &str = "helm.toolkit.fluxcd.io/token";
/// On an event of a release: the chart's application version.
pub const HELM_APP_VERSION: &str = "helm.toolkit.fluxcd.io/app-version";
/// On an event of a release: digest of the OCI artifact the chart came from.
pub const HELM_OCI_DIGEST: &str = "helm.toolkit.fluxcd.io/oci-digest";
/// Turns drift detection off for one object when its value is [`DISABLED`]; annotation or label.
pub const HELM_DRIFT_DETECTION: &str = "helm.toolkit.fluxcd.io/driftDetection";

/// Helm's ownership: name of the release.
pub const HELM_RELEASE_NAME: &str = "meta.helm.sh/release-name";
/// Helm's ownership: namespace of the release.
pub const HELM_RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";
/// Helm: `keep` leaves an object behind.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// Helm: which hook an object is.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm: order among hooks.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm: when a hook's object is deleted.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm: when a hook's output is logged.
pub const HELM_HOOK_OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

/// Helm operator: which of its releases an object came from, `<namespace>:helmrelease/<name>`.
pub const HELM_OPERATOR_ANTECEDENT: &str = "helm.fluxcd.io/antecedent";
/// Helm operator: `"true"` converts a Helm 2 release.
pub const HELM_OPERATOR_MIGRATE: &str = "helm.fluxcd.io/migrate";
/// Flux v1: automatic upgrades to newer image tags.
pub const FLUX_V1_AUTOMATED: &str = "fluxcd.io/automated";
/// Flux v1: prefix of the tag filter of one container or chart image.
pub const FLUX_V1_TAG_PREFIX: &str = "filter.fluxcd.io/";
/// Flux v1: never change or delete this object when `"true"`.
pub const FLUX_V1_IGNORE: &str = "fluxcd.io/ignore";
/// Flux v1: no automatic upgrades while locked.
pub const FLUX_V1_LOCKED: &str = "fluxcd.io/locked";

/// Kustomize: `disabled` keeps an object out of applying and pruning; annotation or label.
pub const KUSTOMIZE_RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
/// Kustomize: `disabled` keeps an object from being deleted; annotation or label.
pub const KUSTOMIZE_PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// Kustomize: how an object is applied (`Override`, `Merge`, `IfNotPresent`, `Ignore`); annotation or label.
pub const KUSTOMIZE_SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Kustomize: `enabled` recreates an object when an immutable field changed; annotation or label.
pub const KUSTOMIZE_FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Kustomize: `disabled` keeps variables of an object from being substituted; annotation or label.
pub const KUSTOMIZE_SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// Kustomize: `disabled` keeps an object from being decrypted.
pub const KUSTOMIZE_DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
/// What `kubectl apply` remembers on an object.
pub const LAST_APPLIED_CONFIGURATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The value that turns a behaviour off.
pub const DISABLED: &str = "disabled";
/// The value that turns a behaviour on.
pub const ENABLED: &str = "enabled";
