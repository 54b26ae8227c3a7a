//! Maps: making, reading, changing and digging.

use super::arguments::{Outcome, map, rest, text, value};
use super::merge::merge_into;
use super::strings::text_of;
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, LIST, MAP, STRING, STRINGS};
use crate::value::{Map, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("dict", &[], &MAP, dict).variadic(&ANY),
    Function::new("get", &[&MAP, &STRING], &ANY, get),
    Function::new("set", &[&MAP, &STRING, &ANY], &MAP, set),
    Function::new("unset", &[&MAP, &STRING], &MAP, unset),
    Function::new("hasKey", &[&MAP, &STRING], &BOOL, |_, arguments| {
        Ok(map(arguments, 0)?.contains(text(arguments, 1)?.as_bytes()).into())
    }),
    Function::new("pluck", &[&STRING], &LIST, pluck).variadic(&MAP),
    Function::new("keys", &[], &STRINGS, keys).variadic(&MAP),
    Function::new("values", &[&MAP], &LIST, values),
    Function::new("pick", &[&MAP], &MAP, pick).variadic(&STRING),
    Function::new("omit", &[&MAP], &MAP, omit).variadic(&STRING),
    Function::new("dig", &[], &ANY, dig).variadic(&ANY),
    Function::new("merge", &[&MAP], &ANY, |context, arguments| forgiving(merge(context, arguments, false)))
        .variadic(&MAP),
    Function::new("mustMerge", &[&MAP], &ANY, |context, arguments| merge(context, arguments, false)).variadic(&MAP),
    Function::new("mergeOverwrite", &[&MAP], &ANY, |context, arguments| forgiving(merge(context, arguments, true)))
        .variadic(&MAP),
    Function::new("mustMergeOverwrite", &[&MAP], &ANY, |context, arguments| merge(context, arguments, true))
        .variadic(&MAP),
];

fn dict(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let pairs = arguments.chunks(2).filter_map(|pair| {
        let (key, rest) = pair.split_first()?;
        // A last key without a value gets an empty text.
        Some((text_of(key), rest.first().cloned().unwrap_or_else(|| "".into())))
    });
    Ok(Map::from_entries(pairs).into())
}

fn get(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(map(arguments, 0)?.get_bytes(text(arguments, 1)?.as_bytes()).unwrap_or_else(|| "".into()))
}

fn set(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (map, value) = (map(arguments, 0)?, value(arguments, 2)?);
    context.put(map, value);
    if !map.insert(text(arguments, 1)?.clone(), value.clone()) {
        return Err("assignment to entry in nil map".into());
    }
    Ok(map.converted(&MAP).into())
}

fn unset(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let map = map(arguments, 0)?;
    drop(map.remove(text(arguments, 1)?.as_bytes()));
    Ok(map.converted(&MAP).into())
}

fn pluck(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let key = text(arguments, 0)?;
    let maps = rest(arguments, 1).iter().filter_map(Value::as_map);
    Ok(Value::list(maps.filter_map(|map| map.get_bytes(key.as_bytes())).collect()))
}

#[expect(clippy::unnecessary_wraps, reason = "the body of a function, which can fail")]
fn keys(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(Value::strings(arguments.iter().filter_map(Value::as_map).flat_map(Map::keys)))
}

fn values(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(Value::list(map(arguments, 0)?.snapshot().into_iter().map(|(_, value)| value).collect()))
}

fn pick(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let map = map(arguments, 0)?;
    let keys = rest(arguments, 1).iter().filter_map(Value::as_text);
    let picked = keys.filter_map(|key| Some((key.clone(), map.get_bytes(key.as_bytes())?)));
    Ok(Map::from_entries(picked).into())
}

fn omit(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let omitted: Vec<&Str> = rest(arguments, 1).iter().filter_map(Value::as_text).collect();
    let entries = map(arguments, 0)?.snapshot().into_iter();
    Ok(Map::from_entries(entries.filter(|(key, _)| !omitted.contains(&key))).into())
}

/// Go's failed type assertion.
fn wrong_type(value: &Value, wanted: &str) -> FunctionError {
    let found = if value.is_nil() { "nil" } else { value.type_name() };
    FunctionError::Message(format!("interface conversion: interface {{}} is {found}, not {wanted}"))
}

/// Exactly a `map[string]interface {}`: a map of a named type is not one.
fn exact_map(value: &Value) -> Result<&Map, FunctionError> {
    match value {
        Value::Map(map) if map.go_type().name == MAP.name => Ok(map),
        other => Err(wrong_type(other, MAP.name)),
    }
}

fn dig(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let [keys @ .., default, start] = arguments else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut current = start.clone();
    exact_map(&current)?;
    let keys: Vec<&Str> =
        keys.iter().map(|key| key.as_text().ok_or_else(|| wrong_type(key, "string"))).collect::<Result<_, _>>()?;
    for key in keys {
        match exact_map(&current)?.get_bytes(key.as_bytes()) {
            Some(value) => current = value,
            None => return Ok(default.clone()),
        }
    }
    Ok(current)
}

fn merge(context: &mut Context<'_>, arguments: &[Value], overwrite: bool) -> Outcome {
    let first = map(arguments, 0)?;
    let destination = if first.is_nil() && arguments.len() > 1 { Map::new() } else { first.converted(&MAP) };
    for source in rest(arguments, 1).iter().filter_map(Value::as_map) {
        merge_into(context, &destination, source, overwrite)?;
    }
    Ok(destination.into())
}

/// Errors of merging give an empty text; panics remain errors.
fn forgiving(outcome: Outcome) -> Outcome {
    match outcome {
        Err(FunctionError::Message(message)) if message == super::merge::DIFFERENT_TYPES => Ok("".into()),
        other => other,
    }
}
