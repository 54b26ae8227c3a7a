//! Types and kinds, comparing and copying in depth.

use super::arguments::{Outcome, text, value};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, STRING};
use crate::value::{List, MAX_COMPARISONS, Map, Value};

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
    Function::new("deepEqual", &[&ANY, &ANY], &BOOL, |context, arguments| {
        Ok(compare(context, value(arguments, 0)?, value(arguments, 1)?)?.into())
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

/// Are both equal in depth? The comparisons count as work.
pub(super) fn compare(context: &mut Context<'_>, left: &Value, right: &Value) -> Result<bool, FunctionError> {
    let mut left_over = MAX_COMPARISONS;
    let equal = left.deep_equal_within(right, &mut left_over);
    context.work(u64::from(MAX_COMPARISONS - left_over) / COMPARISONS_PER_STEP)?;
    Ok(equal)
}

/// Comparing two values costs much less than evaluating a node.
pub(super) const COMPARISONS_PER_STEP: u64 = 8;

fn deep_copy(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    match value(arguments, 0)? {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => copy(context, other, 0),
    }
}

fn copy(context: &Context<'_>, value: &Value, depth: u32) -> Outcome {
    if depth > MAXIMUM_DEPTH {
        return Err(FunctionError::Message(format!("cannot copy a value nested more than {MAXIMUM_DEPTH} deep")));
    }
    Ok(match value {
        Value::List(list) if !list.is_nil() => {
            context.check_memory()?;
            let items = list.items().iter().map(|item| copy(context, item, depth + 1)).collect::<Result<_, _>>()?;
            List::typed(list.go_type(), items).into()
        }
        Value::Map(map) if !map.is_nil() => {
            context.check_memory()?;
            let entries = map.snapshot().into_iter();
            let copies = entries.map(|(key, item)| Ok((key, copy(context, &item, depth + 1)?)));
            let copies = copies.collect::<Result<Vec<_>, FunctionError>>()?;
            Map::typed_from_entries(map.go_type(), copies).into()
        }
        other => other.clone(),
    })
}
