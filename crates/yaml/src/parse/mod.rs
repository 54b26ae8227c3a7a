//! The parser: tokens to events, libyaml's grammar as a state machine without recursion.

mod block;
mod document;
mod flow;

use std::borrow::Cow;

use crate::Error;
use crate::scan::{Dialect, Mark, ScalarStyle, Scanner, Token, TokenKind};

/// Anchor and tag of a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Properties<'a> {
    pub(crate) anchor: Option<&'a str>,
    pub(crate) tag: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EventKind<'a> {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'a str),
    /// `implicit`: the tag may be found from the text of a plain scalar.
    Scalar {
        properties: Properties<'a>,
        value: Cow<'a, str>,
        style: ScalarStyle,
        implicit: bool,
    },
    SequenceStart {
        properties: Properties<'a>,
        flow: bool,
    },
    SequenceEnd,
    MappingStart {
        properties: Properties<'a>,
        flow: bool,
    },
    MappingEnd,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind<'a>,
    pub(crate) start: Mark,
    /// Only in v3, and only where there are any.
    pub(crate) comments: Option<Box<Comments>>,
}

impl<'a> Event<'a> {
    fn new(kind: EventKind<'a>, start: Mark) -> Self {
        Self { kind, start, comments: None }
    }
}

/// Comments before, beside and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Comments {
    pub(crate) head: String,
    pub(crate) line: String,
    pub(crate) foot: String,
}

