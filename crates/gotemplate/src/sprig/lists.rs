//! Lists. In Go these work by reflection on any slice; nil has no type to reflect on and panics.

use super::arguments::{NIL_DEREFERENCE, Outcome, int, rest, value};
use super::cast::to_int64;
use super::defaults::is_empty;
use super::reflection::COMPARISONS_PER_STEP;
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, INT, LIST, LISTS};
use crate::value::{List, MAX_COMPARISONS, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("list", &[], &LIST, |_, arguments| Ok(Value::list(arguments.to_vec()))).variadic(&ANY),
    Function::new("tuple", &[], &LIST, |_, arguments| Ok(Value::list(arguments.to_vec()))).variadic(&ANY),
    Function::new("append", &[&ANY, &ANY], &LIST, push),
    Function::new("push", &[&ANY, &ANY], &LIST, push),
    Function::new("mustAppend", &[&ANY, &ANY], &LIST, push),
    Function::new("mustPush", &[&ANY, &ANY], &LIST, push),
    Function::new("prepend", &[&ANY, &ANY], &LIST, prepend),
    Function::new("mustPrepend", &[&ANY, &ANY], &LIST, prepend),
    Function::new("first", &[&ANY], &ANY, first),
    Function::new("mustFirst", &[&ANY], &ANY, first),
    Function::new("rest", &[&ANY], &LIST, all_but_first),
    Function::new("mustRest", &[&ANY], &LIST, all_but_first),
    Function::new("last", &[&ANY], &ANY, last),
    Function::new("mustLast", &[&ANY], &ANY, last),
    Function::new("initial", &[&ANY], &LIST, all_but_last),
    Function::new("mustInitial", &[&ANY], &LIST, all_but_last),
    Function::new("reverse", &[&ANY], &LIST, reverse),
    Function::new("mustReverse", &[&ANY], &LIST, reverse),
    Function::new("uniq", &[&ANY], &LIST, unique),
    Function::new("mustUniq", &[&ANY], &LIST, unique),
    Function::new("without", &[&ANY], &LIST, without).variadic(&ANY),
    Function::new("mustWithout", &[&ANY], &LIST, without).variadic(&ANY),
    Function::new("has", &[&ANY, &ANY], &BOOL, has),
    Function::new("mustHas", &[&ANY, &ANY], &BOOL, has),
    Function::new("slice", &[&ANY], &ANY, slice).variadic(&ANY),
    Function::new("mustSlice", &[&ANY], &ANY, slice).variadic(&ANY),
    Function::new("concat", &[], &ANY, concatenate).variadic(&ANY),
    Function::new("chunk", &[&INT, &ANY], &LISTS, chunk),
    Function::new("mustChunk", &[&INT, &ANY], &LISTS, chunk),
    Function::new("compact", &[&ANY], &LIST, compact),
    Function::new("mustCompact", &[&ANY], &LIST, compact),
];

/// The items of a slice; `message` says what cannot be done with anything else, ahead of its kind.
fn items<'a>(
    value: &'a Value,
    message: impl FnOnce(&str) -> String,
) -> Result<std::borrow::Cow<'a, [Value]>, FunctionError> {
    if value.is_nil() {
        return Err(NIL_DEREFERENCE.into());
    }
    value.items().ok_or_else(|| message(value.kind().name()).into())
}

fn push(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot push on type {kind}"))?;
    context.reserve((items.len() + 1) * size_of::<Value>())?;
    let mut list = Vec::with_capacity(items.len() + 1);
    list.extend_from_slice(&items);
    list.push(value(arguments, 1)?.clone());
    Ok(Value::list(list))
}

fn prepend(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot prepend on type {kind}"))?;
    context.reserve((items.len() + 1) * size_of::<Value>())?;
    let mut list = Vec::with_capacity(items.len() + 1);
    list.push(value(arguments, 1)?.clone());
    list.extend_from_slice(&items);
    Ok(Value::list(list))
}

fn first(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find first on type {kind}"))?;
    Ok(items.first().cloned().unwrap_or_default())
}

fn last(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find last on type {kind}"))?;
    Ok(items.last().cloned().unwrap_or_default())
}

