//! What is empty, and what to take instead; and flow control.

use super::arguments::{Outcome, rest, text, value};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, STRING};
use crate::value::{Kind, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("default", &[&ANY], &ANY, default).variadic(&ANY),
    Function::new("empty", &[&ANY], &BOOL, |_, arguments| Ok(is_empty(value(arguments, 0)?).into())),
    Function::new("coalesce", &[], &ANY, coalesce).variadic(&ANY),
    Function::new("all", &[], &BOOL, |_, arguments| Ok((!arguments.iter().any(is_empty)).into())).variadic(&ANY),
    Function::new("any", &[], &BOOL, |_, arguments| Ok((!arguments.iter().all(is_empty)).into())).variadic(&ANY),
    Function::new("ternary", &[&ANY, &ANY, &BOOL], &ANY, ternary),
    Function::new("fail", &[&STRING], &STRING, fail),
];

/// Sprig's emptiness: zero, false, nil and what has no elements; a struct never is.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => match object.underlying() {
            Some(plain) => is_empty(&plain),
            None => {
                debug_assert!(matches!(object.go_type().kind, Kind::Struct | Kind::Pointer | Kind::Interface));
                false
            }
        },
        other => !other.is_true(),
    }
}

fn default(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    match rest(arguments, 1).first() {
        Some(given) if !is_empty(given) => Ok(given.clone()),
        _ => Ok(value(arguments, 0)?.clone()),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the body of a function, which can fail")]
fn coalesce(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(arguments.iter().find(|argument| !is_empty(argument)).cloned().unwrap_or_default())
}

fn ternary(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let chosen = usize::from(!value(arguments, 2)?.is_true());
    Ok(value(arguments, chosen)?.clone())
}

fn fail(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Err(FunctionError::Message(text(arguments, 0)?.to_string()))
}
