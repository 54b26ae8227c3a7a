//! One token more: which construct begins here, and what ends with it.

use super::token::{Dialect, Recent, Token, TokenKind};
use super::{MAX_NESTING, Scanner, SimpleKey};
use crate::Error;
use crate::chars::is_blank_or_end;

impl<'a> Scanner<'a> {
    pub(super) fn fetch_next(&mut self) -> Result<(), Error> {
        if !self.started {
            self.started = true;
            let mark = self.mark();
            self.push(TokenKind::StreamStart, mark);
            return Ok(());
        }
        let scan = self.mark();
        self.skip_to_next_token(scan);
        let column = i64::from(self.column());
        self.unroll_indent(column, scan);
        let byte = self.byte();
        if byte == 0 {
            return self.fetch_stream_end();
        }
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.at_document_indicator() {
                let kind = if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
                let mark = self.mark();
                self.unroll_indent(-1, mark);
                self.remove_simple_key()?;
                self.simple_key_allowed = false;
                self.push_indicator(kind, 3);
                return Ok(());
            }
        }
        if self.dialect == Dialect::V2 {
            return self.fetch_token(byte);
        }
        let token_start = match self.recent(0) {
            Some((_, start)) if byte == if self.in_flow() { b',' } else { b':' } => start.offset,
            _ => self.position,
        };
        self.fetch_token(byte)?;
        // A comment after `-` is a head of what follows.
        if !matches!(self.recent(0), Some((Recent::BlockEntry, _))) {
            self.scan_line_comment(token_start);
        }
        Ok(())
    }

    fn fetch_token(&mut self, byte: u8) -> Result<(), Error> {
        let in_flow = self.in_flow();
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if is_blank_or_end(self.bytes, self.position + 1) => self.fetch_block_entry(),
            b'?' if in_flow || is_blank_or_end(self.bytes, self.position + 1) => self.fetch_key(),
            b':' if in_flow || is_blank_or_end(self.bytes, self.position + 1) => self.fetch_value(),
            b'*' => self.fetch_anchor(true),
            b'&' => self.fetch_anchor(false),
            b'!' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_tag()
            }
            b'|' | b'>' if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.scan_block_scalar(byte == b'|')
            }
            b'\'' | b'"' => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_flow_scalar(byte == b'\'')
            }
            b'|' | b'>' | b'#' | b'%' | b'@' | b'`' | b'\t' => {
                let line = self.line;
                Err(self.error(Some(line), "found character that cannot start any token"))
            }
            _ => {
                self.save_simple_key()?;
                self.simple_key_allowed = false;
                self.scan_plain_scalar()
            }
        }
    }

    fn fetch_stream_end(&mut self) -> Result<(), Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.at_line_start() {
            self.line += 1;
            self.counted_column = 0;
        }
        let mark = self.mark();
        self.unroll_indent(-1, mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let mark = self.mark();
        self.push(TokenKind::StreamEnd, mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Error> {
        let mark = self.mark();
        self.unroll_indent(-1, mark);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.scan_directive()
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), Error> {
        self.save_simple_key()?;
        let token_number = self.tokens_taken + self.tokens.len();
        self.simple_keys.push(SimpleKey { token_number, ..SimpleKey::default() });
        if self.simple_keys.len() > MAX_NESTING + 1 {
            let line = self.line;
            return Err(self.error(Some(line), "exceeded max depth of 10000"));
        }
        self.simple_key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), Error> {
        self.remove_simple_key()?;
        if self.simple_keys.len() > 1
            && let Some(inner) = self.simple_keys.pop()
            && let Some(outer) = self.simple_keys.last_mut()
            && outer.token_number == inner.token_number
        {
            // The Go libraries forget here that the collection itself may be a key.
            outer.waiting = false;
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                let line = self.line;
                return Err(self.error(Some(line), "block sequence entries are not allowed in this context"));
            }
            let mark = self.mark();
            self.roll_indent(i64::from(mark.column), None, TokenKind::BlockSequenceStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Error> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                let line = self.line;
                return Err(self.error(Some(line), "mapping keys are not allowed in this context"));
            }
            let mark = self.mark();
            self.roll_indent(i64::from(mark.column), None, TokenKind::BlockMappingStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = !self.in_flow();
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Error> {
        let level = self.simple_keys.len() - 1;
        if self.is_simple_key_valid(level)? {
            let key = self.simple_keys.last().copied().unwrap_or_default();
            let token = Token { kind: TokenKind::Key, start: key.mark, end_line: key.mark.line };
            self.insert(key.token_number, token);
            let column = i64::from(key.mark.column);
            self.roll_indent(column, Some(key.token_number), TokenKind::BlockMappingStart, key.mark)?;
            if let Some(key) = self.simple_keys.last_mut() {
                key.possible = false;
            }
            self.simple_key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.simple_key_allowed {
                    let line = self.line;
                    return Err(self.error(Some(line), "mapping values are not allowed in this context"));
                }
                let mark = self.mark();
                self.roll_indent(i64::from(mark.column), None, TokenKind::BlockMappingStart, mark)?;
            }
            self.simple_key_allowed = !self.in_flow();
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }
}
