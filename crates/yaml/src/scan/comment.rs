//! Comments, which the v3 dialect keeps: where each one stands and which token it belongs to.

use super::{Mark, Recent, Scanner};
use crate::chars::{at, is_blank_byte, is_break, is_break_or_end};

/// A comment found between tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comment {
    /// Where the search that found it began.
    pub(super) scan: usize,
    /// It is handed out with the first token that starts here or later.
    pub(super) token: usize,
    pub(super) start: Mark,
    pub(super) end: usize,
    pub(crate) head: String,
    pub(crate) line: String,
    pub(crate) foot: String,
}

/// The libraries look this many characters ahead for a comment.
const LOOKAHEAD: usize = 512;

impl<'a> Scanner<'a> {
    /// The first comment in the queue if it belongs to a token that starts at `offset`.
    pub(crate) fn next_comment(&mut self, offset: usize, block_end: bool) -> Option<Comment> {
        let comment = self.comments.front()?;
        // What stands before the next token is no business of the end of a block.
        if comment.token > offset || (block_end && !comment.head.is_empty()) {
            return None;
        }
        self.comments.pop_front()
    }

    /// Line breaks between the last text and the current position.
    fn newlines(&self) -> u32 {
        let mut count = 0;
        let before = self.text.get(..self.position).unwrap_or_default();
        let mut characters = before.chars().rev().peekable();
        while let Some(character) = characters.next() {
            match character {
                ' ' | '\t' => {}
                '\n' => {
                    count += 1;
                    characters.next_if_eq(&'\r');
                }
                '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => count += 1,
                _ => break,
            }
        }
        count
    }

    /// A comment at the end of a token's line.
    pub(super) fn scan_line_comment(&mut self, token: usize) {
        let mut ahead = self.position;
        while is_blank_byte(at(self.bytes, ahead)) && ahead - self.position < LOOKAHEAD {
            ahead += 1;
        }
        if at(self.bytes, ahead) != b'#' || ahead - self.position >= LOOKAHEAD || self.newlines() > 0 {
            return;
        }
        self.position = ahead;
        let start = self.mark();
        self.skip_comment();
        let line = self.slice(ahead, self.position).to_owned();
        self.comments.push_back(Comment { scan: 0, token, start, end: 0, line, ..Comment::default() });
    }

    /// `- # comment` above a nested collection belongs to what follows.
    pub(super) fn turn_line_comment_into_head(&mut self) {
        let nested = matches!(self.recent(0), Some((Recent::BlockEntry, _)))
            && matches!(self.recent(1), Some((Recent::BlockSequenceStart, _)));
        if !nested || is_break(self.bytes, self.position) {
            return;
        }
        let (line, position) = (self.line, self.position);
        if let Some(comment) = self.comments.back_mut().filter(|comment| !comment.line.is_empty()) {
            comment.head = std::mem::take(&mut comment.line);
            if comment.start.line + 1 == line {
                comment.token = position;
            }
        }
    }

    /// Comments on their own lines, cut into feet of what stands before and heads of what follows.
    pub(super) fn scan_comments(&mut self, scan: Mark) {
        let mut last = self.recent(0);
        if matches!(last, Some((Recent::FlowEntry, _))) {
            last = self.recent(1).or(last);
        }
        let (after_value, last_start) = match last {
            Some((kind, start)) => (kind == Recent::Value, start.offset),
            None => (false, 0),
        };
        let newlines = self.newlines();
        let mut token = last_start;
        let mut start = Mark::default();
        let mut next_indent = self.indent.max(0);
        let mut recent_empty = false;
        let mut first_empty = newlines <= 1;
        let mut line = self.line;
        let mut column = i64::from(self.column());
        let mut text = String::new();
        // A foot of the text before has to begin on the line right below it.
        let mut foot_line = -1;
        if scan.line > 0 {
            foot_line = i64::from(self.line) - i64::from(newlines) + 1;
            if newlines == 0 && column > 1 {
                foot_line += 1;
            }
        }
        let mut scan = scan.offset;
        let mut ahead = self.position;
        let mut steps = 0;
        while steps < LOOKAHEAD {
            column += 1;
            let byte = at(self.bytes, ahead);
            if is_blank_byte(byte) {
                ahead += 1;
                steps += 1;
                continue;
            }
            let closes_flow = self.in_flow() && matches!(byte, b']' | b'}');
            if closes_flow || is_break_or_end(self.bytes, ahead) {
                if closes_flow || !recent_empty {
                    let below = i64::from(start.line) == foot_line && !after_value;
                    if closes_flow || (first_empty && (below || i64::from(start.column) - 1 < next_indent)) {
                        if !text.is_empty() {
                            if i64::from(start.column) - 1 < next_indent {
                                token = start.offset;
                            }
                            let foot = std::mem::take(&mut text);
                            self.comments.push_back(Comment {
                                scan,
                                token,
                                start,
                                end: ahead,
                                foot,
                                ..Comment::default()
                            });
                            scan = ahead;
                            token = ahead;
                        }
                    } else if !text.is_empty() && byte != 0 {
                        text.push('\n');
                    }
                }
                if !is_break(self.bytes, ahead) {
                    break;
                }
                // Byte by byte, so that `\r\n` counts as two.
                ahead += 1;
                steps += 1;
                first_empty = false;
                recent_empty = true;
                column = 0;
                line += 1;
                continue;
            }
            if !text.is_empty() && column - 1 < next_indent && column != i64::from(start.column) {
                let foot = std::mem::take(&mut text);
                self.comments.push_back(Comment { scan, token, start, end: ahead, foot, ..Comment::default() });
                scan = ahead;
                token = ahead;
            }
            if byte != b'#' {
                break;
            }
            if text.is_empty() {
                start = Mark { offset: ahead, line, column: column as u32 };
            } else {
                text.push('\n');
            }
            recent_empty = false;
            // Go to the comment (over line breaks) and take it.
            while self.position < ahead {
                if is_break(self.bytes, self.position) {
                    self.skip_break();
                } else {
                    self.position += 1;
                }
            }
            let text_start = self.position;
            self.skip_comment();
            text.push_str(self.slice(text_start, self.position));
            // The line break after it is passed over without being looked at.
            ahead = self.position + usize::from(self.position < self.bytes.len());
            steps = 1;
            column = 0;
            line = self.line;
            next_indent = self.indent.max(0);
        }
        if !text.is_empty() {
            self.comments.push_back(Comment {
                scan,
                token: start.offset,
                start,
                end: ahead.saturating_sub(1),
                head: text,
                ..Comment::default()
            });
        }
    }
}
