//! Regular expressions of Go. The functions without `must` panic on a bad pattern in Go, except `regexMatch`.

use std::sync::Arc;

use goregex::{Error, Regex, Subject};

use super::arguments::{Outcome, int, text};
use crate::context::Context;
use crate::format::quote::{can_backquote, quoted};
use crate::function::{Function, FunctionError};
use crate::value::types::{BOOL, INT, STRING, STRINGS};
use crate::value::{List, Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("regexMatch", &[&STRING, &STRING], &BOOL, |_, arguments| match compiled(arguments) {
        Ok(regex) => matches(&regex, arguments),
        Err(_) => Ok(false.into()),
    }),
    Function::new("mustRegexMatch", &[&STRING, &STRING], &BOOL, |_, arguments| {
        matches(must(arguments)?.as_ref(), arguments)
    }),
    Function::new("regexFind", &[&STRING, &STRING], &STRING, |_, arguments| {
        find(checked(arguments)?.as_ref(), arguments)
    }),
    Function::new("mustRegexFind", &[&STRING, &STRING], &STRING, |_, arguments| {
        find(must(arguments)?.as_ref(), arguments)
    }),
    Function::new("regexFindAll", &[&STRING, &STRING, &INT], &STRINGS, |context, arguments| {
        find_all(context, checked(arguments)?.as_ref(), arguments)
    }),
    Function::new("mustRegexFindAll", &[&STRING, &STRING, &INT], &STRINGS, |context, arguments| {
        find_all(context, must(arguments)?.as_ref(), arguments)
    }),
    Function::new("regexReplaceAll", &[&STRING, &STRING, &STRING], &STRING, |context, arguments| {
        replace(context, checked(arguments)?.as_ref(), arguments, |regex, text, template, limit| {
            regex.replace_all(text, template, limit)
        })
    }),
    Function::new("mustRegexReplaceAll", &[&STRING, &STRING, &STRING], &STRING, |context, arguments| {
        replace(context, must(arguments)?.as_ref(), arguments, |regex, text, template, limit| {
            regex.replace_all(text, template, limit)
        })
    }),
    Function::new("regexReplaceAllLiteral", &[&STRING, &STRING, &STRING], &STRING, |context, arguments| {
        replace(context, checked(arguments)?.as_ref(), arguments, |regex, text, template, limit| {
            regex.replace_all_literal(text, template, limit)
        })
    }),
    Function::new("mustRegexReplaceAllLiteral", &[&STRING, &STRING, &STRING], &STRING, |context, arguments| {
        replace(context, must(arguments)?.as_ref(), arguments, |regex, text, template, limit| {
            regex.replace_all_literal(text, template, limit)
        })
    }),
    Function::new("regexSplit", &[&STRING, &STRING, &INT], &STRINGS, |context, arguments| {
        split(context, checked(arguments)?.as_ref(), arguments)
    }),
    Function::new("mustRegexSplit", &[&STRING, &STRING, &INT], &STRINGS, |context, arguments| {
        split(context, must(arguments)?.as_ref(), arguments)
    }),
    Function::new("regexQuoteMeta", &[&STRING], &STRING, |_, arguments| {
        Ok(Str::from_bytes(goregex::quote_meta(text(arguments, 0)?.as_bytes())).into())
    }),
];

fn compiled(arguments: &[Value]) -> Result<Arc<Regex>, Error> {
    match text(arguments, 0).ok().map(|pattern| (pattern.as_str(), pattern.as_bytes())) {
        Some((Some(pattern), _)) => goregex::cached(pattern),
        Some((None, bytes)) => Regex::from_bytes(bytes).map(Arc::new),
        None => goregex::cached(""),
    }
}

/// The pattern; an error is the error of `regexp.Compile`.
fn must(arguments: &[Value]) -> Result<Arc<Regex>, FunctionError> {
    compiled(arguments).map_err(|error| FunctionError::Message(error.to_string()))
}

/// The pattern; an error is the panic of `regexp.MustCompile`.
fn checked(arguments: &[Value]) -> Result<Arc<Regex>, FunctionError> {
    compiled(arguments).map_err(|error| {
        let pattern = text(arguments, 0).map(Str::as_bytes).unwrap_or_default();
        let shown =
            if can_backquote(pattern) { format!("`{}`", String::from_utf8_lossy(pattern)) } else { quoted(pattern) };
        FunctionError::Message(format!("regexp: Compile({shown}): {error}"))
    })
}

fn subject(text: &Str) -> Subject<'_> {
    match text.as_str() {
        Some(valid) => valid.into(),
        None => text.as_bytes().into(),
    }
}

fn piece(text: &Str, range: std::ops::Range<usize>) -> Str {
    Str::copy_bytes(text.as_bytes().get(range).unwrap_or_default())
}

fn matches(regex: &Regex, arguments: &[Value]) -> Outcome {
    Ok(regex.is_match(subject(text(arguments, 1)?)).into())
}

fn find(regex: &Regex, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 1)?;
    Ok(regex.find(subject(text)).map_or_else(Str::default, |range| piece(text, range)).into())
}

fn find_all(context: &Context<'_>, regex: &Regex, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 1)?;
    let found = regex.find_all(subject(text), int(arguments, 2)?);
    if found.is_empty() {
        return Ok(List::nil(&STRINGS).into());
    }
    context.reserve(found.len().saturating_mul(size_of::<Value>()))?;
    Ok(Value::strings(found.into_iter().map(|range| piece(text, range))))
}

/// Replaces matches by a template, within a number of bytes.
type Replacement = fn(&Regex, Subject<'_>, &[u8], usize) -> Option<Vec<u8>>;

fn replace(context: &Context<'_>, regex: &Regex, arguments: &[Value], operation: Replacement) -> Outcome {
    let limit = context.environment.limits.bytes;
    let replaced = operation(regex, subject(text(arguments, 1)?), text(arguments, 2)?.as_bytes(), limit);
    match replaced {
        Some(bytes) => Ok(Str::from_bytes(bytes).into()),
        None => Err(FunctionError::Message(format!("result is larger than the limit of {limit} bytes"))),
    }
}

fn split(context: &Context<'_>, regex: &Regex, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 1)?;
    let Some(pieces) = regex.split(subject(text), int(arguments, 2)?) else {
        return Ok(List::nil(&STRINGS).into());
    };
    context.reserve(pieces.len().saturating_mul(size_of::<Value>()))?;
    Ok(Value::strings(pieces.into_iter().map(|range| piece(text, range))))
}
