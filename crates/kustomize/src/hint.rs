//! Schemas in comments: `list: # {"type":"array","x-kubernetes-patch-strategy":"merge","x-kubernetes-patch-merge-key":"id"}`
//! says how that field merges. Rare, so a mapping holds them behind a pointer that is mostly absent.

use std::sync::Arc;

use serde_json::{Value, json};
use yaml::v3;

use crate::schema::Schema;

/// The hints of one mapping by the field they are about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints(Option<Arc<[Hint]>>);

#[derive(Clone, Debug)]
struct Hint {
    field: String,
    schema: Arc<Schema>,
}

impl PartialEq for Hints {
    /// Comments are no part of what a tree is.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Hints {
    /// The hints in the comments of a mapping's fields.
    pub(crate) fn of(mapping: &v3::Node) -> Self {
        let mut found = Vec::new();
        for (key, value) in mapping.entries() {
            if let Some(schema) = schema_of(value).or_else(|| schema_of(key)) {
                let document = json!({"definitions": {"hint": {
                    "properties": {key.value.as_str(): schema},
                    "x-kubernetes-group-version-kind": [{"group": "", "version": "", "kind": ""}],
                }}});
                found.push(Hint { field: key.value.clone(), schema: Arc::new(Schema::from_openapi(&document, true)) });
            }
        }
        Self((!found.is_empty()).then(|| found.into()))
    }

    /// A schema in which the mapping's own definition has this field as its comment says.
    pub(crate) fn get(&self, field: &str) -> Option<&Schema> {
        self.0.as_ref()?.iter().find(|hint| hint.field == field).map(|hint| hint.schema.as_ref())
    }
}

/// The schema in a node's comments.
fn schema_of(node: &v3::Node) -> Option<Value> {
    let comments = node.comments.as_ref()?;
    [&comments.line, &comments.head].into_iter().find_map(|comment| {
        let text = comment.trim_start_matches('#').trim();
        let schema: Value = if text.starts_with('{') { serde_json::from_str(text).ok()? } else { return None };
        ["$ref", "type", "items", "properties", "x-kubernetes-patch-strategy"]
            .iter()
            .any(|key| schema.get(key).is_some())
            .then_some(schema)
    })
}
