//! What a scalar's text means: the resolution rules of the two dialects.

use std::borrow::Cow;

use crate::Error;
use crate::go_number::{parse_digits, parse_integer};
use crate::scan::Dialect;
use crate::timestamp::{self, Timestamp};

/// The meaning of a scalar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Timestamp(Timestamp),
    /// Plain text.
    String,
    /// Base64 text.
    Binary,
}

impl Resolved {
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Uint(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Timestamp(_) => "!!timestamp",
            Self::String => "!!str",
            Self::Binary => "!!binary",
        }
    }
}

/// `tag:yaml.org,2002:int` as `!!int`.
pub(crate) fn short_tag(tag: &str) -> Cow<'_, str> {
    match tag.strip_prefix("tag:yaml.org,2002:") {
        Some(name) => Cow::Owned(format!("!!{name}")),
        None => Cow::Borrowed(tag),
    }
}

/// The meaning of `text` written without quotes and without a tag.
pub(crate) fn resolve_plain(dialect: Dialect, text: &str) -> Resolved {
    let Some(first) = text.as_bytes().first() else { return Resolved::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => resolve_number(dialect, text, true),
        b'.' => resolve_word(dialect, text).unwrap_or_else(|| resolve_point(text)),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            resolve_word(dialect, text).unwrap_or(Resolved::String)
        }
        _ => Resolved::String,
    }
}

/// The meaning of `text` under a tag (in its long or short form), or an error when they do not fit.
pub(crate) fn resolve_tagged(dialect: Dialect, tag: &str, text: &str) -> Result<Resolved, Error> {
    let tag = short_tag(tag);
    let resolved = match &*tag {
        "!!str" => return Ok(Resolved::String),
        "!!binary" => return Ok(Resolved::Binary),
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => match text.as_bytes().first() {
            Some(b'0'..=b'9' | b'+' | b'-') => {
                resolve_word(dialect, text).unwrap_or_else(|| resolve_number(dialect, text, &*tag == "!!timestamp"))
            }
            _ => resolve_plain(dialect, text),
        },
        // Other tags say nothing about the text.
        _ => return Ok(Resolved::String),
    };
    match (&*tag, resolved) {
        ("!!float", Resolved::Int(number)) => Ok(Resolved::Float(number as f64)),
        ("!!float", Resolved::Uint(number)) => Ok(Resolved::Float(number as f64)),
        (tag, resolved) if tag == resolved.tag() => Ok(resolved),
        // In v2 a timestamp that is none stays text.
        _ => Err(Error::syntax(0, format!("cannot decode {} `{text}` as a {tag}", resolved.tag()))),
    }
}

fn resolve_word(dialect: Dialect, text: &str) -> Option<Resolved> {
    Some(match text {
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Resolved::Float(f64::NEG_INFINITY),
        _ if dialect == Dialect::V2 => Resolved::Bool(old_bool(text)?),
        _ => return None,
    })
}

/// The YAML 1.1 spellings of booleans beyond `true` and `false`.
pub(crate) fn old_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn resolve_point(text: &str) -> Resolved {
    // Unlike in other numbers, separators have to stand between digits here.
    let bytes = text.as_bytes();
    let is_digit_at = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    let misplaced =
        text.match_indices('_').any(|(index, _)| index == 0 || !is_digit_at(index - 1) || !is_digit_at(index + 1));
    let plain = without_separators(text);
    if !misplaced && is_decimal_float(&plain) {
        parse_float(&plain).map_or(Resolved::String, Resolved::Float)
    } else {
        Resolved::String
    }
}

fn resolve_number(dialect: Dialect, text: &str, timestamps: bool) -> Resolved {
    if let Some(short) = short_decimal(text) {
        return Resolved::Int(short);
    }
    if let Some(word) = resolve_word(dialect, text) {
        return word;
    }
    if timestamps && let Some(moment) = timestamp::parse(text) {
        return Resolved::Timestamp(moment);
    }
    let plain = without_separators(text);
    if let Some(number) = parse_integer(&plain) {
        return integer(number);
    }
    if is_decimal_float(&plain)
        && let Some(number) = parse_float(&plain)
    {
        return Resolved::Float(number);
    }
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, &*plain),
    };
    let radix = match digits.as_bytes() {
        [b'0', b'b', ..] => 2,
        [b'0', b'o', ..] => 8,
        _ => return Resolved::String,
    };
    let digits = digits.get(2..).unwrap_or_default();
    // A sign may follow the prefix (in v2 only `0b`), if none is before it; such a number has to fit 64 signed bits.
    let inner = !negative && (radix == 2 || dialect == Dialect::V3);
    let (inner_sign, digits) = match digits.as_bytes().first() {
        Some(b'-') if inner => (Some(-1), digits.get(1..).unwrap_or_default()),
        Some(b'+') if inner => (Some(1), digits.get(1..).unwrap_or_default()),
        _ => (None, digits),
    };
    let Some(magnitude) = parse_digits(digits, radix) else { return Resolved::String };
    let number = i128::from(magnitude) * inner_sign.unwrap_or(if negative { -1 } else { 1 });
    match integer(number) {
        Resolved::Uint(_) if inner_sign.is_some() => Resolved::String,
        resolved => resolved,
    }
}

/// The commonest numbers, read without further ado.
fn short_decimal(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let plain = bytes.len() <= 18 && bytes.first() != Some(&b'0') && bytes.iter().all(u8::is_ascii_digit);
    if plain { text.parse().ok() } else { None }
}

fn integer(number: i128) -> Resolved {
    if let Ok(number) = i64::try_from(number) {
        Resolved::Int(number)
    } else {
        u64::try_from(number).map_or(Resolved::String, Resolved::Uint)
    }
}

fn without_separators(text: &str) -> Cow<'_, str> {
    if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) }
}

fn parse_float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut index = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(index);
    index += whole;
    if bytes.get(index) == Some(&b'.') {
        let fraction = digits(index + 1);
        if whole == 0 && fraction == 0 {
            return false;
        }
        index += 1 + fraction;
    } else if whole == 0 {
        return false;
    }
    if matches!(bytes.get(index), Some(b'e' | b'E')) {
        index += 1;
        index += usize::from(matches!(bytes.get(index), Some(b'+' | b'-')));
        let exponent = digits(index);
        if exponent == 0 {
            return false;
        }
        index += exponent;
    }
    index == bytes.len()
}

/// Numbers in base 60 (`1:30`), which YAML 1.1 has and Go's libraries only quote.
pub(crate) fn is_base60(text: &str) -> bool {
    if !text.contains(':') {
        return false;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    first.starts_with(|first: char| first.is_ascii_digit())
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}
