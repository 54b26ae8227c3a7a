//! YAML in and out of template values, without a tree in between.

use std::borrow::Cow;

use base64::Engine as _;
use yaml::v2::{Builder, Emitter, Flavor, sort_naturally};

use crate::value::{List, Map, Number, Str, Value};

/// Helm's `toYaml`: `sigs.k8s.io/yaml.Marshal` without the last line break.
///
/// # Errors
/// For values that JSON has no form for.
pub fn to_yaml(value: &Value) -> Result<String, String> {
    let mut emitter = Emitter::new(Flavor::Sigs);
    emit(&mut emitter, value, 0, &mut 0).map_err(|message| format!("error marshaling into JSON: {message}"))?;
    Ok(without_newline(emitter.finish()))
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    text
}

/// Shared lists can hold exponentially many nodes; no more than this are written.
const MAX_NODES: usize = 3_000_000;

fn emit(emitter: &mut Emitter, value: &Value, depth: usize, nodes: &mut usize) -> Result<(), String> {
    *nodes += 1;
    if depth > yaml::MAX_DEPTH {
        return Err("json: unsupported value: exceeded max depth".to_owned());
    }
    if *nodes > MAX_NODES {
        return Err(format!("json: more than {MAX_NODES} values"));
    }
    let done = match value {
        Value::Nil | Value::NilPointer(_) => emitter.null(),
        Value::Bool(truth) => emitter.boolean(*truth),
        Value::Int(number) | Value::Int64(number) => emitter.int(*number),
        Value::Float(number) => emitter.float(*number),
        Value::Number(number) => match (value.as_signed(), value.as_unsigned(), number) {
            (Some(signed), _, _) => emitter.int(signed),
            (_, Some(unsigned), _) => emitter.uint(unsigned),
            (_, _, Number::Float32(single)) => emitter.float(single.to_string().parse().unwrap_or(f64::from(*single))),
            _ => return Err(format!("json: unsupported type: {}", value.type_name())),
        },
        Value::String(text) => emitter.string(&text.lossy()),
        Value::Bytes(bytes) => emitter.string(&base64::engine::general_purpose::STANDARD.encode(bytes)),
        Value::List(list) if list.is_nil() => emitter.null(),
        Value::List(list) => {
            emitter.begin_sequence(list.len()).map_err(|error| error.to_string())?;
            for item in list.items() {
                emit(emitter, item, depth + 1, nodes)?;
            }
            emitter.end();
            Ok(())
        }
        Value::Map(map) if map.is_nil() => emitter.null(),
        Value::Map(map) => return emit_entries(emitter, map, depth, nodes),
        Value::Object(object) => match object.json().or_else(|| object.underlying()) {
            Some(value) => return emit(emitter, &value, depth + 1, nodes),
            None => return emit_entries(emitter, &Map::from_entries(object.fields()), depth, nodes),
        },
        Value::Function(_) => return Err(format!("json: unsupported type: {}", value.type_name())),
    };
    done.map_err(|error| error.to_string())
}

