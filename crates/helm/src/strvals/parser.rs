//! The recursive reader behind `strvals`: it walks the text once and writes into the values as it goes.

use super::{Mode, StrvalsError};
use crate::go_text::{equal_fold, is_space, quote};
use crate::value::Value;
use crate::values::graph::{ListRef, MapRef, Node};
use std::rc::Rc;
use std::sync::Arc;

/// Helm's largest list index.
const LARGEST_INDEX: i64 = 65_536;
/// Helm's deepest dotted name.
const DEEPEST_NAME: usize = 30;
/// Our bound on all nesting, lists included; Helm has none for lists.
const DEEPEST_NESTING: usize = 512;
/// Our bound on list slots made by one text: 16 lists of the largest index.
const MOST_LIST_SLOTS: usize = 16 * 65_537;

/// Why reading stopped early: the text ended (not an error to Helm) or it is wrong.
enum Stop {
    End,
    Error(StrvalsError),
}

type Step<T> = Result<T, Stop>;

fn fail<T>(message: impl Into<String>) -> Step<T> {
    Err(Stop::Error(StrvalsError(message.into())))
}

pub(super) struct Parser<'a> {
    text: &'a str,
    position: usize,
    mode: Mode<'a>,
    depth: usize,
    list_slots: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, mode: Mode<'a>) -> Self {
        Self { text, position: 0, mode, depth: 0, list_slots: 0 }
    }

    pub(super) fn parse(mut self, values: &MapRef) -> Result<(), StrvalsError> {
        loop {
            match self.key(values, 0) {
                Ok(()) => {}
                Err(Stop::End) => return Ok(()),
                Err(Stop::Error(error)) => return Err(error),
            }
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.position += character.len_utf8();
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn is_literal(&self) -> bool {
        matches!(self.mode, Mode::Literal)
    }

    /// Reads up to one of the stop characters; `None` when the text ended first.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut read = String::new();
        while let Some(character) = self.next() {
            if stops.contains(&character) {
                return (read, Some(character));
            }
            if character == '\\' && !self.is_literal() {
                match self.next() {
                    Some(escaped) => read.push(escaped),
                    None => return (read, None),
                }
            } else {
                read.push(character);
            }
        }
        (read, None)
    }

    fn enter(&mut self) -> Step<()> {
        self.depth += 1;
        if self.depth > DEEPEST_NESTING {
            return fail(format!("value is nested deeper than the maximum of {DEEPEST_NESTING} levels"));
        }
        Ok(())
    }

    fn key(&mut self, values: &MapRef, level: usize) -> Step<()> {
        self.enter()?;
        let result = self.key_inner(values, level);
        self.depth -= 1;
        result
    }

    fn key_inner(&mut self, values: &MapRef, level: usize) -> Step<()> {
        let stops: &[char] = if self.is_literal() { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, last) = self.until(stops);
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => fail(format!("key {} has no value", quote(&key))),
            Some('[') => {
                let index = self.key_index()?;
                let existing = values.borrow().get(key.as_str()).cloned();
                let list = match existing {
                    None => ListRef::default(),
                    Some(Node::List(items)) => items,
                    Some(other) => return conversion(&other, "[]interface {}"),
                };
                let (list, result) = self.list_item(list, index, level);
                set(values, key, Node::List(list));
                result
            }
            Some('=') => self.assign(values, key),
            Some(',') => {
                let message = format!("key {} has no value (cannot end with ,)", quote(&key));
                set(values, key, Value::from("").into());
                fail(message)
            }
            Some(_) => {
                let level = level + 1;
                if level > DEEPEST_NAME {
                    return fail(format!(
                        "value name nested level is greater than maximum supported nested level of {DEEPEST_NAME}"
                    ));
                }
                let existing = values.borrow().get(key.as_str()).cloned();
                let inner = match existing {
                    None => MapRef::default(),
                    Some(Node::Map(map)) => map,
                    Some(other) => return conversion(&other, "map[string]interface {}"),
                };
                let result = self.key(&inner, level);
                let empty = inner.borrow().is_empty();
                if !empty {
                    set(values, key.clone(), Node::Map(inner));
                }
                if result.is_ok() && empty {
                    return fail(format!("key map {} has no value", quote(&key)));
                }
                result
            }
        }
    }

    /// Reads the value after `key=`.
    fn assign(&mut self, values: &MapRef, key: String) -> Step<()> {
        match self.mode {
            Mode::Json => {
                let value = self.json_value()?;
                set(values, key, value.into());
                Ok(())
            }
            Mode::Literal => {
                let text = self.until(&[]).0;
                set(values, key, Value::from(text).into());
                Ok(())
            }
            _ => match self.peek() {
                None => {
                    set(values, key, Value::from("").into());
                    Err(Stop::End)
                }
                Some('{') => {
                    let list = self.value_list()?;
                    set(values, key, list.into());
                    Ok(())
                }
                Some(_) => {
                    let text = self.until(&[',']).0;
                    let value = self.convert(text)?;
                    set(values, key, value.into());
                    Ok(())
                }
            },
        }
    }

    fn key_index(&mut self) -> Step<i64> {
        let (text, last) = self.until(&[']']);
        if last.is_none() {
            return Err(Stop::End);
        }
        text.parse::<i64>().or_else(|error| {
            let reason = match error.kind() {
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            fail(format!("error parsing index: strconv.Atoi: parsing {}: {reason}", quote(&text)))
        })
    }

    /// Puts what follows into the list, in place or into a longer copy, and gives the list that results.
    fn list_item(&mut self, list: ListRef, index: i64, level: usize) -> (ListRef, Step<()>) {
        if let Err(stop) = self.enter() {
            return (list, Err(stop));
        }
        let item = self.item(&list, index, level);
        self.depth -= 1;
        match item {
            Ok(node) => match self.set_index(&list, index, node) {
                Ok(list) => (list, Ok(())),
                Err(stop) => (list, Err(stop)),
            },
            Err(stop) => (list, Err(stop)),
        }
    }

    /// Reads the item that belongs at the index.
    fn item(&mut self, list: &ListRef, index: i64, level: usize) -> Step<Node> {
        let Ok(slot) = usize::try_from(index) else {
            return fail(format!("negative {index} index not allowed"));
        };
        let (unexpected, last) = self.until(&['[', '.', '=']);
        if !unexpected.is_empty() {
            return fail(format!("unexpected data at end of array index: {}", quote_characters(&unexpected)));
        }
        let existing = list.borrow().get(slot).cloned();
        match last {
            None => Err(Stop::End),
            Some('=') => Ok(Node::from(match self.mode {
                Mode::Json => self.json_value()?,
                Mode::Literal => Value::from(self.until(&[]).0),
                _ => match self.peek() {
                    None => Value::from(""),
                    Some('{') => self.value_list()?,
                    Some(_) => {
                        let text = self.until(&[',']).0;
                        self.convert(text)?
                    }
                },
            })),
            Some('[') => {
                let next = self.key_index()?;
                let nested = match existing {
                    None | Some(Node::Scalar(Value::Null)) => ListRef::default(),
                    Some(Node::List(items)) => items,
                    Some(other) => return conversion(&other, "[]interface {}"),
                };
                let (nested, result) = self.list_item(nested, next, level);
                result.map(|()| Node::List(nested))
            }
            Some(_) => {
                let inner = match existing {
                    None => MapRef::default(),
                    Some(Node::Map(map)) => map,
                    // Indices out of order: what is there is replaced by an empty table.
                    Some(_) => {
                        let inner = MapRef::default();
                        if let Some(place) = list.borrow_mut().get_mut(slot) {
                            *place = Node::Map(inner.clone());
                        }
                        inner
                    }
                };
                self.key(&inner, level)?;
                Ok(Node::Map(inner))
            }
        }
    }

    fn set_index(&mut self, list: &ListRef, index: i64, node: Node) -> Step<ListRef> {
        if index > LARGEST_INDEX {
            return fail(format!("index of {index} is greater than maximum supported index of {LARGEST_INDEX}"));
        }
        let Ok(slot) = usize::try_from(index) else {
            return fail(format!("negative {index} index not allowed"));
        };
        let length = list.borrow().len();
        if slot < length {
            if let Some(place) = list.borrow_mut().get_mut(slot) {
                *place = node;
            }
            return Ok(list.clone());
        }
        self.list_slots += slot + 1 - length;
        if self.list_slots > MOST_LIST_SLOTS {
            return fail(format!("lists have more than {MOST_LIST_SLOTS} items together"));
        }
        // Go grows into a new list: who shares the old one does not see the change. Only the copy is skipped when nobody does.
        let mut grown = if Rc::strong_count(list) == 1 { list.take() } else { list.borrow().clone() };
        grown.resize(slot, Node::Scalar(Value::Null));
        grown.push(node);
        Ok(Rc::new(std::cell::RefCell::new(grown)))
    }

    /// Reads `{a,b,c}`; the opening brace is still to be read.
    fn value_list(&mut self) -> Step<Value> {
        self.next();
        let mut items = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            match last {
                None => return fail("list must terminate with '}'"),
                Some('}') => {
                    if self.peek() == Some(',') {
                        self.next();
                    }
                    items.push(self.convert(text)?);
                    return Ok(Value::from(items));
                }
                Some(_) => items.push(self.convert(text)?),
            }
        }
    }

    fn convert(&self, text: String) -> Step<Value> {
        match self.mode {
            Mode::Typed => Ok(typed(text)),
            Mode::File(read) => match read(&text) {
                Ok(content) => Ok(Value::from(content)),
                Err(message) => fail(message),
            },
            Mode::String | Mode::Json | Mode::Literal => Ok(Value::from(text)),
        }
    }

    /// Reads blanks up to a comma, the end, or a value; true when there is no value.
    fn empty_value(&mut self) -> bool {
        while let Some(character) = self.peek() {
            if character == ',' {
                self.next();
                return true;
            }
            if !is_space(character) {
                return false;
            }
            self.next();
        }
        true
    }

    fn json_value(&mut self) -> Step<Value> {
        if self.empty_value() {
            return Ok(Value::Null);
        }
        let rest = self.rest();
        let (value, length) = decode_json_prefix(rest).or_else(fail)?;
        self.position += length;
        self.empty_value();
        Ok(value)
    }
}

