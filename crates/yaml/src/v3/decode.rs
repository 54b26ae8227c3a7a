//! From nodes to values, and the expansion of aliases.

use std::collections::{BTreeMap, HashMap};

use super::node::{Kind, Node, Style};
use crate::resolve::{Resolved, resolve_plain, resolve_tagged};
use crate::scan::Dialect;
use crate::{Error, MAX_DEPTH, Value};

/// Most problems listed in one error.
const MAX_PROBLEMS: usize = 100;

/// What each alias of a tree stands for, by the address of the alias node.
struct Targets<'n>(HashMap<usize, &'n Node>);

fn address(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

impl<'n> Targets<'n> {
    fn of(root: &'n Node) -> Result<Self, Error> {
        let mut targets = HashMap::new();
        let mut anchors: HashMap<&'n str, &'n Node> = HashMap::new();
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            if let Some(anchor) = &node.anchor {
                anchors.insert(anchor, node);
            }
            if node.kind == Kind::Alias {
                let Some(target) = anchors.get(node.value.as_str()) else {
                    return Err(Error::syntax(0, format!("unknown anchor '{}' referenced", node.value)));
                };
                targets.insert(address(node), *target);
            }
            waiting.extend(node.content.iter().rev());
        }
        Ok(Self(targets))
    }

    fn get(&self, alias: &Node) -> Result<&'n Node, Error> {
        match self.0.get(&address(alias)) {
            Some(target) => Ok(target),
            None => Err(Error::syntax(0, format!("unknown anchor '{}' referenced", alias.value))),
        }
    }
}

/// Counts nodes and the aliases that are being followed.
#[derive(Default)]
struct Guard {
    decoded: u64,
    decoded_in_aliases: u64,
    active: Vec<usize>,
}

