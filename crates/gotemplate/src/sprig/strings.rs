//! Strings: trimming, quoting, indenting, replacing, splitting and joining.

use super::arguments::{Outcome, int, text, value};
use super::runes;
use crate::context::Context;
use crate::format::quote::{Charset, append_string};
use crate::format::{append_display, display};
use crate::function::{Function, FunctionError};
use crate::utf8::Runes;
use crate::value::types::{ANY, BOOL, INT, STRING, STRING_MAP, STRINGS};
use crate::value::{List, Map, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("hello", &[], &STRING, |_, _| Ok("Hello!".into())),
    Function::new("trim", &[&STRING], &STRING, trim),
    Function::new("upper", &[&STRING], &STRING, upper),
    Function::new("lower", &[&STRING], &STRING, lower),
    Function::new("title", &[&STRING], &STRING, title),
    Function::new("trimall", &[&STRING, &STRING], &STRING, trim_all),
    Function::new("trimAll", &[&STRING, &STRING], &STRING, trim_all),
    Function::new("trimSuffix", &[&STRING, &STRING], &STRING, trim_suffix),
    Function::new("trimPrefix", &[&STRING, &STRING], &STRING, trim_prefix),
    Function::new("substr", &[&INT, &INT, &STRING], &STRING, substring),
    Function::new("trunc", &[&INT, &STRING], &STRING, truncate),
    Function::new("repeat", &[&INT, &STRING], &STRING, repeat),
    Function::new("contains", &[&STRING, &STRING], &BOOL, contains),
    Function::new("hasPrefix", &[&STRING, &STRING], &BOOL, has_prefix),
    Function::new("hasSuffix", &[&STRING, &STRING], &BOOL, has_suffix),
    Function::new("quote", &[], &STRING, quote).variadic(&ANY),
    Function::new("squote", &[], &STRING, single_quote).variadic(&ANY),
    Function::new("cat", &[], &STRING, concatenate).variadic(&ANY),
    Function::new("indent", &[&INT, &STRING], &STRING, indent),
    Function::new("nindent", &[&INT, &STRING], &STRING, indent_on_new_line),
    Function::new("replace", &[&STRING, &STRING, &STRING], &STRING, replace),
    Function::new("plural", &[&STRING, &STRING, &INT], &STRING, plural),
    Function::new("toString", &[&ANY], &STRING, to_string),
    Function::new("toStrings", &[&ANY], &STRINGS, to_strings),
    Function::new("join", &[&STRING, &ANY], &STRING, join),
    Function::new("sortAlpha", &[&ANY], &STRINGS, sort_alpha),
    Function::new("split", &[&STRING, &STRING], &STRING_MAP, split),
    Function::new("splitn", &[&STRING, &INT, &STRING], &STRING_MAP, split_n),
    Function::new("splitList", &[&STRING, &STRING], &STRINGS, split_list),
];

/// Sprig's text form of a value.
pub(super) fn text_of(value: &Value) -> Str {
    match value {
        Value::Bytes(bytes) => Str::copy_bytes(bytes),
        other => display(other),
    }
}

/// Sprig's texts of a list or of a single value; nils are left out.
pub(super) fn texts_of(value: &Value) -> Vec<Str> {
    match value.items() {
        Some(items) => items.iter().filter(|item| !item.is_nil()).map(text_of).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![text_of(value)],
    }
}

fn map_characters(text: &Str, map: impl Fn(char) -> char) -> Value {
    text.lossy().chars().map(map).collect::<String>().into()
}

fn upper(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?;
    match text.as_str() {
        Some(ascii) if ascii.is_ascii() => Ok(ascii.to_ascii_uppercase().into()),
        _ => Ok(map_characters(text, runes::to_upper)),
    }
}

fn lower(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?;
    match text.as_str() {
        Some(ascii) if ascii.is_ascii() => Ok(ascii.to_ascii_lowercase().into()),
        _ => Ok(map_characters(text, runes::to_lower)),
    }
}

/// `strings.Title`: the first letter of each word; what separates words is peculiar.
fn title(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?;
    let mut previous = ' ';
    let mut out = String::with_capacity(text.len());
    for character in text.lossy().chars() {
        let starts_word = if previous.is_ascii() {
            !previous.is_ascii_alphanumeric() && previous != '_'
        } else {
            !runes::is_letter(previous) && !runes::is_digit(previous) && runes::is_space(previous)
        };
        out.push(if starts_word { runes::to_title(character) } else { character });
        previous = character;
    }
    Ok(out.into())
}

/// Cuts characters that satisfy `cut` off both ends.
fn trim_matching(text: &Str, cut: impl Fn(char) -> bool) -> Value {
    if let Some(valid) = text.as_str() {
        let trimmed = valid.trim_matches(cut);
        return if trimmed.len() == valid.len() { text.clone().into() } else { trimmed.into() };
    }
    let runes: Vec<_> = Runes::new(text.as_bytes()).collect();
    let start = runes.iter().position(|rune| !cut(rune.character())).unwrap_or(runes.len());
    let end = runes.iter().rposition(|rune| !cut(rune.character())).map_or(start, |last| last + 1);
    let kept = runes.get(start..end).unwrap_or_default().iter().flat_map(|rune| rune.bytes.iter().copied());
    Str::from_bytes(kept.collect()).into()
}

