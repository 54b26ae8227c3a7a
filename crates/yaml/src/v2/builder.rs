//! What makes values out of a document, and how it is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Value;

/// Makes values of your own out of a document, without an intermediate tree.
pub trait Builder {
    /// A finished value.
    type Value;
    /// A list being filled.
    type Sequence;
    /// A map being filled.
    type Mapping;

    /// `null`
    fn null(&mut self) -> Self::Value;
    /// `true` or `false`
    fn boolean(&mut self, value: bool) -> Self::Value;
    /// A signed integer.
    fn int(&mut self, value: i64) -> Self::Value;
    /// An integer above the signed range.
    fn uint(&mut self, value: u64) -> Self::Value;
    /// A finite float.
    fn float(&mut self, value: f64) -> Self::Value;
    /// Text, borrowed from the input where possible.
    fn string(&mut self, value: Cow<'_, str>) -> Self::Value;
    /// Opens a list.
    fn begin_sequence(&mut self) -> Self::Sequence;
    /// Appends to a list.
    fn push(&mut self, sequence: &mut Self::Sequence, value: Self::Value);
    /// Closes a list.
    fn end_sequence(&mut self, sequence: Self::Sequence) -> Self::Value;
    /// Opens a map.
    fn begin_mapping(&mut self) -> Self::Mapping;
    /// Sets a key, replacing the value of an equal one.
    fn insert(&mut self, mapping: &mut Self::Mapping, key: Cow<'_, str>, value: Self::Value);
    /// Closes a map.
    fn end_mapping(&mut self, mapping: Self::Mapping) -> Self::Value;
}

/// Which numbers come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Numbers {
    /// Floats only, as `encoding/json` decodes into `interface{}`: Helm's values.
    #[default]
    Float64,
    /// Integers where the JSON text is an integer that fits 64 bits, as the Kubernetes API machinery decodes.
    Json,
    /// As the YAML says.
    Yaml,
}

/// How to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Refuse equal keys in one map.
    pub strict: bool,
    /// Number types.
    pub numbers: Numbers,
}

/// Builds [`Value`]s.
#[derive(Debug)]
pub(super) struct ValueBuilder;

impl Builder for ValueBuilder {
    type Value = Value;
    type Sequence = Vec<Value>;
    type Mapping = BTreeMap<String, Value>;

    fn null(&mut self) -> Value {
        Value::Null
    }
    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }
    fn int(&mut self, value: i64) -> Value {
        Value::Int(value)
    }
    fn uint(&mut self, value: u64) -> Value {
        Value::Uint(value)
    }
    fn float(&mut self, value: f64) -> Value {
        Value::Float(value)
    }
    fn string(&mut self, value: Cow<'_, str>) -> Value {
        Value::String(value.into_owned())
    }
    fn begin_sequence(&mut self) -> Vec<Value> {
        Vec::new()
    }
    fn push(&mut self, sequence: &mut Vec<Value>, value: Value) {
        sequence.push(value);
    }
    fn end_sequence(&mut self, sequence: Vec<Value>) -> Value {
        Value::Sequence(sequence)
    }
    fn begin_mapping(&mut self) -> Self::Mapping {
        BTreeMap::new()
    }
    fn insert(&mut self, mapping: &mut Self::Mapping, key: Cow<'_, str>, value: Value) {
        mapping.insert(key.into_owned(), value);
    }
    fn end_mapping(&mut self, mapping: Self::Mapping) -> Value {
        Value::Mapping(mapping)
    }
}
