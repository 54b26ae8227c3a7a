//! Scalars in single or double quotes.

use std::borrow::Cow;

use super::plain_scalar::push_folded;
use super::{ScalarStyle, Scanner, TokenKind};
use crate::Error;
use crate::chars::{is_blank_byte, is_break};

impl<'a> Scanner<'a> {
    pub(super) fn scan_flow_scalar(&mut self, single: bool) -> Result<(), Error> {
        let start = self.mark();
        let quote = if single { b'\'' } else { b'"' };
        self.position += 1;
        let content_start = self.position;
        let mut owned: Option<String> = None;
        loop {
            if self.at_line_start() && self.at_document_indicator() {
                return Err(self.error(Some(start.line), "found unexpected document indicator"));
            }
            if self.byte() == 0 {
                return Err(self.error(Some(start.line), "found unexpected end of stream"));
            }
            let mut leading_blanks = false;
            loop {
                let run_start = self.position;
                self.skip_quoted_run(single);
                if let Some(text) = &mut owned {
                    text.push_str(self.text.get(run_start..self.position).unwrap_or_default());
                }
                match self.byte() {
                    b'\'' if single && self.byte_after(1) == b'\'' => {
                        let text = owned.get_or_insert_with(|| {
                            self.text.get(content_start..self.position).unwrap_or_default().to_owned()
                        });
                        text.push('\'');
                        self.position += 2;
                    }
                    b'\\' if !single => {
                        if owned.is_none() {
                            owned = Some(self.slice(content_start, self.position).to_owned());
                        }
                        if is_break(self.bytes, self.position + 1) {
                            self.position += 1;
                            self.skip_break();
                            leading_blanks = true;
                            break;
                        }
                        let character = self.scan_escape(start.line)?;
                        if let Some(text) = &mut owned {
                            text.push(character);
                        }
                    }
                    _ => break,
                }
            }
            if self.byte() == quote && !leading_blanks {
                break;
            }
            if self.byte() == quote {
                break;
            }
            let gap_start = self.position;
            let mut first_break = "";
            let mut more_breaks = String::new();
            let mut blanks_end = self.position;
            while is_blank_byte(self.byte()) || is_break(self.bytes, self.position) {
                if is_blank_byte(self.byte()) {
                    self.position += 1;
                    if !leading_blanks {
                        blanks_end = self.position;
                    }
                } else if leading_blanks {
                    more_breaks.push_str(self.read_break());
                } else {
                    if owned.is_none() {
                        owned = Some(self.slice(content_start, gap_start).to_owned());
                    }
                    first_break = self.read_break();
                    leading_blanks = true;
                }
            }
            if let Some(text) = &mut owned {
                if !leading_blanks {
                    text.push_str(self.text.get(gap_start..blanks_end).unwrap_or_default());
                } else if first_break.is_empty() {
                    text.push_str(&more_breaks);
                } else {
                    push_folded(text, first_break, &more_breaks);
                }
            }
        }
        let value = match owned {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.slice(content_start, self.position)),
        };
        self.position += 1;
        let style = if single { ScalarStyle::SingleQuoted } else { ScalarStyle::DoubleQuoted };
        self.push(TokenKind::Scalar { value, style }, start);
        Ok(())
    }

    /// Passes over characters that stand for themselves.
    #[inline]
    fn skip_quoted_run(&mut self, single: bool) {
        loop {
            match self.byte() {
                0 | b' ' | b'\t' | b'\n' | b'\r' => return,
                b'\'' if single => return,
                b'"' | b'\\' if !single => return,
                0xC2 | 0xE2 if is_break(self.bytes, self.position) => return,
                _ => self.position += 1,
            }
        }
    }

    fn scan_escape(&mut self, start_line: u32) -> Result<char, Error> {
        let digits = match self.byte_after(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            letter => {
                let character = match letter {
                    b'0' => '\0',
                    b'a' => '\x07',
                    b'b' => '\x08',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\x0B',
                    b'f' => '\x0C',
                    b'r' => '\r',
                    b'e' => '\x1B',
                    b' ' => ' ',
                    b'"' => '"',
                    b'\'' => '\'',
                    b'\\' => '\\',
                    b'N' => '\u{85}',
                    b'_' => '\u{A0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.error(Some(start_line), "found unknown escape character")),
                };
                self.position += 2;
                return Ok(character);
            }
        };
        self.position += 2;
        let mut code: u32 = 0;
        for offset in 0..digits {
            let Some(digit) = char::from(self.byte_after(offset)).to_digit(16) else {
                return Err(self.error(Some(start_line), "did not find expected hexdecimal number"));
            };
            code = (code << 4) | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.error(Some(start_line), "found invalid Unicode character escape code"));
        };
        self.position += digits;
        Ok(character)
    }
}
