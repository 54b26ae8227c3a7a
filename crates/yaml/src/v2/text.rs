//! Values as Go prints them, and the text of binary scalars.

use super::build::Key;
use crate::go_number::write_float_g_single;
use crate::{Error, Value};

pub(super) fn float_key(value: f64) -> String {
    let mut text = String::new();
    write_float_g_single(value, &mut text);
    match text.as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        _ => text,
    }
}

/// A key in Go's `%#v`.
pub(super) fn go_key(key: &Key) -> String {
    match key {
        Key::Bool(value) => value.to_string(),
        Key::Int(value) => value.to_string(),
        Key::Uint(value) => format!("{value:#x}"),
        Key::Float(bits) => {
            let mut text = String::new();
            crate::go_number::write_float_g(f64::from_bits(*bits), &mut text);
            text
        }
        Key::String(text) => go_quote(text),
        Key::Null => "interface {}(nil)".to_owned(),
    }
}

/// Go's `%q`, near enough for messages.
pub(super) fn go_quote(text: &str) -> String {
    format!("{text:?}").replace("\\'", "'")
}

/// Go's `%#v` of decoded values.
pub(super) fn go_syntax(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Uint(value) => out.push_str(&format!("{value:#x}")),
        Value::Float(value) => crate::go_number::write_float_g(*value, out),
        Value::String(text) => out.push_str(&go_quote(text)),
        Value::Sequence(items) => {
            out.push_str("[]interface {}{");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                go_syntax(item, out);
            }
            out.push('}');
        }
        Value::Mapping(mapping) => {
            out.push_str("map[interface {}]interface {}{");
            for (index, (key, item)) in mapping.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(&go_quote(key));
                out.push(':');
                go_syntax(item, out);
            }
            out.push('}');
        }
    }
}

/// A Go string with any bytes, as `encoding/json` passes it on: every bad byte becomes U+FFFD.
pub(crate) fn go_string(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let mut text = String::new();
            for chunk in error.as_bytes().utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
            }
            text
        }
    }
}

/// Go's `base64.StdEncoding`: padding required, line breaks ignored, anything else refused.
pub(crate) fn decode_base64(text: &str) -> Result<Vec<u8>, Error> {
    let bad = || Error::syntax(0, "!!binary value contains invalid base64 data");
    let clean: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    if !clean.len().is_multiple_of(4) {
        return Err(bad());
    }
    let mut out = Vec::with_capacity(clean.len() / 4 * 3);
    let groups = clean.len() / 4;
    for (index, group) in clean.chunks(4).enumerate() {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups) {
            return Err(bad());
        }
        let mut bits = 0_u32;
        for byte in group.iter().take(4 - padding) {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return Err(bad()),
            };
            bits = (bits << 6) | u32::from(digit);
        }
        bits <<= 6 * padding;
        let [_, first, second, third] = bits.to_be_bytes();
        out.extend([first, second, third].iter().take(3 - padding));
    }
    Ok(out)
}