fn all_but_first(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find rest on type {kind}"))?;
    Ok(items.split_first().map_or_else(|| List::nil(&LIST), |(_, rest)| List::new(rest.to_vec())).into())
}

fn all_but_last(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find initial on type {kind}"))?;
    Ok(items.split_last().map_or_else(|| List::nil(&LIST), |(_, initial)| List::new(initial.to_vec())).into())
}

fn reverse(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find reverse on type {kind}"))?;
    Ok(Value::list(items.iter().rev().cloned().collect()))
}

fn contains(context: &mut Context<'_>, list: &[Value], wanted: &Value) -> Result<bool, FunctionError> {
    let mut left_over = MAX_COMPARISONS;
    let found = list.iter().any(|item| wanted.deep_equal_within(item, &mut left_over));
    context.work(u64::from(MAX_COMPARISONS - left_over) / COMPARISONS_PER_STEP)?;
    Ok(found)
}

fn unique(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find uniq on type {kind}"))?;
    let mut kept: Vec<Value> = Vec::new();
    // Looking strings up keeps long lists of names from taking quadratic time.
    let mut texts = std::collections::HashSet::new();
    for item in items.iter() {
        let new = match item {
            Value::String(text) => texts.insert(text.clone()),
            other => !contains(context, &kept, other)?,
        };
        if new {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn without(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot find without on type {kind}"))?;
    let omitted = rest(arguments, 1);
    let mut kept = Vec::new();
    for item in items.iter() {
        if !contains(context, omitted, item)? {
            kept.push(item.clone());
        }
    }
    Ok(Value::list(kept))
}

fn has(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (needle, haystack) = (value(arguments, 0)?, value(arguments, 1)?);
    if haystack.is_nil() {
        return Ok(false.into());
    }
    let items = items(haystack, |kind| format!("Cannot find has on type {kind}"))?;
    Ok(contains(context, &items, needle)?.into())
}

fn slice(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let list = value(arguments, 0)?;
    let items = items(list, |kind| format!("list should be type of slice or array but {kind}"))?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |number: usize, default: usize| match arguments.get(number) {
        Some(value) => usize::try_from(to_int64(value)).ok(),
        None => Some(default),
    };
    let range = index(1, 0).zip(index(2, items.len()));
    let part = range.and_then(|(start, end)| items.get(start..end));
    let part = part.ok_or("reflect.Value.Slice: slice index out of bounds")?;
    Ok(match list {
        Value::Bytes(bytes) => {
            let (start, end) = range.unwrap_or_default();
            Value::bytes(bytes.get(start..end).unwrap_or_default())
        }
        Value::List(list) => List::typed(list.go_type(), part.to_vec()).into(),
        _ => Value::list(part.to_vec()),
    })
}

fn concatenate(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for argument in arguments {
        let items = items(argument, |kind| format!("Cannot concat type {kind} as list"))?;
        context.reserve((all.len() + items.len()) * size_of::<Value>())?;
        all.extend_from_slice(&items);
    }
    Ok(if all.is_empty() { List::nil(&LIST) } else { List::new(all) }.into())
}

fn chunk(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    const MAKESLICE: &str = "runtime error: makeslice: len out of range";
    let size = int(arguments, 0)?;
    let items = items(value(arguments, 1)?, |kind| format!("Cannot chunk type {kind}"))?;
    if size == 0 {
        return Err(MAKESLICE.into());
    }
    let chunks: Vec<Value> = match usize::try_from(size) {
        Ok(size) => items.chunks(size).map(|chunk| Value::list(chunk.to_vec())).collect(),
        // With a negative size Go calculates the number of chunks as floor((length - 1) / size) + 1.
        Err(_) => match items.len() {
            0 => return Err(MAKESLICE.into()),
            1 if size < -1 => vec![Value::list(items.to_vec())],
            1 => return Err(MAKESLICE.into()),
            length if u64::try_from(length - 1).is_ok_and(|last| last <= size.unsigned_abs()) => Vec::new(),
            _ => return Err(MAKESLICE.into()),
        },
    };
    Ok(List::typed(&LISTS, chunks).into())
}

fn compact(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let items = items(value(arguments, 0)?, |kind| format!("Cannot compact on type {kind}"))?;
    Ok(Value::list(items.iter().filter(|item| !is_empty(item)).cloned().collect()))
}
