//! Number constants: which of Go's number types a literal can be.

use super::tree::Number;
use crate::format::quote::quoted;
use crate::strconv::{self, CharacterError};

/// What kind of literal the lexer saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Character,
    Complex,
    Number,
}

/// Reads a number literal; the error is Go's message.
pub(super) fn parse(text: &str, literal: Literal) -> Result<Number, String> {
    let mut number = Number { text: text.into(), ..Number::default() };
    match literal {
        Literal::Character => {
            let code = strconv::unquote_character(text.as_bytes()).map_err(|error| match error {
                CharacterError::Syntax => "invalid syntax".to_owned(),
                CharacterError::Malformed => format!("malformed character constant: {text}"),
            })?;
            number.int = Some(code);
            number.uint = u64::try_from(code).ok();
            number.float = Some(code as f64);
            return Ok(number);
        }
        Literal::Complex => {
            let parts = parse_complex(text).ok_or_else(|| "syntax error scanning complex number".to_owned())?;
            set_complex(&mut number, parts);
            return Ok(number);
        }
        Literal::Number => {}
    }
    if let Some(imaginary) = text.strip_suffix('i').and_then(strconv::parse_float) {
        set_complex(&mut number, (0.0, imaginary));
        return Ok(number);
    }
    number.uint = strconv::parse_uint(text);
    number.int = strconv::parse_int(text);
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = strconv::parse_float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quoted(text.as_bytes())));
        }
        number.float = Some(float);
        number.int = exact_int(float);
        number.uint = exact_uint(float);
    }
    if number.float.is_none() {
        return Err(format!("illegal number syntax: {}", quoted(text.as_bytes())));
    }
    Ok(number)
}

fn set_complex(number: &mut Number, parts: (f64, f64)) {
    number.complex = Some(parts);
    if parts.1 == 0.0 {
        number.float = Some(parts.0);
        number.int = exact_int(parts.0);
        number.uint = exact_uint(parts.0);
    }
}

fn exact_int(float: f64) -> Option<i64> {
    let int = crate::value::float_to_int64(float);
    (int as f64 == float).then_some(int)
}

fn exact_uint(float: f64) -> Option<u64> {
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range; fractions are compared away")]
    let uint = (0.0..LIMIT).contains(&float).then_some(float as u64)?;
    (uint as f64 == float).then_some(uint)
}

fn parse_complex(text: &str) -> Option<(f64, f64)> {
    let body = text.strip_suffix('i')?;
    // The sign between the parts is the last one that is not an exponent's.
    let bytes = body.as_bytes();
    let split = (1..bytes.len()).rev().find(|index| {
        matches!(bytes.get(*index), Some(b'+' | b'-'))
            && !matches!(bytes.get(index - 1), Some(b'e' | b'E' | b'p' | b'P'))
    })?;
    let (real, imaginary) = body.split_at_checked(split)?;
    Some((strconv::parse_float(real)?, strconv::parse_float(imaginary)?))
}

/// Is the literal written as a float, so that it is one without further context?
pub(crate) fn is_float_text(text: &str) -> bool {
    let hexadecimal = text.len() > 2 && text.starts_with('0') && matches!(text.as_bytes().get(1), Some(b'x' | b'X'));
    let hexadecimal_int = hexadecimal && !text.contains(['p', 'P']);
    !hexadecimal_int && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P'])
}
