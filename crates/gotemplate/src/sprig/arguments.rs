//! Reading the arguments of a function, which the caller has checked against the signature.

use crate::function::FunctionError;
use crate::value::{List, Map, Str, Value};

/// What a function gives.
pub(super) type Outcome = Result<Value, FunctionError>;

/// What Go says when a method is called on nothing.
pub(super) const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

fn mismatch(index: usize, wanted: &str) -> FunctionError {
    FunctionError::Message(format!("argument {} is not of type {wanted}, as the caller should have checked", index + 1))
}

/// The argument, whatever it is.
pub(super) fn value(arguments: &[Value], index: usize) -> Result<&Value, FunctionError> {
    arguments.get(index).ok_or_else(|| mismatch(index, "interface {}"))
}

/// A `string` argument.
pub(super) fn text(arguments: &[Value], index: usize) -> Result<&Str, FunctionError> {
    value(arguments, index)?.as_text().ok_or_else(|| mismatch(index, "string"))
}

/// An `int` argument, or one of another signed type.
pub(super) fn int(arguments: &[Value], index: usize) -> Result<i64, FunctionError> {
    let value = value(arguments, index)?;
    value.as_signed().or_else(|| value.plain().as_signed()).ok_or_else(|| mismatch(index, "int"))
}

/// A `map[string]interface {}` argument.
pub(super) fn map(arguments: &[Value], index: usize) -> Result<&Map, FunctionError> {
    value(arguments, index)?.as_map().ok_or_else(|| mismatch(index, "map[string]interface {}"))
}

/// A `[]interface {}` argument; nil is an empty one.
pub(super) fn list(arguments: &[Value], index: usize) -> Result<List, FunctionError> {
    match value(arguments, index)? {
        Value::List(list) => Ok(list.clone()),
        Value::Nil => Ok(List::nil(&crate::value::types::LIST)),
        _ => Err(mismatch(index, "[]interface {}")),
    }
}

/// The arguments from `start` on.
pub(super) fn rest(arguments: &[Value], start: usize) -> &[Value] {
    arguments.get(start..).unwrap_or_default()
}
