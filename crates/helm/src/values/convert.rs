//! Between the values tree and the values templates work on.

use super::graph;
use crate::value::{Map, Value};
use gotemplate::value as template;
use std::sync::Arc;

/// A fresh copy of the tree that templates may change.
pub(crate) fn to_template(value: &Value) -> template::Value {
    match value {
        Value::Null => template::Value::Nil,
        Value::Bool(flag) => template::Value::Bool(*flag),
        Value::Int(number) => template::Value::Int64(*number),
        Value::Float(number) => template::Value::Float(*number),
        Value::String(text) => template::Value::String(text.clone().into()),
        Value::List(items) => template::Value::list(items.iter().map(to_template).collect()),
        Value::Map(map) => template::Value::Map(to_template_map(map)),
    }
}

/// A fresh copy of a map that templates may change.
pub(crate) fn to_template_map(map: &Map) -> template::Map {
    template::Map::from_entries(map.iter().map(|(key, value)| (key.clone(), to_template(value))))
}

/// The tree a template value stands for; what is no plain data (and what is nested without end) becomes null.
pub(crate) fn from_template(value: &template::Value) -> Value {
    from_template_at(value, 0)
}

fn from_template_at(value: &template::Value, depth: usize) -> Value {
    if depth > yaml::MAX_DEPTH {
        return Value::Null;
    }
    match value {
        template::Value::Bool(flag) => Value::Bool(*flag),
        template::Value::Int(number) | template::Value::Int64(number) => Value::Int(*number),
        template::Value::Float(number) => Value::Float(*number),
        template::Value::String(text) => Value::String(text.to_shared()),
        template::Value::List(items) => {
            Value::List(Arc::new(items.items().iter().map(|item| from_template_at(item, depth + 1)).collect()))
        }
        template::Value::Map(map) => Value::Map(map_from_template(map, depth)),
        _ => Value::Null,
    }
}

fn map_from_template(map: &template::Map, depth: usize) -> Map {
    let entries = map.entries();
    let entries = entries.as_deref().unwrap_or_default();
    entries.iter().map(|(key, value)| (key.to_shared(), from_template_at(value, depth + 1))).collect()
}

impl From<&Map> for graph::Node {
    fn from(map: &Map) -> Self {
        Self::Map(graph::thaw(map))
    }
}
