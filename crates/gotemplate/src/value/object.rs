//! Go values that are neither plain data nor functions: structs, named numbers, errors; each behind one trait.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use super::types::{Kind, Type};
use super::{Str, Value};

/// A Go value with its own type, such as `*semver.Version`, `time.Time` or `*common.Capabilities`.
/// Its methods are in its type ([`Type::methods`]); the receiver is a method's first argument.
pub trait Object: fmt::Debug {
    /// The Go type.
    fn go_type(&self) -> &'static Type;

    /// For getting at the real type in methods and functions: see [`downcast`].
    fn as_any(&self) -> &dyn Any;

    /// The value of an exported field.
    fn field(&self, _name: &str) -> Option<Value> {
        None
    }

    /// The exported and unexported fields in order, for printing structs with `%v`.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// What `String()` or `Error()` returns, where the type has such a method.
    fn text(&self) -> Option<Str> {
        None
    }

    /// Is it an `error`?
    fn is_error(&self) -> bool {
        false
    }

    /// The plain value of a named number, string, list or map type (`time.Month`, `common.VersionSet`).
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// What `encoding/json` writes for it, as plain data.
    fn json(&self) -> Option<Value> {
        None
    }

    /// Go's `==` and `reflect.DeepEqual` with a value of the same type.
    fn equals(&self, _other: &dyn Object) -> bool {
        false
    }

    /// Is it Go's zero value of its type (matters for `default` and `empty`)?
    fn is_zero(&self) -> bool {
        false
    }
}

/// The Rust value behind an object.
#[must_use]
pub fn downcast<T: 'static>(value: &Value) -> Option<&T> {
    match value {
        Value::Object(object) => object.as_any().downcast_ref(),
        _ => None,
    }
}

static ERROR_STRING: Type = Type::pointer("*errors.errorString", None);

/// A Go `error` as a value.
#[derive(Debug)]
pub struct ErrorValue {
    message: Str,
}

impl ErrorValue {
    /// An error with this message as a value.
    #[must_use]
    pub fn value(message: impl Into<Str>) -> Value {
        Value::Object(Rc::new(Self { message: message.into() }))
    }
}

impl Object for ErrorValue {
    fn go_type(&self) -> &'static Type {
        debug_assert_eq!(ERROR_STRING.kind, Kind::Pointer);
        &ERROR_STRING
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn text(&self) -> Option<Str> {
        Some(self.message.clone())
    }

    fn is_error(&self) -> bool {
        true
    }
}
