//! JSON as Go's `encoding/json` writes it.

use crate::Value;
use crate::go_number::write_float_json;

/// Compact JSON with sorted keys, as `json.Marshal` writes (`<`, `>` and `&` escaped). Floats must be finite.
#[must_use]
pub fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

/// [`to_json`] into an existing string.
pub fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(value) => out.push_str(itoa::Buffer::new().format(*value)),
        Value::Uint(value) => out.push_str(itoa::Buffer::new().format(*value)),
        Value::Float(value) => write_float_json(*value, out),
        Value::String(text) => write_json_string(text, true, out),
        Value::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Mapping(mapping) => {
            out.push('{');
            for (index, (key, item)) in mapping.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json_string(key, true, out);
                out.push(':');
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

/// A JSON string as Go writes it; `escape_html` is Go's default.
pub fn write_json_string(text: &str, escape_html: bool, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (index, character) in text.char_indices() {
        let escaped = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\x08' => "\\b",
            '\x0C' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '<' if escape_html => "\\u003c",
            '>' if escape_html => "\\u003e",
            '&' if escape_html => "\\u0026",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            '\0'..='\x1F' => "",
            _ => continue,
        };
        out.push_str(text.get(start..index).unwrap_or_default());
        if escaped.is_empty() {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push_str(escaped);
        }
        start = index + character.len_utf8();
    }
    out.push_str(text.get(start..).unwrap_or_default());
    out.push('"');
}
