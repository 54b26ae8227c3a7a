//! From bytes to text: encodings and forbidden characters, as libyaml's reader treats them.

use std::borrow::Cow;

use crate::Error;

/// Readable text, and what stops reading after it.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    /// Text without the leading byte order mark.
    pub(crate) text: Cow<'a, str>,
    /// Reported when the scanner needs what comes after `text`.
    pub(crate) failure: Option<Error>,
}

/// libyaml reads its input in pieces of this many bytes and reports a bad character when it reads its piece.
const PIECE: usize = 512;

/// Decodes UTF-8 (or UTF-16 by its byte order mark).
pub(crate) fn read(bytes: &[u8]) -> Input<'_> {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => read_utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => read_utf16(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => read_utf8(rest, 3),
        _ => read_utf8(bytes, 0),
    }
}

fn read_utf8(bytes: &[u8], skipped: usize) -> Input<'_> {
    let (valid, bad_encoding) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let good = error.valid_up_to();
            let text = bytes.get(..good).and_then(|good| std::str::from_utf8(good).ok()).unwrap_or_default();
            (text, Some(encoding_problem(bytes.get(good..).unwrap_or_default())))
        }
    };
    let (good, problem) = match first_forbidden(valid) {
        Some(offset) => (offset, Some("control characters are not allowed")),
        None => (valid.len(), bad_encoding),
    };
    let Some(problem) = problem else {
        return Input { text: Cow::Borrowed(valid), failure: None };
    };
    let piece_start = ((good + skipped) / PIECE * PIECE).saturating_sub(skipped);
    let mut end = piece_start.min(good);
    while !valid.is_char_boundary(end) {
        end -= 1;
    }
    Input { text: Cow::Borrowed(valid.get(..end).unwrap_or_default()), failure: Some(Error::syntax(0, problem)) }
}

fn read_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Input<'static> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut problem = (!rest.is_empty()).then_some("incomplete UTF-16 character");
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) if is_allowed(character) => text.push(character),
            Ok(_) => {
                problem = Some("control characters are not allowed");
                break;
            }
            Err(_) => {
                problem = Some("unexpected low surrogate area");
                break;
            }
        }
    }
    Input { text: Cow::Owned(text), failure: problem.map(|problem| Error::syntax(0, problem)) }
}

fn encoding_problem(bytes: &[u8]) -> &'static str {
    let Some(first) = bytes.first().copied() else { return "incomplete UTF-8 octet sequence" };
    let needed = match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => return "invalid leading UTF-8 octet",
    };
    match bytes.get(1..needed) {
        None => "incomplete UTF-8 octet sequence",
        Some(rest) if rest.iter().any(|byte| byte & 0xC0 != 0x80) => "invalid trailing UTF-8 octet",
        Some(_)
            if matches!((first, bytes.get(1)), (0xC0 | 0xC1, _) | (0xE0, Some(..=0x9F)) | (0xF0, Some(..=0x8F))) =>
        {
            "invalid length of a UTF-8 sequence"
        }
        Some(_) => "invalid Unicode character",
    }
}

fn is_allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..
    )
}

/// Offset of the first character that YAML forbids.
fn first_forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = 0;
    // Pieces without anything suspicious are passed over with a loop that the compiler turns into vector code.
    while let Some(piece) = bytes.get(index..index + 64) {
        if !piece.iter().fold(false, |found, byte| found | is_suspicious(*byte)) {
            index += 64;
            continue;
        }
        if let Some(found) = forbidden_in(bytes, index, index + 64) {
            return Some(found);
        }
        index += 64;
    }
    forbidden_in(bytes, index, bytes.len())
}

fn is_suspicious(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\n') || byte == 0x7F || byte == 0xC2 || byte == 0xEF
}

fn forbidden_in(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    (start..end).find(|&index| match bytes.get(index).copied().unwrap_or(b' ') {
        b'\t' | b'\n' | b'\r' => false,
        0x00..=0x1F | 0x7F => true,
        0xC2 => matches!(bytes.get(index + 1), Some(0x80..=0x84 | 0x86..=0x9F)),
        0xEF => bytes.get(index + 1) == Some(&0xBF) && matches!(bytes.get(index + 2), Some(0xBE | 0xBF)),
        _ => false,
    })
}
