//! Names of kinds and objects, and careful reading of untyped objects.

use std::fmt;

use serde_json::Value;

use crate::Error;

/// Group, version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvk {
    /// API group; empty for the core group.
    pub group: String,
    /// Version within the group.
    pub version: String,
    /// Kind.
    pub kind: String,
}

impl Gvk {
    /// From `apiVersion` and `kind`.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    /// The kind of an object.
    pub fn of(object: &Value) -> Result<Self, Error> {
        let api_version = text(object, "/apiVersion");
        let kind = text(object, "/kind");
        if api_version.is_empty() || kind.is_empty() {
            let missing = if kind.is_empty() { "kind" } else { "apiVersion" };
            return Err(Error::InvalidObject {
                object: format!("{kind}/{}", text(object, "/metadata/name")),
                problem: format!("{missing} is not set"),
            });
        }
        Ok(Self::new(api_version, kind))
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

/// The identity of one object in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub gvk: Gvk,
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// The identity an object states, with no namespace filled in.
    pub fn of(object: &Value) -> Result<Self, Error> {
        let gvk = Gvk::of(object)?;
        let name = text(object, "/metadata/name");
        if name.is_empty() {
            return Err(Error::InvalidObject {
                object: format!("{}/{}", gvk.kind, text(object, "/metadata/generateName")),
                problem: "metadata.name is not set".to_owned(),
            });
        }
        Ok(Self { gvk, namespace: text(object, "/metadata/namespace").to_owned(), name: name.to_owned() })
    }

    /// Whether `other` is the same object, whatever version of its API group names it.
    pub fn same_object(&self, other: &Self) -> bool {
        self.gvk.group == other.gvk.group
            && self.gvk.kind == other.gvk.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.gvk.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.gvk.kind, self.namespace, self.name)
        }
    }
}

/// The text at a JSON pointer, or nothing.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The integer at a JSON pointer, or zero.
pub fn integer(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// A label's value.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(key)?.as_str()
}

/// An annotation's value.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Sets `metadata.<section>.<key>`; a section that is not a map (`null`, or junk a template made) is replaced.
pub fn set_metadata(object: &mut Value, section: &str, key: &str, value: &str) {
    let Some(root) = object.as_object_mut() else { return };
    let metadata = root.entry("metadata").or_insert_with(|| Value::Object(serde_json::Map::new()));
    if !metadata.is_object() {
        *metadata = Value::Object(serde_json::Map::new());
    }
    let Some(metadata) = metadata.as_object_mut() else { return };
    let map = metadata.entry(section).or_insert_with(|| Value::Object(serde_json::Map::new()));
    if !map.is_object() {
        *map = Value::Object(serde_json::Map::new());
    }
    if let Some(map) = map.as_object_mut() {
        map.insert(key.to_owned(), Value::String(value.to_owned()));
    }
}

/// Sets a label.
pub fn set_label(object: &mut Value, key: &str, value: &str) {
    set_metadata(object, "labels", key, value);
}

/// Sets an annotation.
pub fn set_annotation(object: &mut Value, key: &str, value: &str) {
    set_metadata(object, "annotations", key, value);
}

/// `metadata.resourceVersion` as a number; versions of one object are comparable.
pub fn resource_version(object: &Value) -> u64 {
    text(object, "/metadata/resourceVersion").parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_identity() {
        let object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"}});
        let reference = ObjectRef::of(&object).unwrap();
        assert_eq!(reference.to_string(), "Deployment/b/a");
        assert_eq!(reference.gvk.group, "apps");
        assert_eq!(Gvk::new("v1", "Pod").api_version(), "v1");
    }

    #[test]
    fn junk_is_an_error_not_a_panic() {
        for object in [
            json!(null),
            json!([]),
            json!({"kind": 5}),
            json!({"apiVersion": "v1", "kind": "Pod"}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": []}),
        ] {
            assert!(ObjectRef::of(&object).is_err(), "{object}");
        }
    }

    #[test]
    fn sets_labels_over_junk() {
        let mut object = json!({"metadata": {"labels": null}});
        set_label(&mut object, "a", "b");
        assert_eq!(label(&object, "a"), Some("b"));
        let mut object = json!({"metadata": []});
        set_annotation(&mut object, "a", "b");
        assert_eq!(annotation(&object, "a"), Some("b"));
    }
}
