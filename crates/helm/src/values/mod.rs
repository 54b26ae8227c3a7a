//! Values: reading them, laying them over one another, and the rules of each way to give them.

mod coalesce;
mod convert;
mod digest;
pub mod flux;
pub(crate) mod graph;
mod options;
pub mod unknown;

pub(crate) use coalesce::{Warnings, coalesce_values, merge_tables, merge_values};
pub(crate) use convert::{from_template, to_template};
pub use digest::config_digest;
pub use options::{ValuesFile, ValuesOptions};

use crate::value::{Map, Value};
use std::sync::Arc;

/// Why values could not be read or combined; the wording is Helm's where Helm has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// A YAML document is wrong or is not a map.
    #[error("cannot unmarshal yaml document: {0}")]
    Document(String),
    /// The stream of YAML documents is malformed.
    #[error("error reading yaml document: {0}")]
    Reading(String),
    /// A values file is wrong.
    #[error("failed to parse {file}: {source}")]
    File {
        /// The file as the user named it.
        file: String,
        /// What is wrong.
        source: Box<Self>,
    },
    /// A `--set` of some kind is wrong.
    #[error("failed parsing {flag} data: {message}")]
    Set {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A `--set-json` is wrong.
    #[error("failed parsing --set-json data{} {text}", if *.object { " JSON:" } else { "" })]
    SetJson {
        /// Whether it was a whole JSON object.
        object: bool,
        /// What the user gave.
        text: String,
    },
    /// A subchart's section is not a table.
    #[error("type mismatch on {name}: {found}")]
    Section {
        /// The subchart.
        name: String,
        /// Go's description of what is there.
        found: String,
    },
}

/// Reads a values file: one or more YAML documents, later ones over earlier ones. Numbers become floats.
///
/// # Errors
/// When a document is not YAML or not a map.
pub fn load_values(text: &[u8]) -> Result<Map, ValuesError> {
    let mut values = Map::new();
    for document in crate::yaml_text::documents(text) {
        let document = document.map_err(ValuesError::Reading)?;
        match crate::yaml_text::parse_values(&document).map_err(ValuesError::Document)? {
            Value::Null => {}
            Value::Map(map) => merge_maps(&mut values, map),
            other => {
                let kind = crate::yaml_text::json_kind(&other);
                return Err(ValuesError::Document(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
                )));
            }
        }
    }
    Ok(values)
}

/// YAML as values: every number a float, as the way through JSON makes it in Go.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "Go loses it as well")]
pub fn from_yaml(yaml: &yaml::Value) -> Value {
    match yaml {
        yaml::Value::Null => Value::Null,
        yaml::Value::Bool(flag) => Value::Bool(*flag),
        yaml::Value::Int(number) => Value::Float(*number as f64),
        yaml::Value::Uint(number) => Value::Float(*number as f64),
        yaml::Value::Float(number) => Value::Float(*number),
        yaml::Value::String(text) => Value::String(text.as_str().into()),
        yaml::Value::Sequence(items) => Value::List(Arc::new(items.iter().map(from_yaml).collect())),
        yaml::Value::Mapping(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (Arc::from(key.as_str()), from_yaml(value))).collect())
        }
    }
}

/// Values as YAML, for writing; whole floats stay floats and are written as Go writes them.
#[must_use]
pub fn to_yaml(value: &Value) -> yaml::Value {
    match value {
        Value::Null => yaml::Value::Null,
        Value::Bool(flag) => yaml::Value::Bool(*flag),
        Value::Int(number) => yaml::Value::Int(*number),
        Value::Float(number) => yaml::Value::Float(*number),
        Value::String(text) => yaml::Value::String(text.to_string()),
        Value::List(items) => yaml::Value::Sequence(items.iter().map(to_yaml).collect()),
        Value::Map(map) => {
            yaml::Value::Mapping(map.iter().map(|(key, value)| (key.to_string(), to_yaml(value))).collect())
        }
    }
}

/// Lays `over` on `base`: maps merge key by key, everything else is replaced (Helm's `MergeMaps`).
pub fn merge_maps(base: &mut Map, over: Map) {
    if base.is_empty() {
        *base = over;
        return;
    }
    if over.is_empty() || base.same(&over) {
        return;
    }
    let entries = base.make_mut();
    for (key, value) in over.iter() {
        match (entries.get_mut(key), value) {
            (Some(Value::Map(existing)), Value::Map(incoming)) => merge_maps(existing, incoming.clone()),
            _ => {
                entries.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The values a chart's templates see at the top, and the warnings Helm logs about them.
///
/// # Errors
/// When the section of a subchart is not a table.
pub fn computed_values(chart: &crate::chart::Chart, values: &Map) -> Result<(Map, Vec<String>), ValuesError> {
    let mut warnings = Warnings::new();
    let computed = coalesce_values(chart, values, &mut warnings)?;
    match from_template(&gotemplate::value::Value::Map(computed)) {
        Value::Map(computed) => Ok((computed, warnings)),
        _ => Ok((Map::new(), warnings)),
    }
}
