//! Base64 and base32, whose decoders give their errors as the result.

use super::arguments::{Outcome, text};
use crate::function::Function;
use crate::value::Str;
use crate::value::types::STRING;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("b64enc", &[&STRING], &STRING, |_, arguments| Ok(encode64(text(arguments, 0)?.as_bytes()).into())),
    Function::new("b64dec", &[&STRING], &STRING, |_, arguments| decoded(decode64(text(arguments, 0)?.as_bytes()))),
    Function::new("b32enc", &[&STRING], &STRING, |_, arguments| Ok(encode32(text(arguments, 0)?.as_bytes()).into())),
    Function::new("b32dec", &[&STRING], &STRING, |_, arguments| decoded(decode32(text(arguments, 0)?.as_bytes()))),
];

#[expect(clippy::unnecessary_wraps, reason = "the body of functions, which can fail")]
fn decoded(result: Result<Vec<u8>, String>) -> Outcome {
    Ok(match result {
        Ok(bytes) => Str::from_bytes(bytes).into(),
        Err(message) => message.into(),
    })
}

/// Standard base64 with padding.
pub(super) fn encode64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// `base64.StdEncoding.DecodeString`: line ends are passed over, bits behind the last byte are not looked at.
pub(super) fn decode64(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |position: usize| format!("illegal base64 data at input byte {position}");
    let mut out = Vec::with_capacity(text.len() * 3 / 4 + 1);
    let mut input = text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    loop {
        let mut bits = 0u64;
        for count in 0..4 {
            let Some((position, byte)) = input.next() else {
                return if count == 0 { Ok(out) } else { Err(corrupt(text.len() - count)) };
            };
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' if count >= 2 => {
                    if count == 2 {
                        match input.next() {
                            Some((_, b'=')) => {}
                            Some((position, _)) => return Err(corrupt(position)),
                            None => return Err(corrupt(text.len())),
                        }
                    }
                    push_bits(&mut out, bits, count * 6);
                    return match input.next() {
                        None => Ok(out),
                        Some((position, _)) => Err(corrupt(position)),
                    };
                }
                _ => return Err(corrupt(position)),
            };
            bits = bits << 6 | u64::from(value);
        }
        push_bits(&mut out, bits, 24);
    }
}

const ALPHABET_32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut bits = 0u64;
        for index in 0..5 {
            bits = bits << 8 | u64::from(chunk.get(index).copied().unwrap_or(0));
        }
        let characters = (chunk.len() * 8).div_ceil(5);
        for index in 0..8usize {
            let value = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or(0);
            let character = ALPHABET_32.get(value).copied().map_or('=', char::from);
            out.push(if index < characters { character } else { '=' });
        }
    }
    out
}

/// `base32.StdEncoding.DecodeString`: positions in errors do not count line ends.
fn decode32(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |position: usize| format!("illegal base32 data at input byte {position}");
    let input: Vec<u8> = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let mut out = Vec::with_capacity(input.len() * 5 / 8 + 1);
    let mut rest = input.as_slice();
    while !rest.is_empty() {
        let start = input.len() - rest.len();
        let mut bits = 0u64;
        for count in 0..8 {
            let position = start + count;
            let after = input.get(position + 1..).unwrap_or_default();
            let Some(byte) = input.get(position) else { return Err(corrupt(start)) };
            if let Some(value) = ALPHABET_32.iter().position(|letter| letter == byte) {
                bits = bits << 5 | u64::try_from(value).unwrap_or(0);
                continue;
            }
            if *byte != b'=' || count < 2 || after.len() >= 8 {
                return Err(corrupt(position));
            }
            if after.len() + count < 7 {
                return Err(corrupt(input.len()));
            }
            if let Some(wrong) = after.iter().take(7 - count).position(|byte| *byte != b'=') {
                return Err(corrupt(position + wrong));
            }
            if matches!(count, 3 | 6) {
                return Err(corrupt(position));
            }
            push_bits(&mut out, bits, count * 5);
            return Ok(out);
        }
        push_bits(&mut out, bits, 40);
        rest = rest.get(8..).unwrap_or_default();
    }
    Ok(out)
}

/// Writes the whole bytes among the first of `count` bits.
fn push_bits(out: &mut Vec<u8>, bits: u64, count: usize) {
    for index in 1..=count / 8 {
        out.push((bits >> (count - 8 * index) & 0xFF) as u8);
    }
}
