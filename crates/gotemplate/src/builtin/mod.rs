//! The functions every template has: `and`, `or`, `not`, `len`, `index`, `slice`, `call`, `print*`, comparisons, escapes.

mod collection;
mod compare;
mod escape;

use crate::context::Context;
use crate::format;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, INT, REFLECT_VALUE, STRING};
use crate::value::{Str, Value};

type Answer = Result<Value, FunctionError>;

/// The builtin function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().and_then(|index| FUNCTIONS.get(index))
}

/// In order of their names.
static FUNCTIONS: &[Function] = &[
    // `and` and `or` are evaluated by the executor, which does not evaluate what is not needed.
    Function::new("and", &[REFLECT], &REFLECT_VALUE, last).variadic(&REFLECT_VALUE),
    Function::new("call", &[REFLECT], &REFLECT_VALUE, collection::call).variadic(&REFLECT_VALUE),
    Function::new("eq", &[REFLECT], &BOOL, compare::eq).variadic(&REFLECT_VALUE),
    Function::new("ge", &[REFLECT, REFLECT], &BOOL, compare::ge),
    Function::new("gt", &[REFLECT, REFLECT], &BOOL, compare::gt),
    Function::new("html", &[], &STRING, escape::html).variadic(&ANY),
    Function::new("index", &[REFLECT], &REFLECT_VALUE, collection::index).variadic(&REFLECT_VALUE),
    Function::new("js", &[], &STRING, escape::js).variadic(&ANY),
    Function::new("le", &[REFLECT, REFLECT], &BOOL, compare::le),
    Function::new("len", &[REFLECT], &INT, collection::len),
    Function::new("lt", &[REFLECT, REFLECT], &BOOL, compare::lt),
    Function::new("ne", &[REFLECT, REFLECT], &BOOL, compare::ne),
    Function::new("not", &[REFLECT], &BOOL, not),
    Function::new("or", &[REFLECT], &REFLECT_VALUE, last).variadic(&REFLECT_VALUE),
    Function::new("print", &[], &STRING, print).variadic(&ANY),
    Function::new("printf", &[&STRING], &STRING, printf).variadic(&ANY),
    Function::new("println", &[], &STRING, println).variadic(&ANY),
    Function::new("slice", &[REFLECT], &REFLECT_VALUE, collection::slice).variadic(&REFLECT_VALUE),
    Function::new("urlquery", &[], &STRING, escape::urlquery).variadic(&ANY),
];

const REFLECT: &crate::value::Type = &REFLECT_VALUE;

fn last(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(arguments.last().cloned().unwrap_or_default())
}

fn not(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Value::Bool(!arguments.first().is_some_and(Value::is_true)))
}

fn print(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Value::String(format::sprint(arguments)))
}

fn println(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Value::String(format::sprintln(arguments)))
}

fn printf(context: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let Some((Value::String(text), rest)) = arguments.split_first() else {
        return Err("printf needs a format".into());
    };
    let limit = context.environment.limits.bytes;
    let mut output = Vec::with_capacity(text.len() + 16);
    format::append_printf(&mut output, text.as_bytes(), rest, limit);
    context.reserve(output.len())?;
    Ok(Value::String(Str::from_bytes(output)))
}
