//! Values in the form the oracle speaks: each names its Go type.

use std::rc::Rc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gotemplate::value::{List, Map, Str, Value};
use serde_json::json;

/// A string.
pub(crate) fn text(bytes: &[u8]) -> serde_json::Value {
    json!({"string": BASE64_STANDARD.encode(bytes)})
}

/// The value that this describes.
pub(crate) fn parse(described: &serde_json::Value) -> Value {
    let Some((kind, body)) = described.as_object().and_then(|object| object.iter().next()) else { return Value::Nil };
    let text = body.as_str().unwrap_or_default();
    match kind.as_str() {
        "int" => Value::Int(text.parse().unwrap()),
        "int64" => Value::Int64(text.parse().unwrap()),
        "float64" => Value::Float(text.parse().unwrap()),
        "bool" => Value::Bool(text == "true"),
        "string" => Value::String(Str::from_bytes(BASE64_STANDARD.decode(text).unwrap())),
        "list" => Value::list(body.as_array().unwrap().iter().map(parse).collect()),
        "strings" => Value::strings(body.as_array().unwrap().iter().map(|item| item.as_str().unwrap())),
        "map" => Value::map(body.as_object().unwrap().iter().map(|(key, item)| (key.as_str(), parse(item)))),
        "time" => time(text),
        other => panic!("unknown kind {other}"),
    }
}

/// `SECONDS.NANOSECONDS ZONE`, by way of the functions under test.
fn time(text: &str) -> Value {
    let (number, zone) = text.split_once(' ').unwrap();
    let (seconds, nanoseconds) = number.split_once('.').unwrap();
    let mut environment =
        gotemplate::context::Environment::new(jiff::Timestamp::new(seconds.parse().unwrap(), 0).unwrap());
    environment.zone = jiff::tz::TimeZone::get(zone).unwrap();
    let mut call = |name: &str, arguments: &[Value]| {
        let mut context = gotemplate::context::Context::detached(&mut environment);
        (gotemplate::sprig::functions().get(name).unwrap().body)(&mut context, arguments).unwrap()
    };
    let whole = call("now", &[]);
    call("dateModify", &[format!("{nanoseconds}ns").into(), whole])
}

/// The description of a value.
pub(crate) fn write(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => json!(null),
        Value::Int(number) => json!({"int": number.to_string()}),
        Value::Int64(number) => json!({"int64": number.to_string()}),
        Value::Float(_) => json!({"float64": gotemplate::format::display(value).to_string()}),
        Value::String(value) => text(value.as_bytes()),
        Value::Bool(truth) => json!({"bool": truth.to_string()}),
        Value::List(list) => write_list(list),
        Value::Map(map) => write_map(map),
        Value::Bytes(bytes) => json!({"bytes": bytes.len()}),
        Value::Object(object) => {
            json!({"object": object.go_type().name, "text": gotemplate::format::display(&Value::Object(Rc::clone(object))).to_string()})
        }
        other => json!({"object": other.type_name(), "text": gotemplate::format::display(other).to_string()}),
    }
}

fn write_list(list: &List) -> serde_json::Value {
    if list.is_nil() {
        return json!({"nil": list.go_type().name});
    }
    json!({"slice": list.items().iter().map(write).collect::<Vec<_>>(), "type": list.go_type().name})
}

fn write_map(map: &Map) -> serde_json::Value {
    let items: serde_json::Map<_, _> =
        map.snapshot().into_iter().map(|(key, item)| (key.to_string(), write(&item))).collect();
    json!({"map": items, "type": map.go_type().name})
}

/// The description of a list whose order is random in Go.
pub(crate) fn write_sorted(value: &Value) -> serde_json::Value {
    let mut written = write(value);
    if let Some(items) = written.get_mut("slice").and_then(|items| items.as_array_mut()) {
        items.sort_by_key(ToString::to_string);
    }
    written
}
