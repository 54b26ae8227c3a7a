//! What identifies a resource: group, version, kind, name and namespace.

use std::fmt;

use crate::{node::Text, schema};

/// Group, version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gvk {
    /// Empty for the core group.
    pub group: Text,
    /// `v1`
    pub version: Text,
    /// `Deployment`
    pub kind: Text,
}

impl Gvk {
    /// From its parts, for tables.
    pub(crate) const fn fixed(group: &'static str, version: &'static str, kind: &'static str) -> Self {
        Self { group: Text::new_static(group), version: Text::new_static(version), kind: Text::new_static(kind) }
    }

    /// From an `apiVersion` (`group/version` or `version`) and a kind.
    pub fn parse(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.into(), version: version.into(), kind: kind.into() }
    }

    /// `group/version`, or `version` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether every part that `selector` names is equal.
    pub fn is_selected(&self, selector: &Self) -> bool {
        let part = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        part(&selector.group, &self.group) && part(&selector.version, &self.version) && part(&selector.kind, &self.kind)
    }

    /// Whether objects of this kind are known to live outside namespaces.
    pub fn is_cluster_scoped(&self) -> bool {
        schema::is_cluster_scoped(&self.group, &self.version, &self.kind)
    }

    /// Nothing is set.
    pub fn is_empty(&self) -> bool {
        self.group.is_empty() && self.version.is_empty() && self.kind.is_empty()
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str, none: &'static str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
        write!(
            f,
            "{}.{}.{}",
            part(&self.kind, "[noKind]"),
            part(&self.version, "[noVer]"),
            part(&self.group, "[noGrp]")
        )
    }
}

/// A resource's identity at one moment of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ResId {
    /// Its kind.
    pub gvk: Gvk,
    /// `metadata.name`
    pub name: Text,
    /// `metadata.namespace` as written.
    pub namespace: Text,
}

/// The namespace name that stands for "in no namespace".
const CLUSTER: &str = "_non_namespaceable_";
/// Where objects without a namespace land.
const DEFAULT: &str = "default";

impl ResId {
    /// The namespace an object of this id is in: `default` when none is written, a mark of its own for cluster scope.
    pub fn effective_namespace(&self) -> &str {
        if self.gvk.is_cluster_scoped() {
            CLUSTER
        } else if self.namespace.is_empty() {
            DEFAULT
        } else {
            &self.namespace
        }
    }

    /// Equality with namespaces compared as they take effect.
    pub fn equals(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk && self.effective_namespace() == other.effective_namespace()
    }

    /// The id as a hashable value that is equal where [`ResId::equals`] holds.
    pub fn key(&self) -> Self {
        Self { gvk: self.gvk.clone(), name: self.name.clone(), namespace: self.effective_namespace().into() }
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "[noName]" } else { &self.name };
        let namespace = if self.namespace.is_empty() { "[noNs]" } else { &self.namespace };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_as_kustomize_prints_them() {
        let id = ResId { gvk: Gvk::parse("v1", "ConfigMap"), name: "a".into(), namespace: "".into() };
        assert_eq!(id.to_string(), "ConfigMap.v1.[noGrp]/a.[noNs]");
        let id = ResId { gvk: Gvk::parse("apps/v1", "Deployment"), name: "a".into(), namespace: "n".into() };
        assert_eq!(id.to_string(), "Deployment.v1.apps/a.n");
    }

    #[test]
    fn no_namespace_and_default_are_the_same() {
        let id = |namespace: &str| ResId {
            gvk: Gvk::parse("v1", "ConfigMap"),
            name: "a".into(),
            namespace: namespace.into(),
        };
        assert!(id("").equals(&id("default")));
        assert!(!id("").equals(&id("other")));
        assert_eq!(id("").key(), id("default").key());
    }
}
