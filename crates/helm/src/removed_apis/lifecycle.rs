//! When API versions of Kubernetes' own kinds were deprecated and removed, and what Kubernetes names as their successors.
//!
//! Recorded from what `helm lint` of Helm 4.2.4 (Kubernetes 1.36) says about one object of every kind it knows.

/// The life of an API version of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// The minor version of Kubernetes 1 that deprecated it.
    pub deprecated_in: u32,
    /// The minor version that first lacks it, once that is known.
    pub removed_in: Option<u32>,
    /// The API version and kind to use instead.
    pub replacement: Option<(&'static str, String)>,
}

impl Lifecycle {
    /// Helm's sentence about it.
    #[must_use]
    pub fn sentence(&self, api_version: &str, kind: &str) -> String {
        let mut text = format!("{api_version} {kind} is deprecated in v1.{}+", self.deprecated_in);
        if let Some(removed) = self.removed_in {
            text.push_str(&format!(", unavailable in v1.{removed}+"));
        }
        if let Some((api_version, kind)) = &self.replacement {
            text.push_str(&format!("; use {api_version} {kind}"));
        }
        text
    }
}

/// Finds an API version of a kind among those that are, or are planned to be, deprecated.
#[must_use]
pub fn lifecycle(api_version: &str, kind: &str) -> Option<Lifecycle> {
    let find = |kind: &str| {
        let key = |row: &Row| (row.0, row.1);
        DEPRECATED
            .binary_search_by(|row| key(row).cmp(&(api_version, kind)))
            .ok()
            .and_then(|index| DEPRECATED.get(index))
    };
    let (row, suffix) = match find(kind) {
        Some(row) => (row, ""),
        // Lists live and die with their items.
        None => (find(kind.strip_suffix("List").filter(|item| has_list(item))?)?, "List"),
    };
    let Row(_, _, deprecated_in, removed_in, group, kind) = *row;
    Some(Lifecycle {
        deprecated_in,
        removed_in: (removed_in > 0).then_some(removed_in),
        replacement: (!group.is_empty()).then(|| (group, format!("{kind}{suffix}"))),
    })
}

fn has_list(kind: &str) -> bool {
    !kind.ends_with("Review") && !matches!(kind, "DeploymentRollback" | "Scale" | "Eviction")
}

/// API version, kind, deprecated in, removed in (0: not known), API version and kind to use instead (empty: none).
struct Row(&'static str, &'static str, u32, u32, &'static str, &'static str);

