//! From events to node trees.

use std::borrow::Cow;
use std::collections::HashSet;

use super::node::{Kind, Node, Style};
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
        let start = loop {
            let event = self.parser.next_event()?;
            match event.kind {
                EventKind::StreamStart => {}
                EventKind::DocumentStart => break event.start,
                _ => return Ok(None),
            }
        };
        // The document and the collections that are open, innermost last.
        let mut open = vec![node(Kind::Document, Cow::Borrowed(""), start)];
        loop {
            let event = self.parser.next_event()?;
            let (finished, properties) = match event.kind {
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
                    self.open(&mut open, Kind::Sequence, &properties, flow, event.start)?;
                    continue;
                }
                EventKind::MappingStart { properties, flow } => {
                    self.open(&mut open, Kind::Mapping, &properties, flow, event.start)?;
                    continue;
                }
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    let Some(finished) = open.pop() else { return Ok(None) };
                    (finished, Properties::default())
                }
                EventKind::DocumentEnd | EventKind::DocumentStart | EventKind::StreamStart | EventKind::StreamEnd => {
                    return Ok(open.pop());
                }
            };
            self.anchors.extend(properties.anchor);
            if let Some(parent) = open.last_mut() {
                parent.content.push(finished);
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
        open.push(opened);
        Ok(())
    }
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

fn explicit_tag(properties: &Properties<'_>) -> Option<(Cow<'static, str>, Style)> {
    let tag = properties.tag.as_deref().filter(|tag| !tag.is_empty() && *tag != "!")?;
    Some((Cow::Owned(crate::resolve::short_tag(tag).into_owned()), Style::TAGGED))
}
