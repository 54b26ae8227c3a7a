//! Reading fields off an object, as strictly and as leniently as upstream does it in each place.

use serde_json::Value;

/// Why no status could be computed: a field is not what every object of Kubernetes has there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field of the wrong type.
    #[error("{path} is {found}, expected {expected}: the object is not as the API server would store it")]
    WrongType {
        /// The field.
        path: String,
        /// What is there.
        found: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A Pod in a phase that does not exist.
    #[error("unknown phase {0}")]
    UnknownPhase(String),
}

/// A condition as any kind may have it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ObjectCondition<'a> {
    pub(crate) type_: &'a str,
    pub(crate) status: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn wrong(path: impl Into<String>, found: &Value, expected: &'static str) -> Error {
    Error::WrongType { path: path.into(), found: type_name(found), expected }
}

/// The field at a path; absent below what is null, an error below what is no map.
pub(crate) fn nested<'a>(object: &'a Value, path: &[&str]) -> Result<Option<&'a Value>, Error> {
    let mut value = object;
    for (depth, name) in path.iter().enumerate() {
        match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(*name) {
                Some(inner) => value = inner,
                None => return Ok(None),
            },
            other => return Err(wrong(path.get(..depth).unwrap_or_default().join("."), other, "a map")),
        }
    }
    Ok(Some(value))
}

/// A string that must be one when it is there.
pub(crate) fn strict_string<'a>(object: &'a Value, path: &[&str]) -> Result<Option<&'a str>, Error> {
    match nested(object, path)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(path.join("."), other, "a string")),
    }
}

/// A whole number that must be one when it is there.
pub(crate) fn strict_integer(object: &Value, path: &[&str]) -> Result<Option<i64>, Error> {
    match nested(object, path)? {
        None => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| wrong(path.join("."), value, "a whole number")),
    }
}

/// A string, or the default for whatever else is there.
pub(crate) fn string<'a>(object: &'a Value, path: &[&str], default: &'a str) -> &'a str {
    nested(object, path).ok().flatten().and_then(Value::as_str).unwrap_or(default)
}

/// A whole number, or the default for whatever else is there.
pub(crate) fn integer(object: &Value, path: &[&str], default: i64) -> i64 {
    nested(object, path).ok().flatten().and_then(Value::as_i64).unwrap_or(default)
}

/// The conditions in the status, which must be a list of maps of strings when there are any.
pub(crate) fn conditions(object: &Value) -> Result<Vec<ObjectCondition<'_>>, Error> {
    let list = match nested(object, &["status", "conditions"])? {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong("status.conditions", other, "a list")),
    };
    list.iter().map(condition).collect()
}

fn condition(value: &Value) -> Result<ObjectCondition<'_>, Error> {
    let map = match value {
        Value::Null => return Ok(ObjectCondition::default()),
        Value::Object(map) => map,
        other => return Err(wrong("status.conditions[]", other, "a map")),
    };
    let text = |name: &str| match map.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(wrong(format!("status.conditions[].{name}"), other, "a string")),
    };
    Ok(ObjectCondition {
        type_: text("type")?,
        status: text("status")?,
        reason: text("reason")?,
        message: text("message")?,
    })
}

/// API group and kind; both empty when the API version is none.
pub(crate) fn group_kind(object: &Value) -> (&str, &str) {
    let api_version = string(object, &["apiVersion"], "");
    let group = match api_version.split_once('/') {
        None => "",
        Some((_, version)) if version.contains('/') => return ("", ""),
        Some((group, _)) => group,
    };
    (group, kind(object))
}

/// The kind.
pub(crate) fn kind(object: &Value) -> &str {
    string(object, &["kind"], "")
}
