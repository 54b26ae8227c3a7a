//! The dynamic values templates work on, with Go's types kept apart.
//!
//! Values are single-threaded: clones share, and maps are mutable through every clone, as in Go.

mod circles;
mod convert;
mod depth;
mod equal;
mod list;
mod map;
mod object;
mod text;
pub mod types;

use std::rc::Rc;

pub(crate) use circles::Circles;
pub use convert::float_to_int64;
pub(crate) use depth::live_bytes;
pub(crate) use equal::MAX_COMPARISONS;
pub use list::List;
pub use map::{Entries, Map};
pub use object::{ErrorValue, Object, downcast};
pub use text::Str;
pub use types::{Kind, Type};

use crate::function::Function;

/// A Go value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Untyped nil: a nil interface, or no value at all.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `int64`.
    Int64(i64),
    /// `float64`.
    Float(f64),
    /// The rarer number types.
    Number(Number),
    /// `string`.
    String(Str),
    /// `[]byte`.
    Bytes(Rc<[u8]>),
    /// Any other slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything with a type of its own.
    Object(Rc<dyn Object>),
    /// A function.
    Function(&'static Function),
    /// A nil pointer of a type.
    NilPointer(&'static Type),
}

/// The number types that templates meet seldom.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// `int8`.
    Int8(i8),
    /// `int16`.
    Int16(i16),
    /// `int32`.
    Int32(i32),
    /// `uint`.
    Uint(u64),
    /// `uint8`.
    Uint8(u8),
    /// `uint16`.
    Uint16(u16),
    /// `uint32`.
    Uint32(u32),
    /// `uint64`.
    Uint64(u64),
    /// `float32`.
    Float32(f32),
    /// `complex128`: real and imaginary part.
    Complex128(Box<(f64, f64)>),
}

impl Value {
    /// A `string`.
    #[must_use]
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A `[]interface {}`.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// A `[]string`.
    #[must_use]
    pub fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::List(List::strings(items))
    }

    /// A `map[string]interface {}`.
    #[must_use]
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Map::from_entries(entries))
    }

    /// A `[]byte`.
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.into())
    }

    /// A `uint64`.
    #[must_use]
    pub fn uint64(number: u64) -> Self {
        Self::Number(Number::Uint64(number))
    }

    /// The Go type.
    #[must_use]
    pub fn go_type(&self) -> &'static Type {
        match self {
            Self::Nil => &types::NIL,
            Self::Bool(_) => &types::BOOL,
            Self::Int(_) => &types::INT,
            Self::Int64(_) => &types::INT64,
            Self::Float(_) => &types::FLOAT64,
            Self::Number(number) => number.go_type(),
            Self::String(_) => &types::STRING,
            Self::Bytes(_) => &types::BYTES,
            Self::List(list) => list.go_type(),
            Self::Map(map) => map.go_type(),
            Self::Object(object) => object.go_type(),
            Self::Function(_) => &types::FUNCTION,
            Self::NilPointer(go_type) => go_type,
        }
    }

    /// The Go kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.go_type().kind
    }

    /// What `%T` and `typeOf` print.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.go_type().name
    }

    /// Is it untyped nil?
    #[must_use]
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }

    /// Is it nil in Go's sense: untyped nil, a nil map, slice or pointer?
    #[must_use]
    pub fn is_nil_like(&self) -> bool {
        match self {
            Self::Nil | Self::NilPointer(_) => true,
            Self::List(list) => list.is_nil(),
            Self::Map(map) => map.is_nil(),
            _ => false,
        }
    }

    /// Does it hold other values?
    #[must_use]
    pub fn is_container(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_) | Self::Object(_))
    }

    /// The truth of `if` and `and`: neither zero, empty nor nil.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil | Self::NilPointer(_) => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Number(number) => number.is_true(),
            Self::String(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.underlying().is_none_or(|value| value.is_true()),
            Self::Function(_) => true,
        }
    }

    /// The string, if this is one (also of a named string type: use [`Value::plain`] first for those).
    #[must_use]
    pub fn as_text(&self) -> Option<&Str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if this is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The map, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of any signed integer kind.
    #[must_use]
    pub fn as_signed(&self) -> Option<i64> {
        match self {
            Self::Int(value) | Self::Int64(value) => Some(*value),
            Self::Number(Number::Int8(value)) => Some(i64::from(*value)),
            Self::Number(Number::Int16(value)) => Some(i64::from(*value)),
            Self::Number(Number::Int32(value)) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// The value of any unsigned integer kind.
    #[must_use]
    pub fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Number(Number::Uint(value) | Number::Uint64(value)) => Some(*value),
            Self::Number(Number::Uint8(value)) => Some(u64::from(*value)),
            Self::Number(Number::Uint16(value)) => Some(u64::from(*value)),
            Self::Number(Number::Uint32(value)) => Some(u64::from(*value)),
            _ => None,
        }
    }

    /// The value of any floating point kind.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Number(Number::Float32(value)) => Some(f64::from(*value)),
            _ => None,
        }
    }

    /// The items of any slice, `[]byte` and named slices included.
    #[must_use]
    pub fn items(&self) -> Option<std::borrow::Cow<'_, [Self]>> {
        match self {
            Self::List(list) => Some(list.items().into()),
            Self::Bytes(bytes) => Some(bytes.iter().map(|byte| Self::Number(Number::Uint8(*byte))).collect()),
            Self::Object(object) => match object.underlying()? {
                Self::List(list) => Some(list.items().to_vec().into()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value without its named type: the underlying value of an object that has one.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::Object(object) => object.underlying().unwrap_or_else(|| self.clone()),
            _ => self.clone(),
        }
    }
}

impl Number {
    /// The Go type.
    #[must_use]
    pub fn go_type(&self) -> &'static Type {
        match self {
            Self::Int8(_) => &types::INT8,
            Self::Int16(_) => &types::INT16,
            Self::Int32(_) => &types::INT32,
            Self::Uint(_) => &types::UINT,
            Self::Uint8(_) => &types::UINT8,
            Self::Uint16(_) => &types::UINT16,
            Self::Uint32(_) => &types::UINT32,
            Self::Uint64(_) => &types::UINT64,
            Self::Float32(_) => &types::FLOAT32,
            Self::Complex128(_) => &types::COMPLEX128,
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Int8(value) => *value != 0,
            Self::Int16(value) => *value != 0,
            Self::Int32(value) => *value != 0,
            Self::Uint(value) | Self::Uint64(value) => *value != 0,
            Self::Uint8(value) => *value != 0,
            Self::Uint16(value) => *value != 0,
            Self::Uint32(value) => *value != 0,
            Self::Float32(value) => *value != 0.0,
            Self::Complex128(parts) => parts.0 != 0.0 || parts.1 != 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_small() {
        assert!(size_of::<Value>() <= 24, "{} bytes", size_of::<Value>());
    }

    #[test]
    fn deep_nesting_drops_without_recursion() {
        let mut value = Value::Nil;
        for _ in 0..1_000_000 {
            value = Value::list(vec![Value::map([("nested", value)])]);
        }
        drop(value);
    }

    #[test]
    fn of_equal_keys_the_last_wins() {
        let map = Map::from_entries([("b", Value::Int(1)), ("a", Value::Int(2)), ("b", Value::Int(3))]);
        assert!(matches!(map.get("b"), Some(Value::Int(3))));
        assert_eq!(map.len(), 2);
    }
}