/// Decodes one JSON value at the start of the text and says how long it is. What follows a scalar may be anything, as
/// for Go's decoder.
fn decode_json_prefix(text: &str) -> Result<(Value, usize), String> {
    for (literal, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
        if text.starts_with(literal) {
            return Ok((value, literal.len()));
        }
    }
    let scalar_end = json_number_length(text)?;
    let candidate = if scalar_end > 0 { text.get(..scalar_end).unwrap_or_default() } else { text };
    let mut stream = serde_json::Deserializer::from_str(candidate).into_iter::<serde_json::Value>();
    match stream.next() {
        Some(Ok(json)) => Ok((Value::from_json(&json), stream.byte_offset())),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("unexpected end of JSON input".into()),
    }
}

/// The length of the JSON number the text starts with; 0 when there is none. As for Go's decoder, a point or exponent
/// without digits is an error, also where a shorter number stands before it.
fn json_number_length(text: &str) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let at = |position: usize| bytes.get(position).copied().unwrap_or(0);
    let digits = |mut position: usize| {
        while at(position).is_ascii_digit() {
            position += 1;
        }
        position
    };
    let some_digits = |position: usize, place: &str| match text.get(position..).and_then(|rest| rest.chars().next()) {
        Some('0'..='9') => Ok(digits(position)),
        Some(other) => {
            Err(format!("invalid character {} {place}", quote_characters(&other.to_string()).trim_matches(['[', ']'])))
        }
        None => Err("unexpected EOF".to_owned()),
    };
    let start = usize::from(at(0) == b'-');
    let mut end = if at(start) == b'0' { start + 1 } else { digits(start) };
    if end == start {
        return Ok(0);
    }
    if at(end) == b'.' {
        end = some_digits(end + 1, "after decimal point in numeric literal")?;
    }
    if matches!(at(end), b'e' | b'E') {
        let sign = usize::from(matches!(at(end + 1), b'+' | b'-'));
        end = some_digits(end + 1 + sign, "in exponent of numeric literal")?;
    }
    Ok(end)
}

fn set(values: &MapRef, key: String, node: Node) {
    if !key.is_empty() {
        values.borrow_mut().insert(Arc::from(key), node);
    }
}

fn conversion<T>(found: &Node, wanted: &str) -> Step<T> {
    let found = found.go_type();
    fail(format!("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"))
}

/// Go's `%q` of a list of characters.
fn quote_characters(text: &str) -> String {
    let quoted: Vec<String> = text
        .chars()
        .map(|character| match character {
            '\'' => "'\\''".to_owned(),
            '"' => "'\"'".to_owned(),
            other => {
                let quoted = quote(&other.to_string());
                format!("'{}'", quoted.trim_matches('"'))
            }
        })
        .collect();
    format!("[{}]", quoted.join(" "))
}

fn typed(text: String) -> Value {
    if equal_fold(&text, "true") {
        return Value::Bool(true);
    }
    if equal_fold(&text, "false") {
        return Value::Bool(false);
    }
    if equal_fold(&text, "null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::Int(0);
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::Int(number);
    }
    Value::from(text)
}