impl Comments {
    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.line.is_empty() && self.foot.is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StreamStart,
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

#[derive(Debug)]
pub(crate) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Lines where the open collections began.
    marks: Vec<u32>,
    tag_directives: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Comments met since the last event that took any.
    comments: Comments,
    /// A head comment that belongs to a nested collection as a whole.
    stem: String,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(scanner: Scanner<'a>) -> Self {
        Self {
            scanner,
            state: State::StreamStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_directives: Vec::new(),
            comments: Comments::default(),
            stem: String::new(),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.scanner.dialect()
    }

    /// The next event; after the end of the stream always [`EventKind::StreamEnd`].
    pub(crate) fn next_event(&mut self) -> Result<Event<'a>, Error> {
        match self.state {
            State::StreamStart => {
                let start = self.peek_start()?;
                self.scanner.take();
                self.state = State::ImplicitDocumentStart;
                Ok(Event::new(EventKind::StreamStart, start))
            }
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceFirstEntry => {
                self.take_opening();
                self.block_sequence_entry()
            }
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => {
                self.take_opening();
                self.block_mapping_key()
            }
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => {
                self.take_opening();
                self.flow_sequence_entry(true)
            }
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                self.state = State::FlowSequenceEntry;
                let start = self.peek_start()?;
                Ok(Event::new(EventKind::MappingEnd, start))
            }
            State::FlowMappingFirstKey => {
                self.take_opening();
                self.flow_mapping_key(true)
            }
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => {
                let line = self.scanner.current_line();
                Ok(Event::new(EventKind::StreamEnd, Mark { offset: 0, line, column: 0 }))
            }
        }
    }

    #[inline]
    fn peek(&mut self) -> Result<&Token<'a>, Error> {
        self.scanner.peek()?;
        if self.scanner.has_comments() {
            self.gather_comments()?;
        }
        match self.scanner.peek()? {
            Some(token) => Ok(token),
            None => Err(Error::syntax(0, "attempted to go past the end of stream; corrupted value?")),
        }
    }

    /// Takes over the comments that belong to the next token.
    fn gather_comments(&mut self) -> Result<(), Error> {
        let (offset, block_end) = match self.scanner.peek()? {
            Some(token) => (token.start.offset, matches!(token.kind, TokenKind::BlockEnd)),
            None => (0, false),
        };
        while let Some(comment) = self.scanner.next_comment(offset, block_end) {
            for (all, found) in [
                (&mut self.comments.head, comment.head),
                (&mut self.comments.line, comment.line),
                (&mut self.comments.foot, comment.foot),
            ] {
                if !found.is_empty() {
                    if !all.is_empty() {
                        all.push('\n');
                    }
                    all.push_str(&found);
                }
            }
        }
        Ok(())
    }

    fn peek_start(&mut self) -> Result<Mark, Error> {
        Ok(self.peek()?.start)
    }

    /// Takes the token that opens a collection and remembers its line.
    fn take_opening(&mut self) {
        if let Some(token) = self.scanner.take() {
            self.marks.push(token.start.line);
        }
    }

    /// The comments met so far, for the event that is about to be made.
    fn take_comments(&mut self) -> Option<Box<Comments>> {
        self.stem.clear();
        if self.comments.is_empty() { None } else { Some(Box::new(std::mem::take(&mut self.comments))) }
    }

    /// After `-`: what stood above it is about the nested collection if one begins here.
    fn split_stem(&mut self, length: usize) -> Result<(), Error> {
        if length == 0 || !matches!(self.peek()?.kind, TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart) {
            return Ok(());
        }
        let rest = self.comments.head.get(length + 1..).unwrap_or_default().to_owned();
        self.stem = std::mem::replace(&mut self.comments.head, rest);
        self.stem.truncate(length);
        Ok(())
    }

    fn take_stem(&mut self) -> Option<Box<Comments>> {
        if self.stem.is_empty() {
            return None;
        }
        Some(Box::new(Comments { head: std::mem::take(&mut self.stem), ..Comments::default() }))
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    fn error(&self, context_line: u32, problem: &'static str, problem_line: u32) -> Error {
        let (first, second) = match self.dialect() {
            Dialect::V2 => (problem_line, context_line),
            Dialect::V3 => (context_line, problem_line),
        };
        Error::syntax(if first != 0 { first } else { second }, problem)
    }

    fn node(&mut self, block: bool, indentless_sequence: bool) -> Result<Event<'a>, Error> {
        let start = self.peek_start()?;
        if let TokenKind::Alias(name) = self.peek()?.kind {
            self.pop_state();
            let comments = self.take_comments();
            self.scanner.take();
            return Ok(Event { kind: EventKind::Alias(name), start, comments });
        }
        let properties = self.properties(start)?;
        let dialect = self.dialect();
        let token = self.peek()?;
        let token_line = token.start.line;
        let takes_stem = matches!(token.kind, TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart);
        let takes_comments =
            matches!(token.kind, TokenKind::Scalar { .. } | TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart);
        let comments = if takes_comments {
            self.take_comments()
        } else if takes_stem {
            self.take_stem()
        } else {
            None
        };
        let token = self.peek()?;
        let kind = match &token.kind {
            TokenKind::BlockEntry if indentless_sequence => {
                self.state = State::IndentlessSequenceEntry;
                EventKind::SequenceStart { properties, flow: false }
            }
            TokenKind::Scalar { .. } => {
                self.pop_state();
                let Some(Token { kind: TokenKind::Scalar { value, style }, .. }) = self.scanner.take() else {
                    return Ok(empty_scalar(start));
                };
                scalar(properties, value, style, dialect)
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                EventKind::SequenceStart { properties, flow: true }
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                EventKind::MappingStart { properties, flow: true }
            }
            TokenKind::BlockSequenceStart if block => {
                self.state = State::BlockSequenceFirstEntry;
                EventKind::SequenceStart { properties, flow: false }
            }
            TokenKind::BlockMappingStart if block => {
                self.state = State::BlockMappingFirstKey;
                EventKind::MappingStart { properties, flow: false }
            }
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.pop_state();
                // The empty text counts as plain only if no tag says what it is.
                let implicit = properties.tag.is_none();
                EventKind::Scalar { properties, value: Cow::Borrowed(""), style: ScalarStyle::Plain, implicit }
            }
            _ => return Err(self.error(start.line, "did not find expected node content", token_line)),
        };
        Ok(Event { kind, start, comments })
    }

    fn properties(&mut self, start: Mark) -> Result<Properties<'a>, Error> {
        let mut properties = Properties::default();
        loop {
            match &self.peek()?.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    self.scanner.take();
                }
                TokenKind::Tag { .. } if properties.tag.is_none() => {
                    if let Some(Token { kind: TokenKind::Tag { handle, suffix }, start: tag_start, .. }) =
                        self.scanner.take()
                    {
                        properties.tag = Some(self.resolve_tag(start, &handle, suffix, tag_start)?);
                    }
                }
                _ => return Ok(properties),
            }
        }
    }

    fn resolve_tag(
        &self,
        start: Mark,
        handle: &str,
        suffix: Cow<'a, str>,
        tag_start: Mark,
    ) -> Result<Cow<'a, str>, Error> {
        if handle.is_empty() {
            return Ok(suffix);
        }
        let declared = self.tag_directives.iter().find(|(known, _)| known == handle);
        let prefix = match (declared, handle) {
            (Some((_, prefix)), _) => prefix,
            (None, "!") => "!",
            (None, "!!") => "tag:yaml.org,2002:",
            _ => return Err(self.error(start.line, "found undefined tag handle", tag_start.line)),
        };
        Ok(Cow::Owned(format!("{prefix}{suffix}")))
    }
}

fn scalar<'a>(
    mut properties: Properties<'a>,
    value: Cow<'a, str>,
    style: ScalarStyle,
    dialect: Dialect,
) -> EventKind<'a> {
    let implicit = match properties.tag.as_deref() {
        None => style == ScalarStyle::Plain,
        Some("!") => {
            // v2 takes the text for a string, v3 resolves it as if nothing were there.
            if dialect == Dialect::V3 {
                properties.tag = None;
            }
            true
        }
        Some(_) => false,
    };
    EventKind::Scalar { properties, value, style, implicit }
}

fn empty_scalar<'a>(start: Mark) -> Event<'a> {
    let kind = EventKind::Scalar {
        properties: Properties::default(),
        value: Cow::Borrowed(""),
        style: ScalarStyle::Plain,
        implicit: true,
    };
    Event::new(kind, start)
}

/// Just after an indicator of one character.
fn after(mark: Mark) -> Mark {
    Mark { offset: mark.offset + 1, line: mark.line, column: mark.column + 1 }
}