fn trim(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(trim_matching(text(arguments, 0)?, runes::is_space))
}

fn trim_all(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let cutset = text(arguments, 0)?.lossy().into_owned();
    Ok(trim_matching(text(arguments, 1)?, |character| cutset.contains(character)))
}

fn trim_suffix(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (suffix, text) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(match text.as_bytes().strip_suffix(suffix.as_bytes()) {
        Some(rest) if !suffix.is_empty() => Str::copy_bytes(rest).into(),
        _ => text.clone().into(),
    })
}

fn trim_prefix(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (prefix, text) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(match text.as_bytes().strip_prefix(prefix.as_bytes()) {
        Some(rest) if !prefix.is_empty() => Str::copy_bytes(rest).into(),
        _ => text.clone().into(),
    })
}

/// Go's `text[start..end]`; wrong bounds have Go's text.
fn slice(text: &Str, start: Option<i64>, end: Option<i64>) -> Outcome {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let out_of_range =
        |bounds: String| FunctionError::Message(format!("runtime error: slice bounds out of range {bounds}"));
    if let Some(end) = end.filter(|end| !(0..=length).contains(end)) {
        return Err(out_of_range(if end < 0 { format!("[:{end}]") } else { format!("[:{end}] with length {length}") }));
    }
    let last = end.unwrap_or(length);
    let first = start.unwrap_or(0);
    if first < 0 {
        return Err(out_of_range(format!("[{first}:]")));
    }
    if first > last {
        return Err(out_of_range(format!("[{first}:{last}]")));
    }
    let range = usize::try_from(first).unwrap_or(0)..usize::try_from(last).unwrap_or(0);
    Ok(Str::copy_bytes(text.as_bytes().get(range).unwrap_or_default()).into())
}

fn substring(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (start, end, text) = (int(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if start < 0 {
        slice(text, None, Some(end))
    } else if end < 0 || end > length {
        slice(text, Some(start), None)
    } else {
        slice(text, Some(start), Some(end))
    }
}

/// Counts bytes, so that a character may be cut in two.
fn truncate(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (count, text) = (int(arguments, 0)?, text(arguments, 1)?);
    let bytes = text.as_bytes();
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= bytes.len() {
        return Ok(text.clone().into());
    }
    let kept = if count < 0 { bytes.get(bytes.len() - size..) } else { bytes.get(..size) };
    Ok(Str::copy_bytes(kept.unwrap_or_default()).into())
}

/// The size of `count` copies of `size` bytes, if there may be as many.
fn repeated_size(context: &Context<'_>, count: i64, size: usize) -> Result<usize, FunctionError> {
    let count = usize::try_from(count).map_err(|_| "strings: negative Repeat count")?;
    let total = count.checked_mul(size).filter(|total| isize::try_from(*total).is_ok());
    let total = total.ok_or("strings: Repeat output length overflow")?;
    context.reserve(total)?;
    Ok(count)
}

fn repeat(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (count, text) = (int(arguments, 0)?, text(arguments, 1)?);
    let count = repeated_size(context, count, text.len())?;
    Ok(match text.as_str() {
        Some(valid) => valid.repeat(if valid.is_empty() { 0 } else { count }).into(),
        None => Str::from_bytes(text.as_bytes().repeat(count)).into(),
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let Some((first, others)) = needle.split_first() else { return Some(0) };
    let mut offset = 0;
    while let Some(position) = haystack.get(offset..)?.iter().position(|byte| byte == first) {
        offset += position + 1;
        if haystack.get(offset..)?.starts_with(others) {
            return Some(offset - 1);
        }
    }
    None
}

fn contains(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (part, whole) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(match (part.as_str(), whole.as_str()) {
        (Some(part), Some(whole)) => whole.contains(part),
        _ => find(whole.as_bytes(), part.as_bytes()).is_some(),
    }
    .into())
}

fn has_prefix(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 1)?.as_bytes().starts_with(text(arguments, 0)?.as_bytes()).into())
}

fn has_suffix(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 1)?.as_bytes().ends_with(text(arguments, 0)?.as_bytes()).into())
}

fn quote(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for argument in arguments.iter().filter(|argument| !argument.is_nil()) {
        if !out.is_empty() {
            out.push(b' ');
        }
        append_string(&mut out, text_of(argument).as_bytes(), Charset::Printable);
    }
    Ok(Str::from_bytes(out).into())
}

fn single_quote(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for argument in arguments.iter().filter(|argument| !argument.is_nil()) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.push(b'\'');
        append_display(&mut out, argument);
        out.push(b'\'');
    }
    Ok(Str::from_bytes(out).into())
}

fn concatenate(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for (index, argument) in arguments.iter().filter(|argument| !argument.is_nil()).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        append_display(&mut out, argument);
    }
    Ok(Str::from_bytes(out).into())
}

