//! Cutting template text into tokens.

use crate::utf8::{Runes, is_identifier_character};

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Error,
    Assign,
    Bool,
    Character,
    CharacterConstant,
    Complex,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelimiter,
    LeftParenthesis,
    Number,
    Pipe,
    RawString,
    RightDelimiter,
    RightParenthesis,
    Space,
    String,
    Text,
    Variable,
    KeywordBlock,
    KeywordBreak,
    KeywordContinue,
    KeywordDefine,
    Dot,
    KeywordElse,
    KeywordEnd,
    KeywordIf,
    KeywordNil,
    KeywordRange,
    KeywordTemplate,
    KeywordWith,
}

impl Token {
    pub(super) fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::KeywordBlock
                | Self::KeywordBreak
                | Self::KeywordContinue
                | Self::KeywordDefine
                | Self::Dot
                | Self::KeywordElse
                | Self::KeywordEnd
                | Self::KeywordIf
                | Self::KeywordNil
                | Self::KeywordRange
                | Self::KeywordTemplate
                | Self::KeywordWith
        )
    }

    fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::KeywordBlock,
            b"break" => Self::KeywordBreak,
            b"continue" => Self::KeywordContinue,
            b"define" => Self::KeywordDefine,
            b"else" => Self::KeywordElse,
            b"end" => Self::KeywordEnd,
            b"if" => Self::KeywordIf,
            b"nil" => Self::KeywordNil,
            b"range" => Self::KeywordRange,
            b"template" => Self::KeywordTemplate,
            b"with" => Self::KeywordWith,
            _ => return None,
        })
    }
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Item {
    /// Nothing, at the beginning.
    pub(super) const NONE: Self = Self { token: Token::End, start: 0, end: 0 };
}

