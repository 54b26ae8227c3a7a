//! `html`, `js` and `urlquery`.

use std::borrow::Cow;
use std::io::Write as _;

use super::Answer;
use crate::context::Context;
use crate::format;
use crate::format::quote::is_printable;
use crate::utf8::Runes;
use crate::value::{Str, Value};

/// The arguments as one text: a single string itself, else as `print` joins them.
fn text(arguments: &[Value]) -> Str {
    if let [Value::String(text)] = arguments {
        return text.clone();
    }
    let shown: Vec<Value> = arguments
        .iter()
        .map(|argument| match argument {
            Value::Nil => Value::from("<no value>"),
            _ => argument.clone(),
        })
        .collect();
    format::sprint(&shown)
}

pub(super) fn html(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(arguments);
    let mut output = Vec::with_capacity(text.len() + 16);
    for byte in text.as_bytes() {
        let escaped: &[u8] = match byte {
            0 => "\u{FFFD}".as_bytes(),
            b'"' => b"&#34;",
            b'\'' => b"&#39;",
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            _ => std::slice::from_ref(byte),
        };
        output.extend_from_slice(escaped);
    }
    Ok(Value::String(output.into()))
}

pub(super) fn js(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(arguments);
    let mut output = Vec::with_capacity(text.len() + 16);
    for rune in Runes::new(text.as_bytes()) {
        let code = u32::from(rune.character());
        let escaped: Cow<'_, [u8]> = match rune.character() {
            '\\' => b"\\\\".into(),
            '\'' => b"\\'".into(),
            '"' => b"\\\"".into(),
            '<' => b"\\u003C".into(),
            '>' => b"\\u003E".into(),
            '&' => b"\\u0026".into(),
            '=' => b"\\u003D".into(),
            '\u{7F}' => b"\x7F".into(),
            character if is_printable(character) => rune.bytes.into(),
            _ => {
                let _ = write!(output, "\\u{code:04X}");
                continue;
            }
        };
        output.extend_from_slice(&escaped);
    }
    Ok(Value::String(output.into()))
}

pub(super) fn urlquery(_: &mut Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(arguments);
    let mut output = Vec::with_capacity(text.len() + 16);
    for byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => output.push(*byte),
            b' ' => output.push(b'+'),
            _ => {
                let _ = write!(output, "%{byte:02X}");
            }
        }
    }
    Ok(Value::String(output.into()))
}
