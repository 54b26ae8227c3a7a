//! Scalars without quotes.

use std::borrow::Cow;

use super::{ScalarStyle, Scanner, TokenKind};
use crate::Error;
use crate::chars::{at, is_blank_byte, is_blank_or_end, is_break};

impl<'a> Scanner<'a> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<(), Error> {
        let start = self.mark();
        let indent = self.indent + 1;
        let in_flow = self.in_flow();
        // The text so far; borrowed from the input until a folded line break makes it differ.
        let mut folded: Option<String> = None;
        let mut end = self.position;
        let mut end_line = self.line;
        let mut leading_blanks = false;
        loop {
            if self.byte() == b'#' || (self.at_line_start() && self.at_document_indicator()) {
                break;
            }
            let run_start = self.position;
            let run_end = end_of_run(self.bytes, run_start, in_flow);
            if run_end > run_start {
                match &mut folded {
                    Some(text) => text.push_str(self.slice(run_start, run_end)),
                    None if run_start == start.offset => {}
                    // Blanks inside one line: still one slice of the input.
                    None => {}
                }
                self.position = run_end;
                end = run_end;
                end_line = self.line;
                leading_blanks = false;
                end = self.words(end, in_flow, &mut folded);
            }
            if !(is_blank_byte(self.byte()) || is_break(self.bytes, self.position)) {
                break;
            }
            let gap_start = self.position;
            let mut first_break = "";
            let mut more_breaks = String::new();
            let mut had_break = leading_blanks;
            loop {
                let byte = self.byte();
                if is_blank_byte(byte) {
                    if had_break && byte == b'\t' && i64::from(self.column()) < indent {
                        return Err(self.error(Some(start.line), "found a tab character that violates indentation"));
                    }
                    self.position += 1;
                } else if is_break(self.bytes, self.position) {
                    if had_break {
                        more_breaks.push_str(self.read_break());
                    } else {
                        first_break = self.read_break();
                        had_break = true;
                    }
                } else {
                    break;
                }
            }
            leading_blanks = had_break;
            if !in_flow && i64::from(self.column()) < indent {
                break;
            }
            // The gap belongs to the scalar only if more of it follows.
            let next = self.position;
            if self.byte() == b'#'
                || (self.at_line_start() && self.at_document_indicator())
                || end_of_run(self.bytes, next, in_flow) == next
            {
                break;
            }
            if had_break {
                let text =
                    folded.get_or_insert_with(|| self.text.get(start.offset..end).unwrap_or_default().to_owned());
                push_folded(text, first_break, &more_breaks);
            } else if let Some(text) = &mut folded {
                text.push_str(self.text.get(gap_start..next).unwrap_or_default());
            }
        }
        let value = match folded {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.slice(start.offset, end)),
        };
        if leading_blanks {
            self.simple_key_allowed = true;
        }
        self.tokens.push_back(super::Token {
            kind: TokenKind::Scalar { value, style: ScalarStyle::Plain },
            start,
            end_line,
        });
        Ok(())
    }
}

impl Scanner<'_> {
    /// Passes over further words on the same line, which need none of the checks that come with a new line; gives the
    /// end of the last.
    #[inline]
    fn words(&mut self, mut end: usize, in_flow: bool, folded: &mut Option<String>) -> usize {
        while self.byte() == b' ' {
            let mut next = self.position + 1;
            while at(self.bytes, next) == b' ' {
                next += 1;
            }
            let word_end = if at(self.bytes, next) == b'#' { next } else { end_of_run(self.bytes, next, in_flow) };
            if word_end == next {
                break;
            }
            if let Some(text) = folded {
                text.push_str(self.slice(self.position, word_end));
            }
            self.position = word_end;
            end = word_end;
        }
        end
    }
}

/// Joins lines: one break becomes a space, more of them lose the first.
pub(super) fn push_folded(text: &mut String, first_break: &str, more_breaks: &str) {
    if first_break == "\n" {
        if more_breaks.is_empty() {
            text.push(' ');
        }
    } else {
        text.push_str(first_break);
    }
    text.push_str(more_breaks);
}

/// End of the characters without blanks that belong to a plain scalar.
#[inline]
fn end_of_run(bytes: &[u8], start: usize, in_flow: bool) -> usize {
    let mut index = start;
    loop {
        let rest = bytes.get(index..).unwrap_or_default();
        let Some(found) = rest.iter().position(|byte| MAY_END[usize::from(*byte)]) else { return bytes.len() };
        index += found;
        match at(bytes, index) {
            0 | b' ' | b'\t' | b'\n' | b'\r' => return index,
            b':' if is_blank_or_end(bytes, index + 1) => return index,
            b',' | b'[' | b']' | b'{' | b'}' if in_flow => return index,
            b'?' if in_flow => return index,
            0xC2 | 0xE2 if is_break(bytes, index) => return index,
            _ => index += 1,
        }
    }
}

/// The bytes that have to be looked at more closely.
static MAY_END: [bool; 256] = {
    let mut table = [false; 256];
    let special = b"\0 \t\n\r:,[]{}?\xC2\xE2";
    let mut index = 0;
    while index < special.len() {
        table[special[index] as usize] = true;
        index += 1;
    }
    table
};