/// Cuts text into tokens, one at a time.
pub(super) struct Lexer<'a> {
    text: &'a [u8],
    position: usize,
    start: usize,
    parentheses: usize,
    inside: bool,
    /// What is wrong; there is nothing behind it.
    failure: Option<Box<str>>,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0, start: 0, parentheses: 0, inside: false, failure: None }
    }

    pub(super) fn next_item(&mut self) -> Item {
        if self.failure.is_some() {
            return Item { token: Token::End, start: self.text.len(), end: self.text.len() };
        }
        if self.inside { self.inside_action() } else { self.outside() }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn item(&mut self, token: Token) -> Item {
        let item = Item { token, start: self.start, end: self.position };
        self.start = self.position;
        item
    }

    fn error(&mut self, message: impl Into<Box<str>>) -> Item {
        self.failure = Some(message.into());
        Item { token: Token::Error, start: self.start, end: self.position }
    }

    /// The message of the error token.
    pub(super) fn failure(&self) -> &str {
        self.failure.as_deref().unwrap_or_default()
    }

    fn outside(&mut self) -> Item {
        loop {
            let Some(offset) = find(self.rest(), LEFT) else {
                self.position = self.text.len();
                return if self.position > self.start { self.item(Token::Text) } else { self.item(Token::End) };
            };
            let delimiter = self.position + offset;
            if offset > 0 {
                let after = self.text.get(delimiter + LEFT.len()..).unwrap_or_default();
                let mut text = self.text.get(self.position..delimiter).unwrap_or_default();
                if has_left_trim(after) {
                    text = trim_end(text);
                }
                self.start = self.position;
                self.position += text.len();
                let item = self.item(Token::Text);
                self.position = delimiter;
                self.start = delimiter;
                if item.end > item.start {
                    return item;
                }
            }
            // At the left delimiter.
            let after = self.text.get(delimiter + LEFT.len()..).unwrap_or_default();
            let marker = if has_left_trim(after) { 2 } else { 0 };
            if after.get(marker..).unwrap_or_default().starts_with(b"/*") {
                self.position = delimiter + LEFT.len() + marker;
                self.start = self.position;
                let Some(close) = find(self.rest().get(2..).unwrap_or_default(), b"*/") else {
                    return self.error("unclosed comment");
                };
                self.position += 2 + close + 2;
                let Some(trim) = self.at_right() else {
                    return self.error("comment ends before closing delimiter");
                };
                self.close_right(trim);
                continue;
            }
            self.position = delimiter + LEFT.len();
            let item = self.item(Token::LeftDelimiter);
            self.position += marker;
            self.start = self.position;
            self.parentheses = 0;
            self.inside = true;
            return item;
        }
    }

    /// At a right delimiter? Then whether it trims.
    fn at_right(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim(rest) && rest.get(2..).unwrap_or_default().starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn close_right(&mut self, trim: bool) {
        self.position += RIGHT.len() + if trim { 2 } else { 0 };
        if trim {
            self.position += self.rest().iter().take_while(|byte| is_space(**byte)).count();
        }
        self.start = self.position;
    }

    fn inside_action(&mut self) -> Item {
        if let Some(trim) = self.at_right() {
            if self.parentheses > 0 {
                return self.error("unclosed left paren");
            }
            return self.right_delimiter(trim);
        }
        let Some(rune) = Runes::new(self.rest()).next() else { return self.error("unclosed action") };
        let character = rune.character();
        self.position += rune.bytes.len();
        match character {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.item(Token::Assign),
            ':' => {
                if self.accept(b"=") {
                    return self.item(Token::Declare);
                }
                if !self.rest().is_empty() {
                    self.position += 1;
                }
                self.error("expected :=")
            }
            '|' => self.item(Token::Pipe),
            '"' => self.quoted(b'"', Token::String, "unterminated quoted string"),
            '`' => match find(self.rest(), b"`") {
                Some(offset) => {
                    self.position += offset + 1;
                    self.item(Token::RawString)
                }
                None => self.error("unterminated raw quoted string"),
            },
            '$' => self.field_or_variable(Token::Variable),
            '\'' => self.quoted(b'\'', Token::CharacterConstant, "unterminated character constant"),
            '.' if self.rest().first().is_some_and(|byte| !byte.is_ascii_digit()) => {
                self.field_or_variable(Token::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.position -= 1;
                self.number()
            }
            _ if is_identifier_character(character) => self.identifier(),
            '(' => {
                self.parentheses += 1;
                self.item(Token::LeftParenthesis)
            }
            ')' => {
                if self.parentheses == 0 {
                    return self.error("unexpected right paren");
                }
                self.parentheses -= 1;
                self.item(Token::RightParenthesis)
            }
            ' '..='~' => self.item(Token::Character),
            _ => {
                let shown = describe(character);
                self.error(format!("unrecognized character in action: {shown}"))
            }
        }
    }

    fn right_delimiter(&mut self, trim: bool) -> Item {
        if trim {
            self.start = self.position + 2;
        }
        let item = Item { token: Token::RightDelimiter, start: self.start, end: self.start + RIGHT.len() };
        self.close_right(trim);
        self.inside = false;
        item
    }

    fn space(&mut self) -> Item {
        self.position += self.rest().iter().take_while(|byte| is_space(**byte)).count();
        // The last space may belong to a trimming right delimiter.
        self.position -= 1;
        if self.at_right() == Some(true) {
            if self.position == self.start {
                return self.right_delimiter(true);
            }
        } else {
            self.position += 1;
        }
        self.item(Token::Space)
    }

    fn quoted(&mut self, quote: u8, token: Token, unterminated: &'static str) -> Item {
        while let Some(byte) = self.rest().first().copied() {
            self.position += 1;
            match byte {
                b'\\' if self.rest().first().is_some_and(|next| *next != b'\n') => self.position += 1,
                b'\\' | b'\n' => return self.error(unterminated),
                _ if byte == quote => return self.item(token),
                _ => {}
            }
        }
        self.error(unterminated)
    }

    fn field_or_variable(&mut self, token: Token) -> Item {
        if self.at_terminator() {
            return self.item(if token == Token::Variable { token } else { Token::Dot });
        }
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.item(token)
    }

    fn identifier(&mut self) -> Item {
        self.skip_alphanumeric();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let word = self.text.get(self.start..self.position).unwrap_or_default();
        let token = match word {
            b"true" | b"false" => Token::Bool,
            _ => Token::keyword(word).unwrap_or(Token::Identifier),
        };
        self.item(token)
    }

    fn skip_alphanumeric(&mut self) {
        let ascii = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        self.position += self.rest().iter().take_while(ascii).count();
        if self.rest().first().is_none_or(u8::is_ascii) {
            return;
        }
        let length = Runes::new(self.rest())
            .take_while(|rune| !rune.is_invalid() && is_identifier_character(rune.character()))
            .map(|rune| rune.bytes.len())
            .sum::<usize>();
        self.position += length;
    }

    fn bad_character(&mut self) -> Item {
        let character = Runes::new(self.rest()).next().map_or('\0', |rune| rune.character());
        let shown = describe(character);
        self.error(format!("bad character {shown}"))
    }

    fn at_terminator(&self) -> bool {
        match self.rest().first() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'.' | b',' | b'|' | b':' | b')' | b'(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| set.contains(byte));
        self.position += usize::from(found);
        found
    }

    fn accept_run(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    fn number(&mut self) -> Item {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.rest().first(), Some(b'+' | b'-')) {
            if !self.scan_number() || self.text.get(self.position.wrapping_sub(1)) != Some(&b'i') {
                return self.bad_number();
            }
            return self.item(Token::Complex);
        }
        self.item(Token::Number)
    }

    fn bad_number(&mut self) -> Item {
        let text = crate::format::quote::quoted(self.text.get(self.start..self.position).unwrap_or_default());
        self.error(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        const DECIMAL: &[u8] = b"0123456789_";
        self.accept(b"+-");
        let mut digits = DECIMAL;
        let mut exponent: &[u8] = b"eE";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
                exponent = b"pP";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
                exponent = b"";
            } else if self.accept(b"bB") {
                digits = b"01_";
                exponent = b"";
            }
        }
        self.accept_run(digits);
        if self.accept(b".") {
            self.accept_run(digits);
        }
        if self.accept(exponent) {
            self.accept(b"+-");
            self.accept_run(DECIMAL);
        }
        self.accept(b"i");
        if let Some(rune) = Runes::new(self.rest()).next()
            && is_identifier_character(rune.character())
        {
            self.position += rune.bytes.len();
            return false;
        }
        true
    }
}

/// `%#U`.
fn describe(character: char) -> String {
    let code = u32::from(character);
    if crate::format::quote::is_printable(character) {
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let (first, rest) = pattern.split_first()?;
    let mut from = 0;
    loop {
        let offset = memchr::memchr(*first, text.get(from..)?)?;
        let at = from + offset;
        if text.get(at + 1..)?.starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn trim_end(text: &[u8]) -> &[u8] {
    let length = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    text.get(..length).unwrap_or_default()
}

fn has_left_trim(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space(*space))
}

fn has_right_trim(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(*space))
}
