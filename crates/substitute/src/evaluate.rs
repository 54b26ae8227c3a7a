//! Putting values in. On bytes, because lengths and positions count bytes.

use crate::glob::{self, Budget};
use crate::parse::{Expression, Node};
use crate::{Error, MAX_OUTPUT, MAX_WORK};

type Lookup<'l, 'a> = &'l dyn Fn(&str) -> Option<&'a str>;

pub(crate) fn evaluate(nodes: &[Node], lookup: Lookup<'_, '_>) -> Result<String, Error> {
    let mut budget = Budget::new(MAX_WORK);
    let mut output = Vec::new();
    for node in nodes {
        write(node, lookup, &mut budget, &mut output)?;
    }
    String::from_utf8(output).map_err(|_| Error::NotUtf8)
}

fn append(output: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    if output.len().saturating_add(bytes.len()) > MAX_OUTPUT {
        return Err(Error::TooLarge);
    }
    output.extend_from_slice(bytes);
    Ok(())
}

fn write(node: &Node, lookup: Lookup<'_, '_>, budget: &mut Budget, output: &mut Vec<u8>) -> Result<(), Error> {
    match node {
        Node::Text(text) => append(output, text.as_bytes()),
        Node::Expression(expression) => append(output, &value(expression, lookup, budget)?),
    }
}

fn value(expression: &Expression, lookup: Lookup<'_, '_>, budget: &mut Budget) -> Result<Vec<u8>, Error> {
    let Expression { variable, operator, arguments: nodes } = expression;
    let mut arguments = Vec::with_capacity(nodes.len());
    for node in nodes {
        let mut argument = Vec::new();
        write(node, lookup, budget, &mut argument)?;
        arguments.push(argument);
    }
    let is_default = matches!(operator.as_str(), "=" | ":=" | ":-" | ":?" | ":+");
    let text = match lookup(variable) {
        None if !is_default => return Err(Error::NotSet(variable.clone())),
        value => value.unwrap_or_default(),
    };
    let first = arguments.first().map_or(&[][..], Vec::as_slice);
    let second = arguments.get(1).map(Vec::as_slice);
    let bytes = text.as_bytes();
    match operator.as_str() {
        "," => Ok(change_first(text, lower)),
        ",," => Ok(text.chars().map(lower).collect::<String>().into_bytes()),
        "^" => Ok(change_first(text, upper)),
        "^^" => Ok(text.chars().map(upper).collect::<String>().into_bytes()),
        "#" if arguments.is_empty() => Ok(bytes.len().to_string().into_bytes()),
        "#" => trim_prefix(bytes, first, Length::Shortest, budget),
        "##" => trim_prefix(bytes, first, Length::Longest, budget),
        "%" => trim_suffix(bytes, first, Length::Shortest, budget),
        "%%" => trim_suffix(bytes, first, Length::Longest, budget),
        ":" => Ok(substring(bytes, first, second).to_vec()),
        "/" => replace(bytes, first, second.unwrap_or_default(), 1),
        "//" => replace(bytes, first, second.unwrap_or_default(), usize::MAX),
        "/#" => match second {
            Some(replacement) if bytes.starts_with(first) => replace(bytes, first, replacement, 1),
            _ => Ok(bytes.to_vec()),
        },
        "/%" => match (second, bytes.strip_suffix(first)) {
            (Some(replacement), Some(beginning)) => {
                let mut output = beginning.to_vec();
                append(&mut output, replacement)?;
                Ok(output)
            }
            _ => Ok(bytes.to_vec()),
        },
        // Every other operator is a default: empty counts as unset, and `,^` or `^,` are among them.
        _ if bytes.is_empty() => {
            let mut output = Vec::new();
            for argument in &arguments {
                append(&mut output, argument)?;
            }
            Ok(output)
        }
        _ => Ok(bytes.to_vec()),
    }
}

/// Go maps one character to one character, where Rust may give several.
fn lower(character: char) -> char {
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        // The dotted capital I is the only one.
        _ => 'i',
    }
}

