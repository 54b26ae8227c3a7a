//! Collections by indentation.

use super::{Event, EventKind, Parser, State, after, empty_scalar};
use crate::Error;
use crate::scan::TokenKind;

impl<'a> Parser<'a> {
    pub(super) fn block_sequence_entry(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::BlockEntry => {
                let head_length = self.comments.head.len();
                self.scanner.take();
                self.split_stem(head_length)?;
                let next = self.peek()?;
                if matches!(next.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return Ok(empty_scalar(after(start)));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(true, false)
            }
            TokenKind::BlockEnd => {
                self.close();
                Ok(Event::new(EventKind::SequenceEnd, start))
            }
            _ => {
                let context = self.marks.pop().unwrap_or(0);
                Err(self.error(context, "did not find expected '-' indicator", start.line))
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.pop_state();
        self.marks.pop();
        self.scanner.take();
    }

    pub(super) fn indentless_sequence_entry(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::BlockEntry) {
            let head_length = self.comments.head.len();
            self.scanner.take();
            self.split_stem(head_length)?;
            let next = self.peek()?;
            if matches!(next.kind, TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
                self.state = State::IndentlessSequenceEntry;
                return Ok(empty_scalar(after(start)));
            }
            self.states.push(State::IndentlessSequenceEntry);
            return self.node(true, false);
        }
        self.pop_state();
        Ok(Event::new(EventKind::SequenceEnd, start))
    }

    pub(super) fn block_mapping_key(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        match token.kind {
            TokenKind::Key => {
                self.scanner.take();
                let next = self.peek()?;
                if matches!(next.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
                    self.state = State::BlockMappingValue;
                    return Ok(empty_scalar(after(start)));
                }
                self.states.push(State::BlockMappingValue);
                self.node(true, true)
            }
            TokenKind::BlockEnd => {
                let comments = self.take_comments();
                self.close();
                Ok(Event { kind: EventKind::MappingEnd, start, comments })
            }
            _ => {
                let context = self.marks.pop().unwrap_or(0);
                Err(self.error(context, "did not find expected key", start.line))
            }
        }
    }

    pub(super) fn block_mapping_value(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::Value) {
            self.scanner.take();
            let next = self.peek()?;
            if matches!(next.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
                self.state = State::BlockMappingKey;
                return Ok(empty_scalar(after(start)));
            }
            self.states.push(State::BlockMappingKey);
            return self.node(true, true);
        }
        self.state = State::BlockMappingKey;
        Ok(empty_scalar(start))
    }
}
