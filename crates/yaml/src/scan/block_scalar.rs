//! Literal (`|`) and folded (`>`) scalars.

use std::borrow::Cow;

use super::{Dialect, Mark, ScalarStyle, Scanner, TokenKind};
use crate::Error;
use crate::chars::{is_blank_byte, is_break, is_break_or_end};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<(), Error> {
        let start = self.mark();
        self.position += 1;
        let (chomping, increment) = self.scan_block_header(start)?;
        let mut indent = match increment {
            0 => 0,
            digit => self.indent.max(0) + i64::from(digit),
        };
        let mut text = String::new();
        let mut trailing_breaks = String::new();
        let mut leading_break = "";
        let mut end_line = self.line;
        self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end_line)?;
        let mut leading_blank = false;
        while i64::from(self.column()) == indent && self.byte() != 0 {
            let trailing_blank = is_blank_byte(self.byte());
            if !literal && leading_break == "\n" && !leading_blank && !trailing_blank {
                if trailing_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(leading_break);
            }
            text.push_str(&trailing_breaks);
            trailing_breaks.clear();
            leading_blank = trailing_blank;
            let line_start = self.position;
            self.skip_comment();
            text.push_str(self.slice(line_start, self.position));
            leading_break = self.read_break();
            self.scan_block_breaks(&mut indent, &mut trailing_breaks, start, &mut end_line)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(leading_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&trailing_breaks);
        }
        let style = if literal { ScalarStyle::Literal } else { ScalarStyle::Folded };
        self.tokens.push_back(super::Token {
            kind: TokenKind::Scalar { value: Cow::Owned(text), style },
            start,
            end_line,
        });
        Ok(())
    }

    /// The chomping and indentation indicators and the rest of the first line.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, u8), Error> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        let mut seen_chomping = false;
        let mut seen_increment = false;
        loop {
            match self.byte() {
                byte @ (b'+' | b'-') if !seen_chomping => {
                    seen_chomping = true;
                    chomping = if byte == b'+' { Chomping::Keep } else { Chomping::Strip };
                }
                b'0' if !seen_increment => {
                    return Err(self.error(Some(start.line), "found an indentation indicator equal to 0"));
                }
                digit @ b'1'..=b'9' if !seen_increment => {
                    seen_increment = true;
                    increment = digit - b'0';
                }
                _ => break,
            }
            self.position += 1;
        }
        if self.dialect == Dialect::V3 {
            self.scan_line_comment(start.offset);
        }
        while is_blank_byte(self.byte()) {
            self.position += 1;
        }
        if self.byte() == b'#' {
            self.skip_comment();
        }
        if !is_break_or_end(self.bytes, self.position) {
            return Err(self.error(Some(start.line), "did not find expected comment or line break"));
        }
        self.skip_break();
        Ok((chomping, increment))
    }

    /// Passes over indentation and empty lines; finds the indentation if it is not known yet (0).
    fn scan_block_breaks(
        &mut self,
        indent: &mut i64,
        breaks: &mut String,
        start: Mark,
        end_line: &mut u32,
    ) -> Result<(), Error> {
        *end_line = self.line;
        let mut deepest = 0;
        loop {
            let mut column = i64::from(self.column());
            while (*indent == 0 || column < *indent) && self.byte() == b' ' {
                self.position += 1;
                column += 1;
            }
            self.counted_position = self.position;
            self.counted_column = column as u32;
            deepest = deepest.max(column);
            if (*indent == 0 || column < *indent) && self.byte() == b'\t' {
                return Err(
                    self.error(Some(start.line), "found a tab character where an indentation space is expected")
                );
            }
            if !is_break(self.bytes, self.position) {
                break;
            }
            breaks.push_str(self.read_break());
            *end_line = self.line;
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
