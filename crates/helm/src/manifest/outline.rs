//! The outline of a manifest: where its head is, and whether all the rest is certainly YAML.
//!
//! Helm reads a whole document to sort it by its head, and fails when any of it is not YAML or has no JSON form. Most of
//! what charts write is a small part of YAML: block maps and lists, scalars of one line, block scalars, plain scalars
//! folded over lines. That part is checked here line by line, without making values. Whatever else stands in a document
//! ends the check with "unknown", and the real parser decides.

mod line;

use line::{Ending, Line};

/// Columns deeper than this many collections are left to the parser.
const DEEPEST: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
}

/// An open block collection.
#[derive(Clone, Copy)]
struct Level {
    column: usize,
    kind: Kind,
}

/// What may come after the last value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Nothing but the next entry.
    Done,
    /// A nested collection: the value was empty so far.
    Empty,
    /// More lines of a plain scalar.
    Plain,
}

struct Outline<'a> {
    bytes: &'a [u8],
    tabs: bool,
    levels: Vec<Level>,
    after: After,
}

/// The text of the document's entries `apiVersion`, `kind` and `metadata`, in any case of letters, when the document is
/// certainly a map that the parser accepts; `None` when only the parser can tell.
pub(super) fn head_text(document: &str) -> Option<String> {
    let tabs = line::check_characters(document.as_bytes())?;
    let mut outline = Outline { bytes: document.as_bytes(), tabs, levels: Vec::new(), after: After::Done };
    let mut head = String::new();
    let mut entry: Option<usize> = None;
    let mut position = 0;
    while position < document.len() {
        let line = Line::at(outline.bytes, position);
        let top_level = line.column == 0 && !matches!(line.text.first(), None | Some(b'#' | b'-'));
        if top_level {
            if let Some(start) = entry.take() {
                head.push_str(document.get(start..position)?);
            }
            let (key, _) = line::plain_key(line.text)?;
            let is_head = |name: &&[u8]| key.eq_ignore_ascii_case(name);
            entry = [&b"apiVersion"[..], b"kind", b"metadata"].iter().any(is_head).then_some(position);
        }
        position = outline.line(&line)?;
    }
    if let Some(start) = entry {
        head.push_str(document.get(start..)?);
    }
    Some(head)
}

impl<'a> Outline<'a> {
    /// Takes a line, and with it the block scalar that begins on it; gives where the next line begins.
    fn line(&mut self, line: &Line<'a>) -> Option<usize> {
        match line.text.first() {
            None => return Some(line.next),
            Some(b'#') => {
                // A comment ends a plain scalar.
                if self.after == After::Plain {
                    self.after = After::Done;
                }
                return Some(line.next);
            }
            Some(_) if self.tabs && line.text.contains(&b'\t') => return None,
            Some(_) => {}
        }
        if self.after == After::Plain {
            if self.levels.last().is_some_and(|level| line.column > level.column) {
                self.plain(line.text)?;
                return Some(line.next);
            }
            self.after = After::Done;
        }
        if self.stands_alone(line) {
            self.after = After::Done;
            return self.value(line.text, line.next);
        }
        self.place(line)?;
        self.after = After::Done;
        let (mut text, mut column) = (line.text, line.column);
        while let Some(rest) = line::after_dash(text) {
            let value = line::trim_start(rest);
            if matches!(value.first(), None | Some(b'#')) {
                self.after = After::Empty;
                return Some(line.next);
            }
            column += text.len() - value.len();
            text = value;
            if line::after_dash(text).is_some() {
                self.open(column, Kind::List)?;
            } else if line::key(text).is_some() {
                self.open(column, Kind::Map)?;
            } else {
                return self.value(text, line.next);
            }
        }
        let (key, rest) = line::key(text)?;
        if matches!(key, b"null" | b"Null" | b"NULL") {
            return None;
        }
        let value = line::trim_start(rest);
        match value.first() {
            None => self.after = After::Empty,
            Some(b'#') if value.len() < rest.len() => self.after = After::Empty,
            Some(_) => return self.value(value, line.next),
        }
        Some(line.next)
    }

    /// Is this the value of the key or dash on a line before, without a collection of its own?
    fn stands_alone(&self, line: &Line<'_>) -> bool {
        self.after == After::Empty
            && self.levels.last().is_some_and(|level| line.column > level.column)
            && line::after_dash(line.text).is_none()
            && line::key(line.text).is_none()
    }

