//! Words as Masterminds/goutils sees them: abbreviating, wrapping, initials, swapping case. Much of it counts bytes.

use super::arguments::{Outcome, int, text};
use super::runes;
use crate::context::Context;
use crate::function::Function;
use crate::value::types::{INT, STRING};
use crate::value::{Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abbrev", &[&INT, &STRING], &STRING, abbreviate),
    Function::new("abbrevboth", &[&INT, &INT, &STRING], &STRING, abbreviate_both),
    Function::new("initials", &[&STRING], &STRING, initials),
    Function::new("nospace", &[&STRING], &STRING, without_space),
    Function::new("swapcase", &[&STRING], &STRING, swap_case),
    Function::new("untitle", &[&STRING], &STRING, untitle),
    Function::new("wrap", &[&INT, &STRING], &STRING, wrap),
    Function::new("wrapWith", &[&INT, &STRING, &STRING], &STRING, wrap_with),
];

fn abbreviate(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (width, text) = (int(arguments, 0)?, text(arguments, 1)?);
    Ok(if width < 4 { text.clone() } else { abbreviated(text, 0, width) }.into())
}

fn abbreviate_both(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (left, right, text) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    Ok(if right < 4 || (left > 0 && right < 7) { text.clone() } else { abbreviated(text, left, right) }.into())
}

/// At most `width` bytes of the text with `...` for what is left out, showing what is at `offset`.
fn abbreviated(text: &Str, offset: i64, width: i64) -> Str {
    let bytes = text.as_bytes();
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    if bytes.len() <= width {
        return text.clone();
    }
    let shown = width.saturating_sub(3);
    let offset = usize::try_from(offset).unwrap_or(0).min(bytes.len()).min(bytes.len() - shown.min(bytes.len()));
    let piece = |range: std::ops::Range<usize>| bytes.get(range).unwrap_or_default();
    if offset <= 4 {
        return Str::from_bytes([piece(0..shown), b"..."].concat());
    }
    if offset + shown < bytes.len() {
        let end = offset + shown.saturating_sub(3);
        return Str::from_bytes([b"...", piece(offset..end), b"..."].concat());
    }
    Str::from_bytes([b"...", piece(bytes.len() - shown..bytes.len())].concat())
}

/// Bytes read as Latin-1 characters, as goutils does.
fn latin1(text: &Str) -> impl Iterator<Item = char> {
    text.as_bytes().iter().map(|byte| char::from(*byte))
}

fn initials(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut out = String::new();
    let mut after_gap = true;
    for character in latin1(text(arguments, 0)?) {
        let gap = runes::is_space(character);
        if after_gap && !gap {
            out.push(character);
        }
        after_gap = gap;
    }
    Ok(out.into())
}

fn without_space(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?;
    if !latin1(text).any(runes::is_space) {
        return Ok(text.clone().into());
    }
    Ok(latin1(text).filter(|character| !runes::is_space(*character)).collect::<String>().into())
}

fn swap_case(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut after_space = true;
    let swap = |character: char| {
        if runes::is_upper(character) || runes::is_title(character) {
            after_space = false;
            runes::to_lower(character)
        } else if runes::is_lower(character) {
            if std::mem::take(&mut after_space) { runes::to_title(character) } else { runes::to_upper(character) }
        } else {
            after_space = runes::is_space(character);
            character
        }
    };
    Ok(text(arguments, 0)?.lossy().chars().map(swap).collect::<String>().into())
}

/// The first letter of every word in lower case.
fn untitle(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut first = true;
    let lower_first = |character: char| {
        if runes::is_space(character) {
            first = true;
            character
        } else if std::mem::take(&mut first) {
            runes::to_lower(character)
        } else {
            character
        }
    };
    let text = text(arguments, 0)?;
    if text.is_empty() {
        return Ok(text.clone().into());
    }
    Ok(text.lossy().chars().map(lower_first).collect::<String>().into())
}

fn wrap(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    wrapped(context, text(arguments, 1)?, int(arguments, 0)?, b"\n", false)
}

fn wrap_with(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let separator = text(arguments, 1)?.as_bytes();
    let separator = if separator.is_empty() { b"\n" } else { separator };
    wrapped(context, text(arguments, 2)?, int(arguments, 0)?, separator, true)
}

/// Breaks a line at spaces so that lines have at most `width` bytes; longer words are broken only if asked for.
fn wrapped(context: &Context<'_>, text: &Str, width: i64, separator: &[u8], break_words: bool) -> Outcome {
    let width = usize::try_from(width.max(1)).unwrap_or(usize::MAX);
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len() + rest.len() / width);
    while rest.len() > width {
        if let Some(after) = rest.strip_prefix(b" ") {
            rest = after;
            continue;
        }
        let space = rest.get(..=width).and_then(|line| line.iter().rposition(|byte| *byte == b' '));
        let (end, skipped) = match space {
            Some(space) => (space, 1),
            None if break_words => (width, 0),
            None => match rest.iter().skip(width).position(|byte| *byte == b' ') {
                Some(space) => (width + space, 1),
                None => break,
            },
        };
        let (line, after) = rest.split_at(end);
        out.extend_from_slice(line);
        out.extend_from_slice(separator);
        rest = after.get(skipped..).unwrap_or_default();
        context.reserve(out.len())?;
    }
    out.extend_from_slice(rest);
    Ok(Str::from_bytes(out).into())
}
