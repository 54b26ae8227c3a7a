//! Decoding YAML into the structs of a chart by the rules Go's libraries apply: names fold case, numbers and booleans
//! become strings where a string is wanted, null leaves a field alone.

use crate::value::Value;
use crate::yaml_text::{scalar_text as text, yaml_kind as kind};
use std::collections::BTreeMap;

/// Why YAML does not fit a struct.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// A field has the wrong type; the wording is Go's.
    Type(String),
    /// A rule that Helm checks later, as its own validation message.
    Rule(String),
}

/// The fields of one struct.
pub(super) struct Fields<'a> {
    entries: &'a BTreeMap<String, yaml::Value>,
    owner: &'static str,
}

impl<'a> Fields<'a> {
    /// The fields, `None` for null.
    pub(super) fn of(yaml: &'a yaml::Value, owner: &'static str) -> Result<Option<Self>, DecodeError> {
        match yaml {
            yaml::Value::Null => Ok(None),
            yaml::Value::Mapping(entries) => Ok(Some(Self { entries, owner })),
            other => Err(DecodeError::Type(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type v2.{owner}",
                kind(other)
            ))),
        }
    }

    /// The value of a field that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a yaml::Value> {
        self.entries
            .get(name)
            .or_else(|| self.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
            .filter(|value| !value.is_null())
    }

    fn mismatch(&self, name: &str, found: &yaml::Value, wanted: &str) -> DecodeError {
        mismatch(&format!("{}.{name}", self.owner), found, wanted)
    }

    pub(super) fn string(&self, name: &str, into: &mut String) -> Result<(), DecodeError> {
        if let Some(value) = self.get(name) {
            *into = text(value).ok_or_else(|| self.mismatch(name, value, "string"))?;
        }
        Ok(())
    }

    pub(super) fn boolean(&self, name: &str, into: &mut bool) -> Result<(), DecodeError> {
        match self.get(name) {
            None => Ok(()),
            Some(yaml::Value::Bool(flag)) => {
                *into = *flag;
                Ok(())
            }
            Some(other) => Err(self.mismatch(name, other, "bool")),
        }
    }

    pub(super) fn strings(&self, name: &str, into: &mut Vec<String>) -> Result<(), DecodeError> {
        let Some(value) = self.get(name) else { return Ok(()) };
        let mut strings = Vec::new();
        for item in items(value, &format!("{}.{name}", self.owner), "[]string")? {
            match item {
                yaml::Value::Null => strings.push(String::new()),
                other => strings.push(text(other).ok_or_else(|| self.mismatch(name, other, "string"))?),
            }
        }
        *into = strings;
        Ok(())
    }

    pub(super) fn string_map(&self, name: &str, into: &mut BTreeMap<String, String>) -> Result<(), DecodeError> {
        let Some(value) = self.get(name) else { return Ok(()) };
        let yaml::Value::Mapping(entries) = value else {
            return Err(self.mismatch(name, value, "map[string]string"));
        };
        for (key, value) in entries {
            let text = match value {
                yaml::Value::Null => String::new(),
                other => text(other).ok_or_else(|| self.mismatch(name, other, "string"))?,
            };
            into.insert(key.clone(), text);
        }
        Ok(())
    }
}

/// The items of a list; null has none.
pub(super) fn items<'a>(value: &'a yaml::Value, place: &str, wanted: &str) -> Result<&'a [yaml::Value], DecodeError> {
    match value {
        yaml::Value::Null => Ok(&[]),
        yaml::Value::Sequence(items) => Ok(items),
        other => Err(mismatch(place, other, wanted)),
    }
}

fn mismatch(place: &str, found: &yaml::Value, wanted: &str) -> DecodeError {
    DecodeError::Type(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go struct field {place} of type {wanted}",
        kind(found)
    ))
}

/// The plain value of free-form YAML.
pub(super) fn plain(value: &yaml::Value) -> Value {
    crate::values::from_yaml(value)
}
