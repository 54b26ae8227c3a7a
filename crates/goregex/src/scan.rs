//! Reading position in a pattern, and the escapes that stand for one character.

use crate::{Error, ErrorKind};

/// The unread rest of a pattern.
#[derive(Clone, Copy)]
pub(crate) struct Scanner<'a> {
    pub(crate) rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    pub(crate) fn accept(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// What has been read since `start`, an earlier rest of the same pattern.
    pub(crate) fn since(&self, start: &'a str) -> &'a str {
        start.get(..start.len() - self.rest.len()).unwrap_or(start)
    }

    /// Splits off everything up to and including `end`.
    pub(crate) fn take_through(&mut self, end: char) -> Option<&'a str> {
        let position = self.rest.find(end)?;
        let (taken, rest) = self.rest.split_at_checked(position + end.len_utf8())?;
        self.rest = rest;
        Some(taken)
    }

    /// A decimal number without needless zeros. `Some(None)` is one too large for any repetition.
    pub(crate) fn number(&mut self) -> Option<Option<u32>> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        if number.is_empty() || (number.len() > 1 && number.starts_with('0')) {
            return None;
        }
        self.rest = rest;
        Some(number.parse().ok())
    }

    /// An escape sequence that stands for one character; the position is at its backslash. Surrogates are possible,
    /// and match nothing.
    pub(crate) fn escape(&mut self) -> Result<u32, Error> {
        let start = self.rest;
        self.next();
        let Some(character) = self.next() else {
            return Err(ErrorKind::TrailingBackslash.at(""));
        };
        let code = match character {
            '0' => self.octal(0),
            '1'..='7' if matches!(self.peek(), Some('0'..='7')) => self.octal(character.to_digit(8).unwrap_or(0)),
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            character if character.is_ascii() && !character.is_ascii_alphanumeric() => Some(character.into()),
            _ => None,
        };
        code.ok_or_else(|| ErrorKind::InvalidEscape.at(self.since(start)))
    }

    /// The rest of an octal number of at most three digits.
    #[expect(clippy::unnecessary_wraps, reason = "one of several alternatives of which others fail")]
    fn octal(&mut self, first: u32) -> Option<u32> {
        let mut code = first;
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|digit| digit.to_digit(8)) else { break };
            code = code * 8 + digit;
            self.next();
        }
        Some(code)
    }

    /// Two hexadecimal digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let mut code = 0;
        let mut digits = 0;
        loop {
            match self.next()? {
                '}' => return (digits > 0).then_some(code),
                digit => {
                    code = code * 16 + digit.to_digit(16)?;
                    if code > u32::from(char::MAX) {
                        return None;
                    }
                    digits += 1;
                }
            }
        }
    }
}