impl Guard {
    fn count(&mut self, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::syntax(0, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.decoded += 1;
        self.decoded_in_aliases += u64::from(!self.active.is_empty());
        if self.decoded_in_aliases > 100 && self.decoded > 1000 {
            crate::v2::excessive_aliasing(self.decoded, self.decoded_in_aliases)?;
        }
        Ok(())
    }

    fn enter(&mut self, alias: &Node) -> Result<(), Error> {
        if self.active.contains(&address(alias)) {
            return Err(Error::syntax(0, format!("anchor '{}' value contains itself", alias.value)));
        }
        self.active.push(address(alias));
        Ok(())
    }

    fn leave(&mut self) {
        self.active.pop();
    }
}

/// Decodes a node as `Decode(&interface{})` does, on to what `encoding/json` can hold: keys must be strings, numbers finite,
/// and timestamps become text.
pub fn decode(node: &Node) -> Result<Value, Error> {
    let targets = Targets::of(node)?;
    let mut decoder = Decoder { targets, guard: Guard::default(), problems: Vec::new(), json_error: None };
    let value = decoder.value(node, 0)?;
    if !decoder.problems.is_empty() {
        return Err(Error::Unmarshal { problems: decoder.problems });
    }
    match decoder.json_error {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

struct Decoder<'n> {
    targets: Targets<'n>,
    guard: Guard,
    problems: Vec<String>,
    json_error: Option<Error>,
}

impl<'n> Decoder<'n> {
    fn value(&mut self, node: &'n Node, depth: usize) -> Result<Value, Error> {
        self.guard.count(depth)?;
        match node.kind {
            Kind::Document => node.content.first().map_or(Ok(Value::Null), |root| self.value(root, depth + 1)),
            Kind::Alias => {
                let target = self.targets.get(node)?;
                self.guard.enter(node)?;
                let value = self.value(target, depth + 1)?;
                self.guard.leave();
                Ok(value)
            }
            Kind::Sequence => {
                let mut items = Vec::with_capacity(node.content.len());
                for item in &node.content {
                    items.push(self.value(item, depth + 1)?);
                }
                Ok(Value::Sequence(items))
            }
            Kind::Mapping => {
                let mut mapping = BTreeMap::new();
                // The map's own keys decide whether Go makes a map of strings; merged keys then become strings as written.
                let strings = node.entries().all(|(key, _)| self.is_string_key(key));
                self.fill(node, depth, &mut mapping, strings, false)?;
                Ok(Value::Mapping(mapping))
            }
            Kind::Scalar => self.scalar(node),
        }
    }

    fn scalar(&mut self, node: &Node) -> Result<Value, Error> {
        Ok(match resolve(node)? {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) => Value::Int(value),
            Resolved::Uint(value) => Value::Uint(value),
            Resolved::Float(value) => {
                if !value.is_finite() {
                    let name = if value.is_nan() {
                        "NaN"
                    } else if value > 0.0 {
                        "+Inf"
                    } else {
                        "-Inf"
                    };
                    self.json_error
                        .get_or_insert_with(|| Error::Json { problem: format!("json: unsupported value: {name}") });
                }
                Value::Float(value)
            }
            Resolved::Timestamp(moment) => Value::String(moment.to_rfc3339()),
            Resolved::Binary => Value::String(crate::v2::go_string(crate::v2::decode_base64(&node.value)?)),
            Resolved::String => Value::String(node.value.clone()),
        })
    }

    /// Adds what is not there yet: explicit keys come before merged ones.
    fn fill(
        &mut self,
        node: &'n Node,
        depth: usize,
        mapping: &mut BTreeMap<String, Value>,
        strings: bool,
        in_merge: bool,
    ) -> Result<(), Error> {
        if self.find_equal_keys(node) {
            return Ok(());
        }
        let mut merged = None;
        for (key, value) in node.entries() {
            if key.kind == Kind::Scalar && key.short_tag() == "!!merge" {
                merged = Some(value);
                continue;
            }
            let Some(name) = self.key(key, depth, strings)? else { continue };
            // What is merged yields to what is there, and is not even looked at.
            if in_merge && mapping.contains_key(&name) {
                continue;
            }
            let value = self.value(value, depth + 1)?;
            mapping.insert(name, value);
        }
        merged.map_or(Ok(()), |merged| self.merge(merged, depth, mapping, strings))
    }

    fn is_string_key(&self, key: &Node) -> bool {
        let key = if key.kind == Kind::Alias { self.targets.get(key).unwrap_or(key) } else { key };
        key.kind == Kind::Scalar && matches!(&*key.short_tag(), "!!str" | "!!merge")
    }

    fn key(&mut self, node: &'n Node, depth: usize, strings: bool) -> Result<Option<String>, Error> {
        self.guard.count(depth)?;
        match node.kind {
            Kind::Alias => {
                let target = self.targets.get(node)?;
                self.guard.enter(node)?;
                let key = self.key(target, depth + 1, strings)?;
                self.guard.leave();
                Ok(key)
            }
            Kind::Scalar => {
                let resolved = resolve(node)?;
                if strings {
                    // A null key sets nothing in a map of strings.
                    return Ok(match resolved {
                        Resolved::Null => None,
                        Resolved::Binary => Some(crate::v2::go_string(crate::v2::decode_base64(&node.value)?)),
                        _ => Some(node.value.clone()),
                    });
                }
                self.json_error.get_or_insert_with(|| Error::Json {
                    problem: "json: unsupported type: map[interface {}]interface {}".to_owned(),
                });
                Ok(Some(node.value.clone()))
            }
            Kind::Document | Kind::Sequence | Kind::Mapping => {
                let name = if node.kind == Kind::Mapping { "map[string]interface {}" } else { "[]interface {}" };
                Err(Error::syntax(0, format!("invalid map key: {name}{{...}}")))
            }
        }
    }

    fn merge(
        &mut self,
        node: &'n Node,
        depth: usize,
        mapping: &mut BTreeMap<String, Value>,
        strings: bool,
    ) -> Result<(), Error> {
        self.guard.count(depth)?;
        match node.kind {
            Kind::Mapping => self.fill(node, depth + 1, mapping, strings, true),
            Kind::Alias => {
                let target = self.targets.get(node)?;
                if target.kind != Kind::Mapping {
                    return Err(wants_map());
                }
                self.guard.enter(node)?;
                self.fill(target, depth + 1, mapping, strings, true)?;
                self.guard.leave();
                Ok(())
            }
            Kind::Sequence => {
                for item in &node.content {
                    if !matches!(item.kind, Kind::Mapping | Kind::Alias) {
                        return Err(wants_map());
                    }
                    self.merge(item, depth + 1, mapping, strings)?;
                }
                Ok(())
            }
            Kind::Scalar | Kind::Document => Err(wants_map()),
        }
    }

    fn find_equal_keys(&mut self, node: &Node) -> bool {
        let mut first: HashMap<(u8, &str), u32> = HashMap::new();
        let mut found = false;
        for (key, _) in node.entries() {
            let kind = key.kind as u8;
            match first.get(&(kind, key.value.as_str())) {
                Some(line) => {
                    found = true;
                    if self.problems.len() < MAX_PROBLEMS {
                        self.problems.push(format!(
                            "line {}: mapping key {:?} already defined at line {line}",
                            key.line, key.value
                        ));
                    }
                }
                None => {
                    first.insert((kind, &key.value), key.line);
                }
            }
        }
        found
    }
}

fn wants_map() -> Error {
    Error::syntax(0, "map merge requires map or sequence of maps as the value")
}

fn resolve(node: &Node) -> Result<Resolved, Error> {
    resolve_scalar(&node.tag, &node.value, node.is_quoted(), node.style.has(Style::TAGGED))
}

fn resolve_scalar(tag: &str, text: &str, quoted: bool, tagged: bool) -> Result<Resolved, Error> {
    if tag.is_empty() || tag == "!" || (!tagged && tag == super::plain_tag(text)) {
        return Ok(if quoted { Resolved::String } else { resolve_plain(Dialect::V3, text) });
    }
    resolve_tagged(Dialect::V3, tag, text)
}

/// What a scalar decodes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Int(i64),
    /// A larger integer.
    Uint(u64),
    /// Any other number, perhaps not finite.
    Float(f64),
    /// Its own text.
    Text,
    /// Text that has to be decoded: a timestamp or base64.
    Other,
}

