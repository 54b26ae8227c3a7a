//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`.

use super::Answer;
use crate::context::Context;
use crate::format;
use crate::function::FunctionError;
use crate::value::{Kind, Number, Value};

/// What counts for comparison; values of different sorts are not comparable, save integers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Basic<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(f64, f64),
    String(&'a [u8]),
    Other,
}

impl Basic<'_> {
    fn same_sort(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

fn basic(value: &Value) -> Basic<'_> {
    match value {
        Value::Bool(value) => Basic::Bool(*value),
        Value::Int(value) | Value::Int64(value) => Basic::Int(*value),
        Value::Float(value) => Basic::Float(*value),
        Value::String(value) => Basic::String(value.as_bytes()),
        Value::Number(Number::Complex128(parts)) => Basic::Complex(parts.0, parts.1),
        Value::Number(_) => match (value.as_signed(), value.as_unsigned(), value.as_float()) {
            (Some(value), _, _) => Basic::Int(value),
            (_, Some(value), _) => Basic::Uint(value),
            (_, _, Some(value)) => Basic::Float(value),
            _ => Basic::Other,
        },
        _ => Basic::Other,
    }
}

const MISSING: &str = "missing argument for comparison";
const BAD_TYPE: &str = "invalid type for comparison";

fn incompatible(left: &Value, right: &Value) -> FunctionError {
    FunctionError::Message(format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name()))
}

/// A named number or string compares as its plain value.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => match object.underlying() {
            Some(underlying) if basic(&underlying) != Basic::Other => underlying,
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

fn equal(left: &Value, right: &Value) -> Result<bool, FunctionError> {
    let (plain_left, plain_right) = (plain(left), plain(right));
    let (first, second) = (basic(&plain_left), basic(&plain_right));
    match (first, second) {
        (Basic::Int(signed), Basic::Uint(unsigned)) | (Basic::Uint(unsigned), Basic::Int(signed)) => {
            Ok(u64::try_from(signed) == Ok(unsigned))
        }
        (Basic::Other, Basic::Other) => equal_others(left, right),
        _ if first.same_sort(second) => Ok(first == second),
        _ if left.is_nil() || right.is_nil() => Ok(false),
        _ => Err(incompatible(left, right)),
    }
}

fn equal_others(left: &Value, right: &Value) -> Result<bool, FunctionError> {
    let shown = |value: &Value| format::sprintf(b"%s", std::slice::from_ref(value));
    if !left.is_nil() && !right.is_nil() && left.kind() != right.kind() {
        return Err(FunctionError::Message(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(left),
            left.type_name(),
            right.type_name(),
            format::display(right)
        )));
    }
    if left.is_nil_like() || right.is_nil_like() {
        return Ok(left.is_nil_like() == right.is_nil_like());
    }
    match (left, right) {
        (Value::Object(first), Value::Object(second)) if !matches!(left.kind(), Kind::Map | Kind::Slice) => {
            Ok(std::rc::Rc::ptr_eq(first, second) || (left.kind() != Kind::Pointer && first.equals(second.as_ref())))
        }
        _ => Err(FunctionError::Message(format!("non-comparable type {}: {}", shown(right), right.type_name()))),
    }
}

fn less(left: &Value, right: &Value) -> Result<bool, FunctionError> {
    let (plain_left, plain_right) = (plain(left), plain(right));
    let (first, second) = (basic(&plain_left), basic(&plain_right));
    match (first, second) {
        (Basic::Other, _) | (_, Basic::Other) => Err(BAD_TYPE.into()),
        (Basic::Int(signed), Basic::Uint(unsigned)) => {
            Ok(u64::try_from(signed).is_ok_and(|signed| signed < unsigned) || signed < 0)
        }
        (Basic::Uint(unsigned), Basic::Int(signed)) => Ok(u64::try_from(signed).is_ok_and(|signed| unsigned < signed)),
        (Basic::Int(first), Basic::Int(second)) => Ok(first < second),
        (Basic::Uint(first), Basic::Uint(second)) => Ok(first < second),
        (Basic::Float(first), Basic::Float(second)) => Ok(first < second),
        (Basic::String(first), Basic::String(second)) => Ok(first < second),
        _ if first.same_sort(second) => Err(BAD_TYPE.into()),
        _ => Err(incompatible(left, right)),
    }
}

fn less_or_equal(left: &Value, right: &Value) -> Result<bool, FunctionError> {
    Ok(less(left, right)? || equal(left, right)?)
}

fn pair(arguments: &[Value]) -> Result<(&Value, &Value), FunctionError> {
    match arguments {
        [left, right] => Ok((left, right)),
        _ => Err(MISSING.into()),
    }
}

pub(super) fn eq(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let Some((first, others)) = arguments.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err(MISSING.into());
    };
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (left, right) = pair(arguments)?;
    Ok(Value::Bool(!equal(left, right)?))
}

pub(super) fn lt(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (left, right) = pair(arguments)?;
    Ok(Value::Bool(less(left, right)?))
}

pub(super) fn le(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (left, right) = pair(arguments)?;
    Ok(Value::Bool(less_or_equal(left, right)?))
}

pub(super) fn gt(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (left, right) = pair(arguments)?;
    Ok(Value::Bool(!less_or_equal(left, right)?))
}

pub(super) fn ge(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (left, right) = pair(arguments)?;
    Ok(Value::Bool(!less(left, right)?))
}
