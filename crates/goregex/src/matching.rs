//! Matching, replacing and splitting as Go does them.

use std::borrow::Cow;
use std::ops::Range;

use regex::{CaptureLocations, RegexBuilder};

use crate::parse::translate;
use crate::template::{self, Part};
use crate::{Error, ErrorKind};

/// Memory a compiled pattern may take, in bytes. Go allows patterns some ten times larger.
const SIZE_LIMIT: usize = 16 << 20;
/// Depth the `regex` crate's own parser allows; ours is stricter and its output nests a few times deeper.
const NEST_LIMIT: u32 = 10_000;

/// A compiled Go regular expression.
#[derive(Debug)]
pub struct Regex {
    pattern: String,
    regex: regex::Regex,
    names: Vec<Option<String>>,
}

/// A text to be searched: a Go string, which need not be UTF-8. Each byte that is not counts as one U+FFFD.
#[derive(Debug)]
pub struct Subject<'a> {
    text: Cow<'a, str>,
    bytes: &'a [u8],
    /// The place in `bytes` for each place in a repaired `text`.
    origins: Option<Vec<usize>>,
}

impl<'a> From<&'a str> for Subject<'a> {
    fn from(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), bytes: text.as_bytes(), origins: None }
    }
}

impl<'a> From<&'a [u8]> for Subject<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.into();
        }
        let mut text = String::with_capacity(bytes.len());
        let mut origins = Vec::with_capacity(bytes.len() + 1);
        let mut origin = 0;
        let mut push = |piece: &str, from: usize, width: usize| {
            // Only character boundaries are ever looked up.
            origins.extend((0..piece.len()).map(|offset| from + offset.min(width)));
            text.push_str(piece);
        };
        for chunk in bytes.utf8_chunks() {
            push(chunk.valid(), origin, chunk.valid().len());
            origin += chunk.valid().len();
            for _ in chunk.invalid() {
                push("\u{FFFD}", origin, 1);
                origin += 1;
            }
        }
        origins.push(origin);
        Self { text: Cow::Owned(text), bytes, origins: Some(origins) }
    }
}

impl Subject<'_> {
    fn original(&self, position: usize) -> usize {
        match &self.origins {
            None => position,
            Some(origins) => origins.get(position).copied().unwrap_or(self.bytes.len()),
        }
    }

    fn original_range(&self, range: Range<usize>) -> Range<usize> {
        self.original(range.start)..self.original(range.end)
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.bytes.get(self.original(start)..self.original(end)).unwrap_or_default()
    }

    /// The width of the character at `position`, 0 at the end.
    fn width(&self, position: usize) -> usize {
        self.text.get(position..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
    }
}

impl Regex {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, Error> {
        let translation = translate(pattern)?;
        let regex = RegexBuilder::new(&translation.pattern)
            .size_limit(SIZE_LIMIT)
            .nest_limit(NEST_LIMIT)
            .build()
            .map_err(|_| ErrorKind::TooLarge.at(pattern))?;
        Ok(Self { pattern: pattern.to_owned(), regex, names: translation.names })
    }

    /// Compiles a pattern that need not be UTF-8, which is an error then.
    pub fn from_bytes(pattern: &[u8]) -> Result<Self, Error> {
        Self::new(utf8_pattern(pattern)?)
    }

