//! Floating point numbers as text, as `strconv.FormatFloat` writes them.

use std::io::Write as _;

/// No finite double has more significant decimal digits than this; further ones are zeros.
const MAX_DIGITS: usize = 1100;

/// The form of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `-d.dddde±dd`.
    Exponent,
    /// `-ddd.dddd`.
    Plain,
    /// Exponent form for large exponents, else plain.
    General,
    /// `-ddddp±ddd`, a binary exponent.
    Binary,
    /// `-0x1.yyyyyyyyp±ddd`.
    Hexadecimal,
}

/// The size the number had in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// `float32`.
    Single,
    /// `float64`.
    Double,
}

/// Decimal digits without leading or trailing zeros, read as `0.DIGITS * 10^point`.
struct Decimal {
    digits: Vec<u8>,
    point: i32,
}

/// Appends `number`; without a precision the fewest digits that identify the number. `upper` writes `E`, `P` and `X`.
pub fn append(output: &mut Vec<u8>, number: f64, form: Form, precision: Option<usize>, size: Size, upper: bool) {
    if number.is_nan() {
        output.extend_from_slice(b"NaN");
        return;
    }
    if number.is_infinite() {
        output.extend_from_slice(if number > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    if number.is_sign_negative() {
        output.push(b'-');
    }
    let number = number.abs();
    match form {
        Form::Binary => append_binary(output, number, size),
        Form::Hexadecimal => append_hexadecimal(output, number, precision, size, upper),
        Form::Exponent => {
            let decimal = match precision {
                None => shortest(number, size),
                Some(precision) => significant(number, precision.saturating_add(1)),
            };
            let fraction = precision.unwrap_or_else(|| decimal.digits.len().saturating_sub(1));
            append_exponent(output, &decimal, fraction, upper);
        }
        Form::Plain => match precision {
            None => {
                let decimal = shortest(number, size);
                let fraction = usize::try_from(decimal.digits.len() as i64 - i64::from(decimal.point)).unwrap_or(0);
                append_plain(output, &decimal, fraction);
            }
            Some(precision) => {
                let exact = precision.min(MAX_DIGITS);
                let _ = write!(output, "{number:.exact$}");
                output.resize(output.len() + (precision - exact), b'0');
            }
        },
        Form::General => append_general(output, number, precision, size, upper),
    }
}

fn append_general(output: &mut Vec<u8>, number: f64, precision: Option<usize>, size: Size, upper: bool) {
    let (decimal, limit) = match precision {
        None => (shortest(number, size), 6),
        Some(precision) => {
            let precision = precision.max(1);
            let decimal = significant(number, precision);
            let count = decimal.digits.len();
            let exact = precision > count && count as i64 >= i64::from(decimal.point);
            (decimal, if exact { count as i64 } else { precision as i64 })
        }
    };
    let exponent = i64::from(decimal.point) - 1;
    let count = decimal.digits.len();
    if exponent < -4 || exponent >= limit {
        append_exponent(output, &decimal, count.saturating_sub(1), upper);
    } else {
        let fraction = usize::try_from(count as i64 - i64::from(decimal.point)).unwrap_or(0);
        append_plain(output, &decimal, fraction);
    }
}

/// The fewest digits that read back as the same number.
fn shortest(number: f64, size: Size) -> Decimal {
    let mut buffer = ryu::Buffer::new();
    let text = match size {
        Size::Double => buffer.format_finite(number),
        #[expect(clippy::cast_possible_truncation, reason = "the number was a float32")]
        Size::Single => buffer.format_finite(number as f32),
    };
    parse_decimal(text)
}

/// This many significant digits, correctly rounded; trailing zeros are dropped.
fn significant(number: f64, count: usize) -> Decimal {
    let fraction = count.clamp(1, MAX_DIGITS) - 1;
    parse_decimal(&format!("{number:.fraction$e}"))
}

fn parse_decimal(text: &str) -> Decimal {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut point = whole.len() as i32 + exponent.parse::<i32>().unwrap_or(0);
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    point -= zeros as i32;
    let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    digits.truncate(kept);
    if digits.is_empty() {
        point = 0;
    }
    Decimal { digits, point }
}

fn append_exponent(output: &mut Vec<u8>, decimal: &Decimal, fraction: usize, upper: bool) {
    let mut digits = decimal.digits.iter().copied().chain(std::iter::repeat(b'0'));
    output.extend(digits.by_ref().take(1));
    if fraction > 0 {
        output.push(b'.');
        output.extend(digits.take(fraction));
    }
    let exponent = if decimal.digits.is_empty() { 0 } else { decimal.point - 1 };
    output.push(if upper { b'E' } else { b'e' });
    let _ = write!(output, "{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
}

fn append_plain(output: &mut Vec<u8>, decimal: &Decimal, fraction: usize) {
    let whole = usize::try_from(decimal.point).unwrap_or(0);
    if whole == 0 {
        output.push(b'0');
    } else {
        output.extend(decimal.digits.iter().copied().chain(std::iter::repeat(b'0')).take(whole));
    }
    if fraction > 0 {
        output.push(b'.');
        let leading = usize::try_from(-i64::from(decimal.point)).unwrap_or(0).min(fraction);
        output.resize(output.len() + leading, b'0');
        let rest = decimal.digits.iter().skip(whole).copied().chain(std::iter::repeat(b'0'));
        output.extend(rest.take(fraction - leading));
    }
}

/// Mantissa and binary exponent: the number is `mantissa * 2^exponent`, with the mantissa's bit count.
fn split(number: f64, size: Size) -> (u64, i32, u32) {
    match size {
        Size::Double => {
            let bits = number.to_bits();
            let exponent = ((bits >> 52) & 0x7FF) as i32;
            let mantissa = bits & ((1 << 52) - 1);
            if exponent == 0 { (mantissa, -1074, 52) } else { (mantissa | (1 << 52), exponent - 1075, 52) }
        }
        Size::Single => {
            #[expect(clippy::cast_possible_truncation, reason = "the number was a float32")]
            let bits = (number as f32).to_bits();
            let exponent = ((bits >> 23) & 0xFF) as i32;
            let mantissa = u64::from(bits & ((1 << 23) - 1));
            if exponent == 0 { (mantissa, -149, 23) } else { (mantissa | (1 << 23), exponent - 150, 23) }
        }
    }
}

fn append_binary(output: &mut Vec<u8>, number: f64, size: Size) {
    let (mantissa, exponent, _) = split(number, size);
    let _ = write!(output, "{mantissa}p{exponent:+}");
}

fn append_hexadecimal(output: &mut Vec<u8>, number: f64, precision: Option<usize>, size: Size, upper: bool) {
    let (mut mantissa, mut exponent, width) = split(number, size);
    if mantissa == 0 {
        exponent = 0;
    } else {
        exponent += width as i32;
    }
    // The leading 1 goes to bit 60, so that there are 15 hexadecimal digits behind it.
    mantissa <<= 60 - width;
    while mantissa != 0 && mantissa & (1 << 60) == 0 {
        mantissa <<= 1;
        exponent -= 1;
    }
    if let Some(precision) = precision.filter(|precision| *precision < 15) {
        let shift = precision * 4;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    output.extend_from_slice(if upper { b"0X" } else { b"0x" });
    output.push(b'0' + ((mantissa >> 60) & 1) as u8);
    mantissa <<= 4;
    let digits: &[u8; 16] = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let mut fraction = Vec::new();
    match precision {
        None => {
            while mantissa != 0 {
                fraction.push(digits[(mantissa >> 60) as usize & 15]);
                mantissa <<= 4;
            }
        }
        Some(precision) => {
            for _ in 0..precision {
                fraction.push(digits[(mantissa >> 60) as usize & 15]);
                mantissa <<= 4;
            }
        }
    }
    if !fraction.is_empty() {
        output.push(b'.');
        output.extend_from_slice(&fraction);
    }
    output.push(if upper { b'P' } else { b'p' });
    let _ = write!(output, "{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs());
}
