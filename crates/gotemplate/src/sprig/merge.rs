//! Merging maps as dario.cat/mergo 1.0.1 does: what is zero counts as not there.

use crate::context::Context;
use crate::function::FunctionError;
use crate::value::{Kind, Map, Str, Value};

/// The one error that mergo returns here.
pub(super) const DIFFERENT_TYPES: &str = "src and dst must be of same type";
/// Deeper maps are cyclic or hostile; Go's stack overflows on them.
const MAXIMUM_DEPTH: u32 = 1_000;

/// Merges `source` into `destination`, which changes; nested maps that only the source has are shared afterwards.
pub(super) fn merge_into(
    context: &mut Context<'_>,
    destination: &Map,
    source: &Map,
    overwrite: bool,
) -> Result<(), FunctionError> {
    merge_maps(context, destination, source, overwrite, 0)
}

fn merge_maps(
    context: &mut Context<'_>,
    destination: &Map,
    source: &Map,
    overwrite: bool,
    depth: u32,
) -> Result<(), FunctionError> {
    if depth > MAXIMUM_DEPTH {
        return Err(FunctionError::Message(format!("cannot merge maps nested more than {MAXIMUM_DEPTH} deep")));
    }
    if destination.same(source) {
        return Ok(());
    }
    // Maps that share their parts hold exponentially many of them.
    context.work(source.len() as u64)?;
    for (key, new) in source.snapshot() {
        let old = destination.get_bytes(key.as_bytes());
        if is_nil(&new) {
            if overwrite {
                assign(context, destination, key, new)?;
            }
            continue;
        }
        if let (Some(old), true) = (&old, matches!(new.kind(), Kind::Map | Kind::Struct | Kind::Pointer)) {
            merge_values(context, old, &new, overwrite, depth)?;
        }
        let keep = match &old {
            None => false,
            Some(old) if is_empty(old) => false,
            Some(old) => !overwrite || (old.kind() == Kind::Map && new.kind() == Kind::Map),
        };
        if !keep {
            assign(context, destination, key, new)?;
        }
    }
    Ok(())
}

/// What merging a map or struct into the old value does to the old value itself.
fn merge_values(
    context: &mut Context<'_>,
    old: &Value,
    new: &Value,
    overwrite: bool,
    depth: u32,
) -> Result<(), FunctionError> {
    match (old, new) {
        (Value::Map(old), Value::Map(new)) => merge_maps(context, old, new, overwrite, depth + 1),
        (Value::Object(_), _) if old.kind() == Kind::Pointer && new.kind() != Kind::Pointer && !overwrite => {
            Err(DIFFERENT_TYPES.into())
        }
        _ => Ok(()),
    }
}

/// Nil within the interface that a map's value is.
fn is_nil(value: &Value) -> bool {
    value.is_nil()
}

/// Mergo's emptiness, which looks through pointers.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.underlying().is_some_and(|plain| is_empty(&plain)),
        Value::NilPointer(_) => true,
        other => !other.is_true(),
    }
}

fn assign(context: &mut Context<'_>, map: &Map, key: Str, value: Value) -> Result<(), FunctionError> {
    let element = map.element_type();
    if !element.is_any() && !value.go_type().assignable_to(element) {
        return Err(FunctionError::Message(format!(
            "reflect.Value.SetMapIndex: value of type {} is not assignable to type {}",
            if value.is_nil() { "interface {}" } else { value.type_name() },
            element.name
        )));
    }
    context.put(map, &value);
    if map.insert(key, value) { Ok(()) } else { Err("assignment to entry in nil map".into()) }
}
