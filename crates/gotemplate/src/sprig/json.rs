//! JSON in sprig's variants; those without `must` give an empty text or nil instead of an error.

use super::arguments::{Outcome, text, value};
use crate::data::json::{Layout, to_json_with};
use crate::data::read_json::{Numbers, read};
use crate::function::{Function, FunctionError};
use crate::value::Value;
use crate::value::types::{ANY, STRING};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("fromJson", &[&STRING], &ANY, |_, arguments| Ok(decoded(arguments)?.unwrap_or_default())),
    Function::new("mustFromJson", &[&STRING], &ANY, |_, arguments| decoded(arguments)?.map_err(FunctionError::Message)),
    Function::new("toJson", &[&ANY], &STRING, |_, arguments| lenient(arguments, COMPACT)),
    Function::new("mustToJson", &[&ANY], &STRING, |_, arguments| encoded(arguments, COMPACT)),
    Function::new("toPrettyJson", &[&ANY], &STRING, |_, arguments| lenient(arguments, PRETTY)),
    Function::new("mustToPrettyJson", &[&ANY], &STRING, |_, arguments| encoded(arguments, PRETTY)),
    Function::new("toRawJson", &[&ANY], &STRING, |_, arguments| encoded(arguments, RAW)),
    Function::new("mustToRawJson", &[&ANY], &STRING, |_, arguments| encoded(arguments, RAW)),
];

const COMPACT: Layout = Layout { escape_html: true, indent: None };
const PRETTY: Layout = Layout { escape_html: true, indent: Some(2) };
const RAW: Layout = Layout { escape_html: false, indent: None };

fn decoded(arguments: &[Value]) -> Result<Result<Value, String>, FunctionError> {
    Ok(read(text(arguments, 0)?.as_bytes(), Numbers::Float))
}

fn encoded(arguments: &[Value], layout: Layout) -> Outcome {
    to_json_with(value(arguments, 0)?, layout).map(Value::from).map_err(FunctionError::Message)
}

fn lenient(arguments: &[Value], layout: Layout) -> Outcome {
    Ok(to_json_with(value(arguments, 0)?, layout).unwrap_or_default().into())
}
