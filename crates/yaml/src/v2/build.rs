//! From the nodes of a document to values, with goyaml v2's rules on the way to JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use super::builder::{Builder, Numbers, Options, TreeBuilder};
use super::tape::{Kind, Node, Tape};
use super::text::{decode_base64, float_key, go_key, go_string, go_syntax};
use crate::go_number::write_float_json;
use crate::parse::Parser;
use crate::resolve::{Resolved, resolve_plain, resolve_tagged};
use crate::scan::{Dialect, Scanner};
use crate::{Error, MAX_DEPTH, Value};

pub(super) fn parse_with<B: Builder>(text: &[u8], options: Options, builder: &mut B) -> Result<B::Value, Error> {
    let input = crate::read::read(text);
    let mut parser = Parser::new(Scanner::from_input(&input, Dialect::V2));
    let Some(tape) = Tape::read(&mut parser)? else { return Ok(builder.null()) };
    let mut walk = Walk::new(&tape, options, builder);
    let value = walk.value(0, 0)?;
    match walk.finish()? {
        // What JSON cannot hold may have been replaced by a later equal key; look at what is left.
        Some(error) if has_unsupported(&tape, options)? => Err(error),
        _ => Ok(value),
    }
}

/// Takes the place of keys that JSON cannot hold while looking for them.
const UNSUPPORTED_KEY: &str = "\0unsupported";

fn has_unsupported(tape: &Tape<'_>, options: Options) -> Result<bool, Error> {
    let mut builder = TreeBuilder::<Value>::default();
    let mut walk = Walk::new(tape, Options { numbers: Numbers::Yaml, ..options }, &mut builder);
    walk.marks_unsupported = true;
    let root = walk.value(0, 0)?;
    let mut waiting = vec![&root];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Float(number) if !number.is_finite() => return Ok(true),
            Value::Sequence(items) => waiting.extend(items),
            Value::Mapping(mapping) if mapping.contains_key(UNSUPPORTED_KEY) => return Ok(true),
            Value::Mapping(mapping) => waiting.extend(mapping.values()),
            _ => {}
        }
    }
    Ok(false)
}

pub(super) fn plain_value(text: &str) -> Value {
    match resolve_plain(Dialect::V2, text) {
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => Value::Int(value),
        Resolved::Uint(value) => Value::Uint(value),
        Resolved::Float(value) => Value::Float(value),
        Resolved::Timestamp(_) | Resolved::String | Resolved::Binary => Value::String(text.to_owned()),
    }
}

/// A key as goyaml decodes it: keys of different types are different keys until JSON makes them strings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    String(String),
    Null,
}

struct Walk<'t, 'a, 'b, B: Builder> {
    tape: &'t Tape<'a>,
    options: Options,
    builder: &'b mut B,
    /// Problems that goyaml collects.
    problems: Vec<String>,
    /// The first thing that JSON cannot hold; reported only when the YAML itself was good.
    json_key_error: Option<Error>,
    json_value_error: Option<Error>,
    /// Give keys that JSON cannot hold a recognisable name.
    marks_unsupported: bool,
    /// Aliases being expanded.
    active: Vec<u32>,
    decoded: u64,
    decoded_in_aliases: u64,
}

impl<'t, 'a, 'b, B: Builder> Walk<'t, 'a, 'b, B> {
    fn new(tape: &'t Tape<'a>, options: Options, builder: &'b mut B) -> Self {
        Self {
            tape,
            options,
            builder,
            problems: Vec::new(),
            json_key_error: None,
            json_value_error: None,
            marks_unsupported: false,
            active: Vec::new(),
            decoded: 0,
            decoded_in_aliases: 0,
        }
    }

    /// What JSON cannot hold, when the YAML was good.
    fn finish(self) -> Result<Option<Error>, Error> {
        if !self.problems.is_empty() {
            return Err(Error::Unmarshal { problems: self.problems });
        }
        Ok(self.json_key_error.or(self.json_value_error))
    }

    fn node(&self, index: u32) -> Result<&'t Node<'a>, Error> {
        self.tape.get(index).ok_or_else(|| Error::syntax(0, "unknown problem parsing YAML content"))
    }

    /// go-yaml's guard against documents that are mostly aliases.
    fn count(&mut self) -> Result<(), Error> {
        self.decoded += 1;
        self.decoded_in_aliases += u64::from(!self.active.is_empty());
        if self.decoded_in_aliases > 100 && self.decoded > 1000 {
            excessive_aliasing(self.decoded, self.decoded_in_aliases)?;
        }
        Ok(())
    }

