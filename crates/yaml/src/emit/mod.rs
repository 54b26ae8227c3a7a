//! Writing characters: libyaml's emitter below the level of collections, shared by the dialects.

use crate::scan::Dialect;

mod analysis;
mod scalar;

pub(crate) use scalar::Place;

pub(crate) use analysis::{Analysis, is_break_char};

/// The text written so far and what the emitter has to remember about it.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) out: String,
    /// In characters.
    pub(crate) column: usize,
    /// Column of the current collection, -1 outside.
    pub(crate) indent: i64,
    pub(crate) best_indent: i64,
    /// Column after which a space may become a line break.
    pub(crate) best_width: usize,
    /// Was the last character a blank (or nothing)?
    pub(crate) whitespace: bool,
    /// Are there only indentation characters (spaces, `-`, `?`, `:`) on this line so far?
    pub(crate) indention: bool,
    pub(crate) dialect: Dialect,
    /// Indentation of a foot comment just written: what follows at the same indentation is set apart by an empty line.
    pub(crate) foot_indent: i64,
    /// Comment that the header line of a block scalar takes along.
    pub(crate) line_comment: String,
}

impl Writer {
    pub(crate) fn new(dialect: Dialect, best_indent: i64, best_width: usize) -> Self {
        Self {
            out: String::new(),
            column: 0,
            indent: -1,
            best_indent,
            best_width,
            whitespace: true,
            indention: true,
            dialect,
            foot_indent: -1,
            line_comment: String::new(),
        }
    }

    /// Indentation of what is nested in the current collection; v3 aligns it to multiples, except in sequences.
    pub(crate) fn deeper(&self, flow: bool, in_sequence: bool) -> i64 {
        if self.indent < 0 {
            return if flow { self.best_indent } else { 0 };
        }
        match self.dialect {
            Dialect::V2 => self.indent + self.best_indent,
            Dialect::V3 if in_sequence => self.indent + 2,
            Dialect::V3 => (self.indent + self.best_indent) / self.best_indent * self.best_indent,
        }
    }

    pub(crate) fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    pub(crate) fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention |= self.dialect == Dialect::V3;
    }

    /// Goes to the current indentation, on a new line unless this one is still only indentation.
    pub(crate) fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        if self.foot_indent == indent as i64 {
            self.put_break();
        }
        while self.column < indent {
            const SPACES: &str = "                                ";
            let piece = SPACES.get(..indent - self.column).unwrap_or(SPACES);
            self.out.push_str(piece);
            self.column += piece.len();
        }
        self.whitespace = true;
        self.foot_indent = -1;
        self.indention |= self.dialect == Dialect::V2;
    }

    /// Writes a comment and ends its line.
    pub(crate) fn write_comment(&mut self, comment: &str) {
        let mut breaks = false;
        let mut pound = false;
        for character in comment.chars() {
            if is_break_char(character) {
                if character == '\n' {
                    self.put_break();
                } else {
                    self.out.push(character);
                    self.column = 0;
                    self.indention = true;
                }
                breaks = true;
                pound = false;
                continue;
            }
            if breaks {
                self.write_indent();
            }
            if !pound {
                if character != '#' {
                    self.put('#');
                    self.put(' ');
                }
                pound = true;
            }
            self.put(character);
            self.indention = false;
            breaks = false;
        }
        if !breaks {
            self.put_break();
        }
        self.whitespace = true;
    }

    /// Writes the pending comment at the end of a line.
    pub(crate) fn write_line_comment(&mut self) {
        if self.line_comment.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        let comment = std::mem::take(&mut self.line_comment);
        self.write_comment(&comment);
    }

    pub(crate) fn write_indicator(
        &mut self,
        indicator: &str,
        need_whitespace: bool,
        is_whitespace: bool,
        is_indention: bool,
    ) {
        if need_whitespace && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(indicator);
        self.column += indicator.chars().count();
        self.whitespace = is_whitespace;
        self.indention = self.indention && is_indention;
    }
}
