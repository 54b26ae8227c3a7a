//! TOML as BurntSushi's library writes it, and reading it into template values.

use std::fmt::Write as _;

use crate::format::MAX_TEXT;
use crate::format::float::{self, Form, Size};
use crate::value::{List, Map, Str, Value, types};

/// Deeper tables than this are refused.
const MAX_DEPTH: usize = 500;

/// `toml.NewEncoder(…).Encode`.
///
/// # Errors
/// For values TOML has no form for.
pub fn to_toml(value: &Value) -> Result<String, String> {
    let mut writer = Writer { output: String::new() };
    match plain(value) {
        Value::Map(map) => writer.table(&[], &map)?,
        other => writer.inline(&other, 0)?,
    }
    Ok(writer.output)
}

/// Objects as the data they are written as.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => object.json().or_else(|| object.underlying()).unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

fn as_tables(list: &List) -> Result<Option<Vec<Map>>, String> {
    if list.is_empty() {
        return Ok(None);
    }
    let mut tables = Vec::with_capacity(list.len());
    for item in list.items() {
        match plain(item) {
            Value::Map(map) if !map.is_nil() => tables.push(map),
            other if other.is_nil_like() => return Err("toml: cannot encode array with nil element".to_owned()),
            _ => return Ok(None),
        }
    }
    Ok(Some(tables))
}

struct Writer {
    output: String,
}

impl Writer {
    /// A line break, but none at the very beginning.
    fn newline(&mut self) {
        if !self.output.is_empty() {
            self.output.push('\n');
        }
    }

    fn check_size(&self) -> Result<(), String> {
        if self.output.len() > MAX_TEXT {
            return Err(format!("toml: result is larger than {MAX_TEXT} bytes"));
        }
        Ok(())
    }

    fn indent(&mut self, path: &[Str]) {
        self.output.extend(std::iter::repeat_n("  ", path.len().saturating_sub(1)));
    }

