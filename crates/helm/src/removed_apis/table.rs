//! The table of removed API versions, after Kubernetes' deprecation guide.

use super::{Change, RemovedApi};

const fn removed(
    removed_in: u32,
    api_version: &'static str,
    kind: &'static str,
    replacement: &'static str,
    change: Change,
) -> RemovedApi {
    RemovedApi { api_version, kind, removed_in, replacement: Some(replacement), change }
}

const WEBHOOK: Change = Change::Manual(
    "state sideEffects (None or NoneOnDryRun) and admissionReviewVersions of each webhook; failurePolicy, matchPolicy and timeoutSeconds have other defaults",
);
const CUSTOM_RESOURCE: Change =
    Change::Manual("give every version a structural schema; subresources, columns and conversion move below versions");
const CERTIFICATE: Change = Change::Manual("state signerName and usages");
const ENDPOINT_SLICE: Change = Change::Manual("topology became nodeName, zone and deprecatedTopology");
const FLOW: Change = Change::Manual(
    "assuredConcurrencyShares became nominalConcurrencyShares, whose 0 is no longer replaced by a default",
);
const POD_SECURITY: Change = Change::Manual("PodSecurityPolicy is gone: use Pod Security Admission or a policy engine");

/// Every removed API version that charts are known to use.
pub(super) const REMOVED: &[RemovedApi] = &[
    removed(16, "extensions/v1beta1", "Deployment", "apps/v1", Change::Workload),
    removed(16, "extensions/v1beta1", "DaemonSet", "apps/v1", Change::Workload),
    removed(16, "extensions/v1beta1", "ReplicaSet", "apps/v1", Change::Workload),
    removed(16, "extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1", Change::None),
    removed(16, "apps/v1beta1", "Deployment", "apps/v1", Change::Workload),
    removed(16, "apps/v1beta1", "StatefulSet", "apps/v1", Change::Workload),
    removed(16, "apps/v1beta2", "Deployment", "apps/v1", Change::Workload),
    removed(16, "apps/v1beta2", "DaemonSet", "apps/v1", Change::Workload),
    removed(16, "apps/v1beta2", "ReplicaSet", "apps/v1", Change::Workload),
    removed(16, "apps/v1beta2", "StatefulSet", "apps/v1", Change::Workload),
    RemovedApi {
        api_version: "extensions/v1beta1",
        kind: "PodSecurityPolicy",
        removed_in: 16,
        replacement: None,
        change: POD_SECURITY,
    },
    removed(21, "batch/v2alpha1", "CronJob", "batch/v1", Change::None),
    removed(22, "rbac.authorization.k8s.io/v1alpha1", "Role", "rbac.authorization.k8s.io/v1", Change::None),
    removed(22, "rbac.authorization.k8s.io/v1alpha1", "ClusterRole", "rbac.authorization.k8s.io/v1", Change::None),
    removed(22, "rbac.authorization.k8s.io/v1beta1", "Role", "rbac.authorization.k8s.io/v1", Change::None),
    removed(22, "rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rbac.authorization.k8s.io/v1", Change::None),
    removed(22, "rbac.authorization.k8s.io/v1beta1", "ClusterRole", "rbac.authorization.k8s.io/v1", Change::None),
    removed(
        22,
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRoleBinding",
        "rbac.authorization.k8s.io/v1",
        Change::None,
    ),
    removed(22, "extensions/v1beta1", "Ingress", "networking.k8s.io/v1", Change::Ingress),
    removed(22, "networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1", Change::Ingress),
    removed(22, "networking.k8s.io/v1beta1", "IngressClass", "networking.k8s.io/v1", Change::None),
    removed(
        22,
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        WEBHOOK,
    ),
    removed(
        22,
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        WEBHOOK,
    ),
    removed(22, "apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions.k8s.io/v1", CUSTOM_RESOURCE),
    removed(22, "apiregistration.k8s.io/v1beta1", "APIService", "apiregistration.k8s.io/v1", Change::None),
    removed(22, "certificates.k8s.io/v1beta1", "CertificateSigningRequest", "certificates.k8s.io/v1", CERTIFICATE),
    removed(22, "coordination.k8s.io/v1beta1", "Lease", "coordination.k8s.io/v1", Change::None),
    removed(22, "scheduling.k8s.io/v1beta1", "PriorityClass", "scheduling.k8s.io/v1", Change::None),
    removed(22, "storage.k8s.io/v1beta1", "StorageClass", "storage.k8s.io/v1", Change::None),
    removed(22, "storage.k8s.io/v1beta1", "CSIDriver", "storage.k8s.io/v1", Change::None),
    removed(22, "storage.k8s.io/v1beta1", "CSINode", "storage.k8s.io/v1", Change::None),
    removed(22, "storage.k8s.io/v1beta1", "VolumeAttachment", "storage.k8s.io/v1", Change::None),
    removed(25, "batch/v1beta1", "CronJob", "batch/v1", Change::None),
    removed(25, "policy/v1beta1", "PodDisruptionBudget", "policy/v1", Change::None),
    RemovedApi {
        api_version: "policy/v1beta1",
        kind: "PodSecurityPolicy",
        removed_in: 25,
        replacement: None,
        change: POD_SECURITY,
    },
    removed(25, "autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2", Change::Autoscaler),
    removed(25, "discovery.k8s.io/v1beta1", "EndpointSlice", "discovery.k8s.io/v1", ENDPOINT_SLICE),
    removed(25, "events.k8s.io/v1beta1", "Event", "events.k8s.io/v1", Change::Manual("several fields became required")),
    removed(25, "node.k8s.io/v1beta1", "RuntimeClass", "node.k8s.io/v1", Change::None),
    removed(26, "autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2", Change::None),
    removed(26, "flowcontrol.apiserver.k8s.io/v1beta1", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1", Change::None),
    removed(
        26,
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
        FLOW,
    ),
    removed(27, "storage.k8s.io/v1beta1", "CSIStorageCapacity", "storage.k8s.io/v1", Change::None),
    removed(29, "flowcontrol.apiserver.k8s.io/v1beta2", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1", Change::None),
    removed(
        29,
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
        FLOW,
    ),
    removed(32, "flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "flowcontrol.apiserver.k8s.io/v1", Change::None),
    removed(
        32,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1",
        Change::None,
    ),
];
