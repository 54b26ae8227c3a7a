//! Templates of replacements: `$1`, `${name}`, `$$`.

use std::sync::LazyLock;

use regex::Regex;

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Text(&'a [u8]),
    Group(usize),
    /// The first group of this name that took part in the match.
    Name(&'a str),
}

/// Takes a template apart. A `$` that starts nothing is itself.
pub(crate) fn parse(template: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
        let (text, from_dollar) = rest.split_at(dollar);
        parts.push(Part::Text(text));
        let after = from_dollar.get(1..).unwrap_or_default();
        if let Some(reference) = reference(after) {
            parts.push(reference.0);
            rest = reference.1;
        } else {
            parts.push(Part::Text(b"$"));
            rest = after.strip_prefix(b"$").unwrap_or(after);
        }
    }
    parts.push(Part::Text(rest));
    parts
}

fn reference(text: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let (braced, text) = match text.strip_prefix(b"{") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let valid = match std::str::from_utf8(text) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(text.get(..error.valid_up_to())?).ok()?,
    };
    let length = valid.find(|character| !is_name_character(character)).unwrap_or(valid.len());
    let name = valid.get(..length).filter(|name| !name.is_empty())?;
    let mut rest = text.get(length..)?;
    if braced {
        rest = rest.strip_prefix(b"}")?;
    }
    let number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name.len() == 1 || !name.starts_with('0'));
    Some(match name.parse() {
        Ok(number_value) if number => (Part::Group(number_value), rest),
        _ => (Part::Name(name), rest),
    })
}

fn is_name_character(character: char) -> bool {
    static OTHERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{Nd}]").ok());
    if character.is_ascii() {
        return character == '_' || character.is_ascii_alphanumeric();
    }
    OTHERS.as_ref().is_some_and(|others| others.is_match(character.encode_utf8(&mut [0; 4])))
}
