//! Types and kinds, comparing and copying in depth.

use super::arguments::{Outcome, text, value};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, STRING};
use crate::value::{List, Map, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("typeOf", &[&ANY], &STRING, |_, arguments| Ok(value(arguments, 0)?.type_name().into())),
    Function::new("typeIs", &[&STRING, &ANY], &BOOL, |_, arguments| {
        Ok((*text(arguments, 0)? == value(arguments, 1)?.type_name()).into())
    }),
    Function::new("typeIsLike", &[&STRING, &ANY], &BOOL, type_is_like),
    Function::new("kindOf", &[&ANY], &STRING, |_, arguments| Ok(value(arguments, 0)?.kind().name().into())),
    Function::new("kindIs", &[&STRING, &ANY], &BOOL, |_, arguments| {
        Ok((*text(arguments, 0)? == value(arguments, 1)?.kind().name()).into())
    }),
    Function::new("deepEqual", &[&ANY, &ANY], &BOOL, |_, arguments| {
        Ok(value(arguments, 0)?.deep_equal(value(arguments, 1)?).into())
    }),
    Function::new("deepCopy", &[&ANY], &ANY, deep_copy),
    Function::new("mustDeepCopy", &[&ANY], &ANY, deep_copy),
];

/// Deeper values are cyclic or hostile; Go's stack overflows on them.
const MAXIMUM_DEPTH: u32 = 1_000;

fn type_is_like(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let target = text(arguments, 0)?;
    let name = value(arguments, 1)?.type_name();
    Ok((*target == name || name.strip_prefix('*').is_some_and(|name| *target == name)).into())
}

fn deep_copy(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    match value(arguments, 0)? {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => copy(other, 0),
    }
}

fn copy(value: &Value, depth: u32) -> Outcome {
    if depth > MAXIMUM_DEPTH {
        return Err(FunctionError::Message(format!("cannot copy a value nested more than {MAXIMUM_DEPTH} deep")));
    }
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            let items = list.items().iter().map(|item| copy(item, depth + 1)).collect::<Result<_, _>>()?;
            List::typed(list.go_type(), items).into()
        }
        Value::Map(map) if !map.is_nil() => {
            let entries = map.snapshot().into_iter();
            let copies = entries.map(|(key, item)| Ok((key, copy(&item, depth + 1)?)));
            let copies = copies.collect::<Result<Vec<_>, FunctionError>>()?;
            Map::typed_from_entries(map.go_type(), copies).into()
        }
        other => other.clone(),
    })
}