    fn open(&mut self, column: usize, kind: Kind) -> Option<()> {
        self.levels.push(Level { column, kind });
        (self.levels.len() <= DEEPEST).then_some(())
    }

    /// Closes and opens collections so that the innermost one is that of the line.
    fn place(&mut self, line: &Line<'_>) -> Option<()> {
        let column = line.column;
        let kind = if line::after_dash(line.text).is_some() { Kind::List } else { Kind::Map };
        if self.levels.is_empty() {
            return if column == 0 && kind == Kind::Map { self.open(0, Kind::Map) } else { None };
        }
        while self.levels.last().is_some_and(|level| level.column > column) {
            self.levels.pop();
            self.after = After::Done;
        }
        let level = *self.levels.last()?;
        if level.column < column {
            return if self.after == After::Empty { self.open(column, kind) } else { None };
        }
        match (level.kind, kind) {
            (Kind::Map, Kind::Map) | (Kind::List, Kind::List) => Some(()),
            // The items of a key's list may stand right below the key.
            (Kind::Map, Kind::List) if self.after == After::Empty => self.open(column, kind),
            (Kind::List, Kind::Map) => {
                self.levels.pop();
                let outer = self.levels.last()?;
                (outer.column == column && outer.kind == Kind::Map).then_some(())
            }
            _ => None,
        }
    }

    /// A value that begins on its key's or dash's line.
    fn value(&mut self, text: &'a [u8], next: usize) -> Option<usize> {
        match text.first()? {
            quote @ (b'"' | b'\'') => match line::closing(*quote, text.get(1..)?)? {
                Some(rest) => line::ends(rest)?,
                None => return self.quoted(*quote, next),
            },
            b'[' | b'{' => line::ends(line::flow(text, 0)?)?,
            b'|' | b'>' => return self.block_scalar(text, next),
            b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b',' | b']' | b'}' | b'#' => return None,
            // Infinities and what is no number at all have no JSON form.
            b'.' if matches!(text.get(1), Some(b'i' | b'I' | b'n' | b'N')) => return None,
            b'+' | b'-' if text.get(1) == Some(&b'.') => return None,
            b'-' | b'?' | b':' if matches!(text.get(1), None | Some(b' ')) => return None,
            _ => self.plain(text)?,
        }
        Some(next)
    }

    /// A line of a plain scalar.
    fn plain(&mut self, text: &[u8]) -> Option<()> {
        self.after = match line::plain(text)? {
            Ending::Comment => After::Done,
            Ending::Open => After::Plain,
        };
        Some(())
    }

    /// The further lines of a quoted text; gives where the first line after it begins.
    fn quoted(&self, quote: u8, start: usize) -> Option<usize> {
        let parent = self.levels.last()?.column;
        let mut position = start;
        while position < self.bytes.len() {
            let line = Line::at(self.bytes, position);
            if !line.text.is_empty() {
                if line.column <= parent || (self.tabs && line.text.contains(&b'\t')) {
                    return None;
                }
                if let Some(rest) = line::closing(quote, line.text)? {
                    line::ends(rest)?;
                    return Some(line.next);
                }
            }
            position = line.next;
        }
        None
    }

    /// A block scalar from its header on; gives where the first line after it begins.
    fn block_scalar(&mut self, header: &[u8], start: usize) -> Option<usize> {
        let rest = header.get(1..)?;
        let rest = rest.strip_prefix(b"-").or_else(|| rest.strip_prefix(b"+")).unwrap_or(rest);
        if !line::trim_start(rest).is_empty() {
            return None;
        }
        let parent = self.levels.last()?.column;
        let mut position = start;
        let mut blank = 0;
        // The first line with text sets the indentation, unless a blank line before it is longer.
        let indentation = loop {
            if position >= self.bytes.len() {
                return Some(position);
            }
            let line = Line::at(self.bytes, position);
            match line.text.first() {
                None => blank = blank.max(line.column),
                Some(b'\t') => return None,
                Some(_) if line.column <= parent => return Some(position),
                Some(_) if blank > line.column => return None,
                Some(_) => break line.column,
            }
            position = line.next;
        };
        while position < self.bytes.len() {
            let line = Line::at(self.bytes, position);
            if line.column < indentation {
                match line.text.first() {
                    None => {}
                    Some(b'\t') => return None,
                    Some(_) => return Some(position),
                }
            }
            position = line.next;
        }
        Some(position)
    }
}

#[cfg(test)]
mod tests;
