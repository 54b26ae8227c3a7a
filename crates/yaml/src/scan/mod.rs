//! The scanner: text to tokens, as libyaml does it (both Go libraries are descendants of libyaml).

mod block_scalar;
mod comment;
mod fetch;
mod flow_scalar;
mod plain_scalar;
mod tag;
mod token;

pub(crate) use comment::Comment;
pub(crate) use token::{Dialect, Mark, ScalarStyle, Token, TokenKind};

use std::collections::VecDeque;

use crate::Error;
use crate::chars::{at, break_width, count, is_blank_or_end, is_break_or_end};
use crate::read::Input;
use token::Recent;

/// A place where a `key:` without `?` may have begun.
#[derive(Debug, Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    /// Whether tokens wait until it is known if this is a key.
    waiting: bool,
    token_number: usize,
    mark: Mark,
}

/// libyaml's limits on nesting, as go-yaml has them.
const MAX_NESTING: usize = 10_000;
/// A key without `?` may be this many characters away from its `:`.
const MAX_SIMPLE_KEY: usize = 1024;

#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    position: usize,
    line: u32,
    /// Columns are counted from here only when somebody asks.
    counted_position: usize,
    counted_column: u32,
    dialect: Dialect,
    tokens: VecDeque<Token<'a>>,
    tokens_taken: usize,
    /// The next token has been looked at, so that it is certain until it is taken.
    peeked: bool,
    started: bool,
    ended: bool,
    simple_key_allowed: bool,
    /// One per flow level, the block context first.
    simple_keys: Vec<SimpleKey>,
    /// Column of the current block collection, -1 outside.
    indent: i64,
    indents: Vec<i64>,
    /// Set when the reader found something unreadable after the text.
    failure: Option<Error>,
    /// Comments that no token has got yet (v3 only).
    comments: VecDeque<Comment>,
    /// The two tokens taken last, latest first.
    taken: [Option<(Recent, Mark)>; 2],
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, failure: Option<Error>, dialect: Dialect) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            position: 0,
            line: 0,
            counted_position: 0,
            counted_column: 0,
            dialect,
            tokens: VecDeque::with_capacity(8),
            tokens_taken: 0,
            peeked: false,
            started: false,
            ended: false,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey::default()],
            indent: -1,
            indents: Vec::new(),
            failure,
            comments: VecDeque::new(),
            taken: [None, None],
        }
    }

    pub(crate) fn from_input(input: &'a Input<'a>, dialect: Dialect) -> Self {
        Self::new(&input.text, input.failure.clone(), dialect)
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The next token without taking it; `None` after the end of the stream.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Option<&Token<'a>>, Error> {
        if !self.peeked {
            if !self.is_next_certain() && !self.ended_and_drained() {
                self.fetch_more()?;
            }
            self.peeked = true;
        }
        Ok(self.tokens.front())
    }

    /// Is the next token there, and can no KEY be inserted before it? Says no when in doubt.
    #[inline]
    fn is_next_certain(&self) -> bool {
        match self.simple_keys.as_slice() {
            [key] => {
                self.tokens.len() > self.lookahead()
                    && !(key.possible && key.waiting && key.token_number == self.tokens_taken)
            }
            _ => false,
        }
    }

    /// Are there comments that no token has got yet? Only in v3.
    #[inline]
    pub(crate) fn has_comments(&self) -> bool {
        !self.comments.is_empty()
    }

    /// How many tokens behind the next one are scanned before it is given out; v3 finds the comments behind it so.
    #[inline]
    fn lookahead(&self) -> usize {
        match self.dialect {
            Dialect::V2 => 0,
            Dialect::V3 => 2,
        }
    }

    /// Takes the next token.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Token<'a>> {
        self.peeked = false;
        let token = self.tokens.pop_front();
        if let Some(token) = &token {
            self.tokens_taken += 1;
            if self.dialect == Dialect::V3 {
                self.taken = [Some(Recent::of(token)), self.taken[0]];
            }
        }
        token
    }

    /// The token scanned last (0) or before that (1), taken or not.
    fn recent(&self, back: usize) -> Option<(Recent, Mark)> {
        let waiting = self.tokens.len();
        if back < waiting {
            return self.tokens.get(waiting - 1 - back).map(Recent::of);
        }
        self.taken.get(back - waiting).copied().flatten()
    }

    fn ended_and_drained(&self) -> bool {
        self.ended && self.tokens.is_empty()
    }

    /// Line of the next unread character, for errors.
    pub(crate) fn current_line(&self) -> u32 {
        self.line
    }

    fn in_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    #[inline]
    fn byte(&self) -> u8 {
        at(self.bytes, self.position)
    }

    #[inline]
    fn byte_after(&self, offset: usize) -> u8 {
        at(self.bytes, self.position + offset)
    }

    #[inline]
    fn column(&mut self) -> u32 {
        if self.counted_position != self.position {
            let passed = self.bytes.get(self.counted_position..self.position).unwrap_or_default();
            self.counted_column += count(passed) as u32;
            self.counted_position = self.position;
        }
        self.counted_column
    }

    #[inline]
    fn at_line_start(&mut self) -> bool {
        self.column() == 0
    }

    #[inline]
    fn mark(&mut self) -> Mark {
        Mark { offset: self.position, line: self.line, column: self.column() }
    }

    /// Passes over the line break at the current position.
    #[inline]
    fn skip_break(&mut self) {
        let width = break_width(self.bytes, self.position);
        if width > 0 {
            self.position += width;
            self.line += 1;
            self.counted_position = self.position;
            self.counted_column = 0;
        }
    }

    /// Passes over a line break and gives its content: `\n` for all but the Unicode separators.
    fn read_break(&mut self) -> &'a str {
        let start = self.position;
        self.skip_break();
        match at(self.bytes, start) {
            0xE2 => self.text.get(start..self.position).unwrap_or("\n"),
            _ if self.position == start => "",
            _ => "\n",
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// An error of the scanner: v2 prefers the line of the problem, v3 the line where the construct began.
    fn error(&mut self, context_line: Option<u32>, problem: &'static str) -> Error {
        if self.position >= self.bytes.len()
            && let Some(failure) = self.failure.take()
        {
            return failure;
        }
        let context_line = context_line.unwrap_or(0);
        let (first, second) = match self.dialect {
            Dialect::V2 => (self.line, context_line),
            Dialect::V3 => (context_line, self.line),
        };
        let line = if first != 0 { first } else { second };
        Error::syntax(if line == 0 { 0 } else { line + 1 }, problem)
    }

    /// Scans until the first token can no longer turn out to be preceded by an inserted KEY token.
    fn fetch_more(&mut self) -> Result<(), Error> {
        loop {
            if self.ended || self.tokens.len() > self.lookahead() {
                let taken = self.tokens_taken;
                // Token numbers never fall from an outer level to an inner one; two levels may share one.
                let after = self.simple_keys.partition_point(|key| key.token_number <= taken);
                let is_candidate = |key: &SimpleKey| key.possible && key.waiting && key.token_number == taken;
                let level = (after.saturating_sub(2)..after)
                    .rev()
                    .find(|level| self.simple_keys.get(*level).is_some_and(is_candidate));
                let Some(level) = level else { return Ok(()) };
                if !self.is_simple_key_valid(level)? {
                    return Ok(());
                }
            }
            if self.ended {
                return Ok(());
            }
            self.fetch_next()?;
        }
    }

    fn push(&mut self, kind: TokenKind<'a>, start: Mark) {
        self.tokens.push_back(Token { kind, start, end_line: self.line });
    }

    fn push_indicator(&mut self, kind: TokenKind<'a>, width: usize) {
        let mark = self.mark();
        self.position += width;
        self.push(kind, mark);
    }

    /// `---` or `...` followed by a blank, at the start of a line (which the caller has checked).
    fn at_document_indicator(&self) -> bool {
        matches!(self.bytes.get(self.position..self.position + 3), Some(b"---" | b"..."))
            && is_blank_or_end(self.bytes, self.position + 3)
    }

    /// Passes over spaces, most of them in pieces of eight: indentation is much of a document.
    #[inline]
    fn skip_spaces(&mut self) {
        let start = self.position;
        while self.bytes.get(self.position..self.position + 8).is_some_and(|piece| piece == b"        ") {
            self.position += 8;
        }
        while self.byte() == b' ' {
            self.position += 1;
        }
        if self.counted_position == start {
            self.counted_column += (self.position - start) as u32;
            self.counted_position = self.position;
        }
    }

    fn skip_to_next_token(&mut self, scan: Mark) {
        // The reader has taken one byte order mark; a second one is passed over here.
        if self.position == 0 && self.text.starts_with('\u{FEFF}') {
            self.position += 3;
        }
        loop {
            // Tabs separate tokens only where they cannot be taken for indentation.
            let tabs = self.in_flow() || !self.simple_key_allowed;
            self.skip_spaces();
            while tabs && self.byte() == b'\t' {
                self.position += 1;
                self.skip_spaces();
            }
            if !self.comments.is_empty() {
                self.turn_line_comment_into_head();
            }
            if self.byte() == b'#' {
                match self.dialect {
                    Dialect::V2 => self.skip_comment(),
                    Dialect::V3 => self.scan_comments(scan),
                }
            }
            if break_width(self.bytes, self.position) == 0 {
                return;
            }
            self.skip_break();
            if !self.in_flow() {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Passes over everything up to the end of the line.
    fn skip_comment(&mut self) {
        while let Some(found) = memchr::memchr3(b'\n', b'\r', 0xE2, self.bytes.get(self.position..).unwrap_or_default())
        {
            // NEL, the fourth line break, is rare; look for it only in what was passed over.
            let passed = self.bytes.get(self.position..self.position + found).unwrap_or_default();
            if let Some(nel) = next_line(passed) {
                self.position += nel;
                return;
            }
            self.position += found;
            if is_break_or_end(self.bytes, self.position) {
                return;
            }
            self.position += 1;
        }
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        self.position += next_line(rest).unwrap_or(rest.len());
    }

    fn is_simple_key_valid(&mut self, level: usize) -> Result<bool, Error> {
        let Some(key) = self.simple_keys.get(level).copied() else { return Ok(false) };
        if !key.possible {
            return Ok(false);
        }
        let distance = self.position - key.mark.offset;
        let too_far = distance > MAX_SIMPLE_KEY
            && (distance > 4 * MAX_SIMPLE_KEY
                || count(self.bytes.get(key.mark.offset..self.position).unwrap_or_default()) > MAX_SIMPLE_KEY);
        if key.mark.line < self.line || too_far {
            if key.required {
                return Err(self.error(Some(key.mark.line), "could not find expected ':'"));
            }
            if let Some(key) = self.simple_keys.get_mut(level) {
                key.possible = false;
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Result<(), Error> {
        // A key at the column of its mapping has to be one: a second scalar there would be no value.
        let column = i64::from(self.column());
        let required = !self.in_flow() && self.indent == column;
        if self.simple_key_allowed {
            let key = SimpleKey {
                possible: true,
                required,
                waiting: true,
                token_number: self.tokens_taken + self.tokens.len(),
                mark: self.mark(),
            };
            self.remove_simple_key()?;
            if let Some(last) = self.simple_keys.last_mut() {
                *last = key;
            }
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), Error> {
        let Some(key) = self.simple_keys.last().copied() else { return Ok(()) };
        if key.possible && key.required {
            return Err(self.error(Some(key.mark.line), "could not find expected ':'"));
        }
        if let Some(key) = self.simple_keys.last_mut() {
            key.possible = false;
        }
        Ok(())
    }

    /// Opens a block collection at `column`, its token inserted before the token with `number` or at the end.
    fn roll_indent(
        &mut self,
        column: i64,
        number: Option<usize>,
        kind: TokenKind<'a>,
        mark: Mark,
    ) -> Result<(), Error> {
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > MAX_NESTING {
            let line = self.line;
            return Err(self.error(Some(line), "exceeded max depth of 10000"));
        }
        let token = Token { kind, start: mark, end_line: mark.line };
        match number {
            Some(number) => self.insert(number, token),
            None => self.tokens.push_back(token),
        }
        Ok(())
    }

    /// Puts a token before the one with `number`, or at the end when that one has been taken already.
    fn insert(&mut self, number: usize, token: Token<'a>) {
        match number.checked_sub(self.tokens_taken) {
            Some(index) if index <= self.tokens.len() => self.tokens.insert(index, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn unroll_indent(&mut self, column: i64, scan: Mark) {
        if self.in_flow() {
            return;
        }
        // The end of a block stands before the comments at its own indentation or less, which belong to its parents.
        let mut mark = Mark { offset: scan.offset.saturating_sub(1), ..scan };
        while self.indent > column {
            let mut stop = mark.offset;
            for comment in self.comments.iter().rev() {
                if comment.end < stop {
                    break;
                }
                if i64::from(comment.start.column) == self.indent + 1 {
                    mark = comment.start;
                }
                stop = comment.scan;
            }
            self.push(TokenKind::BlockEnd, mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}

/// Where the rarest of the line breaks is, U+0085.
fn next_line(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(0xC2, bytes).find(|found| bytes.get(found + 1) == Some(&0x85))
}