    fn value(&mut self, index: u32, depth: usize) -> Result<B::Value, Error> {
        self.count()?;
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let node = self.node(index)?;
        match &node.kind {
            Kind::Scalar { value, .. } => {
                let resolved = resolve(node)?;
                self.scalar(resolved, value)
            }
            Kind::Alias { name, target } => {
                self.enter_alias(name, index)?;
                let value = self.value(*target, depth + 1)?;
                self.active.pop();
                Ok(value)
            }
            Kind::Sequence => {
                let mut sequence = self.builder.begin_sequence();
                let mut child = index + 1;
                while child < node.end {
                    let value = self.value(child, depth + 1)?;
                    self.builder.push(&mut sequence, value);
                    child = self.node(child)?.end;
                }
                Ok(self.builder.end_sequence(sequence))
            }
            Kind::Mapping => {
                let mut mapping = self.builder.begin_mapping();
                let mut keys = HashSet::new();
                self.fill(index, depth, &mut mapping, &mut keys)?;
                Ok(self.builder.end_mapping(mapping))
            }
        }
    }

    fn enter_alias(&mut self, name: &str, index: u32) -> Result<(), Error> {
        if self.active.contains(&index) {
            return Err(Error::syntax(0, format!("anchor '{name}' value contains itself")));
        }
        if self.active.len() > MAX_DEPTH {
            return Err(too_deep());
        }
        self.active.push(index);
        Ok(())
    }

    fn scalar(&mut self, resolved: Resolved, text: &str) -> Result<B::Value, Error> {
        let builder = &mut *self.builder;
        Ok(match (resolved, self.options.numbers) {
            (Resolved::Null, _) => builder.null(),
            (Resolved::Bool(value), _) => builder.boolean(value),
            (Resolved::Int(value), Numbers::Float64) => builder.float(value as f64),
            (Resolved::Uint(value), Numbers::Float64) => builder.float(value as f64),
            (Resolved::Int(value), _) => builder.int(value),
            (Resolved::Uint(value), _) => builder.uint(value),
            (Resolved::Float(value), numbers) => {
                if !value.is_finite() {
                    let name = if value.is_nan() {
                        "NaN"
                    } else if value > 0.0 {
                        "+Inf"
                    } else {
                        "-Inf"
                    };
                    self.json_value_error
                        .get_or_insert_with(|| Error::Json { problem: format!("json: unsupported value: {name}") });
                }
                if numbers == Numbers::Json && value.fract() == 0.0 && value.abs() < 9.3e18 {
                    let mut digits = String::new();
                    write_float_json(value, &mut digits);
                    if let Ok(integer) = digits.parse() {
                        return Ok(builder.int(integer));
                    }
                }
                builder.float(value)
            }
            (Resolved::Binary, _) => {
                let text = go_string(decode_base64(text)?);
                builder.string(Cow::Owned(text))
            }
            (Resolved::String | Resolved::Timestamp(_), _) => builder.string(Cow::Borrowed(text)),
        })
    }

    fn fill(
        &mut self,
        index: u32,
        depth: usize,
        mapping: &mut B::Mapping,
        keys: &mut HashSet<Key>,
    ) -> Result<(), Error> {
        let end = self.node(index)?.end;
        let mut child = index + 1;
        while child < end {
            let key_node = self.node(child)?;
            let value_index = key_node.end;
            let value_node = self.node(value_index)?;
            if is_merge(key_node) {
                self.merge(value_index, depth, mapping, keys)?;
            } else {
                let (typed, key) = self.key(child, depth)?;
                let value = self.value(value_index, depth + 1)?;
                if self.options.strict
                    && let Some(typed) = typed
                {
                    let printed = go_key(&typed);
                    if !keys.insert(typed) {
                        self.problems.push(format!("line {}: key {printed} already set in map", key_node.line + 1));
                    }
                }
                self.builder.insert(mapping, key, value);
            }
            child = value_node.end;
        }
        Ok(())
    }

