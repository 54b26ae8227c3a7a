//! The ready-made value tree.

use std::collections::BTreeMap;

/// A YAML value as Go's `interface{}` holds it after decoding: maps have string keys and no order of their own.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Int(i64),
    /// An integer above [`i64::MAX`].
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Self>),
    /// A map, kept sorted bytewise by key (Go maps have no order; emitters sort in their own way).
    Mapping(BTreeMap<String, Self>),
}

macro_rules! from_parts {
    ($($part:ty => $variant:ident),* $(,)?) => {$(
        impl From<$part> for Value {
            fn from(part: $part) -> Self {
                Self::$variant(part)
            }
        }
    )*};
}

from_parts! {
    bool => Bool,
    i64 => Int,
    u64 => Uint,
    f64 => Float,
    String => String,
    Vec<Value> => Sequence,
    BTreeMap<String, Value> => Mapping,
}

impl Value {
    /// The value under `key`, if this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Mapping(mapping) => mapping.get(key),
            _ => None,
        }
    }

    /// The text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if this is a sequence.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match self {
            Self::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a mapping.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// True for [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
