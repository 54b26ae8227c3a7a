//! Temporary: Helm's data functions until gotemplate has them.

use crate::values::{from_template, to_template, to_yaml};
use gotemplate::context::Context;
use gotemplate::function::{Function, FunctionError};
use gotemplate::value::types::{ANY, LIST, MAP, STRING};
use gotemplate::value::Value;

pub(super) static FUNCTIONS: [Function; 8] = [
    Function::new("toYaml", &[&ANY], &STRING, to_yaml_text),
    Function::new("toYamlPretty", &[&ANY], &STRING, to_yaml_text),
    Function::new("mustToYaml", &[&ANY], &STRING, to_yaml_text),
    Function::new("fromYaml", &[&STRING], &MAP, from_yaml_text),
    Function::new("fromYamlArray", &[&STRING], &LIST, from_yaml_text),
    Function::new("toJson", &[&ANY], &STRING, to_json_text),
    Function::new("mustToJson", &[&ANY], &STRING, to_json_text),
    Function::new("fromJson", &[&STRING], &MAP, from_yaml_text),
];

fn to_yaml_text(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let tree = from_template(&arguments[0]);
    let text = crate::yaml_text::emit(&to_yaml(&tree));
    Ok(Value::string(text.strip_suffix('\n').unwrap_or(&text)))
}

fn from_yaml_text(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    let text = arguments[0].as_text().unwrap().clone();
    match crate::yaml_text::parse_values(text.as_bytes()) {
        Ok(v) => Ok(to_template(&v)),
        Err(e) => Ok(Value::map([("Error", Value::from(e))])),
    }
}

fn to_json_text(_: &mut Context<'_>, arguments: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::string(crate::go_json::encode(&from_template(&arguments[0]))))
}
