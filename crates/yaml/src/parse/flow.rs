//! Collections in brackets and braces.

use super::{Event, EventKind, Parser, Properties, State, after, empty_scalar};
use crate::Error;
use crate::scan::TokenKind;

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> Result<Event<'a>, Error> {
        if !matches!(self.peek()?.kind, TokenKind::FlowSequenceEnd) {
            if !first {
                let token = self.peek()?;
                if !matches!(token.kind, TokenKind::FlowEntry) {
                    let line = token.start.line;
                    let context = self.marks.pop().unwrap_or(0);
                    return Err(self.error(context, "did not find expected ',' or ']'", line));
                }
                self.scanner.take();
            }
            let token = self.peek()?;
            let start = token.start;
            match token.kind {
                TokenKind::Key => {
                    self.state = State::FlowSequenceEntryMappingKey;
                    self.scanner.take();
                    return Ok(Event::new(
                        EventKind::MappingStart { properties: Properties::default(), flow: true },
                        start,
                    ));
                }
                TokenKind::FlowSequenceEnd => {}
                _ => {
                    self.states.push(State::FlowSequenceEntry);
                    return self.node(false, false);
                }
            }
        }
        let start = self.peek_start()?;
        let comments = self.take_comments();
        self.close();
        Ok(Event { kind: EventKind::SequenceEnd, start, comments })
    }

    pub(super) fn flow_sequence_entry_mapping_key(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
            // libyaml takes this token too, so that what follows a key without text is mostly an error.
            self.scanner.take();
            self.state = State::FlowSequenceEntryMappingValue;
            return Ok(empty_scalar(after(start)));
        }
        self.states.push(State::FlowSequenceEntryMappingValue);
        self.node(false, false)
    }

    pub(super) fn flow_sequence_entry_mapping_value(&mut self) -> Result<Event<'a>, Error> {
        let token = self.peek()?;
        let start = token.start;
        if matches!(token.kind, TokenKind::Value) {
            self.scanner.take();
            let token = self.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.node(false, false);
            }
        }
        self.state = State::FlowSequenceEntryMappingEnd;
        Ok(empty_scalar(start))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Result<Event<'a>, Error> {
        if !matches!(self.peek()?.kind, TokenKind::FlowMappingEnd) {
            if !first {
                let token = self.peek()?;
                if !matches!(token.kind, TokenKind::FlowEntry) {
                    let line = token.start.line;
                    let context = self.marks.pop().unwrap_or(0);
                    return Err(self.error(context, "did not find expected ',' or '}'", line));
                }
                self.scanner.take();
            }
            let token = self.peek()?;
            match token.kind {
                TokenKind::Key => {
                    self.scanner.take();
                    let token = self.peek()?;
                    let start = token.start;
                    if !matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                        self.states.push(State::FlowMappingValue);
                        return self.node(false, false);
                    }
                    self.state = State::FlowMappingValue;
                    return Ok(empty_scalar(start));
                }
                TokenKind::FlowMappingEnd => {}
                _ => {
                    self.states.push(State::FlowMappingEmptyValue);
                    return self.node(false, false);
                }
            }
        }
        let start = self.peek_start()?;
        let comments = self.take_comments();
        self.close();
        Ok(Event { kind: EventKind::MappingEnd, start, comments })
    }

    pub(super) fn flow_mapping_value(&mut self, empty: bool) -> Result<Event<'a>, Error> {
        let start = self.peek_start()?;
        if empty {
            self.state = State::FlowMappingKey;
            return Ok(empty_scalar(start));
        }
        if matches!(self.peek()?.kind, TokenKind::Value) {
            self.scanner.take();
            let token = self.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
        }
        let start = self.peek_start()?;
        self.state = State::FlowMappingKey;
        Ok(empty_scalar(start))
    }
}
