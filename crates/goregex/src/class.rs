//! Character classes: `[a-z]`, `\d`, `[:alpha:]`, `\p{Greek}`.

use std::fmt::Write;

use crate::scan::Scanner;
use crate::unicode;
use crate::{Error, ErrorKind};

/// ASCII only, as in Go. The first of a pair is the lower-case letter of Perl or the name of POSIX.
const PERL: [(char, &str); 3] = [('d', "0-9"), ('s', r"\t\n\x0C\r\x20"), ('w', "0-9A-Za-z_")];
const POSIX: [(&str, &str); 14] = [
    ("alnum", "0-9A-Za-z"),
    ("alpha", "A-Za-z"),
    ("ascii", r"\x00-\x7F"),
    ("blank", r"\t\x20"),
    ("cntrl", r"\x00-\x1F\x7F"),
    ("digit", "0-9"),
    ("graph", r"\x21-\x7E"),
    ("lower", "a-z"),
    ("print", r"\x20-\x7E"),
    ("punct", r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E"),
    ("space", r"\t-\r\x20"),
    ("upper", "A-Z"),
    ("word", "0-9A-Za-z_"),
    ("xdigit", "0-9A-Fa-f"),
];

/// Writes a range of characters as an item of a class, leaving out the surrogates, which no text has.
fn push_range(out: &mut String, low: u32, high: u32) {
    let before = out.len();
    for (low, high) in [(low, high.min(0xD7FF)), (low.max(0xE000), high)] {
        if low <= high {
            // Writing to a String cannot fail.
            let _ = write!(out, r"\x{{{low:X}}}-\x{{{high:X}}}");
        }
    }
    if out.len() == before {
        out.push_str(unicode::NOTHING);
    }
}

fn bracketed(items: &str, negated: bool) -> String {
    format!("[{}{items}]", if negated { "^" } else { "" })
}

/// `\d` and the like, and `\p{...}`, as an item of a class; `None` when the position is at something else.
pub(crate) fn escape_class(scanner: &mut Scanner<'_>) -> Result<Option<String>, Error> {
    let mut characters = scanner.rest.chars();
    let (Some('\\'), Some(letter)) = (characters.next(), characters.next()) else {
        return Ok(None);
    };
    if matches!(letter, 'p' | 'P') {
        return unicode_class(scanner, letter == 'P').map(Some);
    }
    let Some((_, items)) = PERL.iter().find(|(name, _)| *name == letter.to_ascii_lowercase()) else {
        return Ok(None);
    };
    scanner.rest = characters.as_str();
    Ok(Some(bracketed(items, letter.is_ascii_uppercase())))
}

fn unicode_class(scanner: &mut Scanner<'_>, negated: bool) -> Result<String, Error> {
    let start = scanner.rest;
    scanner.next();
    scanner.next();
    let name = if scanner.accept("{") {
        let Some(name) = scanner.take_through('}') else {
            return Err(ErrorKind::InvalidCharacterRange.at(start));
        };
        name.strip_suffix('}').unwrap_or(name)
    } else {
        let before = scanner.rest;
        scanner.next();
        scanner.since(before)
    };
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, !negated),
        None => (name, negated),
    };
    unicode::class(name, negated).ok_or_else(|| ErrorKind::InvalidCharacterRange.at(scanner.since(start)))
}

/// `[:alpha:]` as an item of a class; `None` when the position is at something else.
fn posix_class(scanner: &mut Scanner<'_>) -> Result<Option<String>, Error> {
    let start = scanner.rest;
    let Some((name, rest)) = start.strip_prefix("[:").and_then(|inner| inner.split_once(":]")) else {
        return Ok(None);
    };
    scanner.rest = rest;
    let (plain, negated) = match name.strip_prefix('^') {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    match POSIX.iter().find(|(known, _)| *known == plain) {
        Some((_, items)) => Ok(Some(bracketed(items, negated))),
        None => Err(ErrorKind::InvalidCharacterRange.at(scanner.since(start))),
    }
}

/// A class in brackets; the position is at its `[`.
pub(crate) fn bracket_class(scanner: &mut Scanner<'_>) -> Result<String, Error> {
    let start = scanner.rest;
    scanner.next();
    let mut out = String::from("[");
    if scanner.accept("^") {
        out.push('^');
    }
    let mut first = true;
    // A `]` in first place is an ordinary character.
    while first || !scanner.rest.starts_with(']') {
        first = false;
        if let Some(item) = posix_class(scanner)? {
            out.push_str(&item);
            continue;
        }
        if let Some(item) = escape_class(scanner)? {
            out.push_str(&item);
            continue;
        }
        let item = scanner.rest;
        let low = class_character(scanner, start)?;
        let mut high = low;
        // In `[a-]` the hyphen is itself.
        if scanner.rest.len() >= 2 && scanner.rest.starts_with('-') && !scanner.rest.starts_with("-]") {
            scanner.next();
            high = class_character(scanner, start)?;
            if high < low {
                return Err(ErrorKind::InvalidCharacterRange.at(scanner.since(item)));
            }
        }
        push_range(&mut out, low, high);
    }
    scanner.next();
    out.push(']');
    Ok(out)
}

fn class_character(scanner: &mut Scanner<'_>, class: &str) -> Result<u32, Error> {
    if scanner.rest.starts_with('\\') {
        return scanner.escape();
    }
    scanner.next().map(u32::from).ok_or_else(|| ErrorKind::MissingBracket.at(class))
}
