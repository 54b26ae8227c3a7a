//! Writing values as go-yaml v3 writes Go values.

use super::encode::{EncodeOptions, Indentation, encode};
use super::node::{Kind, Node, Style};
use crate::go_number::write_float_g;
use crate::{Error, Value};

/// Helm's `toYamlPretty`: go-yaml v3 with an indentation of two.
pub fn to_string_pretty(value: &Value) -> Result<String, Error> {
    encode(&to_node(value), EncodeOptions { indent: 2, sequences: Indentation::Wide })
}

/// Compares two keys as go-yaml v3 sorts them: like [`crate::v2::compare_keys`], but after a digit letters come first.
#[must_use]
pub fn compare_keys(left: &str, right: &str) -> std::cmp::Ordering {
    crate::v2::compare(left, right, true)
}

/// The node that go-yaml v3 writes for a value: keys sorted naturally, strings quoted where their text means something else.
#[must_use]
pub fn to_node(value: &Value) -> Node {
    match value {
        Value::Null => Node::scalar("!!null", "null"),
        Value::Bool(value) => Node::scalar("!!bool", if *value { "true" } else { "false" }),
        Value::Int(value) => Node::scalar("!!int", value.to_string()),
        Value::Uint(value) => Node::scalar("!!int", value.to_string()),
        Value::Float(value) => {
            let mut text = String::new();
            write_float_g(*value, &mut text);
            match text.as_str() {
                "+Inf" => text = ".inf".to_owned(),
                "-Inf" => text = "-.inf".to_owned(),
                "NaN" => text = ".nan".to_owned(),
                _ => {}
            }
            // An untagged node: a float such as `1` must not get a tag.
            Node { kind: Kind::Scalar, value: text, ..Node::default() }
        }
        Value::String(text) => string(text),
        Value::Sequence(items) => Node { content: items.iter().map(to_node).collect(), ..Node::sequence() },
        Value::Mapping(mapping) => {
            let mut entries: Vec<(&String, &Value)> = mapping.iter().collect();
            crate::v2::sort_by(&mut entries, |(left, _), (right, _)| compare_keys(left, right));
            let content = entries.into_iter().flat_map(|(key, value)| [string(key), to_node(value)]).collect();
            Node { content, ..Node::mapping() }
        }
    }
}

fn string(text: &str) -> Node {
    let style = if text.contains('\n') {
        Style::LITERAL
    } else if super::is_plain_string(text) {
        Style::NONE
    } else {
        Style::DOUBLE_QUOTED
    };
    Node { style, ..Node::string(text) }
}