fn emit_entries(emitter: &mut Emitter, map: &Map, depth: usize, nodes: &mut usize) -> Result<(), String> {
    let entries = map.entries();
    let entries = entries.as_deref().unwrap_or_default();
    let mut sorted: Vec<(Cow<'_, str>, &Value)> = entries.iter().map(|(key, value)| (key.lossy(), value)).collect();
    sort_naturally(&mut sorted, |entry| &entry.0);
    emitter.begin_mapping(sorted.len()).map_err(|error| error.to_string())?;
    for (key, value) in sorted {
        emitter.key(&key).map_err(|error| error.to_string())?;
        emit(emitter, value, depth + 1, nodes)?;
    }
    emitter.end();
    Ok(())
}

/// Helm's `toYamlPretty`: go-yaml v3 with an indentation of two.
///
/// # Errors
/// For values that cannot be written.
pub fn to_yaml_pretty(value: &Value) -> Result<String, String> {
    let tree = to_tree(value, 0, &mut 0)?;
    yaml::v3::to_string_pretty(&tree).map(without_newline).map_err(|error| error.to_string())
}

/// How the message begins about a value that has no YAML at all.
pub(super) const CANNOT_MARSHAL: &str = "cannot marshal type: ";

fn to_tree(value: &Value, depth: usize, nodes: &mut usize) -> Result<yaml::Value, String> {
    *nodes += 1;
    if *nodes > MAX_NODES {
        return Err(format!("yaml: more than {MAX_NODES} values"));
    }
    if depth > yaml::MAX_DEPTH {
        return Err("yaml: exceeded max depth".to_owned());
    }
    Ok(match value {
        Value::Nil | Value::NilPointer(_) => yaml::Value::Null,
        Value::Bool(truth) => yaml::Value::Bool(*truth),
        Value::Int(number) | Value::Int64(number) => yaml::Value::Int(*number),
        Value::Float(number) => yaml::Value::Float(*number),
        Value::Number(_) => match (value.as_signed(), value.as_unsigned(), value.as_float()) {
            (Some(signed), _, _) => yaml::Value::Int(signed),
            (_, Some(unsigned), _) => i64::try_from(unsigned).map_or(yaml::Value::Uint(unsigned), yaml::Value::Int),
            (_, _, Some(float)) => yaml::Value::Float(float),
            _ => return Err(format!("{CANNOT_MARSHAL}{}", value.type_name())),
        },
        Value::String(text) => yaml::Value::String(text.lossy().into_owned()),
        Value::Bytes(bytes) => {
            yaml::Value::Sequence(bytes.iter().map(|byte| yaml::Value::Int(i64::from(*byte))).collect())
        }
        Value::List(list) => yaml::Value::Sequence(
            list.items().iter().map(|item| to_tree(item, depth + 1, nodes)).collect::<Result<_, String>>()?,
        ),
        Value::Map(map) => {
            let entries = map.snapshot();
            let pairs =
                entries.iter().map(|(key, value)| Ok((key.lossy().into_owned(), to_tree(value, depth + 1, nodes)?)));
            yaml::Value::Mapping(pairs.collect::<Result<_, String>>()?)
        }
        Value::Object(object) => match object.json().or_else(|| object.underlying()) {
            Some(value) => to_tree(&value, depth + 1, nodes)?,
            None => to_tree(&Value::map(object.fields()), depth + 1, nodes)?,
        },
        Value::Function(_) => return Err(format!("{CANNOT_MARSHAL}{}", value.type_name())),
    })
}

/// `sigs.k8s.io/yaml.Unmarshal` into an empty interface: every number is a `float64`.
///
/// # Errors
/// With the library's message.
pub fn from_yaml(text: &[u8]) -> Result<Value, String> {
    yaml::v2::unmarshal_with(text, yaml::v2::Options::default(), &mut Values).map_err(|error| error.to_string())
}

/// Builds template values out of YAML. Numbers that are not asked to be floats become `int64`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values;

impl Builder for Values {
    type Value = Value;
    type Sequence = Vec<Value>;
    type Mapping = Vec<(Str, Value)>;

    fn null(&mut self) -> Value {
        Value::Nil
    }

    fn boolean(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(&mut self, value: i64) -> Value {
        Value::Int64(value)
    }

    fn uint(&mut self, value: u64) -> Value {
        Value::uint64(value)
    }

    fn float(&mut self, value: f64) -> Value {
        Value::Float(value)
    }

    fn string(&mut self, value: Cow<'_, str>) -> Value {
        Value::String(value.into())
    }

    fn begin_sequence(&mut self) -> Vec<Value> {
        Vec::new()
    }

    fn push(&mut self, sequence: &mut Vec<Value>, value: Value) {
        sequence.push(value);
    }

    fn end_sequence(&mut self, sequence: Vec<Value>) -> Value {
        Value::List(List::new(sequence))
    }

    fn begin_mapping(&mut self) -> Self::Mapping {
        Vec::new()
    }

    fn insert(&mut self, mapping: &mut Self::Mapping, key: Cow<'_, str>, value: Value) {
        mapping.push((key.into(), value));
    }

    fn end_mapping(&mut self, mapping: Self::Mapping) -> Value {
        Value::Map(Map::from_entries(mapping))
    }
}
