//! The order in which Helm installs and uninstalls kinds.

use std::cmp::Ordering;

/// Install or uninstall order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindOrder {
    /// What others need comes first.
    Install,
    /// The reverse.
    Uninstall,
}

const INSTALL: &[&str] = &[
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

const UNINSTALL: &[&str] = &[
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Pod",
    "DaemonSet",
    "RoleBindingList",
    "RoleBinding",
    "RoleList",
    "Role",
    "ClusterRoleBindingList",
    "ClusterRoleBinding",
    "ClusterRoleList",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "ConfigMap",
    "SecretList",
    "Secret",
    "ServiceAccount",
    "PodDisruptionBudget",
    "PodSecurityPolicy",
    "LimitRange",
    "ResourceQuota",
    "NetworkPolicy",
    "Namespace",
    "PriorityClass",
];

impl KindOrder {
    fn position(self, kind: &str) -> Option<usize> {
        let order = match self {
            Self::Install => INSTALL,
            Self::Uninstall => UNINSTALL,
        };
        order.iter().position(|known| *known == kind)
    }
}

/// Compares two kinds: known ones by the order, unknown ones after them by name.
#[must_use]
pub fn compare_kinds(left: &str, right: &str, order: KindOrder) -> Ordering {
    match (order.position(left), order.position(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_know_the_same_kinds() {
        assert_eq!(INSTALL.len(), UNINSTALL.len());
        for kind in INSTALL {
            assert!(UNINSTALL.contains(kind), "{kind}");
        }
        assert_eq!(compare_kinds("Zebra", "Apple", KindOrder::Install), Ordering::Greater);
        assert_eq!(compare_kinds("APIService", "Zebra", KindOrder::Install), Ordering::Less);
    }
}