fn indented(context: &Context<'_>, arguments: &[Value], before: &str) -> Outcome {
    let (spaces, text) = (int(arguments, 0)?, text(arguments, 1)?);
    let newlines = text.as_bytes().iter().filter(|byte| **byte == b'\n').count();
    let spaces = repeated_size(context, spaces, newlines + 1)?;
    let pad = " ".repeat(spaces);
    let mut out = Vec::with_capacity(before.len() + text.len() + spaces * (newlines + 1));
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(pad.as_bytes());
    for line in text.as_bytes().split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(line);
        if line.ends_with(b"\n") {
            out.extend_from_slice(pad.as_bytes());
        }
    }
    Ok(Str::from_bytes(out).into())
}

fn indent(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    indented(context, arguments, "")
}

fn indent_on_new_line(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    indented(context, arguments, "\n")
}

fn replace(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (old, new, source) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    if old.is_empty() {
        let growth = Runes::new(source.as_bytes()).count().saturating_add(1).saturating_mul(new.len());
        context.reserve(source.len().saturating_add(growth))?;
        let mut out = new.as_bytes().to_vec();
        for rune in Runes::new(source.as_bytes()) {
            out.extend_from_slice(rune.bytes);
            out.extend_from_slice(new.as_bytes());
        }
        return Ok(Str::from_bytes(out).into());
    }
    if new.len() > old.len() {
        let count = source.len() / old.len();
        let worst = count.saturating_mul(new.len() - old.len());
        if context.reserve(source.len().saturating_add(worst)).is_err() {
            let count = split_bytes(source.as_bytes(), old.as_bytes(), usize::MAX).len() - 1;
            context.reserve(source.len().saturating_add(count.saturating_mul(new.len() - old.len())))?;
        }
    }
    if let (Some(old), Some(new), Some(valid)) = (old.as_str(), new.as_str(), source.as_str()) {
        return Ok(if valid.contains(old) { valid.replace(old, new).into() } else { source.clone().into() });
    }
    let parts = split_bytes(source.as_bytes(), old.as_bytes(), usize::MAX);
    Ok(Str::from_bytes(parts.join(new.as_bytes())).into())
}

fn plural(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let chosen = usize::from(int(arguments, 2)? != 1);
    Ok(text(arguments, chosen)?.clone().into())
}

fn to_string(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(text_of(value(arguments, 0)?).into())
}

fn to_strings(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let value = value(arguments, 0)?;
    if value.type_name() == STRINGS.name {
        return Ok(value.clone());
    }
    Ok(Value::strings(texts_of(value)))
}

fn join(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let separator = text(arguments, 0)?;
    let texts = texts_of(value(arguments, 1)?);
    let size = texts.iter().map(Str::len).sum::<usize>() + separator.len().saturating_mul(texts.len());
    context.reserve(size)?;
    let mut out = Vec::with_capacity(size);
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator.as_bytes());
        }
        out.extend_from_slice(text.as_bytes());
    }
    Ok(Str::from_bytes(out).into())
}

fn sort_alpha(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let value = value(arguments, 0)?;
    if value.items().is_none() {
        return Ok(Value::strings([text_of(value)]));
    }
    let mut texts = texts_of(value);
    texts.sort();
    if texts.is_empty() && value.type_name() == STRINGS.name {
        return Ok(value.clone());
    }
    Ok(Value::strings(texts))
}

/// `strings.SplitN` with a positive limit; an empty separator splits after each character.
fn split_bytes<'a>(text: &'a [u8], separator: &[u8], limit: usize) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    if separator.is_empty() {
        for rune in Runes::new(text) {
            if parts.len() + 1 >= limit {
                break;
            }
            parts.push(rune.bytes);
            rest = rest.get(rune.bytes.len()..).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
        return parts;
    }
    while parts.len() + 1 < limit
        && let Some(position) = find(rest, separator)
    {
        let (part, after) = rest.split_at(position);
        parts.push(part);
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

fn numbered(parts: &[&[u8]]) -> Value {
    let entries = parts.iter().enumerate();
    let entries = entries.map(|(index, part)| (format!("_{index}"), Value::String(Str::copy_bytes(part))));
    Map::typed_from_entries(&STRING_MAP, entries).into()
}

fn split(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (separator, text) = (text(arguments, 0)?, text(arguments, 1)?);
    Ok(numbered(&split_bytes(text.as_bytes(), separator.as_bytes(), usize::MAX)))
}

fn split_n(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (separator, limit, text) = (text(arguments, 0)?, int(arguments, 1)?, text(arguments, 2)?);
    if limit == 0 {
        return Ok(numbered(&[]));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(numbered(&split_bytes(text.as_bytes(), separator.as_bytes(), limit)))
}

fn split_list(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (separator, text) = (text(arguments, 0)?, text(arguments, 1)?);
    let parts = split_bytes(text.as_bytes(), separator.as_bytes(), usize::MAX);
    Ok(List::strings(parts.into_iter().map(Str::copy_bytes)).into())
}
