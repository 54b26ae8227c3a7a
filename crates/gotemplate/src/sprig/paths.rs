//! Slash-separated paths: Go's `path`, and `path/filepath` as on Unix.

use super::arguments::{Outcome, text};
use crate::function::Function;
use crate::value::types::{BOOL, STRING};
use crate::value::{Str, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("base", &[&STRING], &STRING, |_, arguments| on_path(arguments, base)),
    Function::new("dir", &[&STRING], &STRING, |_, arguments| on_path(arguments, directory)),
    Function::new("clean", &[&STRING], &STRING, |_, arguments| on_path(arguments, clean)),
    Function::new("ext", &[&STRING], &STRING, |_, arguments| on_path(arguments, extension)),
    Function::new("isAbs", &[&STRING], &BOOL, is_absolute),
    Function::new("osBase", &[&STRING], &STRING, |_, arguments| on_path(arguments, base)),
    Function::new("osDir", &[&STRING], &STRING, |_, arguments| on_path(arguments, directory)),
    Function::new("osClean", &[&STRING], &STRING, |_, arguments| on_path(arguments, clean)),
    Function::new("osExt", &[&STRING], &STRING, |_, arguments| on_path(arguments, extension)),
    Function::new("osIsAbs", &[&STRING], &BOOL, is_absolute),
];

fn on_path(arguments: &[Value], operation: fn(&[u8]) -> Vec<u8>) -> Outcome {
    Ok(Str::from_bytes(operation(text(arguments, 0)?.as_bytes())).into())
}

fn is_absolute(_: &mut crate::context::Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(text(arguments, 0)?.as_bytes().starts_with(b"/").into())
}

fn base(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    match path.iter().rposition(|byte| *byte != b'/') {
        None => b"/".to_vec(),
        Some(end) => {
            let trimmed = path.get(..=end).unwrap_or_default();
            let start = trimmed.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
            trimmed.get(start..).unwrap_or_default().to_vec()
        }
    }
}

fn directory(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    clean(path.get(..end).unwrap_or_default())
}

fn extension(path: &[u8]) -> Vec<u8> {
    let start = path.iter().rposition(|byte| matches!(byte, b'.' | b'/'));
    let tail = start.and_then(|start| path.get(start..)).unwrap_or_default();
    if tail.starts_with(b".") { tail.to_vec() } else { Vec::new() }
}

/// The shortest path that means the same.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." => {
                if kept.last().is_some_and(|last| *last != b"..") {
                    kept.pop();
                } else if !rooted {
                    kept.push(element);
                }
            }
            element => kept.push(element),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