/// What a scalar with this short tag (empty: the text decides; not written out in the source) decodes to.
pub fn meaning(tag: &str, text: &str, quoted: bool) -> Result<Meaning, Error> {
    Ok(match resolve_scalar(tag, text, quoted, false)? {
        Resolved::Null => Meaning::Null,
        Resolved::Bool(value) => Meaning::Bool(value),
        Resolved::Int(value) => Meaning::Int(value),
        Resolved::Uint(value) => Meaning::Uint(value),
        Resolved::Float(value) => Meaning::Float(value),
        Resolved::String => Meaning::Text,
        Resolved::Timestamp(_) | Resolved::Binary => Meaning::Other,
    })
}

/// The tree without anchors, aliases and merge keys, as kyaml's `DeAnchor` leaves it: merged keys come after the map's own.
pub fn expand_aliases(root: &Node) -> Result<Node, Error> {
    let mut expander = Expander { targets: Targets::of(root)?, guard: Guard::default() };
    expander.expand(root, 0)
}

struct Expander<'n> {
    targets: Targets<'n>,
    guard: Guard,
}

impl<'n> Expander<'n> {
    fn expand(&mut self, node: &'n Node, depth: usize) -> Result<Node, Error> {
        self.guard.count(depth)?;
        if node.kind == Kind::Alias {
            let target = self.targets.get(node)?;
            self.guard.enter(node)?;
            let expanded = self.expand(target, depth + 1)?;
            self.guard.leave();
            return Ok(expanded);
        }
        let mut expanded = Node {
            kind: node.kind,
            style: node.style,
            tag: node.tag.clone(),
            value: node.value.clone(),
            anchor: None,
            content: Vec::with_capacity(node.content.len()),
            comments: node.comments.clone(),
            line: node.line,
            column: node.column,
        };
        if node.kind != Kind::Mapping {
            for child in &node.content {
                expanded.content.push(self.expand(child, depth + 1)?);
            }
            return Ok(expanded);
        }
        let mut merges = Vec::new();
        for (key, value) in node.entries() {
            if key.kind == Kind::Scalar && key.short_tag() == "!!merge" {
                merges.push(value);
            } else if key.kind == Kind::Scalar && key.value == "<<" {
                // kyaml drops what is only spelled like a merge key.
            } else {
                expanded.content.push(self.expand(key, depth + 1)?);
                expanded.content.push(self.expand(value, depth + 1)?);
            }
        }
        if merges.len() > 1 {
            return Err(Error::syntax(0, "duplicate merge key"));
        }
        for value in merges {
            let own = expanded.content.len();
            self.merge(value, &mut expanded, own, depth)?;
        }
        Ok(expanded)
    }

    /// Adds the entries that the map's own (the first `own` nodes) do not have; a merge key inside the merged map is an entry
    /// like any other, as in kyaml. Of a list the last is added first and the first wins.
    fn merge(&mut self, source: &'n Node, into: &mut Node, own: usize, depth: usize) -> Result<(), Error> {
        self.guard.count(depth)?;
        match source.kind {
            Kind::Alias => {
                let target = self.targets.get(source)?;
                self.guard.enter(source)?;
                self.merge(target, into, own, depth + 1)?;
                self.guard.leave();
            }
            Kind::Sequence => {
                for item in source.content.iter().rev() {
                    if item.kind == Kind::Sequence {
                        return Err(Error::syntax(0, "invalid map merge: received a nested sequence"));
                    }
                    self.merge(item, into, own, depth + 1)?;
                }
            }
            Kind::Mapping => {
                for (key, value) in source.entries() {
                    let found = into.content.iter().step_by(2).position(|known| known.value == key.value);
                    match found.map(|index| 2 * index) {
                        Some(index) if index < own => {}
                        Some(index) => {
                            let pair = [self.expand(key, depth + 1)?, self.expand(value, depth + 1)?];
                            for (slot, node) in into.content.iter_mut().skip(index).zip(pair) {
                                *slot = node;
                            }
                        }
                        None => {
                            into.content.push(self.expand(key, depth + 1)?);
                            into.content.push(self.expand(value, depth + 1)?);
                        }
                    }
                }
            }
            Kind::Scalar | Kind::Document => return Err(wants_map()),
        }
        Ok(())
    }
}
