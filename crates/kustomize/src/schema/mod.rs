//! What OpenAPI says about merging and scope: which lists merge by which keys, and which kinds live in namespaces.

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use crate::id::Gvk;

mod builtin;

/// A definition's fields that matter for merging, sorted by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    pub(crate) fields: Cow<'static, [(Cow<'static, str>, Field)]>,
}

/// How a field's value is merged.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// A mapping of this definition.
    Map(u16),
    /// A mapping with free keys whose values are of this definition.
    Values(u16),
    /// A list.
    List {
        /// Definition of its elements.
        items: Option<u16>,
        /// What merging does to it.
        merge: Items,
    },
}

/// What merging does to a list.
#[derive(Clone, Debug)]
pub(crate) enum Items {
    /// The patch's list replaces it.
    Replace,
    /// Elements are merged by these keys; without keys it is a set of plain values.
    Merge(Cow<'static, [Cow<'static, str>]>),
}

/// Where objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In no namespace.
    Cluster,
    /// In a namespace.
    Namespaced,
}

/// A set of definitions: the built-in ones, or those a kustomization brings.
#[derive(Clone, Debug, Default)]
pub(crate) enum Schema {
    /// Kubernetes 1.21.2, as kustomize has it.
    #[default]
    Builtin,
    /// From an `openapi` file.
    Custom(Custom),
}

/// Definitions read from an OpenAPI document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Custom {
    /// Definitions from here on are its own; those before are the built-in ones, when it adds to them.
    base: u16,
    definitions: Vec<Definition>,
    kinds: HashMap<Gvk, u16>,
}

/// A place in a schema: what is known of the node being merged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    schema: &'a Schema,
    at: Option<u16>,
}

impl Schema {
    /// Reads the `definitions` of an OpenAPI v2 document, in place of the built-in ones or besides them.
    pub(crate) fn from_openapi(document: &Value, besides_builtin: bool) -> Self {
        let mut reader = Reader::default();
        if besides_builtin {
            reader.base = u16::try_from(builtin::NAMES.len()).unwrap_or_default();
            reader.names = (0..).zip(builtin::NAMES).map(|(at, name)| ((*name).to_owned(), at)).collect();
        }
        if let Some(definitions) = document.get("definitions").and_then(Value::as_object) {
            for name in definitions.keys() {
                reader.names.remove(name);
                reader.named(name);
            }
            for (name, definition) in definitions {
                reader.define(name, definition);
            }
        }
        Self::Custom(Custom { base: reader.base, definitions: reader.definitions, kinds: reader.kinds })
    }

    /// A cursor at the definition of a kind, or at nothing.
    pub(crate) fn of_kind(&self, gvk: &Gvk) -> Cursor<'_> {
        let at = match self {
            Self::Builtin => builtin_kind(gvk),
            Self::Custom(custom) => {
                custom.kinds.get(gvk).copied().or_else(|| if custom.base > 0 { builtin_kind(gvk) } else { None })
            }
        };
        Cursor { schema: self, at }
    }

    fn definition(&self, at: u16) -> Option<&Definition> {
        match self {
            Self::Builtin => builtin::DEFINITIONS.get(usize::from(at)),
            Self::Custom(custom) => match at.checked_sub(custom.base) {
                Some(at) => custom.definitions.get(usize::from(at)),
                None => builtin::DEFINITIONS.get(usize::from(at)),
            },
        }
    }
}

impl<'a> Cursor<'a> {
    /// Nothing known.
    pub(crate) fn unknown(schema: &'a Schema) -> Self {
        Self { schema, at: None }
    }

    /// Whether anything is known here.
    pub(crate) fn is_known(&self) -> bool {
        self.at.is_some()
    }

    /// The cursor at another kind's definition, in the same schema.
    pub(crate) fn at_kind(&self, gvk: &Gvk) -> Self {
        self.schema.of_kind(gvk)
    }

    fn field(&self, name: &str) -> Option<&'a Field> {
        let fields = &self.schema.definition(self.at?)?.fields;
        let index = fields.binary_search_by(|(field, _)| field.as_ref().cmp(name)).ok()?;
        fields.get(index).map(|(_, field)| field)
    }

    /// The cursor for a mapping's field.
    pub(crate) fn child(&self, name: &str) -> Self {
        let at = match self.field(name) {
            Some(Field::Map(at)) => Some(*at),
            _ => None,
        };
        Self { schema: self.schema, at }
    }

    /// For a field that holds a mapping with free keys: the cursor for its values.
    pub(crate) fn values(&self, name: &str) -> Option<Self> {
        match self.field(name) {
            Some(Field::Values(at)) => Some(Self { schema: self.schema, at: Some(*at) }),
            _ => None,
        }
    }

    /// For a field that holds a list: how it merges, and the cursor for its elements.
    pub(crate) fn list(&self, name: &str) -> (Self, Option<&'a [Cow<'static, str>]>) {
        match self.field(name) {
            Some(Field::List { items, merge }) => {
                let keys = match merge {
                    Items::Replace => None,
                    Items::Merge(keys) => Some(keys.as_ref()),
                };
                (Self { schema: self.schema, at: *items }, keys)
            }
            _ => (Self { schema: self.schema, at: None }, None),
        }
    }
}

fn builtin_kind(gvk: &Gvk) -> Option<u16> {
    let wanted = (&*gvk.group, &*gvk.version, &*gvk.kind);
    let index =
        builtin::KINDS.binary_search_by(|&(group, version, kind, _)| (group, version, kind).cmp(&wanted)).ok()?;
    builtin::KINDS.get(index).map(|&(.., at)| at)
}

