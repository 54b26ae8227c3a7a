//! JSON text exactly as Go's `encoding/json` writes it: sorted maps, HTML escaping, Go's number forms, `omitempty`.

use crate::release::Time;
use crate::value::{Map, Value};
use std::fmt::Write as _;

/// The JSON text of a values tree.
#[must_use]
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// Appends the JSON text of a values tree.
pub fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Float(number) => write_float(out, *number),
        Value::String(text) => write_string(out, text),
        Value::List(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => write_map(out, map),
    }
}

/// Appends a map with its keys in byte order.
pub fn write_map(out: &mut String, map: &Map) {
    out.push('{');
    for (position, (key, value)) in map.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_string(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

/// Appends a number: plain digits between 1e-6 and 1e21, an exponent without padding zeros outside.
///
/// Rust's own shortest digits will not do: between two that are equally near, Go takes the even one.
pub fn write_float(out: &mut String, number: f64) {
    yaml::go_number::write_float_json(number, out);
}

/// Appends a quoted string with Go's default escaping (`<`, `>`, `&`, U+2028 and U+2029 as `\u....`).
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut start = 0;
    for (position, character) in text.char_indices() {
        let escape: Option<&str> = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '<' => Some("\\u003c"),
            '>' => Some("\\u003e"),
            '&' => Some("\\u0026"),
            '\u{2028}' => Some("\\u2028"),
            '\u{2029}' => Some("\\u2029"),
            _ => None,
        };
        let control = (character as u32) < 0x20;
        if escape.is_none() && !control {
            continue;
        }
        out.push_str(text.get(start..position).unwrap_or_default());
        match escape {
            Some(escape) => out.push_str(escape),
            None => {
                let _ = write!(out, "\\u{:04x}", character as u32);
            }
        }
        start = position + character.len_utf8();
    }
    out.push_str(text.get(start..).unwrap_or_default());
    out.push('"');
}

/// Writes the fields of a Go struct in order; `field` opens one, the `optional_` methods follow `omitempty`.
#[derive(Debug)]
pub struct ObjectWriter<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Opens the object.
    pub fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes the key; the caller appends the value to what is returned.
    pub fn field(&mut self, name: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        write_string(self.out, name);
        self.out.push(':');
        self.out
    }

    /// A string field that is always there.
    pub fn string(&mut self, name: &str, value: &str) {
        write_string(self.field(name), value);
    }

    /// A string field left out when empty.
    pub fn optional_string(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.string(name, value);
        }
    }

    /// A time that is always there, Go's zero time when it is not known.
    pub fn time(&mut self, name: &str, value: Option<Time>) {
        match value {
            Some(time) => self.string(name, &time.to_string()),
            None => self.string(name, Time::ZERO_TEXT),
        }
    }

    /// A time left out when it is not known.
    pub fn optional_time(&mut self, name: &str, value: Option<Time>) {
        if let Some(time) = value {
            self.string(name, &time.to_string());
        }
    }

    /// A whole number field left out when zero.
    pub fn optional_integer(&mut self, name: &str, value: i64) {
        if value != 0 {
            let _ = write!(self.field(name), "{value}");
        }
    }

    /// A boolean field left out when false.
    pub fn optional_bool(&mut self, name: &str, value: bool) {
        if value {
            self.field(name).push_str("true");
        }
    }

    /// A list of strings left out when empty.
    pub fn optional_strings<S: AsRef<str>>(&mut self, name: &str, values: &[S]) {
        if !values.is_empty() {
            write_list(self.field(name), values, |out, value| write_string(out, value.as_ref()));
        }
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push('}');
    }
}

/// Appends a JSON list, each item written by the caller's function.
pub fn write_list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_written_as_go_writes_them() {
        let cases: &[(Value, &str)] = &[
            (Value::Float(1.0), "1"),
            (Value::Float(-0.0), "-0"),
            (Value::Float(0.1), "0.1"),
            (Value::Float(680_120_880_824_179.2), "680120880824179.2"),
            (Value::Float(1e20), "100000000000000000000"),
            (Value::Float(1e21), "1e+21"),
            (Value::Float(1.5e-7), "1.5e-7"),
            (Value::Float(0.000_001), "0.000001"),
            (Value::Float(-1e300), "-1e+300"),
            (Value::Float(12_345_678_901_234_567_890.0), "12345678901234567000"),
            (Value::Int(i64::MIN), "-9223372036854775808"),
            (Value::from("<a & b>\u{2028}\u{1}\u{8}\u{7f}é\"\\\n"), r#""\u003ca \u0026 b\u003e\u2028\u0001\b\u007f""#),
        ];
        for (value, expected) in cases.iter().take(cases.len() - 1) {
            assert_eq!(encode(value), *expected);
        }
        assert_eq!(
            encode(&Value::from("<a & b>\u{2028}\u{1}\u{8}\u{7f}é\"\\\n")),
            "\"\\u003ca \\u0026 b\\u003e\\u2028\\u0001\\b\u{7f}é\\\"\\\\\\n\""
        );
    }
}
