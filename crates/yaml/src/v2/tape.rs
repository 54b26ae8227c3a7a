//! One document as a flat list of nodes in reading order: cheap to build, and aliases can be read again.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::Error;
use crate::parse::{Event, EventKind, Parser};
use crate::scan::ScalarStyle;

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Scalar { value: Cow<'a, str>, implicit: bool, quoted: bool },
    Alias { name: &'a str, target: u32 },
    Sequence,
    Mapping,
}

#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) tag: Option<Box<str>>,
    /// Index after the last node below this one.
    pub(super) end: u32,
    pub(super) line: u32,
}

#[derive(Debug, Default)]
pub(super) struct Tape<'a> {
    nodes: Vec<Node<'a>>,
}

impl<'a> Tape<'a> {
    /// Reads one document; `None` at the end of the stream.
    pub(super) fn read(parser: &mut Parser<'a>) -> Result<Option<Self>, Error> {
        loop {
            match parser.next_event()?.kind {
                EventKind::StreamStart => {}
                EventKind::DocumentStart => break,
                _ => return Ok(None),
            }
        }
        let mut tape = Self::default();
        let mut anchors: HashMap<&'a str, u32> = HashMap::new();
        let mut open: Vec<u32> = Vec::new();
        loop {
            let Event { kind, start, .. } = parser.next_event()?;
            let index = tape.nodes.len() as u32;
            let (kind, properties, opens) = match kind {
                EventKind::Scalar { properties, value, style, implicit } => {
                    (Kind::Scalar { value, implicit, quoted: style != ScalarStyle::Plain }, properties, false)
                }
                EventKind::Alias(name) => {
                    let Some(target) = anchors.get(name).copied() else {
                        return Err(Error::syntax(0, format!("unknown anchor '{name}' referenced")));
                    };
                    (Kind::Alias { name, target }, crate::parse::Properties::default(), false)
                }
                EventKind::SequenceStart { properties, .. } => (Kind::Sequence, properties, true),
                EventKind::MappingStart { properties, .. } => (Kind::Mapping, properties, true),
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    if let Some(node) = open.pop().and_then(|opened| tape.nodes.get_mut(opened as usize)) {
                        node.end = index;
                    }
                    if open.is_empty() {
                        break;
                    }
                    continue;
                }
                _ => break,
            };
            if let Some(anchor) = properties.anchor {
                anchors.insert(anchor, index);
            }
            let tag = properties.tag.map(|tag| tag.into_owned().into_boxed_str());
            tape.nodes.push(Node { kind, tag, end: index + 1, line: start.line });
            if opens {
                open.push(index);
            } else if open.is_empty() {
                break;
            }
        }
        // The end of the document is read too, and with it the token that follows.
        parser.next_event()?;
        Ok(Some(tape))
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&Node<'a>> {
        self.nodes.get(index as usize)
    }
}
