//! Writing values event by event, as goyaml v2 writes them.

use std::borrow::Cow;

use super::sort::sort_naturally;
use crate::emit::{Analysis, Place, Writer};
use crate::go_number::write_float_g;
use crate::resolve::{Resolved, is_base60, resolve_plain};
use crate::scan::{Dialect, ScalarStyle};
use crate::{Error, Value};

/// Which Go function's output is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// `sigs.k8s.io/yaml.Marshal`: everything passes through JSON first, keys in natural order.
    Sigs,
    /// goyaml v2 itself over bytewise sorted keys.
    Bytewise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Before or after the root value.
    Root,
    Sequence,
    /// A key comes next.
    MappingKey,
    /// The value of a `key:` comes next.
    MappingSimpleValue,
    /// The value of a `? key` comes next.
    MappingValue,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    context: Context,
    outer_indent: i64,
}

/// Writes one document from a stream of events; the caller sorts the keys ([`sort_naturally`]).
///
/// ```
/// use yaml::v2::{Emitter, Flavor};
/// let mut emitter = Emitter::new(Flavor::Sigs);
/// emitter.begin_mapping(1)?;
/// emitter.key("ports")?;
/// emitter.begin_sequence(1)?;
/// emitter.int(80)?;
/// emitter.end();
/// emitter.end();
/// assert_eq!(emitter.finish(), "ports:\n- 80\n");
/// # Ok::<(), yaml::Error>(())
/// ```
#[derive(Debug)]
pub struct Emitter {
    writer: Writer,
    levels: Vec<Level>,
    context: Context,
    flavor: Flavor,
}

/// goyaml v2 folds lines here.
const WIDTH: usize = 80;
/// A longer key needs `?`.
const MAX_SIMPLE_KEY: usize = 128;
/// JSON written on one line is read as YAML, where a key may have this many characters.
const MAX_JSON_KEY: usize = 1024;

impl Emitter {
    /// An emitter for one document.
    #[must_use]
    pub fn new(flavor: Flavor) -> Self {
        Self { writer: Writer::new(Dialect::V2, 2, WIDTH), levels: Vec::new(), context: Context::Root, flavor }
    }

