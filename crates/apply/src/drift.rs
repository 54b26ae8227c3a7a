//! Drift: how the live objects differ from what they should be, by server-side dry run.
//!
//! The comparison is between the live object and the object the server would store if it were applied again, so that
//! defaulting and mutating webhooks do not look like drift. Values never leave this module: only paths are reported.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    ApplyOptions, Cluster, Error,
    object::{ObjectRef, annotation, label},
};

/// Something a person or controller changed in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// The object is gone.
    Missing {
        /// Which object.
        object: ObjectRef,
    },
    /// Fields differ.
    Changed {
        /// Which object.
        object: ObjectRef,
        /// What differs.
        changes: Vec<Change>,
    },
}

/// One differing field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// JSON pointer to it.
    pub path: String,
    /// What applying again would do to it.
    pub kind: ChangeKind,
}

/// What applying again would do to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Set it where there is none.
    Add,
    /// Give it another value.
    Replace,
    /// Take it away.
    Remove,
}

impl Drift {
    /// The object that drifted.
    pub fn object(&self) -> &ObjectRef {
        match self {
            Self::Missing { object } | Self::Changed { object, .. } => object,
        }
    }
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { object } => write!(f, "{object} removed"),
            Self::Changed { object, changes } => {
                let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
                write!(
                    f,
                    "{object} changed ({} additions, {} changes, {} removals)",
                    count(ChangeKind::Add),
                    count(ChangeKind::Replace),
                    count(ChangeKind::Remove)
                )
            }
        }
    }
}

/// Label or annotation that exempts an object.
#[derive(Clone, Copy, Debug)]
pub struct Exemption {
    /// Its key.
    pub key: &'static str,
    /// Its value, compared without case.
    pub value: &'static str,
}

/// Whether an object asks to be left out.
pub fn exempted(object: &Value, exemption: Exemption) -> bool {
    [label(object, exemption.key), annotation(object, exemption.key)]
        .into_iter()
        .flatten()
        .any(|value| value.eq_ignore_ascii_case(exemption.value))
}

/// Compares one object with the cluster. `ignored` holds JSON pointers whose subtrees do not count.
pub async fn detect(
    cluster: &Cluster,
    desired: &Value,
    default_namespace: &str,
    options: &ApplyOptions,
    exemption: Exemption,
    ignored: &[String],
) -> Result<Option<Drift>, Error> {
    let reference = cluster.locate(desired, default_namespace).await?;
    let Some(live) = cluster.get(&reference).await? else { return Ok(Some(Drift::Missing { object: reference })) };
    if exempted(&live, exemption) || exempted(desired, exemption) {
        return Ok(None);
    }
    let dry_run = ApplyOptions { dry_run: true, ..options.clone() };
    let (_, _, wanted) = cluster.apply_raw(desired, default_namespace, &dry_run).await?;
    let changes = compare(&live, &wanted, ignored);
    Ok((!changes.is_empty()).then_some(Drift::Changed { object: reference, changes }))
}

/// The fields in which `wanted` differs from `live`: labels, annotations and everything outside metadata and status.
pub fn compare(live: &Value, wanted: &Value, ignored: &[String]) -> Vec<Change> {
    let mut changes = Vec::new();
    let empty = Value::Object(serde_json::Map::new());
    for section in ["labels", "annotations"] {
        let of = |object: &'_ Value| object.get("metadata").and_then(|metadata| metadata.get(section)).cloned();
        let path = format!("/metadata/{section}");
        walk(
            &path,
            &of(live).unwrap_or_else(|| empty.clone()),
            &of(wanted).unwrap_or_else(|| empty.clone()),
            &mut changes,
            0,
        );
    }
    let keys: BTreeSet<_> =
        [live, wanted].into_iter().filter_map(Value::as_object).flat_map(|map| map.keys()).collect();
    for key in keys {
        if matches!(key.as_str(), "metadata" | "status") {
            continue;
        }
        step(&pointer("", key), live.get(key), wanted.get(key), &mut changes, 0);
    }
    changes.retain(|change| !ignored.iter().any(|pointer| covers(pointer, &change.path)));
    changes
}

fn covers(pointer: &str, path: &str) -> bool {
    let pointer = pointer.trim_end_matches('/');
    path == pointer || path.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
}

/// Differences below this depth count as one change of the subtree.
const MAX_DEPTH: usize = 64;

fn step(path: &str, live: Option<&Value>, wanted: Option<&Value>, changes: &mut Vec<Change>, depth: usize) {
    let change = |kind| Change { path: path.to_owned(), kind };
    match (live, wanted) {
        (Some(live), Some(wanted)) => walk(path, live, wanted, changes, depth),
        (None, Some(_)) => changes.push(change(ChangeKind::Add)),
        (Some(_), None) => changes.push(change(ChangeKind::Remove)),
        (None, None) => {}
    }
}

fn walk(path: &str, live: &Value, wanted: &Value, changes: &mut Vec<Change>, depth: usize) {
    if live == wanted {
        return;
    }
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) if depth < MAX_DEPTH => {
            let keys: BTreeSet<_> = live.keys().chain(wanted.keys()).collect();
            for key in keys {
                step(&pointer(path, key), live.get(key), wanted.get(key), changes, depth + 1);
            }
        }
        (Value::Array(live), Value::Array(wanted)) if depth < MAX_DEPTH => {
            for index in 0..live.len().max(wanted.len()) {
                step(&format!("{path}/{index}"), live.get(index), wanted.get(index), changes, depth + 1);
            }
        }
        _ => changes.push(Change { path: path.to_owned(), kind: ChangeKind::Replace }),
    }
}

fn pointer(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn status_and_volatile_metadata_do_not_count() {
        let live = json!({"metadata": {"resourceVersion": "1", "generation": 1, "managedFields": []}, "status": {"a": 1}, "spec": {"a": 1}});
        let wanted = json!({"metadata": {"resourceVersion": "2", "generation": 2}, "spec": {"a": 1}});
        assert_eq!(compare(&live, &wanted, &[]), []);
    }

    #[test]
    fn additions_changes_and_removals_are_told_apart() {
        let live =
            json!({"metadata": {"labels": {"a/b": "x"}}, "spec": {"replicas": 3, "extra": true, "list": [1, 2]}});
        let wanted = json!({"metadata": {"labels": {"a/b": "y"}}, "spec": {"replicas": 1, "new": 1, "list": [1]}});
        let changes = compare(&live, &wanted, &[]);
        let seen: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.kind)).collect();
        assert_eq!(
            seen,
            [
                ("/metadata/labels/a~1b", ChangeKind::Replace),
                ("/spec/extra", ChangeKind::Remove),
                ("/spec/list/1", ChangeKind::Remove),
                ("/spec/new", ChangeKind::Add),
                ("/spec/replicas", ChangeKind::Replace),
            ]
        );
        let ignored = ["/spec/replicas".to_owned(), "/spec/list".to_owned(), "/metadata/labels".to_owned()];
        assert_eq!(compare(&live, &wanted, &ignored).len(), 2);
        assert_eq!(compare(&live, &wanted, &["".to_owned()]).len(), 0, "the empty pointer is the whole object");
    }

    #[test]
    fn exemption_is_read_from_labels_and_annotations() {
        let exemption = Exemption { key: "k", value: "disabled" };
        assert!(exempted(&json!({"metadata": {"labels": {"k": "Disabled"}}}), exemption));
        assert!(exempted(&json!({"metadata": {"annotations": {"k": "disabled"}}}), exemption));
        assert!(!exempted(&json!({"metadata": {"annotations": {"k": "enabled"}}}), exemption));
    }
}
