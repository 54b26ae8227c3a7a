//! Writing one scalar in one of the five styles.

use super::analysis::is_break_char;
use super::{Analysis, Writer};
use crate::chars::is_printable;
use crate::scan::{Dialect, ScalarStyle};

/// Where a scalar stands.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    pub(crate) in_flow: bool,
    pub(crate) simple_key: bool,
    /// Directly in a block sequence.
    pub(crate) in_sequence: bool,
}

impl Writer {
    /// The style that holds the text, at least as quoted as `wanted`.
    pub(crate) fn select_style(wanted: ScalarStyle, analysis: Analysis, empty: bool, place: Place) -> ScalarStyle {
        let mut style = wanted;
        if place.simple_key && analysis.multiline {
            style = ScalarStyle::DoubleQuoted;
        }
        if style == ScalarStyle::Plain {
            let allowed = if place.in_flow { analysis.flow_plain_allowed } else { analysis.block_plain_allowed };
            if !allowed || (empty && (place.in_flow || place.simple_key)) {
                style = ScalarStyle::SingleQuoted;
            }
        }
        if style == ScalarStyle::SingleQuoted && !analysis.single_quoted_allowed {
            style = ScalarStyle::DoubleQuoted;
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            && (!analysis.block_allowed || place.in_flow || place.simple_key)
        {
            style = ScalarStyle::DoubleQuoted;
        }
        style
    }

    /// Writes `text` in `style` (which [`Writer::select_style`] has found to fit), its continuation lines one level deeper.
    pub(crate) fn write_scalar(&mut self, text: &str, style: ScalarStyle, place: Place) {
        let allow_breaks = !place.simple_key;
        let outer = self.indent;
        self.indent = self.deeper(true, place.in_sequence);
        match style {
            ScalarStyle::Plain => self.write_plain(text, allow_breaks),
            ScalarStyle::SingleQuoted => self.write_single_quoted(text, allow_breaks),
            ScalarStyle::DoubleQuoted => self.write_double_quoted(text, allow_breaks),
            ScalarStyle::Literal => self.write_literal(text),
            ScalarStyle::Folded => self.write_folded(text),
        }
        self.indent = outer;
    }

    fn write_break_char(&mut self, character: char) {
        if character == '\n' {
            self.put_break();
        } else {
            self.out.push(character);
            self.column = 0;
        }
    }

    fn write_plain(&mut self, text: &str, allow_breaks: bool) {
        if self.dialect == Dialect::V3 && text.is_empty() {
            self.indention = false;
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        let fits = !allow_breaks || self.column + text.len() <= self.best_width;
        if fits && !text.chars().any(is_break_char) {
            self.out.push_str(text);
            self.column += text.chars().count();
            self.whitespace = false;
            self.indention = false;
            return;
        }
        let mut spaces = false;
        let mut breaks = false;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if character == ' ' {
                if allow_breaks && !spaces && self.column > self.best_width && characters.peek() != Some(&' ') {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else if is_break_char(character) {
                if !breaks && character == '\n' {
                    self.put_break();
                }
                self.write_break_char(character);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(character);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn write_single_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.write_indicator("'", true, false, false);
        let mut spaces = false;
        let mut breaks = false;
        let last = text.len().saturating_sub(1);
        let bytes = text.as_bytes();
        for (index, character) in text.char_indices() {
            if character == ' ' {
                let foldable = allow_breaks && !spaces && self.column > self.best_width && index > 0 && index < last;
                if foldable && bytes.get(index + 1) != Some(&b' ') {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                spaces = true;
            } else if is_break_char(character) {
                if !breaks && character == '\n' {
                    self.put_break();
                }
                self.write_break_char(character);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(character);
                if character == '\'' {
                    self.put('\'');
                }
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
        self.write_indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_double_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.write_indicator("\"", true, false, false);
        // Both Go libraries take every character of such a text for a byte order mark.
        let everything = text.starts_with('\u{FEFF}');
        let mut spaces = false;
        let last = text.len().saturating_sub(1);
        let bytes = text.as_bytes();
        for (index, character) in text.char_indices() {
            if everything || !is_printable(character) || is_break_char(character) || matches!(character, '"' | '\\') {
                self.write_escape(character);
                spaces = false;
            } else if character == ' ' {
                if allow_breaks && !spaces && self.column > self.best_width && index > 0 && index < last {
                    self.write_indent();
                    if bytes.get(index + 1) == Some(&b' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(character);
                }
                spaces = true;
            } else {
                self.put(character);
                spaces = false;
            }
        }
        self.write_indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn write_escape(&mut self, character: char) {
        self.put('\\');
        let short = match character {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0B' => 'v',
            '\x0C' => 'f',
            '\r' => 'r',
            '\x1B' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{A0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            other => {
                let code = u32::from(other);
                let text = match code {
                    0..=0xFF => format!("x{code:02X}"),
                    0x100..=0xFFFF => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                self.out.push_str(&text);
                self.column += text.len();
                return;
            }
        };
        self.put(short);
    }

    /// The indentation and chomping indicators of a block scalar.
    fn write_block_hints(&mut self, text: &str) {
        if text.starts_with(|first| first == ' ' || is_break_char(first)) {
            let hint = itoa::Buffer::new().format(self.best_indent).to_owned();
            self.write_indicator(&hint, false, false, false);
        }
        let mut backwards = text.chars().rev();
        let chomping = match (backwards.next(), backwards.next()) {
            (Some(last), _) if !is_break_char(last) => "-",
            (Some(_), None) => "+",
            (Some(_), Some(previous)) if is_break_char(previous) => "+",
            (Some(_), Some(_)) => "",
            (None, _) => "-",
        };
        if !chomping.is_empty() {
            self.write_indicator(chomping, false, false, false);
        }
    }

    fn write_literal(&mut self, text: &str) {
        self.write_indicator("|", true, false, false);
        self.write_block_hints(text);
        if self.line_comment.is_empty() {
            self.put_break();
        } else {
            self.write_line_comment();
        }
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if is_break_char(character) {
                self.write_break_char(character);
                self.indention = true;
                breaks = true;
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
                continue;
            }
            if breaks {
                self.write_indent();
            }
            let (line, after) = rest.split_at(rest.find(is_break_char).unwrap_or(rest.len()));
            self.out.push_str(line);
            self.column += line.chars().count();
            self.indention = false;
            breaks = false;
            rest = after;
        }
    }

    fn write_folded(&mut self, text: &str) {
        self.write_indicator(">", true, false, false);
        self.write_block_hints(text);
        if self.line_comment.is_empty() {
            self.put_break();
        } else {
            self.write_line_comment();
        }
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        let mut leading_spaces = true;
        // libyaml looks at what follows the break; the Go libraries look at the beginning of the text.
        let begins_with_text = text.trim_start_matches(is_break_char).starts_with(|first| !matches!(first, ' ' | '\t'));
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let after = rest.get(character.len_utf8()..).unwrap_or_default();
            if is_break_char(character) {
                if !breaks && !leading_spaces && character == '\n' && begins_with_text {
                    self.put_break();
                }
                self.write_break_char(character);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                    leading_spaces = matches!(character, ' ' | '\t');
                }
                let foldable = !breaks && character == ' ' && !after.starts_with(' ') && self.column > self.best_width;
                if foldable {
                    self.write_indent();
                } else {
                    self.put(character);
                }
                self.indention = false;
                breaks = false;
            }
            rest = after;
        }
    }
}
