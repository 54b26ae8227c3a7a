//! The one place where this crate touches the YAML library's functions.

use crate::value::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use yaml::v2::{Builder, Numbers, Options};

/// Parses the first document as `sigs.k8s.io/yaml` does for a struct: numbers keep their kind, so that fields that are
/// strings can have their text. The error has Go's wording.
pub(crate) fn parse(text: &[u8]) -> Result<yaml::Value, String> {
    let options = Options { numbers: Numbers::Yaml, ..Options::default() };
    yaml::v2::parse(text, options).map_err(|error| error.converting().to_string())
}

/// Parses the first document strictly: equal keys in one map are an error.
pub(crate) fn parse_strict(text: &[u8]) -> Result<yaml::Value, String> {
    let options = Options { numbers: Numbers::Yaml, strict: true };
    yaml::v2::parse(text, options).map_err(|error| error.converting().to_string())
}

/// Parses the first document into values: every number a float.
pub(crate) fn parse_values(text: &[u8]) -> Result<Value, String> {
    yaml::v2::unmarshal_with(text, Options::default(), &mut ValueBuilder).map_err(|error| error.to_string())
}

struct ValueBuilder;

impl Builder for ValueBuilder {
    type Value = Value;
    type Sequence = Vec<Value>;
    type Mapping = BTreeMap<Arc<str>, Value>;

    fn null(&mut self) -> Value {
        Value::Null
    }
    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }
    #[expect(clippy::cast_precision_loss, reason = "Go loses it as well")]
    fn int(&mut self, value: i64) -> Value {
        Value::Float(value as f64)
    }
    #[expect(clippy::cast_precision_loss, reason = "Go loses it as well")]
    fn uint(&mut self, value: u64) -> Value {
        Value::Float(value as f64)
    }
    fn float(&mut self, value: f64) -> Value {
        Value::Float(value)
    }
    fn string(&mut self, value: Cow<'_, str>) -> Value {
        Value::String(Arc::from(value))
    }
    fn begin_sequence(&mut self) -> Vec<Value> {
        Vec::new()
    }
    fn push(&mut self, sequence: &mut Vec<Value>, value: Value) {
        sequence.push(value);
    }
    fn end_sequence(&mut self, sequence: Vec<Value>) -> Value {
        Value::from(sequence)
    }
    fn begin_mapping(&mut self) -> Self::Mapping {
        BTreeMap::new()
    }
    fn insert(&mut self, mapping: &mut Self::Mapping, key: Cow<'_, str>, value: Value) {
        mapping.insert(Arc::from(key), value);
    }
    fn end_mapping(&mut self, mapping: Self::Mapping) -> Value {
        Value::Map(Map::from(mapping))
    }
}

/// Writes a value as `sigs.k8s.io/yaml` does.
pub(crate) fn emit(value: &yaml::Value) -> String {
    yaml::v2::to_string(value).unwrap_or_default()
}

/// Go's `%v` of a float.
pub(crate) fn float_g(number: f64) -> String {
    let mut out = String::new();
    yaml::go_number::write_float_g(number, &mut out);
    out
}

/// What Go's JSON decoder calls a value of this kind.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// The documents of a stream, split at lines of `---` as Kubernetes' YAML reader splits them; line ends become `\n`.
/// After a separator that is none the stream ends with an error.
pub(crate) fn documents(text: &[u8]) -> Vec<Result<Cow<'_, [u8]>, String>> {
    if !text.starts_with(b"---") && !contains(text, b"\n---") && !text.contains(&b'\r') {
        return if text.is_empty() { Vec::new() } else { vec![Ok(Cow::Borrowed(text))] };
    }
    let mut documents = Vec::new();
    let mut current: Vec<u8> = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = crate::go_text::trim_space(&rest);
            if !rest.is_empty() && !rest.starts_with('#') {
                documents.push(Err(format!("invalid Yaml document separator: {rest}")));
                return documents;
            }
            if !current.is_empty() {
                documents.push(Ok(Cow::Owned(std::mem::take(&mut current))));
                continue;
            }
        }
        current.extend_from_slice(line);
        current.push(b'\n');
    }
    if !current.is_empty() {
        documents.push(Ok(Cow::Owned(current)));
    }
    documents
}

fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

/// A scalar as the string that `sigs.k8s.io/yaml` makes of it for a string field.
pub(crate) fn scalar_text(value: &yaml::Value) -> Option<String> {
    match value {
        yaml::Value::String(text) => Some(text.clone()),
        yaml::Value::Bool(flag) => Some(flag.to_string()),
        yaml::Value::Int(number) => Some(number.to_string()),
        yaml::Value::Uint(number) => Some(number.to_string()),
        yaml::Value::Float(number) => Some(float_g(*number)),
        yaml::Value::Null | yaml::Value::Sequence(_) | yaml::Value::Mapping(_) => None,
    }
}

/// What Go's JSON decoder calls YAML of this kind.
pub(crate) fn yaml_kind(value: &yaml::Value) -> &'static str {
    match value {
        yaml::Value::Null => "null",
        yaml::Value::Bool(_) => "bool",
        yaml::Value::Int(_) | yaml::Value::Uint(_) | yaml::Value::Float(_) => "number",
        yaml::Value::String(_) => "string",
        yaml::Value::Sequence(_) => "array",
        yaml::Value::Mapping(_) => "object",
    }
}

/// Writes a value as goyaml v2 writes a `MapSlice` sorted bytewise.
pub(crate) fn emit_bytewise(value: &yaml::Value) -> String {
    yaml::v2::to_string_bytewise(value).unwrap_or_default()
}
