//! Writing JSON as `encoding/json` does.

use base64::Engine as _;

use crate::format::MAX_TEXT;
use crate::stack::StackGuard;
use crate::utf8::Runes;
use crate::value::{Map, Number, Str, Value};

/// Deeper than this maps that hold themselves are looked for (Go looks later, to the same end).
const CYCLE_DEPTH: usize = 100;
/// Native stack for writing; hostile nesting ends here.
const STACK_BYTES: usize = 384 * 1024;

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Write `<`, `>` and `&` as escapes.
    pub escape_html: bool,
    /// Indent by this many spaces, over several lines.
    pub indent: Option<usize>,
}

/// `json.Marshal`.
///
/// # Errors
/// For values that JSON has no form for, with Go's message.
pub fn to_json(value: &Value) -> Result<String, String> {
    to_json_with(value, Layout { escape_html: true, indent: None })
}

/// `json.Marshal` with another layout (`json.MarshalIndent`, `SetEscapeHTML`).
///
/// # Errors
/// For values that JSON has no form for, with Go's message.
pub fn to_json_with(value: &Value, layout: Layout) -> Result<String, String> {
    let mut writer = Writer { output: String::new(), layout, seen: Vec::new(), stack: StackGuard::new(STACK_BYTES) };
    writer.value(value, 0)?;
    Ok(writer.output)
}

struct Writer {
    output: String,
    layout: Layout,
    seen: Vec<Map>,
    stack: StackGuard,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if self.stack.is_exhausted() {
            return Err("json: unsupported value: exceeded max depth".to_owned());
        }
        if self.output.len() > MAX_TEXT {
            return Err(format!("json: result is larger than {MAX_TEXT} bytes"));
        }
        match value {
            Value::Nil | Value::NilPointer(_) => self.output.push_str("null"),
            Value::Bool(truth) => self.output.push_str(if *truth { "true" } else { "false" }),
            Value::Int(number) | Value::Int64(number) => {
                self.output.push_str(itoa::Buffer::new().format(*number));
            }
            Value::Float(number) => self.float(*number)?,
            Value::Number(number) => self.number(value, number)?,
            Value::String(text) => self.string(text),
            Value::Bytes(bytes) => {
                self.output.push('"');
                base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut self.output);
                self.output.push('"');
            }
            Value::List(list) if list.is_nil() => self.output.push_str("null"),
            Value::List(list) => {
                let items = list.items();
                self.output.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, depth + 1)?;
                }
                self.close(items.is_empty(), depth, ']');
            }
            Value::Map(map) if map.is_nil() => self.output.push_str("null"),
            Value::Map(map) => self.map(map, depth)?,
            Value::Object(object) => match object.json().or_else(|| object.underlying()) {
                Some(value) => self.value(&value, depth + 1)?,
                None => {
                    let fields = object.fields().into_iter();
                    let exported = fields.filter(|field| field.0.starts_with(|first: char| first.is_uppercase()));
                    self.entries(exported.map(|(name, value)| (name.into(), value)).collect(), depth)?;
                }
            },
            Value::Function(_) => return Err(format!("json: unsupported type: {}", value.type_name())),
        }
        Ok(())
    }

    fn map(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        let tracked = depth > CYCLE_DEPTH;
        if tracked {
            if self.seen.iter().any(|seen| seen.same(map)) {
                let name = map.go_type().name;
                return Err(format!("json: unsupported value: encountered a cycle via {name}"));
            }
            self.seen.push(map.clone());
        }
        self.entries(map.snapshot(), depth)?;
        if tracked {
            self.seen.pop();
        }
        Ok(())
    }

    fn entries(&mut self, entries: Vec<(Str, Value)>, depth: usize) -> Result<(), String> {
        self.output.push('{');
        let empty = entries.is_empty();
        for (index, (key, value)) in entries.into_iter().enumerate() {
            self.separate(index, depth + 1);
            self.string(&key);
            self.output.push_str(if self.layout.indent.is_some() { ": " } else { ":" });
            self.value(&value, depth + 1)?;
        }
        self.close(empty, depth, '}');
        Ok(())
    }

    fn string(&mut self, text: &Str) {
        if let Some(text) = text.as_str() {
            yaml::v2::write_json_string(text, self.layout.escape_html, &mut self.output);
            return;
        }
        // Wrong bytes are written as escapes, unlike a replacement character that is really there.
        self.output.push('"');
        let mut buffer = String::new();
        for rune in Runes::new(text.as_bytes()) {
            if rune.is_invalid() {
                self.output.push_str("\\ufffd");
                continue;
            }
            buffer.clear();
            let escape_html = self.layout.escape_html;
            yaml::v2::write_json_string(rune.character().encode_utf8(&mut [0; 4]), escape_html, &mut buffer);
            self.output.push_str(buffer.get(1..buffer.len() - 1).unwrap_or_default());
        }
        self.output.push('"');
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.output.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, empty: bool, depth: usize, bracket: char) {
        if !empty {
            self.line(depth);
        }
        self.output.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.layout.indent {
            self.output.push('\n');
            self.output.extend(std::iter::repeat_n(' ', indent.saturating_mul(depth)));
        }
    }

    fn float(&mut self, number: f64) -> Result<(), String> {
        if !number.is_finite() {
            let shown = crate::format::display(&Value::Float(number));
            return Err(format!("json: unsupported value: {shown}"));
        }
        yaml::go_number::write_float_json(number, &mut self.output);
        Ok(())
    }

    fn number(&mut self, value: &Value, number: &Number) -> Result<(), String> {
        if let Some(signed) = value.as_signed() {
            self.output.push_str(itoa::Buffer::new().format(signed));
        } else if let Some(unsigned) = value.as_unsigned() {
            self.output.push_str(itoa::Buffer::new().format(unsigned));
        } else if let Number::Float32(single) = number {
            // The shortest digits of the short float, read as a long one.
            self.float(single.to_string().parse().unwrap_or(f64::from(*single)))?;
        } else {
            return Err(format!("json: unsupported type: {}", value.type_name()));
        }
        Ok(())
    }
}