/// Whether it is known where objects of a kind live.
pub(crate) fn is_scope_known(gvk: &Gvk) -> bool {
    let wanted = (&*gvk.group, &*gvk.version, &*gvk.kind);
    builtin::SCOPES.binary_search_by(|&(group, version, kind, _)| (group, version, kind).cmp(&wanted)).is_ok()
}

/// Whether objects of a kind are known to live outside namespaces.
pub(crate) fn is_cluster_scoped(group: &str, version: &str, kind: &str) -> bool {
    // Asked ten times for each resource: names of other lengths, nearly all, are passed over without reading them.
    builtin::SCOPES
        .iter()
        .any(|known| known.3 == Scope::Cluster && known.2 == kind && known.0 == group && known.1 == version)
}

/// Builds definitions from OpenAPI JSON; nested inline schemas get definitions without a name.
#[derive(Default)]
struct Reader {
    base: u16,
    definitions: Vec<Definition>,
    names: HashMap<String, u16>,
    kinds: HashMap<Gvk, u16>,
}

/// Inline schemas nested deeper than this are taken as unknown.
const MAX_INLINE_DEPTH: usize = 64;

impl Reader {
    fn push(&mut self) -> Option<u16> {
        let at = u16::try_from(self.definitions.len()).ok()?.checked_add(self.base)?;
        self.definitions.push(Definition::default());
        Some(at)
    }

    fn named(&mut self, name: &str) -> Option<u16> {
        if let Some(at) = self.names.get(name) {
            return Some(*at);
        }
        let at = self.push()?;
        self.names.insert(name.to_owned(), at);
        Some(at)
    }

    fn define(&mut self, name: &str, schema: &Value) {
        let Some(at) = self.named(name) else { return };
        self.fill(at, schema, 0);
        for kind in schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array).into_iter().flatten() {
            let part = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
            let gvk = Gvk { group: part("group").into(), version: part("version").into(), kind: part("kind").into() };
            self.kinds.insert(gvk, at);
        }
    }

    /// The definition a schema stands for, by reference or inline.
    fn resolve(&mut self, schema: &Value, depth: usize) -> Option<u16> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.named(reference.rsplit('/').next().unwrap_or_default());
        }
        if depth >= MAX_INLINE_DEPTH || schema.get("properties").is_none() {
            return None;
        }
        let at = self.push()?;
        self.fill(at, schema, depth);
        Some(at)
    }

    fn fill(&mut self, at: u16, schema: &Value, depth: usize) {
        let mut fields: Vec<(Cow<'static, str>, Field)> = Vec::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_list = property.get("type").and_then(Value::as_str) == Some("array");
            let field = if property.get("items").is_some() || is_list {
                let items = property.get("items").and_then(|items| self.resolve(items, depth + 1));
                Some(Field::List { items, merge: merge_of(property) })
            } else if let Some(values) = property.get("additionalProperties") {
                self.resolve(values, depth + 1).map(Field::Values)
            } else {
                self.resolve(property, depth + 1).map(Field::Map)
            };
            if let Some(field) = field {
                fields.push((Cow::Owned(name.clone()), field));
            }
        }
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(definition) = at.checked_sub(self.base).and_then(|at| self.definitions.get_mut(usize::from(at))) {
            definition.fields = Cow::Owned(fields);
        }
    }
}

fn merge_of(property: &Value) -> Items {
    let strategy = property.get("x-kubernetes-patch-strategy").and_then(Value::as_str).unwrap_or_default();
    if !strategy.split(',').any(|part| part == "merge") {
        return Items::Replace;
    }
    let mut keys: Vec<Cow<'static, str>> = property
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str().map(|key| Cow::Owned(key.to_owned())))
        .collect();
    if let (true, Some(key)) = (keys.is_empty(), property.get("x-kubernetes-patch-merge-key").and_then(Value::as_str)) {
        keys.push(Cow::Owned(key.to_owned()));
    }
    Items::Merge(Cow::Owned(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_tables_are_sorted() {
        assert!(builtin::KINDS.is_sorted_by_key(|&(group, version, kind, _)| (group, version, kind)));
        assert!(builtin::SCOPES.is_sorted_by_key(|&(group, version, kind, _)| (group, version, kind)));
    }

    #[test]
    fn a_deployments_containers_merge_by_name() {
        let schema = Schema::Builtin;
        let cursor = schema.of_kind(&Gvk::parse("apps/v1", "Deployment")).child("spec").child("template").child("spec");
        let (container, keys) = cursor.list("containers");
        assert_eq!(keys.unwrap(), ["name"]);
        let (_, keys) = container.list("ports");
        assert_eq!(keys.unwrap(), ["containerPort", "protocol"]);
        assert!(container.list("args").1.is_none());
    }

    #[test]
    fn scopes_are_known_for_builtin_kinds_only() {
        assert!(is_cluster_scoped("", "v1", "Namespace"));
        assert!(!is_cluster_scoped("apps", "v1", "Deployment"));
        assert!(!is_cluster_scoped("example.com", "v1", "Widget"));
    }

    #[test]
    fn custom_definitions_are_read() {
        let schema = Schema::from_openapi(
            &serde_json::json!({"definitions": {
                "com.example.Foo": {
                    "properties": {"spec": {"properties": {"servers": {
                        "items": {"$ref": "#/definitions/com.example.Server"},
                        "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "id",
                    }}}},
                    "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Foo"}],
                },
                "com.example.Server": {"properties": {}},
            }}),
            false,
        );
        let cursor = schema.of_kind(&Gvk::parse("example.com/v1", "Foo"));
        assert_eq!(cursor.child("spec").list("servers").1.unwrap(), ["id"]);
    }
}
