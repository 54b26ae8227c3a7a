//! Our answers to the questions that the oracle understands.

use std::fmt::Write;

use serde_json::{Value as Json, json};
use yaml::v3::{EncodeOptions, Indentation, Kind, Node};
use yaml::{Error, Value, v2, v3};

/// The operations on texts.
pub(crate) const TEXT_OPERATIONS: [&str; 12] = [
    "v2.json",
    "v2.json.strict",
    "v2.unmarshal",
    "v2.roundtrip",
    "v3.nodes",
    "v3.roundtrip",
    "v3.decode",
    "kyaml.string",
    "kyaml.wide",
    "kyaml.deanchor",
    "v3.pretty",
    "v2.digest.text",
];

/// Our answer in the oracle's form.
pub(crate) fn answer(operation: &str, text: &[u8]) -> Result<String, String> {
    run(operation, text).map_err(|error| error.to_string())
}

fn run(operation: &str, text: &[u8]) -> Result<String, Error> {
    let strict = v2::Options { strict: true, numbers: v2::Numbers::Yaml };
    if operation.starts_with("kyaml") && v3::parse(text)?.is_none() {
        return Ok("<EOF>".to_owned());
    }
    match operation {
        "v2.json" => v2::yaml_to_json(text),
        "v2.json.strict" => v2::parse(text, strict).map(|value| v2::to_json(&value)),
        "v2.unmarshal" => v2::unmarshal(text).map(|value| {
            let mut out = String::new();
            typed(&value, &mut out);
            out
        }),
        "v2.roundtrip" => v2::to_string(&v2::unmarshal(text)?),
        "v3.pretty" => v3::to_string_pretty(&v2::unmarshal(text)?),
        "v2.digest.text" => v2::to_string_bytewise(&v2::unmarshal(text)?),
        "v3.nodes" => v3::parse_all(text).map(|nodes| Json::from_iter(nodes.iter().map(printable)).to_string()),
        "v3.roundtrip" => {
            let mut out = String::new();
            for document in v3::parse_all(text)? {
                out.push_str("=====\n");
                out.push_str(&v3::encode(&document, EncodeOptions::default())?);
            }
            Ok(out)
        }
        "v3.decode" => match v3::parse(text)? {
            None => Ok("null".to_owned()),
            Some(document) => v3::decode(&document).map(|value| v2::to_json(&value)),
        },
        "kyaml.string" => kyaml(text, false, Indentation::Compact),
        "kyaml.wide" => kyaml(text, false, Indentation::Wide),
        "kyaml.deanchor" => kyaml(text, true, Indentation::Compact),
        _ => panic!("unknown operation {operation}"),
    }
}

fn kyaml(text: &[u8], deanchor: bool, sequences: Indentation) -> Result<String, Error> {
    let Some(document) = v3::parse(text)? else { return Ok(String::new()) };
    let document = if deanchor { v3::expand_aliases(&document)? } else { document };
    // The oracle writes the wide form from the root node, without the comments of the document.
    let root = document.content.first().filter(|_| sequences == Indentation::Wide).unwrap_or(&document);
    v3::encode(root, EncodeOptions { indent: 2, sequences })
}

/// The oracle's notation of decoded values.
fn typed(value: &Value, out: &mut String) {
    let hex = |text: &str, out: &mut String| text.bytes().for_each(|byte| write!(out, "{byte:02x}").unwrap());
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => write!(out, "bool {value}").unwrap(),
        Value::Int(value) => write!(out, "int {value}").unwrap(),
        Value::Uint(value) => write!(out, "uint {value}").unwrap(),
        Value::Float(value) => {
            out.push_str("float ");
            yaml::go_number::write_float_g(*value, out);
        }
        Value::String(text) => {
            out.push_str("str ");
            hex(text, out);
        }
        Value::Sequence(items) => {
            out.push('[');
            for item in items {
                typed(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Mapping(mapping) => {
            out.push('{');
            for (key, item) in mapping {
                hex(key, out);
                out.push(':');
                typed(item, out);
                out.push(',');
            }
            out.push('}');
        }
    }
}

fn printable(node: &Node) -> Json {
    let kind = match node.kind {
        Kind::Document => 1,
        Kind::Sequence => 2,
        Kind::Mapping => 4,
        Kind::Scalar => 8,
        Kind::Alias => 16,
    };
    let mut out = json!({"kind": kind, "line": node.line, "column": node.column});
    let mut set = |name: &str, text: &str| {
        if !text.is_empty() {
            out[name] = json!(text);
        }
    };
    set("tag", &node.tag);
    set("value", &node.value);
    set("anchor", node.anchor.as_deref().unwrap_or_default());
    if let Some(comments) = &node.comments {
        set("head", &comments.head);
        set("inline", &comments.line);
        set("foot", &comments.foot);
    }
    if node.style.bits() != 0 {
        out["style"] = json!(node.style.bits());
    }
    if !node.content.is_empty() {
        out["content"] = node.content.iter().map(printable).collect();
    }
    out
}

/// The oracle's notation of values to be written.
pub(crate) fn question_value(value: &Value) -> Json {
    use base64::encode as base64;
    match value {
        Value::Null => json!({"n": 0}),
        Value::Bool(value) => json!({"b": value}),
        Value::Int(value) => json!({"i": value.to_string()}),
        Value::Uint(value) => json!({"u": value.to_string()}),
        Value::Float(value) => json!({"f": format!("{:x}", value.to_bits())}),
        Value::String(text) => json!({"s": base64(text)}),
        Value::Sequence(items) => json!({"l": items.iter().map(question_value).collect::<Vec<_>>()}),
        Value::Mapping(mapping) => {
            json!({"m": mapping.iter().map(|(key, item)| json!([base64(key), question_value(item)])).collect::<Vec<_>>()})
        }
    }
}

/// Our answer for a value to be written.
pub(crate) fn written(operation: &str, value: &Value) -> Result<String, String> {
    match operation {
        "v2.marshal" => v2::to_string(value),
        "v2.digest" => v2::to_string_bytewise(value),
        "v3.marshal" => v3::to_string_pretty(value),
        _ => panic!("unknown operation {operation}"),
    }
    .map_err(|error| error.to_string())
}

pub(crate) mod base64 {
    //! Just enough Base64 for questions.

    pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = String::new();
        for group in bytes.as_ref().chunks(3) {
            let bits = group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
            for index in 0..4 {
                if index <= group.len() {
                    out.push(char::from(DIGITS[((bits >> (18 - 6 * index)) & 63) as usize]));
                } else {
                    out.push('=');
                }
            }
        }
        out
    }
}