    fn table(&mut self, path: &[Str], map: &Map) -> Result<(), String> {
        self.check_size()?;
        if path.len() > MAX_DEPTH {
            return Err("toml: exceeded max depth".to_owned());
        }
        let mut tables = Vec::new();
        for (key, value) in map.snapshot() {
            if value.is_nil_like() {
                continue;
            }
            let converted = plain(&value);
            let is_table = match &converted {
                Value::Map(_) => true,
                Value::List(list) => as_tables(list)?.is_some(),
                _ => false,
            };
            let mut inner = path.to_vec();
            inner.push(key.clone());
            if is_table {
                tables.push((inner, converted));
                continue;
            }
            self.indent(&inner);
            self.key(&key);
            self.output.push_str(" = ");
            self.inline(&value, 0)?;
            self.output.push('\n');
        }
        for (path, value) in tables {
            match value {
                Value::Map(map) => {
                    if path.len() == 1 {
                        self.newline();
                    }
                    self.header(&path, "[", "]");
                    self.table(&path, &map)?;
                }
                Value::List(list) => {
                    for map in as_tables(&list)?.unwrap_or_default() {
                        self.newline();
                        self.header(&path, "[[", "]]");
                        self.table(&path, &map)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn header(&mut self, path: &[Str], open: &str, close: &str) {
        self.indent(path);
        self.output.push_str(open);
        for (index, key) in path.iter().enumerate() {
            if index > 0 {
                self.output.push('.');
            }
            self.key(key);
        }
        self.output.push_str(close);
        self.output.push('\n');
    }

    fn key(&mut self, key: &Str) {
        let text = key.lossy();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            self.output.push_str(&text);
        } else {
            self.string(&text);
        }
    }

    fn string(&mut self, text: &str) {
        self.output.push('"');
        for character in text.chars() {
            match character {
                '"' => self.output.push_str("\\\""),
                '\\' => self.output.push_str("\\\\"),
                '\x08' => self.output.push_str("\\b"),
                '\t' => self.output.push_str("\\t"),
                '\n' => self.output.push_str("\\n"),
                '\x0C' => self.output.push_str("\\f"),
                '\r' => self.output.push_str("\\r"),
                '\0'..='\x1F' | '\x7F' => {
                    let _ = write!(self.output, "\\u{:04x}", u32::from(character));
                }
                _ => self.output.push(character),
            }
        }
        self.output.push('"');
    }

    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.check_size()?;
        if depth > MAX_DEPTH {
            return Err("toml: exceeded max depth".to_owned());
        }
        let is_time = value.type_name() == "time.Time";
        let value = plain(value);
        match &value {
            Value::Bool(truth) => self.output.push_str(if *truth { "true" } else { "false" }),
            Value::String(text) if is_time => self.output.push_str(&text.lossy()),
            Value::String(text) => self.string(&text.lossy()),
            Value::Float(number) => self.float(*number, Size::Double),
            Value::Number(crate::value::Number::Float32(number)) => self.float(f64::from(*number), Size::Single),
            Value::List(_) | Value::Bytes(_) => {
                let items = value.items().unwrap_or_default();
                self.output.push('[');
                for (index, item) in items.iter().enumerate() {
                    if item.is_nil_like() {
                        return Err("toml: cannot encode array with nil element".to_owned());
                    }
                    if index > 0 {
                        self.output.push_str(", ");
                    }
                    self.inline(item, depth + 1)?;
                }
                self.output.push(']');
            }
            Value::Map(map) => self.inline_table(map, depth)?,
            _ => match (value.as_signed(), value.as_unsigned()) {
                (Some(number), _) => self.output.push_str(itoa::Buffer::new().format(number)),
                (_, Some(number)) => self.output.push_str(itoa::Buffer::new().format(number)),
                _ => return Err(format!("unsupported type for key '': {}", value.kind().name())),
            },
        }
        Ok(())
    }

    fn inline_table(&mut self, map: &Map, depth: usize) -> Result<(), String> {
        self.output.push('{');
        let (mut simple, mut tables) = (Vec::new(), Vec::new());
        for (key, value) in map.snapshot() {
            let is_table = match plain(&value) {
                Value::Map(map) => !map.is_nil(),
                Value::List(list) => as_tables(&list)?.is_some(),
                _ => false,
            };
            if is_table { tables.push((key, value)) } else { simple.push((key, value)) }
        }
        let count = simple.len() + tables.len();
        for (index, (key, value)) in simple.into_iter().chain(tables).enumerate() {
            if value.is_nil_like() {
                continue;
            }
            self.key(&key);
            self.output.push_str(" = ");
            self.inline(&value, depth + 1)?;
            // The library counts entries that are nil here, though it does not write them.
            if index + 1 < count {
                self.output.push_str(", ");
            }
        }
        self.output.push('}');
        Ok(())
    }

    fn float(&mut self, number: f64, size: Size) {
        if number.is_nan() {
            self.output.push_str("nan");
        } else if number.is_infinite() {
            self.output.push_str(if number > 0.0 { "inf" } else { "-inf" });
        } else {
            let mut text = Vec::new();
            float::append(&mut text, number, Form::General, None, size, false);
            let text = String::from_utf8_lossy(&text);
            self.output.push_str(&text);
            if !text.contains(['.', 'e']) {
                self.output.push_str(".0");
            }
        }
    }
}

/// `toml.Unmarshal` into a map.
///
/// # Errors
/// When it is not TOML; the words are not the Go library's.
pub fn from_toml(text: &str) -> Result<Map, String> {
    let table: ::toml::Table = text.parse().map_err(|error: ::toml::de::Error| {
        let line = 1 + text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text).matches('\n').count();
        format!("toml: line {line}: {}", error.message())
    })?;
    Ok(read_table(table))
}

fn read_table(table: ::toml::Table) -> Map {
    Map::from_entries(table.into_iter().map(|(key, value)| (key, read_value(value))))
}

fn read_value(value: ::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::from(text),
        ::toml::Value::Integer(number) => Value::Int64(number),
        ::toml::Value::Float(number) => Value::Float(number),
        ::toml::Value::Boolean(truth) => Value::Bool(truth),
        ::toml::Value::Datetime(time) => Value::from(time.to_string()),
        ::toml::Value::Array(items) => {
            let tables = !items.is_empty() && items.iter().all(::toml::Value::is_table);
            let go_type = if tables { &types::MAPS } else { &types::LIST };
            Value::List(List::typed(go_type, items.into_iter().map(read_value).collect()))
        }
        ::toml::Value::Table(table) => Value::Map(read_table(table)),
    }
}
