//! The controllers that are deployed: what each may do, and how it is packed.

/// Verbs of those who only look.
const READ: &[&str] = &["get", "list", "watch"];
/// Verbs of those who reconcile: the finalizer is a patch.
const RECONCILE: &[&str] = &["get", "list", "watch", "patch", "update"];
/// Verbs on the status subresource.
const STATUS: &[&str] = &["get", "patch", "update"];

/// One rule of a ClusterRole or Role.
pub(crate) struct Rule {
    pub(crate) groups: &'static [&'static str],
    pub(crate) resources: &'static [&'static str],
    pub(crate) verbs: &'static [&'static str],
    /// What it is for; becomes a comment in nothing, but keeps the table honest.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests of the table"))]
    pub(crate) why: &'static str,
}

const fn rule(
    groups: &'static [&'static str],
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    why: &'static str,
) -> Rule {
    Rule { groups, resources, verbs, why }
}

/// A controller as it is deployed.
pub(crate) struct Controller {
    /// Name of the crate, binary, Deployment, image and service account.
    pub(crate) name: &'static str,
    /// What it may do in the cluster.
    pub(crate) cluster_rules: &'static [Rule],
}

/// What every controller may do in its own namespace.
pub(crate) const NAMESPACE_RULES: &[Rule] =
    &[rule(&["coordination.k8s.io"], &["leases"], &["get", "create", "patch", "update"], "agree on a leader")];

const SOURCE_GROUP: &[&str] = &["source.toolkit.fluxcd.io"];
const HELM_GROUPS: &[&str] = &["helm.toolkit.fluxcd.io", "helm.fluxcd.io"];
const EVENTS: Rule = rule(&["", "events.k8s.io"], &["events"], &["create", "patch"], "say what happened");

/// Every controller.
pub(crate) const CONTROLLERS: &[Controller] = &[
    Controller {
        name: common::names::controller::SOURCE,
        cluster_rules: &[
            rule(
                SOURCE_GROUP,
                &[
                    "gitrepositories",
                    "helmrepositories",
                    "helmcharts",
                    "buckets",
                    "ocirepositories",
                    "externalartifacts",
                ],
                RECONCILE,
                "reconcile sources",
            ),
            rule(
                SOURCE_GROUP,
                &[
                    "gitrepositories/status",
                    "helmrepositories/status",
                    "helmcharts/status",
                    "buckets/status",
                    "ocirepositories/status",
                ],
                STATUS,
                "write what was found",
            ),
            rule(&[""], &["secrets"], &["get"], "read credentials that sources name"),
            EVENTS,
            rule(&["authentication.k8s.io"], &["tokenreviews"], &["create"], "know who asks for an artifact"),
            rule(&["authorization.k8s.io"], &["subjectaccessreviews"], &["create"], "know whether they may have it"),
        ],
    },
    Controller {
        name: common::names::controller::HELM,
        cluster_rules: &[
            rule(HELM_GROUPS, &["helmreleases"], RECONCILE, "reconcile releases"),
            rule(HELM_GROUPS, &["helmreleases/status"], STATUS, "write what was done"),
            rule(
                SOURCE_GROUP,
                &["helmcharts", "gitrepositories", "helmrepositories"],
                &["get", "list", "watch", "create", "patch", "update", "delete"],
                "ask for the chart of a release, and for the source of one that only names an address",
            ),
            rule(
                SOURCE_GROUP,
                &["ocirepositories", "externalartifacts", "buckets"],
                READ,
                "find the chart of a release",
            ),
            rule(&[""], &["secrets", "configmaps"], READ, "read values and kubeconfigs, and notice when they change"),
            rule(&[""], &["serviceaccounts"], &["get", "impersonate"], "release with the rights of a service account"),
            rule(&[""], &["serviceaccounts/token"], &["create"], "reach other clusters with a service account's token"),
            EVENTS,
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_asks_for_everything() {
        for controller in CONTROLLERS {
            for rule in controller.cluster_rules.iter().chain(NAMESPACE_RULES) {
                let words = [rule.groups, rule.resources, rule.verbs].concat();
                assert!(!words.contains(&"*"), "{}: {}", controller.name, rule.why);
                assert!(!rule.why.is_empty() && !rule.verbs.is_empty() && !rule.resources.is_empty());
            }
        }
    }

    /// Upstream's Secret permissions are cluster-wide reads; none of ours writes one outside a release's own rights.
    #[test]
    fn no_controller_writes_secrets_by_itself() {
        for rule in CONTROLLERS.iter().flat_map(|controller| controller.cluster_rules) {
            if rule.resources.contains(&"secrets") {
                assert!(rule.verbs.iter().all(|verb| READ.contains(verb)), "{}", rule.why);
            }
        }
    }
}