    /// The pattern this was compiled from.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether the text contains a match.
    pub fn is_match<'a>(&self, text: impl Into<Subject<'a>>) -> bool {
        self.regex.is_match(&text.into().text)
    }

    /// The leftmost match.
    pub fn find<'a>(&self, text: impl Into<Subject<'a>>) -> Option<Range<usize>> {
        let subject = text.into();
        let found = self.regex.find(&subject.text)?;
        Some(subject.original_range(found.range()))
    }

    /// The groups of the leftmost match, by number.
    pub fn captures<'a>(&self, text: impl Into<Subject<'a>>) -> Option<Vec<Option<Range<usize>>>> {
        let subject = text.into();
        let captures = self.regex.captures(&subject.text)?;
        // A group that is repeated zero times is unknown to the `regex` crate.
        let group = |number| captures.get(number).map(|group| subject.original_range(group.range()));
        Some((0..self.names.len()).map(group).collect())
    }

    /// The names of the groups, by number.
    pub fn group_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.names.iter().map(Option::as_deref)
    }

    /// All matches that do not overlap, `limit` at most unless it is negative.
    pub fn find_all<'a>(&self, text: impl Into<Subject<'a>>, limit: i64) -> Vec<Range<usize>> {
        self.find_all_in(&text.into(), limit)
    }

    fn find_all_in(&self, subject: &Subject<'_>, limit: i64) -> Vec<Range<usize>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let text = subject.text.as_ref();
        let mut matches = Vec::new();
        let mut position = 0;
        let mut previous_end = None;
        while matches.len() < limit && position <= text.len() {
            let Some(found) = self.regex.find_at(text, position) else { break };
            let empty_here = found.end() == position;
            // No empty match right behind another match.
            if !(empty_here && Some(found.start()) == previous_end) {
                matches.push(subject.original_range(found.range()));
            }
            position = if empty_here { position + subject.width(position).max(1) } else { found.end() };
            previous_end = Some(found.end());
        }
        matches
    }

    /// The text with every match replaced by the template, in which `$1`, `${1}` and `${name}` stand for groups. As in
    /// Go, `$1W` is the group named `1W`. `None` when the result would be longer than `maximum` bytes.
    pub fn replace_all<'a>(&self, text: impl Into<Subject<'a>>, template: &[u8], maximum: usize) -> Option<Vec<u8>> {
        if !template.contains(&b'$') {
            return self.replace_all_literal(text, template, maximum);
        }
        let subject = text.into();
        let parts = template::parse(template);
        self.replace(&subject, maximum, true, |groups, out| self.expand(&subject, &parts, groups, out))
    }

    /// The text with every match replaced by the replacement as it is; `None` when the result would be longer than
    /// `maximum` bytes.
    pub fn replace_all_literal<'a>(
        &self,
        text: impl Into<Subject<'a>>,
        replacement: &[u8],
        maximum: usize,
    ) -> Option<Vec<u8>> {
        self.replace(&text.into(), maximum, false, |_, out| out.extend_from_slice(replacement))
    }

    fn replace(
        &self,
        subject: &Subject<'_>,
        maximum: usize,
        with_groups: bool,
        write_replacement: impl Fn(&CaptureLocations, &mut Vec<u8>),
    ) -> Option<Vec<u8>> {
        let text = subject.text.as_ref();
        let mut groups = self.regex.capture_locations();
        let mut out = Vec::with_capacity(subject.bytes.len());
        let mut last_end = 0;
        let mut position = 0;
        while position <= text.len() && out.len() <= maximum {
            let found = if with_groups {
                self.regex.captures_read_at(&mut groups, text, position)
            } else {
                self.regex.find_at(text, position)
            };
            let Some(found) = found else { break };
            out.extend_from_slice(subject.slice(last_end, found.start()));
            // An empty match right behind another match is not replaced.
            if found.end() > last_end || found.start() == 0 {
                write_replacement(&groups, &mut out);
            }
            last_end = found.end();
            position = if position + subject.width(position).max(1) > last_end {
                position + subject.width(position).max(1)
            } else {
                last_end
            };
        }
        out.extend_from_slice(subject.slice(last_end, text.len()));
        (out.len() <= maximum).then_some(out)
    }

    fn expand(&self, subject: &Subject<'_>, parts: &[Part<'_>], locations: &CaptureLocations, out: &mut Vec<u8>) {
        for part in parts {
            let group = match part {
                Part::Text(text) => {
                    out.extend_from_slice(text);
                    continue;
                }
                Part::Group(number) => locations.get(*number),
                Part::Name(name) => self
                    .names
                    .iter()
                    .enumerate()
                    .filter(|(_, known)| known.as_deref() == Some(name))
                    .find_map(|(number, _)| locations.get(number)),
            };
            if let Some((start, end)) = group {
                out.extend_from_slice(subject.slice(start, end));
            }
        }
    }

    /// The pieces between matches: at most `limit` unless it is negative, and nil for 0.
    pub fn split<'a>(&self, text: impl Into<Subject<'a>>, limit: i64) -> Option<Vec<Range<usize>>> {
        if limit == 0 {
            return None;
        }
        let subject = text.into();
        let length = subject.bytes.len();
        if !self.pattern.is_empty() && length == 0 {
            return Some(vec![Range { start: 0, end: 0 }]);
        }
        let mut pieces: Vec<Range<usize>> = Vec::new();
        let mut begin = 0;
        let mut end = 0;
        for found in self.find_all_in(&subject, limit) {
            if limit > 0 && usize::try_from(limit).is_ok_and(|limit| pieces.len() + 1 >= limit) {
                break;
            }
            end = found.start;
            if found.end != 0 {
                pieces.push(begin..end);
            }
            begin = found.end;
        }
        if end != length {
            pieces.push(begin..length);
        }
        Some(pieces)
    }
}

/// The pattern as text; an error names the rest of it from the first wrong byte on.
pub(crate) fn utf8_pattern(pattern: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(pattern).map_err(|error| {
        let rest = pattern.get(error.valid_up_to()..).unwrap_or_default();
        ErrorKind::InvalidUtf8.at(&String::from_utf8_lossy(rest))
    })
}

/// The text with a backslash before every character that means something in a pattern.
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
