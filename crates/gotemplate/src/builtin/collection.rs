//! `index`, `slice`, `len` and `call`.

use std::borrow::Cow;

use super::Answer;
use crate::context::Context;
use crate::execute::zero;
use crate::function::FunctionError;
use crate::value::{List, Number, Str, Value};

/// A position given as an argument; `limit` itself is still allowed here.
fn position(value: &Value, limit: usize) -> Result<usize, FunctionError> {
    let plain = value.plain();
    let number = match (plain.as_signed(), plain.as_unsigned()) {
        (Some(number), _) => number,
        (None, Some(number)) => number as i64,
        _ if value.is_nil() => return Err("cannot index slice/array with nil".into()),
        _ => return Err(format!("cannot index slice/array with type {}", value.type_name()).into()),
    };
    match usize::try_from(number) {
        Ok(position) if position <= limit => Ok(position),
        _ => Err(format!("index out of range: {number}").into()),
    }
}

pub(super) fn index(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let Some((first, indexes)) = arguments.split_first() else { return Err("index of untyped nil".into()) };
    if first.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = Cow::Borrowed(first);
    for index in indexes {
        item = Cow::Owned(index_once(&item, index)?);
    }
    Ok(item.into_owned())
}

fn index_once(item: &Value, index: &Value) -> Answer {
    match item {
        Value::Nil | Value::NilPointer(_) => Err("index of nil pointer".into()),
        Value::List(list) => {
            let position = position(index, list.len())?;
            list.items().get(position).cloned().ok_or_else(|| "reflect: slice index out of range".into())
        }
        Value::Bytes(bytes) => {
            let byte = bytes.get(position(index, bytes.len())?);
            byte.map(|byte| Value::Number(Number::Uint8(*byte)))
                .ok_or_else(|| "reflect: slice index out of range".into())
        }
        Value::String(text) => {
            let byte = text.as_bytes().get(position(index, text.len())?);
            byte.map(|byte| Value::Number(Number::Uint8(*byte)))
                .ok_or_else(|| "reflect: string index out of range".into())
        }
        Value::Map(map) => match index {
            Value::String(key) => Ok(map.get_bytes(key.as_bytes()).unwrap_or_else(|| zero(map.element_type()))),
            Value::Nil => Err("value is nil; should be of type string".into()),
            _ => Err(format!("value has type {}; should be string", index.type_name()).into()),
        },
        Value::Object(object) => match object.underlying() {
            Some(underlying) => index_once(&underlying, index),
            None => Err(cannot("index", item)),
        },
        _ => Err(cannot("index", item)),
    }
}

fn cannot(what: &str, item: &Value) -> FunctionError {
    FunctionError::Message(format!("can't {what} item of type {}", item.type_name()))
}

pub(super) fn slice(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let Some((item, indexes)) = arguments.split_first() else { return Err("slice of untyped nil".into()) };
    if item.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let plain = item.plain();
    let length = match &plain {
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => return Err(cannot("slice", item)),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [start, end, capacity] = bounds;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}").into());
    }
    if end > capacity {
        return Err(format!("invalid slice index: {end} > {capacity}").into());
    }
    Ok(match &plain {
        Value::String(text) => Value::String(Str::copy_bytes(text.as_bytes().get(start..end).unwrap_or_default())),
        Value::Bytes(bytes) => Value::bytes(bytes.get(start..end).unwrap_or_default()),
        Value::List(list) => {
            let items = list.items().get(start..end).unwrap_or_default().to_vec();
            Value::List(List::typed(list.go_type(), items))
        }
        _ => plain,
    })
}

pub(super) fn len(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let item = arguments.first().cloned().unwrap_or_default();
    let length = match item.plain() {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Nil | Value::NilPointer(_) => return Err("len of nil pointer".into()),
        _ => return Err(format!("len of type {}", item.type_name()).into()),
    };
    Ok(Value::Int(length as i64))
}

/// The executor puts the callee's name as written before the arguments.
pub(super) fn call(context: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let (Some(name), Some(callee)) = (arguments.first(), arguments.get(1)) else { return Err("call of nil".into()) };
    match callee {
        Value::Nil => Err("call of nil".into()),
        Value::Function(function) => {
            let rest = arguments.get(2..).unwrap_or_default();
            let fixed = function.parameters.len();
            if function.variadic.is_some() && rest.len() < fixed {
                return Err(format!("wrong number of args: got {} want at least {fixed}", rest.len()).into());
            }
            if function.variadic.is_none() && rest.len() != fixed {
                return Err(format!("wrong number of args: got {} want {fixed}", rest.len()).into());
            }
            let parameters = function.parameters.iter().copied().chain(function.variadic.into_iter().cycle());
            for (index, (argument, parameter)) in rest.iter().zip(parameters).enumerate() {
                if !argument.is_nil() && !argument.go_type().assignable_to(parameter) && !parameter.is_any() {
                    return Err(format!(
                        "arg {index}: value has type {}; should be {}",
                        argument.type_name(),
                        parameter.name
                    )
                    .into());
                }
            }
            (function.body)(context, rest)
        }
        _ => {
            let name = crate::format::display(name);
            Err(format!("non-function {name} of type {}", callee.type_name()).into())
        }
    }
}