    /// A key both as goyaml has it (in strict mode only) and as JSON has it.
    fn key(&mut self, index: u32, depth: usize) -> Result<(Option<Key>, Cow<'t, str>), Error> {
        self.count()?;
        let node = self.node(index)?;
        let text = match &node.kind {
            Kind::Scalar { value, .. } => value,
            Kind::Alias { name, target } => {
                self.enter_alias(name, index)?;
                let key = self.key(*target, depth + 1)?;
                self.active.pop();
                return Ok(key);
            }
            Kind::Sequence | Kind::Mapping => return Err(self.collection_key(index, depth)?),
        };
        let resolved = resolve(node)?;
        let typed = match resolved {
            Resolved::Null => Key::Null,
            Resolved::Bool(value) => Key::Bool(value),
            Resolved::Int(value) => Key::Int(value),
            Resolved::Uint(value) => Key::Uint(value),
            Resolved::Float(value) => Key::Float(value.to_bits()),
            Resolved::Binary => {
                let text = go_string(decode_base64(text)?);
                return Ok((self.options.strict.then(|| Key::String(text.clone())), Cow::Owned(text)));
            }
            Resolved::String | Resolved::Timestamp(_) => {
                return Ok((self.options.strict.then(|| Key::String(text.to_string())), Cow::Borrowed(text)));
            }
        };
        let name = match &typed {
            Key::Uint(_) | Key::Null if self.marks_unsupported => Cow::Borrowed(UNSUPPORTED_KEY),
            Key::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Key::Int(value) => Cow::Owned(value.to_string()),
            Key::Float(bits) => Cow::Owned(float_key(f64::from_bits(*bits))),
            Key::Uint(value) => {
                let problem = format!("unsupported map key of type: uint64, key: {value:#x}");
                self.json_key_error.get_or_insert(Error::Json { problem });
                Cow::Owned(value.to_string())
            }
            Key::Null | Key::String(_) => {
                let problem = "unsupported map key of type: %!s(<nil>), key: <nil>".to_owned();
                self.json_key_error.get_or_insert(Error::Json { problem });
                Cow::Borrowed("null")
            }
        };
        Ok((Some(typed), name))
    }

    /// The error for `? [a]`; decoding the key comes first and may fail on its own.
    fn collection_key(&mut self, index: u32, depth: usize) -> Result<Error, Error> {
        let mut builder = TreeBuilder::<Value>::default();
        let mut walk = Walk::new(self.tape, Options { numbers: Numbers::Yaml, strict: false }, &mut builder);
        walk.active.clone_from(&self.active);
        let value = walk.value(index, depth + 1)?;
        let mut text = String::from("invalid map key: ");
        go_syntax(&value, &mut text);
        Ok(Error::syntax(0, text))
    }

    fn merge(
        &mut self,
        index: u32,
        depth: usize,
        mapping: &mut B::Mapping,
        keys: &mut HashSet<Key>,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let node = self.node(index)?;
        match &node.kind {
            Kind::Mapping => {
                self.count()?;
                self.fill(index, depth + 1, mapping, keys)
            }
            Kind::Alias { name, target } => {
                if !matches!(self.node(*target)?.kind, Kind::Mapping) {
                    return Err(wants_map());
                }
                self.count()?;
                self.enter_alias(name, index)?;
                self.count()?;
                self.fill(*target, depth + 1, mapping, keys)?;
                self.active.pop();
                Ok(())
            }
            Kind::Sequence => {
                // The first of the list wins, so it is applied last.
                let mut items = Vec::new();
                let mut child = index + 1;
                while child < node.end {
                    items.push(child);
                    child = self.node(child)?.end;
                }
                for item in items.into_iter().rev() {
                    if matches!(self.node(item)?.kind, Kind::Scalar { .. } | Kind::Sequence) {
                        return Err(wants_map());
                    }
                    self.merge(item, depth + 1, mapping, keys)?;
                }
                Ok(())
            }
            Kind::Scalar { .. } => Err(wants_map()),
        }
    }
}

fn wants_map() -> Error {
    Error::syntax(0, "map merge requires map or sequence of maps as the value")
}

fn too_deep() -> Error {
    Error::syntax(0, format!("exceeded max depth of {MAX_DEPTH}"))
}

/// go-yaml: up to 400,000 nodes nearly all may come from aliases, from 4,000,000 on a tenth.
pub(crate) fn excessive_aliasing(decoded: u64, in_aliases: u64) -> Result<(), Error> {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let total = decoded as f64;
    let allowed = if total <= LOW {
        0.99
    } else if total >= HIGH {
        0.10
    } else {
        0.99 - 0.89 * ((total - LOW) / (HIGH - LOW))
    };
    if in_aliases as f64 / total > allowed {
        return Err(Error::syntax(0, "document contains excessive aliasing"));
    }
    Ok(())
}

fn is_merge(node: &Node<'_>) -> bool {
    match &node.kind {
        Kind::Scalar { value, implicit, .. } => {
            value == "<<" && (*implicit || node.tag.as_deref() == Some("tag:yaml.org,2002:merge"))
        }
        _ => false,
    }
}

fn resolve(node: &Node<'_>) -> Result<Resolved, Error> {
    let Kind::Scalar { value, implicit, quoted } = &node.kind else { return Ok(Resolved::String) };
    match node.tag.as_deref() {
        None if *implicit && !*quoted => Ok(resolve_plain(Dialect::V2, value)),
        None => Ok(Resolved::String),
        Some(tag) => resolve_tagged(Dialect::V2, tag, value),
    }
}
