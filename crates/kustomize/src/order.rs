//! The order of the output: as read, or by kind so that what others need comes first.

use std::{cmp::Ordering, collections::HashMap};

use crate::{
    error::Error,
    id::{Gvk, ResId},
    kustomization::SortOptions,
    res_map::ResMap,
};

/// Kinds that come first, in this order.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// Kinds that come last.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// How the output is ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// As read.
    #[default]
    Fifo,
    /// By kind.
    Legacy {
        /// Kinds that come first.
        first: Vec<String>,
        /// Kinds that come last.
        last: Vec<String>,
    },
}

impl Order {
    /// By kind, with kustomize's own lists.
    pub(crate) fn legacy() -> Self {
        let list = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Self::Legacy { first: list(&FIRST), last: list(&LAST) }
    }

    /// From a kustomization's `sortOptions`.
    pub(crate) fn from_options(options: &SortOptions) -> Result<Self, Error> {
        match (options.order.as_str(), &options.legacy_sort_options) {
            ("fifo", None) => Ok(Self::Fifo),
            ("fifo", Some(_)) => Err(Error::message(
                "the sortOptions.legacySortOptions field is only valid when sortOptions.order is legacy",
            )),
            ("legacy", None) => Ok(Self::legacy()),
            ("legacy", Some(lists)) => {
                Ok(Self::Legacy { first: lists.order_first.clone(), last: lists.order_last.clone() })
            }
            _ => Err(Error::message("the field 'sortOptions.order' must be one of [fifo, legacy]")),
        }
    }

    /// Puts resources into this order.
    pub(crate) fn apply(&self, resources: &mut ResMap) {
        let Self::Legacy { first, last } = self else { return };
        let mut ranks: HashMap<&str, i64> = HashMap::new();
        for (at, kind) in (0_i64..).zip(first) {
            // Counted down to zero, so that unlisted kinds rank between the two lists.
            ranks.insert(kind, at - i64::try_from(first.len()).unwrap_or_default());
        }
        for (at, kind) in (1_i64..).zip(last) {
            ranks.insert(kind, at);
        }
        let rank = |gvk: &Gvk| ranks.get(&*gvk.kind).copied().unwrap_or_default();
        resources.reorder(|list| {
            list.sort_by_cached_key(|resource| {
                let id = resource.id();
                Key { rank: rank(&id.gvk), kind: kind_text(&id.gvk), id: id_text(id) }
            });
        });
    }
}

struct Key {
    rank: i64,
    kind: (String, bool),
    id: String,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| self.by_kind(other)).then_with(|| self.id.cmp(&other.id))
    }
}

impl Key {
    /// The core group sorts behind the named ones, save that the core Namespace comes before others of that name.
    fn by_kind(&self, other: &Self) -> Ordering {
        let order = self.kind.0.cmp(&other.kind.0);
        if self.kind.1 != other.kind.1 && self.kind.0.ends_with("_Namespace") && other.kind.0.ends_with("_Namespace") {
            return order.reverse();
        }
        order
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// The kind as a sortable text, and whether it is of the core group.
fn kind_text(gvk: &Gvk) -> (String, bool) {
    let part = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    let text = format!("{}_{}_{}", part(&gvk.group, "~G"), part(&gvk.version, "~V"), part(&gvk.kind, "~K"));
    (text, gvk.group.is_empty())
}

fn id_text(id: &ResId) -> String {
    let part = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    format!("{}|{}|{}", id.gvk, part(&id.namespace, "~X"), part(&id.name, "~N"))
}
