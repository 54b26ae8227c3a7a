//! From events to node trees.

use std::borrow::Cow;
use std::collections::HashSet;

use super::node::{Comments, Kind, Node, Style};
use crate::parse::{EventKind, Parser, Properties};
use crate::scan::{Dialect, Mark, ScalarStyle, Scanner};
use crate::{Error, MAX_DEPTH};

/// Reads the first document (a [`Kind::Document`] node); `None` when there is none.
pub fn parse(text: &[u8]) -> Result<Option<Node>, Error> {
    let input = crate::read::read(text);
    let mut composer = Composer::new(Scanner::from_input(&input, Dialect::V3));
    composer.document()
}

/// Reads all documents.
pub fn parse_all(text: &[u8]) -> Result<Vec<Node>, Error> {
    let input = crate::read::read(text);
    let mut composer = Composer::new(Scanner::from_input(&input, Dialect::V3));
    let mut documents = Vec::new();
    while let Some(document) = composer.document()? {
        documents.push(document);
    }
    Ok(documents)
}

struct Composer<'a> {
    parser: Parser<'a>,
    /// Anchors stay known in later documents.
    anchors: HashSet<&'a str>,
}

impl<'a> Composer<'a> {
    fn new(scanner: Scanner<'a>) -> Self {
        Self { parser: Parser::new(scanner), anchors: HashSet::new() }
    }

    fn document(&mut self) -> Result<Option<Node>, Error> {
        let mut document = loop {
            let event = self.parser.next_event()?;
            match event.kind {
                EventKind::StreamStart => {}
                EventKind::DocumentStart => {
                    let mut document = node(Kind::Document, Cow::Borrowed(""), event.start);
                    document.comments = comments(event.comments);
                    break document;
                }
                _ => return Ok(None),
            }
        };
        // The document and the collections that are open, innermost last.
        document.content.reserve_exact(1);
        let mut open = vec![document];
        loop {
            let event = self.parser.next_event()?;
            let event_comments = comments(event.comments);
            let (mut finished, properties) = match event.kind {
                EventKind::Scalar { properties, value, style, .. } => {
                    (scalar(&properties, value, style, event.start), properties)
                }
                EventKind::Alias(name) => {
                    if !self.anchors.contains(name) {
                        return Err(Error::syntax(0, format!("unknown anchor '{name}' referenced")));
                    }
                    let mut alias = node(Kind::Alias, Cow::Borrowed(""), event.start);
                    name.clone_into(&mut alias.value);
                    (alias, Properties::default())
                }
                EventKind::SequenceStart { properties, flow } => {
                    self.open(&mut open, Kind::Sequence, &properties, flow, event.start, event_comments)?;
                    continue;
                }
                EventKind::MappingStart { properties, flow } => {
                    self.open(&mut open, Kind::Mapping, &properties, flow, event.start, event_comments)?;
                    continue;
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    let Some(mut finished) = open.pop() else { return Ok(None) };
                    close(&mut finished, event_comments);
                    if let Some(parent) = open.last_mut() {
                        attach(parent, finished);
                    }
                    continue;
                }
                EventKind::DocumentEnd => {
                    let Some(mut document) = open.pop() else { return Ok(None) };
                    if let Some(found) = event_comments {
                        document.comments.get_or_insert_default().foot = found.foot;
                    }
                    return Ok(Some(document));
                }
                EventKind::DocumentStart | EventKind::StreamStart | EventKind::StreamEnd => {
                    return Ok(open.pop());
                }
            };
            self.anchors.extend(properties.anchor);
            finished.comments = event_comments;
            if let Some(parent) = open.last_mut() {
                attach(parent, finished);
            }
        }
    }