/// Go maps one character to one character, where Rust may give several.
fn upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    if let (Some(single), None) = (mapped.next(), mapped.next()) {
        return single;
    }
    let title_case = match u32::from(character) {
        code @ (0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7) => code + 8,
        code @ (0x1FB3 | 0x1FC3 | 0x1FF3) => code + 9,
        code => code,
    };
    char::from_u32(title_case).unwrap_or(character)
}

fn change_first(text: &str, change: fn(char) -> char) -> Vec<u8> {
    let mut characters = text.chars();
    let first = characters.next().map(change);
    first.into_iter().chain(characters).collect::<String>().into_bytes()
}

fn number(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Bash's substring. What is no number leaves the value as it is.
fn substring<'v>(value: &'v [u8], position: &[u8], length: Option<&[u8]>) -> &'v [u8] {
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let Some(position) = number(position) else { return value };
    let start = if position < 0 { size.saturating_add(position).max(0) } else { position };
    let end = match length.map(number) {
        None => size,
        Some(None) => return value,
        Some(Some(length)) if length < 0 => size.saturating_add(length),
        Some(Some(length)) => start.saturating_add(length).min(size),
    };
    let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return &[] };
    value.get(start..end).unwrap_or_default()
}

/// The bytes of the character a string begins with; one for what is no character.
fn character_length(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes.get(..4).unwrap_or(bytes)) {
        Ok(text) => text.chars().next().map_or(0, char::len_utf8),
        Err(error) if error.valid_up_to() > 0 => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).ok().and_then(|text| text.chars().next()).map_or(1, char::len_utf8)
        }
        Err(_) => 1,
    }
}

/// Replaces up to `limit` occurrences. An empty pattern is before every character and at the end.
fn replace(value: &[u8], pattern: &[u8], replacement: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let mut output = Vec::new();
    let mut rest = value;
    let mut count = 0;
    while count < limit {
        if pattern.is_empty() {
            append(&mut output, replacement)?;
            count += 1;
            if rest.is_empty() {
                break;
            }
            if count == limit {
                break;
            }
            let (character, behind) = rest.split_at(character_length(rest).clamp(1, rest.len()));
            append(&mut output, character)?;
            rest = behind;
            continue;
        }
        let Some(at) = find(rest, pattern) else { break };
        append(&mut output, rest.get(..at).unwrap_or_default())?;
        append(&mut output, replacement)?;
        rest = rest.get(at + pattern.len()..).unwrap_or_default();
        count += 1;
    }
    append(&mut output, rest)?;
    Ok(output)
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

#[derive(Clone, Copy)]
enum Length {
    Shortest,
    Longest,
}

/// Cuts off what the pattern matches at the beginning; never nothing, and everything is as good as a part.
fn trim_prefix(value: &[u8], pattern: &[u8], length: Length, budget: &mut Budget) -> Result<Vec<u8>, Error> {
    let mut cut = 0;
    for end in (1..=value.len()).rev() {
        match glob::matches(pattern, value.get(..end).unwrap_or_default(), budget) {
            Ok(true) => {
                cut = end;
                if matches!(length, Length::Longest) {
                    break;
                }
            }
            Ok(false) => {}
            Err(glob::Failure::BadPattern) => return Ok(value.to_vec()),
            Err(glob::Failure::TooMuchWork) => return Err(Error::TooMuchWork),
        }
    }
    Ok(value.get(cut..).unwrap_or_default().to_vec())
}

/// As [`trim_prefix`] with value and pattern turned around, which is what upstream does to patterns, brackets included.
fn trim_suffix(value: &[u8], pattern: &[u8], length: Length, budget: &mut Budget) -> Result<Vec<u8>, Error> {
    trim_prefix(&reverse(value), &reverse(pattern), length, budget).map(|rest| reverse(&rest))
}

fn reverse(bytes: &[u8]) -> Vec<u8> {
    let mut characters: Vec<char> = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        characters.extend(chunk.valid().chars());
        characters.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    characters.into_iter().rev().collect::<String>().into_bytes()
}
