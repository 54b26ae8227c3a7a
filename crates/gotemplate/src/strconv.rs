//! Reading Go literals: numbers and quoted strings, as `strconv` reads them.

use crate::utf8::Runes;

/// `strconv.ParseUint(text, 0, 64)`: a base prefix or a leading zero chooses the base, underscores may separate digits.
#[must_use]
pub fn parse_uint(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', b'b' | b'B', ..] => (text.get(2..)?, 2),
        [b'0', b'o' | b'O', ..] => (text.get(2..)?, 8),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let mut value: u64 = 0;
    let mut found = false;
    for byte in digits.bytes() {
        if byte == b'_' {
            continue;
        }
        let digit = char::from(byte).to_digit(radix)?;
        value = value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))?;
        found = true;
    }
    (found && underscores_fit(text)).then_some(value)
}

/// `strconv.ParseInt(text, 0, 64)`.
#[must_use]
pub fn parse_int(text: &str) -> Option<i64> {
    let (negative, magnitude) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let magnitude = parse_uint(magnitude)?;
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// `strconv.ParseFloat(text, 64)`; out of range is `None`.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned.to_ascii_lowercase().as_str(), "inf" | "infinity" | "nan") {
        let value = if unsigned.starts_with(['n', 'N']) { f64::NAN } else { f64::INFINITY };
        return Some(if text.starts_with('-') { -value } else { value });
    }
    if !underscores_fit(text) {
        return None;
    }
    let plain: String = text.chars().filter(|character| *character != '_').collect();
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let value = if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let magnitude = parse_hexadecimal_float(digits)?;
        if plain.starts_with('-') { -magnitude } else { magnitude }
    } else {
        if !unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            return None;
        }
        plain.parse().ok()?
    };
    value.is_finite().then_some(value)
}

/// Digits, a point and an obligatory binary exponent.
fn parse_hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let mut exponent: i64 = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut bits: u64 = 0;
    let mut sticky = false;
    for (index, character) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = character.to_digit(16)?;
        if bits >> 59 == 0 {
            bits = bits << 4 | u64::from(digit);
        } else {
            sticky |= digit != 0;
            exponent += 4;
        }
        if index >= whole.len() {
            exponent -= 4;
        }
    }
    bits |= u64::from(sticky);
    let mut value = bits as f64;
    // In steps, so that no intermediate power of two leaves the range.
    while exponent > 0 && value.is_finite() && value != 0.0 {
        let step = exponent.min(1000);
        value *= 2f64.powi(step as i32);
        exponent -= step;
    }
    while exponent < 0 && value != 0.0 {
        let step = (-exponent).min(1000);
        value /= 2f64.powi(step as i32);
        exponent += step;
    }
    Some(value)
}

/// Each underscore stands between digits or behind a base prefix.
fn underscores_fit(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    let (rest, hexadecimal) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (rest, true),
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (rest, false),
        _ => (text, false),
    };
    let mut last = if rest.len() < text.len() { b'0' } else { b'^' };
    for byte in rest {
        match byte {
            b'0'..=b'9' => last = b'0',
            _ if hexadecimal && byte.is_ascii_hexdigit() => last = b'0',
            b'_' if last == b'0' => last = b'_',
            b'_' => return false,
            _ if last == b'_' => return false,
            _ => last = b'!',
        }
    }
    last != b'_'
}

/// One character or byte of a quoted literal.
enum Unit {
    Character(char),
    Byte(u8),
}

/// `strconv.Unquote` of a double- or back-quoted string.
#[must_use]
pub fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    match literal {
        [b'`', inner @ .., b'`'] => Some(inner.iter().copied().filter(|byte| *byte != b'\r').collect()),
        // Nearly all are plain.
        [b'"', inner @ .., b'"']
            if inner.iter().all(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\\' | b'\n')) =>
        {
            Some(inner.to_vec())
        }
        [b'"', inner @ .., b'"'] => {
            let mut output = Vec::with_capacity(inner.len());
            let mut rest = inner;
            while !rest.is_empty() {
                match unquote_unit(&mut rest, b'"')? {
                    Unit::Character(character) => {
                        output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    Unit::Byte(byte) => output.push(byte),
                }
            }
            Some(output)
        }
        _ => None,
    }
}

/// Why a character constant is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharacterError {
    /// Not a character or escape.
    Syntax,
    /// More than one character.
    Malformed,
}

/// The code of a character constant with its quotes.
///
/// # Errors
/// When it is not exactly one character.
pub fn unquote_character(literal: &[u8]) -> Result<i64, CharacterError> {
    let mut rest = literal.get(1..).unwrap_or_default();
    let code = match unquote_unit(&mut rest, b'\'').ok_or(CharacterError::Syntax)? {
        Unit::Character(character) => i64::from(u32::from(character)),
        Unit::Byte(byte) => i64::from(byte),
    };
    if rest == b"'" { Ok(code) } else { Err(CharacterError::Malformed) }
}

fn unquote_unit(rest: &mut &[u8], quote: u8) -> Option<Unit> {
    let rune = Runes::new(rest).next()?;
    let width = rune.bytes.len();
    if rune.bytes != b"\\" {
        if rune.bytes == [quote] || rune.bytes == b"\n" {
            return None;
        }
        *rest = rest.get(width..)?;
        return Some(Unit::Character(rune.character()));
    }
    let escape = *rest.get(1)?;
    *rest = rest.get(2..)?;
    let byte = match escape {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'\'' | b'"' if escape == quote => quote,
        b'x' => return Some(Unit::Byte(u8::try_from(digits(rest, 2, 16)?).ok()?)),
        b'u' => return char::from_u32(digits(rest, 4, 16)?).map(Unit::Character),
        b'U' => return char::from_u32(digits(rest, 8, 16)?).map(Unit::Character),
        b'0'..=b'7' => {
            let first = u32::from(escape - b'0');
            let code = first * 64 + digits(rest, 2, 8)?;
            return Some(Unit::Byte(u8::try_from(code).ok()?));
        }
        _ => return None,
    };
    Some(Unit::Byte(byte))
}

fn digits(rest: &mut &[u8], count: usize, radix: u32) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(count)?;
    let mut value: u32 = 0;
    for byte in head {
        value = value.checked_mul(radix)? + char::from(*byte).to_digit(radix)?;
    }
    *rest = tail;
    Some(value)
}
