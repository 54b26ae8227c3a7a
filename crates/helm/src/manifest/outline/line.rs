//! Lines and what stands on them.

use memchr::{memchr, memchr2};

/// A line without its indentation and its end.
pub(super) struct Line<'a> {
    /// The number of spaces before the text.
    pub(super) column: usize,
    /// The text, spaces at its end included unless there is nothing else.
    pub(super) text: &'a [u8],
    /// Where the next line begins.
    pub(super) next: usize,
}

impl<'a> Line<'a> {
    /// The line that begins here.
    pub(super) fn at(bytes: &'a [u8], start: usize) -> Self {
        let rest = bytes.get(start..).unwrap_or_default();
        let column = rest.iter().take_while(|byte| **byte == b' ').count();
        let rest = rest.get(column..).unwrap_or_default();
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        Self { column, text: rest.get(..length).unwrap_or_default(), next: start + column + length + 1 }
    }
}

/// How a line of a plain scalar ends.
pub(super) enum Ending {
    /// The scalar may go on.
    Open,
    /// With a comment, which ends the scalar.
    Comment,
}

/// Whether there are tabs; `None` when there is a character that YAML forbids or takes for a line break.
pub(super) fn check_characters(bytes: &[u8]) -> Option<bool> {
    let suspicious =
        |byte: u8| (byte < 0x20 && byte != b'\n') || byte == 0x7F || byte == 0xC2 || byte == 0xE2 || byte == 0xEF;
    let mut tabs = false;
    let mut start = 0;
    for piece in bytes.chunks(64) {
        // Written so that the compiler makes vector code of it.
        if piece.iter().fold(false, |found, byte| found | suspicious(*byte)) {
            for (offset, byte) in piece.iter().enumerate().filter(|(_, byte)| suspicious(**byte)) {
                let follow = bytes.get(start + offset + 1..).unwrap_or_default();
                match (byte, follow) {
                    (b'\t', _) => tabs = true,
                    (0xC2, [next, ..]) if *next >= 0xA0 => {}
                    (0xE2, [0x80, 0xA8 | 0xA9, ..]) => return None,
                    (0xE2, _) => {}
                    (0xEF, [0xBB, 0xBF, ..] | [0xBF, 0xBE | 0xBF, ..]) => return None,
                    (0xEF, _) => {}
                    _ => return None,
                }
            }
        }
        start += piece.len();
    }
    Some(tabs)
}

pub(super) fn trim_start(text: &[u8]) -> &[u8] {
    text.get(text.iter().take_while(|byte| **byte == b' ').count()..).unwrap_or_default()
}

/// What follows a `-` that opens a list's item.
pub(super) fn after_dash(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"-")?;
    matches!(rest.first(), None | Some(b' ')).then_some(rest)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

/// Longer keys are left to the parser, which has a limit.
const LONGEST_KEY: usize = 256;

/// A key without quotes, and what follows its colon.
pub(super) fn plain_key(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if !text.first()?.is_ascii_alphabetic() {
        return None;
    }
    let length = text.iter().take_while(|byte| is_word(**byte)).count();
    let (key, rest) = text.split_at_checked(length)?;
    after_colon(key, rest)
}

/// A key and what follows its colon.
pub(super) fn key(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if !matches!(text.first()?, b'"' | b'\'') {
        return plain_key(text);
    }
    let rest = quoted(text)?;
    after_colon(text.get(..text.len() - rest.len())?, rest)
}

fn after_colon<'a>(key: &'a [u8], rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let rest = rest.strip_prefix(b":")?;
    (matches!(rest.first(), None | Some(b' ')) && key.len() <= LONGEST_KEY).then_some((key, rest))
}

/// A line of a plain scalar: no `: ` in it, which would be an error.
pub(super) fn plain(text: &[u8]) -> Option<Ending> {
    let mut from = 0;
    while let Some(found) = memchr2(b':', b'#', text.get(from..)?) {
        let at = from + found;
        match (text.get(at), text.get(at + 1)) {
            (Some(b':'), None | Some(b' ')) => return None,
            (Some(b'#'), _) if at > 0 && text.get(at - 1) == Some(&b' ') => return Some(Ending::Comment),
            _ => from = at + 1,
        }
    }
    Some(Ending::Open)
}

/// What follows a quoted text that ends on its line and has only the commonest escapes.
pub(super) fn quoted(text: &[u8]) -> Option<&[u8]> {
    let (quote, rest) = text.split_first()?;
    closing(*quote, rest)?
}

/// What follows the end of a quoted text, if it ends on this line; `None` when there are other than the commonest escapes.
pub(super) fn closing(quote: u8, mut rest: &[u8]) -> Option<Option<&[u8]>> {
    loop {
        let found = if quote == b'"' { memchr2(b'"', b'\\', rest) } else { memchr(b'\'', rest) };
        let Some(found) = found else { return Some(None) };
        let pair = match (rest.get(found)?, rest.get(found + 1)) {
            (b'\\', Some(b'"' | b'\\' | b'n' | b'r' | b't' | b' ')) => true,
            (b'\\', _) => return None,
            (b'\'', Some(b'\'')) => true,
            _ => false,
        };
        rest = rest.get(found + 1 + usize::from(pair)..)?;
        if !pair {
            return Some(Some(rest));
        }
    }
}

/// Deeper flow collections are left to the parser.
const DEEPEST_FLOW: usize = 8;

/// What follows a list or map in brackets that ends on its line and holds words and quoted texts.
pub(super) fn flow(text: &[u8], depth: usize) -> Option<&[u8]> {
    if depth > DEEPEST_FLOW {
        return None;
    }
    let (open, rest) = text.split_first()?;
    let (is_map, close) = if *open == b'{' { (true, b'}') } else { (false, b']') };
    let mut rest = trim_start(rest);
    if rest.first() == Some(&close) {
        return rest.get(1..);
    }
    loop {
        if is_map {
            let (key, value) = key(rest)?;
            if matches!(key, b"null" | b"Null" | b"NULL") {
                return None;
            }
            rest = trim_start(value);
        }
        rest = trim_start(flow_item(rest, depth)?);
        let (mark, after) = rest.split_first()?;
        match mark {
            b',' => rest = trim_start(after),
            mark if *mark == close => return Some(after),
            _ => return None,
        }
    }
}

fn flow_item(text: &[u8], depth: usize) -> Option<&[u8]> {
    match text.first()? {
        b'"' | b'\'' => quoted(text),
        b'[' | b'{' => flow(text, depth + 1),
        first if first.is_ascii_alphanumeric() => text.get(text.iter().take_while(|byte| is_word(**byte)).count()..),
        _ => None,
    }
}

/// Nothing follows but spaces and a comment.
pub(super) fn ends(rest: &[u8]) -> Option<()> {
    let trimmed = trim_start(rest);
    match trimmed.first() {
        None => Some(()),
        Some(b'#') => (trimmed.len() < rest.len()).then_some(()),
        Some(_) => None,
    }
}
