//! Helm's data functions: YAML, JSON and TOML in and out of template values.

pub mod json;
pub mod read_json;
pub mod toml;
pub mod yaml;

use crate::context::Context;
use crate::data::read_json::Document;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, LIST, MAP, STRING};
use crate::value::{List, Map, Str, Value};

type Answer = Result<Value, FunctionError>;

/// `toYaml`, `fromYaml` and their relatives, as Helm 4 has them.
pub static FUNCTIONS: &[Function] = &[
    Function::new("toYaml", &[&ANY], &STRING, |_, arguments| Ok(lenient(yaml::to_yaml(first(arguments))))),
    Function::new("mustToYaml", &[&ANY], &STRING, |_, arguments| strict(yaml::to_yaml(first(arguments)))),
    Function::new("toYamlPretty", &[&ANY], &STRING, to_yaml_pretty),
    Function::new("fromYaml", &[&STRING], &MAP, from_yaml),
    Function::new("fromYamlArray", &[&STRING], &LIST, from_yaml_array),
    Function::new("toJson", &[&ANY], &STRING, |_, arguments| Ok(lenient(json::to_json(first(arguments))))),
    Function::new("mustToJson", &[&ANY], &STRING, |_, arguments| strict(json::to_json(first(arguments)))),
    Function::new("fromJson", &[&STRING], &MAP, from_json),
    Function::new("fromJsonArray", &[&STRING], &LIST, from_json_array),
    Function::new("toToml", &[&ANY], &STRING, to_toml),
    Function::new("mustToToml", &[&ANY], &STRING, must_to_toml),
    Function::new("fromToml", &[&STRING], &MAP, from_toml),
];

fn first(arguments: &[Value]) -> &Value {
    arguments.first().unwrap_or(&Value::Nil)
}

fn text(arguments: &[Value]) -> Str {
    first(arguments).as_text().cloned().unwrap_or_default()
}

/// What cannot be written is the empty string.
fn lenient(written: Result<String, String>) -> Value {
    Value::from(written.unwrap_or_default())
}

fn strict(written: Result<String, String>) -> Answer {
    written.map(Value::from).map_err(FunctionError::Message)
}

/// Go's encoder panics over what it does not know, which is an error here too; other failures give the empty string.
fn to_yaml_pretty(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    match yaml::to_yaml_pretty(first(arguments)) {
        Err(message) if message.starts_with(yaml::CANNOT_MARSHAL) => Err(FunctionError::Message(message)),
        written => Ok(lenient(written)),
    }
}

/// What was read as a map; anything else, and a failure, is a map with the key `Error`.
fn map_or_error(read: Result<Document, String>, context: &str) -> Value {
    let message = match read.map(|document| (document.value, document.range_error)) {
        Ok((Value::Map(map), error)) => {
            if let Some(message) = error {
                map.insert("Error", Value::from(message));
            }
            return Value::Map(map);
        }
        Ok((Value::Nil, None)) => return Value::Map(Map::nil(&MAP)),
        Ok((other, _)) => format!("{context}{}", read_json::cannot_unmarshal(&other, &MAP)),
        Err(message) => message,
    };
    Value::map([("Error", Value::from(message))])
}

/// What was read as a list; anything else, and a failure, is a list of the error's text.
fn list_or_error(read: Result<Document, String>, context: &str) -> Value {
    let message = match read.map(|document| (document.value, document.range_error)) {
        Ok((Value::List(_), Some(message))) => message,
        Ok((Value::List(list), None)) => return Value::List(list),
        Ok((Value::Nil, None)) => return Value::List(List::nil(&LIST)),
        Ok((other, _)) => format!("{context}{}", read_json::cannot_unmarshal(&other, &LIST)),
        Err(message) => message,
    };
    Value::list(vec![Value::from(message)])
}

const IN_YAML: &str = "error unmarshaling JSON: while decoding JSON: ";

/// A document that is empty or null leaves what it is read into, `empty`, as it was; in JSON null makes it nil.
fn read_yaml(arguments: &[Value], empty: Value) -> Result<Document, String> {
    let value = yaml::from_yaml(text(arguments).as_bytes())?;
    Ok(Document { value: if value.is_nil() { empty } else { value }, range_error: None })
}

fn from_yaml(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(map_or_error(read_yaml(arguments, Value::Map(Map::default())), IN_YAML))
}

fn from_yaml_array(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(list_or_error(read_yaml(arguments, Value::list(vec![])), IN_YAML))
}

fn from_json(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(arguments);
    Ok(map_or_error(read_json::read_document(text.as_bytes(), read_json::Numbers::Float), ""))
}

fn from_json_array(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(arguments);
    Ok(list_or_error(read_json::read_document(text.as_bytes(), read_json::Numbers::Float), ""))
}

fn to_toml(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    if first(arguments).is_nil() {
        return Err(NIL_TOML.into());
    }
    // Here the error's text is the result.
    Ok(Value::from(toml::to_toml(first(arguments)).unwrap_or_else(|message| message)))
}

fn must_to_toml(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    if first(arguments).is_nil() {
        return Err(NIL_TOML.into());
    }
    strict(toml::to_toml(first(arguments)))
}

const NIL_TOML: &str = "reflect: call of reflect.Value.Type on zero Value";

fn from_toml(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    Ok(match toml::from_toml(&text(arguments).lossy()) {
        Ok(map) => Value::Map(map),
        Err(message) => Value::map([("Error", Value::from(message))]),
    })
}