    fn open(
        &mut self,
        open: &mut Vec<Node>,
        kind: Kind,
        properties: &Properties<'a>,
        flow: bool,
        start: Mark,
        comments: Option<Box<Comments>>,
    ) -> Result<(), Error> {
        if open.len() > MAX_DEPTH {
            return Err(Error::syntax(0, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.anchors.extend(properties.anchor);
        let implied = if kind == Kind::Sequence { "!!seq" } else { "!!map" };
        let (tag, style) = explicit_tag(properties).unwrap_or((Cow::Borrowed(implied), Style::NONE));
        let mut opened = node(kind, tag, start);
        opened.style = if flow { style | Style::FLOW } else { style };
        opened.anchor = properties.anchor.map(Into::into);
        opened.comments = comments;
        open.push(opened);
        Ok(())
    }
}

fn comments(found: Option<Box<crate::parse::Comments>>) -> Option<Box<Comments>> {
    let crate::parse::Comments { head, line, foot } = *found?;
    Some(Box::new(Comments { head, line, foot }))
}

/// The comments at the end of a collection; a foot in a block map is about its last key.
fn close(node: &mut Node, found: Option<Box<Comments>>) {
    let Comments { line, foot, .. } = found.map(|found| *found).unwrap_or_default();
    set(node, |comments| &mut comments.line, line);
    let keys = node.content.len();
    if node.kind == Kind::Mapping && !node.style.has(Style::FLOW) && !foot.is_empty() && keys > 1 {
        set(node, |comments| &mut comments.foot, String::new());
        if let Some(key) = node.content.get_mut(keys - 2) {
            set(key, |comments| &mut comments.foot, foot);
        }
    } else {
        set(node, |comments| &mut comments.foot, foot);
    }
}

fn set(node: &mut Node, field: impl Fn(&mut Comments) -> &mut String, text: String) {
    if !text.is_empty() {
        *field(node.comments.get_or_insert_default()) = text;
    } else if let Some(comments) = &mut node.comments {
        field(comments).clear();
    }
}

fn take_foot(node: &mut Node) -> String {
    node.comments.as_mut().map(|comments| std::mem::take(&mut comments.foot)).unwrap_or_default()
}

/// Appends a child; in maps, foot comments go to the keys that they are about.
fn attach(parent: &mut Node, mut child: Node) {
    if parent.kind == Kind::Mapping {
        let count = parent.content.len();
        if count.is_multiple_of(2) {
            // A foot of a key in block style was meant for the entry before.
            let block = !parent.style.has(Style::FLOW);
            if block && count >= 2 && child.comments.as_ref().is_some_and(|comments| !comments.foot.is_empty()) {
                let foot = take_foot(&mut child);
                if let Some(key) = parent.content.get_mut(count - 2) {
                    set(key, |comments| &mut comments.foot, foot);
                }
            }
        } else if let Some(key) = parent.content.last_mut()
            && key.comments.as_ref().is_none_or(|comments| comments.foot.is_empty())
        {
            let foot = take_foot(&mut child);
            if !foot.is_empty() {
                set(key, |comments| &mut comments.foot, foot);
            }
        }
    }
    parent.content.push(child);
}

fn node(kind: Kind, tag: Cow<'static, str>, start: Mark) -> Node {
    Node { kind, tag, line: start.line + 1, column: start.column + 1, ..Node::default() }
}

fn scalar(properties: &Properties<'_>, value: Cow<'_, str>, style: ScalarStyle, start: Mark) -> Node {
    let written = match style {
        ScalarStyle::Plain => Style::NONE,
        ScalarStyle::SingleQuoted => Style::SINGLE_QUOTED,
        ScalarStyle::DoubleQuoted => Style::DOUBLE_QUOTED,
        ScalarStyle::Literal => Style::LITERAL,
        ScalarStyle::Folded => Style::FOLDED,
    };
    let (tag, tagged) = explicit_tag(properties).unwrap_or_else(|| {
        let implied = if style != ScalarStyle::Plain {
            "!!str"
        } else if value == "<<" {
            "!!merge"
        } else {
            super::plain_tag(&value)
        };
        (Cow::Borrowed(implied), Style::NONE)
    });
    let mut scalar = node(Kind::Scalar, tag, start);
    scalar.style = written | tagged;
    scalar.value = value.into_owned();
    scalar.anchor = properties.anchor.map(Into::into);
    scalar
}

pub(super) fn explicit_tag(properties: &Properties<'_>) -> Option<(Cow<'static, str>, Style)> {
    let tag = properties.tag.as_deref().filter(|tag| !tag.is_empty() && *tag != "!")?;
    Some((Cow::Owned(crate::resolve::short_tag(tag).into_owned()), Style::TAGGED))
}
