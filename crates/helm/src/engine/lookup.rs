//! `lookup`: objects of the cluster, as far as there is one.

use gotemplate::value::{Map, Value};

/// Answers `lookup` calls of templates.
pub trait Lookup: Send + Sync {
    /// The object; the whole List when the name is empty; `None` when there is no such object.
    ///
    /// # Errors
    /// When the kind is unknown or access is refused; the text becomes the template's error.
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<serde_json::Value>, String>;
}

/// An object of the API as templates see it: whole numbers are `int64`.
pub(super) fn to_template(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(0.0)), Value::Int64)
        }
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(to_template).collect()),
        serde_json::Value::Object(fields) => {
            Value::Map(Map::from_entries(fields.iter().map(|(key, value)| (key.as_str(), to_template(value)))))
        }
    }
}
