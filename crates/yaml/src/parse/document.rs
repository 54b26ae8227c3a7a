//! Where documents begin and end, and their directives.

use super::{Comments, Event, EventKind, Parser, State, empty_scalar};
use crate::Error;
use crate::scan::{Mark, Token, TokenKind};

impl<'a> Parser<'a> {
    pub(super) fn document_start(&mut self, implicit: bool) -> Result<Event<'a>, Error> {
        if !implicit {
            while matches!(self.peek()?.kind, TokenKind::DocumentEnd) {
                self.scanner.take();
            }
        }
        let token = self.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::StreamEnd => {
                self.state = State::End;
                self.scanner.take();
                Ok(Event::new(EventKind::StreamEnd, start))
            }
            TokenKind::VersionDirective { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart => {
                self.explicit_document_start(start)
            }
            _ if implicit => {
                self.reset_tag_directives();
                self.states.push(State::DocumentEnd);
                self.state = State::BlockNode;
                let comments = self.split_document_head();
                Ok(Event { kind: EventKind::DocumentStart, start, comments })
            }
            _ => self.explicit_document_start(start),
        }
    }

    fn explicit_document_start(&mut self, start: Mark) -> Result<Event<'a>, Error> {
        self.process_directives()?;
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::DocumentStart) {
            let line = token.start.line;
            return Err(self.error(0, "did not find expected <document start>", line));
        }
        self.states.push(State::DocumentEnd);
        self.state = State::DocumentContent;
        self.scanner.take();
        Ok(Event::new(EventKind::DocumentStart, start))
    }

    /// What stands above the last empty line is about the document, the rest about its first node.
    fn split_document_head(&mut self) -> Option<Box<Comments>> {
        let head = &self.comments.head;
        let bytes = head.as_bytes();
        let (end, rest) =
            (1..bytes.len()).rev().filter(|index| bytes.get(*index) == Some(&b'\n')).find_map(|index| {
                if index + 1 == bytes.len() {
                    Some((index, index + 1))
                } else if bytes.get(index - 1) == Some(&b'\n') {
                    Some((index - 1, index + 1))
                } else {
                    None
                }
            })?;
        let rest = head.get(rest..).unwrap_or_default().to_owned();
        let mut head = std::mem::replace(&mut self.comments.head, rest);
        head.truncate(end);
        Some(Box::new(Comments { head, ..Comments::default() }))
    }

    fn reset_tag_directives(&mut self) {
        self.tag_directives.clear();
    }

    fn process_directives(&mut self) -> Result<(), Error> {
        self.reset_tag_directives();
        let mut version_seen = false;
        loop {
            let token = self.peek()?;
            let line = token.start.line;
            match &token.kind {
                TokenKind::VersionDirective { major, minor } => {
                    let known = *major == 1 && *minor == 1;
                    if version_seen {
                        return Err(self.error(0, "found duplicate %YAML directive", line));
                    }
                    if !known {
                        return Err(self.error(0, "found incompatible YAML document", line));
                    }
                    version_seen = true;
                    self.scanner.take();
                }
                TokenKind::TagDirective { .. } => {
                    if let Some(Token { kind: TokenKind::TagDirective { handle, prefix }, .. }) = self.scanner.take() {
                        if self.tag_directives.iter().any(|(known, _)| *known == handle) {
                            return Err(self.error(0, "found duplicate %TAG directive", line));
                        }
                        self.tag_directives.push((handle, prefix));
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn document_content(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        match token.kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective { .. }
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => {
                let start = token.start;
                self.pop_state();
                Ok(empty_scalar(start))
            }
            _ => self.node(true, false),
        }
    }

    pub(super) fn document_end(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::DocumentEnd) {
            self.scanner.take();
        }
        self.reset_tag_directives();
        self.state = State::DocumentStart;
        let mut comments = self.take_comments();
        if let Some(comments) = &mut comments
            && comments.foot.is_empty()
        {
            comments.foot = std::mem::take(&mut comments.head);
        }
        Ok(Event { kind: EventKind::DocumentEnd, start, comments })
    }
}