    /// The text of the document. All collections must have been closed.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.writer.indent = -1;
        self.writer.write_indent();
        self.writer.out
    }

    /// Writes what comes before a value in its place.
    fn before_value(&mut self) {
        match self.context {
            Context::Root | Context::MappingKey => {}
            Context::Sequence => {
                self.writer.write_indent();
                self.writer.write_indicator("-", true, false, true);
            }
            Context::MappingSimpleValue => self.writer.write_indicator(":", false, false, false),
            Context::MappingValue => {
                self.writer.write_indent();
                self.writer.write_indicator(":", true, false, true);
            }
        }
    }

    fn after_value(&mut self) {
        if matches!(self.context, Context::MappingSimpleValue | Context::MappingValue) {
            self.context = Context::MappingKey;
        }
    }

    fn begin(&mut self, length: usize, context: Context, empty: &str) -> Result<(), Error> {
        if self.levels.len() > crate::MAX_DEPTH {
            return Err(Error::emit(format!("exceeded max depth of {}", crate::MAX_DEPTH)));
        }
        self.before_value();
        self.levels.push(Level { context: self.context, outer_indent: self.writer.indent });
        if length == 0 {
            let (open, close) = empty.split_at(1);
            self.writer.write_indicator(open, true, true, false);
            self.writer.write_indicator(close, false, false, false);
            return Ok(());
        }
        let in_mapping = matches!(self.context, Context::MappingSimpleValue | Context::MappingValue);
        let indentless = context == Context::Sequence && in_mapping && !self.writer.indention;
        if self.writer.indent < 0 {
            self.writer.indent = 0;
        } else if !indentless {
            self.writer.indent += self.writer.best_indent;
        }
        self.context = context;
        Ok(())
    }

    /// Opens a list of `length` items.
    pub fn begin_sequence(&mut self, length: usize) -> Result<(), Error> {
        self.begin(length, Context::Sequence, "[]")
    }

    /// Opens a map of `length` entries; [`Emitter::key`] comes before each value.
    pub fn begin_mapping(&mut self, length: usize) -> Result<(), Error> {
        self.begin(length, Context::MappingKey, "{}")
    }

    /// Closes the innermost list or map.
    pub fn end(&mut self) {
        let Some(Level { context, outer_indent }) = self.levels.pop() else { return };
        self.writer.indent = outer_indent;
        self.context = context;
        self.after_value();
    }

    /// Writes a key.
    pub fn key(&mut self, key: &str) -> Result<(), Error> {
        let key = self.through_json(key, true)?;
        self.writer.write_indent();
        let analysis = Analysis::of(&key, Dialect::V2);
        let simple = !analysis.multiline && key.len() <= MAX_SIMPLE_KEY;
        if !simple {
            self.writer.write_indicator("?", true, false, true);
        }
        self.text(&key, analysis, simple);
        self.context = if simple { Context::MappingSimpleValue } else { Context::MappingValue };
        Ok(())
    }

    fn text(&mut self, text: &str, analysis: Analysis, simple_key: bool) {
        let wanted = if text.contains('\n') {
            ScalarStyle::Literal
        } else if resolves_to_string(text) {
            ScalarStyle::Plain
        } else {
            ScalarStyle::DoubleQuoted
        };
        let style = Writer::select_style(wanted, analysis, text.is_empty(), Place { simple_key, ..Place::default() });
        self.writer.write_scalar(text, style, Place { simple_key, ..Place::default() });
    }

    /// What a string is after JSON has been written and read as YAML, which is not always the same string.
    fn through_json<'t>(&self, text: &'t str, key: bool) -> Result<Cow<'t, str>, Error> {
        if self.flavor != Flavor::Sigs {
            return Ok(Cow::Borrowed(text));
        }
        if key && text.len() > MAX_JSON_KEY / 6 {
            let mut json = String::new();
            super::json::write_json_string(text, true, &mut json);
            if json.chars().count() > MAX_JSON_KEY {
                return Err(Error::syntax(0, "did not find expected ',' or '}'"));
            }
        }
        if text.is_ascii() {
            return if text.as_bytes().contains(&0x7F) { Err(control_character()) } else { Ok(Cow::Borrowed(text)) };
        }
        if text
            .chars()
            .any(|c| matches!(c, '\x7F' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}'))
        {
            return Err(control_character());
        }
        if text.contains('\u{85}') {
            if key {
                return Err(Error::syntax(0, "did not find expected ',' or '}'"));
            }
            return Ok(Cow::Owned(fold_next_lines(text)));
        }
        Ok(Cow::Borrowed(text))
    }

    fn plain(&mut self, text: &str) {
        self.before_value();
        self.writer.write_scalar(text, ScalarStyle::Plain, Place::default());
        self.after_value();
    }

    /// Writes a string in the style that goyaml chooses.
    pub fn string(&mut self, text: &str) -> Result<(), Error> {
        let text = self.through_json(text, false)?;
        self.before_value();
        let analysis = Analysis::of(&text, Dialect::V2);
        self.text(&text, analysis, false);
        self.after_value();
        Ok(())
    }

    /// Writes `null`.
    pub fn null(&mut self) -> Result<(), Error> {
        self.plain("null");
        Ok(())
    }

    /// Writes `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> Result<(), Error> {
        self.plain(if value { "true" } else { "false" });
        Ok(())
    }

    /// Writes an integer.
    pub fn int(&mut self, value: i64) -> Result<(), Error> {
        self.plain(itoa::Buffer::new().format(value));
        Ok(())
    }

    /// Writes an unsigned integer.
    pub fn uint(&mut self, value: u64) -> Result<(), Error> {
        self.plain(itoa::Buffer::new().format(value));
        Ok(())
    }

    /// Writes a float: an integer if its JSON text is one that fits 64 bits.
    pub fn float(&mut self, value: f64) -> Result<(), Error> {
        let mut text = String::new();
        if !value.is_finite() {
            if self.flavor == Flavor::Sigs {
                let name = if value.is_nan() {
                    "NaN"
                } else if value > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                };
                return Err(Error::Json { problem: format!("json: unsupported value: {name}") });
            }
            text.push_str(if value.is_nan() {
                ".nan"
            } else if value > 0.0 {
                ".inf"
            } else {
                "-.inf"
            });
        } else if self.flavor == Flavor::Sigs && value.fract() == 0.0 && value.abs() < 1e21 {
            // An integer in JSON: read back with 64 bits if it fits.
            crate::go_number::write_float_json(value, &mut text);
            match resolve_plain(Dialect::V2, &text) {
                Resolved::Int(value) => return self.int(value),
                Resolved::Uint(value) => return self.uint(value),
                _ => {
                    text.clear();
                    write_float_g(value, &mut text);
                }
            }
        } else {
            write_float_g(value, &mut text);
        }
        self.plain(&text);
        Ok(())
    }

    /// Writes a whole value, its keys sorted.
    pub fn value(&mut self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.boolean(*value),
            Value::Int(value) => self.int(*value),
            Value::Uint(value) => self.uint(*value),
            Value::Float(value) => self.float(*value),
            Value::String(text) => self.string(text),
            Value::Sequence(items) => {
                self.begin_sequence(items.len())?;
                for item in items {
                    self.value(item)?;
                }
                self.end();
                Ok(())
            }
            Value::Mapping(mapping) => {
                self.begin_mapping(mapping.len())?;
                let mut entries: Vec<(&String, &Value)> = mapping.iter().collect();
                if self.flavor == Flavor::Sigs {
                    sort_naturally(&mut entries, |(key, _)| key);
                }
                for (key, item) in entries {
                    self.key(key)?;
                    self.value(item)?;
                }
                self.end();
                Ok(())
            }
        }
    }
}

fn resolves_to_string(text: &str) -> bool {
    resolve_plain(Dialect::V2, text) == Resolved::String && !is_base60(text)
}

fn control_character() -> Error {
    Error::syntax(0, "control characters are not allowed")
}

/// U+0085 in a JSON string is a line break to YAML: it is folded into a space, blanks around it are lost.
fn fold_next_lines(text: &str) -> String {
    let mut lines = text.split('\u{85}').peekable();
    let mut out = String::new();
    let mut breaks = 0;
    let mut first = true;
    while let Some(line) = lines.next() {
        let last = lines.peek().is_none();
        let line = if first { line } else { line.trim_start_matches(' ') };
        let line = if last { line } else { line.trim_end_matches(' ') };
        if !first && (!line.is_empty() || last) {
            if breaks == 1 {
                out.push(' ');
            } else {
                (1..breaks).for_each(|_| out.push('\n'));
            }
            breaks = 0;
        }
        out.push_str(line);
        breaks += 1;
        first = false;
    }
    out
}