const DEPRECATED: &[Row] = &[
    Row("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicy", 35, 38, "", ""),
    Row("admissionregistration.k8s.io/v1alpha1", "MutatingAdmissionPolicyBinding", 35, 38, "", ""),
    Row("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicy", 29, 32, "", ""),
    Row("admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicyBinding", 29, 32, "", ""),
    Row(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingAdmissionPolicy",
        37,
        40,
        "admissionregistration.k8s.io/v1",
        "MutatingAdmissionPolicy",
    ),
    Row(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingAdmissionPolicyBinding",
        37,
        40,
        "admissionregistration.k8s.io/v1",
        "MutatingAdmissionPolicyBinding",
    ),
    Row(
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        16,
        22,
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
    ),
    Row("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy", 31, 34, "", ""),
    Row("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding", 31, 34, "", ""),
    Row(
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        16,
        22,
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
    ),
    Row("apps/v1beta1", "ControllerRevision", 8, 16, "apps/v1", "ControllerRevision"),
    Row("apps/v1beta1", "Deployment", 8, 16, "apps/v1", "Deployment"),
    Row("apps/v1beta1", "DeploymentRollback", 8, 16, "apps/v1", "DeploymentRollback"),
    Row("apps/v1beta1", "Scale", 8, 16, "autoscaling/v1", "Scale"),
    Row("apps/v1beta1", "StatefulSet", 8, 16, "apps/v1", "StatefulSet"),
    Row("apps/v1beta2", "ControllerRevision", 9, 16, "apps/v1", "ControllerRevision"),
    Row("apps/v1beta2", "DaemonSet", 9, 16, "apps/v1", "DaemonSet"),
    Row("apps/v1beta2", "Deployment", 9, 16, "apps/v1", "Deployment"),
    Row("apps/v1beta2", "ReplicaSet", 9, 16, "apps/v1", "ReplicaSet"),
    Row("apps/v1beta2", "Scale", 9, 16, "autoscaling/v1", "Scale"),
    Row("apps/v1beta2", "StatefulSet", 9, 16, "apps/v1", "StatefulSet"),
    Row("authentication.k8s.io/v1alpha1", "SelfSubjectReview", 29, 32, "", ""),
    Row("authentication.k8s.io/v1beta1", "SelfSubjectReview", 30, 33, "", ""),
    Row("authentication.k8s.io/v1beta1", "TokenReview", 19, 22, "authentication.k8s.io/v1", "TokenReview"),
    Row(
        "authorization.k8s.io/v1beta1",
        "LocalSubjectAccessReview",
        19,
        22,
        "authorization.k8s.io/v1",
        "LocalSubjectAccessReview",
    ),
    Row(
        "authorization.k8s.io/v1beta1",
        "SelfSubjectAccessReview",
        19,
        22,
        "authorization.k8s.io/v1",
        "SelfSubjectAccessReview",
    ),
    Row(
        "authorization.k8s.io/v1beta1",
        "SelfSubjectRulesReview",
        19,
        22,
        "authorization.k8s.io/v1",
        "SelfSubjectRulesReview",
    ),
    Row(
        "authorization.k8s.io/v1beta1",
        "SubjectAccessReview",
        19,
        22,
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
    ),
    Row("batch/v1beta1", "CronJob", 21, 25, "batch/v1", "CronJob"),
    Row("certificates.k8s.io/v1alpha1", "ClusterTrustBundle", 34, 37, "", ""),
    Row(
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        19,
        22,
        "certificates.k8s.io/v1",
        "CertificateSigningRequest",
    ),
    Row("certificates.k8s.io/v1beta1", "ClusterTrustBundle", 37, 40, "", ""),
    Row("certificates.k8s.io/v1beta1", "PodCertificateRequest", 38, 41, "", ""),
    Row("coordination.k8s.io/v1alpha2", "LeaseCandidate", 35, 38, "", ""),
    Row("coordination.k8s.io/v1beta1", "Lease", 19, 22, "coordination.k8s.io/v1", "Lease"),
    Row("coordination.k8s.io/v1beta1", "LeaseCandidate", 36, 39, "", ""),
    Row("discovery.k8s.io/v1beta1", "EndpointSlice", 21, 25, "discovery.k8s.io/v1", "EndpointSlice"),
    Row("discovery.k8s.io/v1beta1", "EndpointSliceList", 21, 25, "discovery.k8s.io/v1", "EndpointSlice"),
    Row("events.k8s.io/v1beta1", "Event", 22, 25, "", ""),
    Row("extensions/v1beta1", "DaemonSet", 8, 16, "apps/v1", "DaemonSet"),
    Row("extensions/v1beta1", "Deployment", 8, 16, "apps/v1", "Deployment"),
    Row("extensions/v1beta1", "DeploymentRollback", 8, 16, "", ""),
    Row("extensions/v1beta1", "Ingress", 14, 22, "networking.k8s.io/v1", "Ingress"),
    Row("extensions/v1beta1", "NetworkPolicy", 9, 16, "networking.k8s.io/v1", "NetworkPolicy"),
    Row("extensions/v1beta1", "ReplicaSet", 8, 16, "apps/v1", "ReplicaSet"),
    Row("extensions/v1beta1", "Scale", 2, 16, "", ""),
    Row(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "FlowSchema",
        23,
        26,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "FlowSchema",
    ),
    Row(
        "flowcontrol.apiserver.k8s.io/v1beta1",
        "PriorityLevelConfiguration",
        23,
        26,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "PriorityLevelConfiguration",
    ),
    Row(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "FlowSchema",
        26,
        29,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "FlowSchema",
    ),
    Row(
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "PriorityLevelConfiguration",
        26,
        29,
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "PriorityLevelConfiguration",
    ),
    Row("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", 29, 32, "flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
    Row(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "PriorityLevelConfiguration",
        29,
        32,
        "flowcontrol.apiserver.k8s.io/v1",
        "PriorityLevelConfiguration",
    ),
    Row("networking.k8s.io/v1beta1", "IPAddress", 34, 37, "", ""),
    Row("networking.k8s.io/v1beta1", "Ingress", 19, 22, "networking.k8s.io/v1", "Ingress"),
    Row("networking.k8s.io/v1beta1", "IngressClass", 19, 22, "networking.k8s.io/v1", "IngressClassList"),
    Row("networking.k8s.io/v1beta1", "IngressClassList", 19, 22, "networking.k8s.io/v1", "IngressClassList"),
    Row("networking.k8s.io/v1beta1", "ServiceCIDR", 34, 37, "", ""),
    Row("node.k8s.io/v1beta1", "RuntimeClass", 22, 25, "", ""),
    Row("policy/v1beta1", "Eviction", 22, 25, "", ""),
    Row("policy/v1beta1", "PodDisruptionBudget", 21, 25, "policy/v1", "PodDisruptionBudget"),
    Row("rbac.authorization.k8s.io/v1beta1", "ClusterRole", 17, 22, "rbac.authorization.k8s.io/v1", "ClusterRole"),
    Row(
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRoleBinding",
        17,
        22,
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
    ),
    Row("rbac.authorization.k8s.io/v1beta1", "Role", 17, 22, "rbac.authorization.k8s.io/v1", "Role"),
    Row("rbac.authorization.k8s.io/v1beta1", "RoleBinding", 17, 22, "rbac.authorization.k8s.io/v1", "RoleBinding"),
    Row("resource.k8s.io/v1alpha3", "DeviceTaintRule", 36, 39, "", ""),
    Row("resource.k8s.io/v1alpha3", "ResourcePoolStatusRequest", 39, 42, "", ""),
    Row("resource.k8s.io/v1beta1", "DeviceClass", 35, 38, "", ""),
    Row("resource.k8s.io/v1beta1", "ResourceClaim", 35, 38, "", ""),
    Row("resource.k8s.io/v1beta1", "ResourceClaimTemplate", 35, 38, "", ""),
    Row("resource.k8s.io/v1beta1", "ResourceSlice", 35, 38, "", ""),
    Row("resource.k8s.io/v1beta2", "DeviceClass", 36, 39, "", ""),
    Row("resource.k8s.io/v1beta2", "DeviceTaintRule", 39, 42, "", ""),
    Row("resource.k8s.io/v1beta2", "ResourceClaim", 36, 39, "", ""),
    Row("resource.k8s.io/v1beta2", "ResourceClaimTemplate", 36, 39, "", ""),
    Row("resource.k8s.io/v1beta2", "ResourceSlice", 36, 39, "", ""),
    Row("scheduling.k8s.io/v1beta1", "PriorityClass", 14, 22, "scheduling.k8s.io/v1", "PriorityClass"),
    Row("storage.k8s.io/v1alpha1", "CSIStorageCapacity", 21, 24, "storage.k8s.io/v1beta1", "CSIStorageCapacity"),
    Row("storage.k8s.io/v1alpha1", "VolumeAttachment", 21, 24, "storage.k8s.io/v1", "VolumeAttachment"),
    Row("storage.k8s.io/v1alpha1", "VolumeAttributesClass", 32, 35, "storage.k8s.io/v1", "VolumeAttributesClass"),
    Row("storage.k8s.io/v1beta1", "CSIDriver", 19, 22, "storage.k8s.io/v1", "CSIDriver"),
    Row("storage.k8s.io/v1beta1", "CSINode", 17, 22, "storage.k8s.io/v1", "CSINode"),
    Row("storage.k8s.io/v1beta1", "CSINodeList", 17, 22, "storage.k8s.io/v1", "CSINode"),
    Row("storage.k8s.io/v1beta1", "CSIStorageCapacity", 24, 27, "storage.k8s.io/v1", "CSIStorageCapacity"),
    Row("storage.k8s.io/v1beta1", "StorageClass", 19, 22, "storage.k8s.io/v1", "StorageClass"),
    Row("storage.k8s.io/v1beta1", "VolumeAttachment", 19, 22, "storage.k8s.io/v1", "VolumeAttachment"),
    Row("storage.k8s.io/v1beta1", "VolumeAttributesClass", 34, 37, "storage.k8s.io/v1", "VolumeAttributesClass"),
    Row("storagemigration.k8s.io/v1beta1", "StorageVersionMigration", 38, 41, "", ""),
    Row("v1", "ComponentStatus", 19, 0, "", ""),
    Row("v1", "Endpoints", 33, 0, "discovery.k8s.io/v1", "EndpointSlice"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_found_in() {
        assert!(DEPRECATED.is_sorted_by_key(|row| (row.0, row.1)));
        let say = |api_version, kind| lifecycle(api_version, kind).map(|found| found.sentence(api_version, kind));
        assert_eq!(say("apps/v1", "Deployment"), None);
        assert_eq!(say("apps/v1beta1", "ScaleList"), None);
        assert_eq!(
            say("batch/v1beta1", "CronJobList").as_deref(),
            Some("batch/v1beta1 CronJobList is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJobList")
        );
        assert_eq!(say("v1", "ComponentStatus").as_deref(), Some("v1 ComponentStatus is deprecated in v1.19+"));
    }
}
