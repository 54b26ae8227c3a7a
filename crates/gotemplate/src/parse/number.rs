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
            let parts = parse_complex(text)?;
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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range; fractions are compared away"
    )]
    let uint = (0.0..LIMIT).contains(&float).then_some(float as u64)?;
    (uint as f64 == float).then_some(uint)
}

/// Reads the two parts as `fmt.Sscan` does; the error is its message.
fn parse_complex(text: &str) -> Result<(f64, f64), String> {
    const SYNTAX: &str = "syntax error scanning complex number";
    let mut rest = text;
    let real = scan_float(&mut rest);
    let before_sign = rest;
    if !accept(&mut rest, "+-") {
        return Err(SYNTAX.to_owned());
    }
    scan_float(&mut rest);
    let imaginary = before_sign.strip_suffix(rest).unwrap_or_default();
    if !accept(&mut rest, "i") {
        return Err(SYNTAX.to_owned());
    }
    let convert = |part: &str| {
        strconv::parse_float(part)
            .ok_or_else(|| format!("strconv.ParseFloat: parsing {}: invalid syntax", quoted(part.as_bytes())))
    };
    Ok((convert(real)?, convert(imaginary)?))
}

fn accept(rest: &mut &str, set: &str) -> bool {
    match rest.chars().next() {
        Some(character) if set.contains(character) => {
            *rest = rest.get(character.len_utf8()..).unwrap_or_default();
            true
        }
        _ => false,
    }
}

fn scan_float<'a>(rest: &mut &'a str) -> &'a str {
    const DECIMAL: &str = "0123456789_";
    let start = *rest;
    accept(rest, "+-");
    // An `i` is taken for the beginning of `Inf`.
    accept(rest, "iI");
    let (mut digits, mut exponent) = (DECIMAL, "eEpP");
    if accept(rest, "0") && accept(rest, "xX") {
        (digits, exponent) = ("0123456789aAbBcCdDeEfF_", "pP");
    }
    while accept(rest, digits) {}
    if accept(rest, ".") {
        while accept(rest, digits) {}
    }
    if accept(rest, exponent) {
        accept(rest, "+-");
        while accept(rest, DECIMAL) {}
    }
    start.strip_suffix(*rest).unwrap_or_default()
}

/// Is the literal written as a float, so that it is one without further context?
pub(crate) fn is_float_text(text: &str) -> bool {
    let hexadecimal = text.len() > 2 && text.starts_with('0') && matches!(text.as_bytes().get(1), Some(b'x' | b'X'));
    let hexadecimal_int = hexadecimal && !text.contains(['p', 'P']);
    !hexadecimal_int && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P'])
}
