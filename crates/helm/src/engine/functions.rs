//! The functions that belong to a render: `include`, `tpl`, `required`, `fail`, `lookup`.

use super::error::{END, START};
use super::lookup::Lookup;
use crate::go_text::quote;
use gotemplate::context::{Context, TextError};
use gotemplate::function::{Function, FunctionError, FunctionMap};
use gotemplate::value::types::{ANY, MAP, STRING};
use gotemplate::value::{Map, Str, Value};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

/// Helm's bound on one template including itself.
const DEEPEST_INCLUDE: u32 = 1000;

static FUNCTIONS: [Function; 6] = [
    Function::new("include", &[&STRING, &ANY], &STRING, include),
    Function::new("tpl", &[&STRING, &ANY], &STRING, tpl),
    Function::new("required", &[&STRING, &ANY], &ANY, required),
    Function::new("fail", &[&STRING], &STRING, fail),
    Function::new("lookup", &[&STRING, &STRING, &STRING, &STRING], &MAP, lookup),
    Function::new("getHostByName", &[&STRING], &STRING, get_host_by_name),
];

/// Every function of Helm's templates.
pub(super) fn functions() -> FunctionMap {
    static MAP: LazyLock<FunctionMap> =
        LazyLock::new(|| gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS).with(&FUNCTIONS));
    MAP.clone()
}

/// What these functions share during one render.
#[derive(Default)]
pub(super) struct RenderState {
    included: RefCell<HashMap<Str, u32>>,
    pub(super) lint: bool,
    pub(super) lookup: Option<Arc<dyn Lookup>>,
    pub(super) warnings: RefCell<Vec<String>>,
    pub(super) looked_up: Cell<bool>,
}

impl RenderState {
    pub(super) fn new(lint: bool, lookup: Option<Arc<dyn Lookup>>) -> Self {
        Self { lint, lookup, ..Self::default() }
    }
}

fn state(context: &Context<'_>) -> Result<Rc<RenderState>, FunctionError> {
    context.extension::<RenderState>().ok_or_else(|| FunctionError::new("not rendering a chart"))
}

fn text(arguments: &[Value], index: usize) -> Str {
    arguments.get(index).and_then(Value::as_text).cloned().unwrap_or_default()
}

fn include(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let state = state(context)?;
    let name = text(arguments, 0);
    let count = state.included.borrow().get(&name).copied().unwrap_or(0);
    if count > DEEPEST_INCLUDE {
        return Err(FunctionError::new(format!(
            "rendering template has a nested reference name: {name}: unable to execute template"
        )));
    }
    state.included.borrow_mut().insert(name.clone(), count + 1);
    let data = arguments.get(1).cloned().unwrap_or_default();
    let result = context.execute(&name.lossy(), data);
    state.included.borrow_mut().insert(name, count);
    result.map(Value::String).map_err(FunctionError::Template)
}

fn tpl(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let template = text(arguments, 0);
    let data = arguments.get(1).cloned().unwrap_or_default();
    if !template.as_bytes().windows(2).any(|pair| pair == b"{{") {
        // Text without actions is its own result; most values given to tpl are.
        return Ok(Value::String(without_no_value(template)));
    }
    match context.execute_text("gotpl", &template, data) {
        Ok(result) => Ok(Value::String(without_no_value(result))),
        Err(TextError::Parse(error)) => {
            Err(FunctionError::new(format!("cannot parse template {}: {error}", quote(&template.lossy()))))
        }
        Err(TextError::Execute(error)) => Err(FunctionError::new(shortened(format!(
            "error during tpl function execution for {}: {error}",
            quote(&template.lossy())
        )))),
    }
}

/// Longest error of nested `tpl` calls: each level repeats all below it, which would take quadratic time.
const LONGEST_ERROR: usize = 32 << 10;

/// The beginning and the end of a message that grew beyond all measure.
fn shortened(message: String) -> String {
    if message.len() <= LONGEST_ERROR {
        return message;
    }
    let half = LONGEST_ERROR / 2;
    let head = message.get(..message.floor_char_boundary(half)).unwrap_or_default();
    let tail = message.get(message.ceil_char_boundary(message.len() - half)..).unwrap_or_default();
    format!("{head} [...] {tail}")
}

fn required(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let value = arguments.get(1).cloned().unwrap_or_default();
    let missing = match &value {
        Value::Nil => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if !missing {
        return Ok(value);
    }
    let state = state(context)?;
    let message = text(arguments, 0);
    if state.lint {
        state.warnings.borrow_mut().push(format!("missing required value: {message}"));
        return Ok(Value::from(""));
    }
    Err(FunctionError::new(format!("{START}{message}{END}")))
}

fn fail(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let state = state(context)?;
    let message = text(arguments, 0);
    if state.lint {
        state.warnings.borrow_mut().push(format!("fail: {message}"));
        return Ok(Value::from(""));
    }
    Err(FunctionError::new(format!("{START}{message}{END}")))
}

fn lookup(context: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let state = state(context)?;
    state.looked_up.set(true);
    let Some(lookup) = state.lookup.as_deref().filter(|_| !state.lint) else { return Ok(Value::Map(Map::new())) };
    let word = |index| text(arguments, index).lossy().into_owned();
    match lookup.lookup(&word(0), &word(1), &word(2), &word(3)) {
        Ok(Some(object)) => Ok(super::lookup::to_template(&object)),
        Ok(None) => Ok(Value::Map(Map::new())),
        Err(message) => Err(FunctionError::new(message)),
    }
}

/// Looking names up in the DNS is off, as it is in Helm unless asked for.
fn get_host_by_name(_: &mut Context<'_>, _: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::from(""))
}

const NO_VALUE: &str = "<no value>";

/// The text without what Go prints for missing values.
pub(super) fn without_no_value(text: Str) -> Str {
    match text.as_str() {
        Some(plain) if !plain.contains(NO_VALUE) => text,
        Some(plain) => Str::from(plain.replace(NO_VALUE, "")),
        None => {
            // Bytes that are no text stay as they are: `toJson` and others tell them from U+FFFD.
            let mut left = text.as_bytes();
            let mut kept = Vec::with_capacity(left.len());
            while let Some((first, rest)) = left.split_first() {
                left = left.strip_prefix(NO_VALUE.as_bytes()).unwrap_or_else(|| {
                    kept.push(*first);
                    rest
                });
            }
            Str::from_bytes(kept)
        }
    }
}
