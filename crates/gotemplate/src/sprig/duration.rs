//! Go's `time.Duration`: nanoseconds in 64 bits, as text and back.

use super::time::quoted;

const SECOND: u64 = 1_000_000_000;

/// `time.ParseDuration`, in nanoseconds.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let shown = || quoted(text);
    let invalid = || format!("time: invalid duration {}", shown());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after.find(|character: char| character == '.' || character.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
        // The number is judged before its unit.
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
        if whole > 1 << 63 {
            return Err(invalid());
        }
        if name.is_empty() {
            return Err(format!("time: missing unit in duration {}", shown()));
        }
        let unit = match name {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            "m" => 60 * SECOND,
            "h" => 3600 * SECOND,
            _ => return Err(format!("time: unknown unit {} in duration {}", quoted(name), shown())),
        };
        let value = whole.checked_mul(unit).filter(|value| *value <= 1 << 63).ok_or_else(invalid)?;
        total = value
            .checked_add(fraction_of(fraction, unit))
            .and_then(|value| value.checked_add(total))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if negative { Ok(0i64.wrapping_sub_unsigned(total)) } else { i64::try_from(total).map_err(|_| invalid()) }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The part of the unit behind the point; digits beyond 63 bits are passed over.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut number, mut scale) = (0u64, 1f64);
    for digit in digits.bytes() {
        let next = number.checked_mul(10).and_then(|number| number.checked_add(u64::from(digit - b'0')));
        match next.filter(|next| *next < 1 << 63) {
            Some(next) if number <= (u64::MAX >> 1) / 10 => {
                number = next;
                scale *= 10.0;
            }
            _ => break,
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the arithmetic Go does"
    )]
    {
        (number as f64 * (unit as f64 / scale)) as u64
    }
}

/// `Duration.String`: `1h2m3.5s`.
pub(super) fn display(nanoseconds: i64) -> String {
    let magnitude = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    if magnitude == 0 {
        return "0s".to_owned();
    }
    if magnitude < SECOND {
        let (unit, name) = match magnitude {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", with_fraction(magnitude, unit));
    }
    let seconds = with_fraction(magnitude % (60 * SECOND), SECOND);
    let minutes = magnitude / (60 * SECOND);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn with_fraction(magnitude: u64, unit: u64) -> String {
    let fraction = magnitude % unit;
    let width = unit.checked_ilog10().unwrap_or(0) as usize;
    if fraction == 0 {
        return (magnitude / unit).to_string();
    }
    let digits = format!("{fraction:0width$}");
    format!("{}.{}", magnitude / unit, digits.trim_end_matches('0'))
}

/// Sprig's `durationRound`: the largest unit only.
pub(super) fn round(nanoseconds: i64) -> String {
    const HOUR: u64 = 3600 * SECOND;
    let magnitude = nanoseconds.unsigned_abs();
    let units = [
        (365 * 24 * HOUR, "y"),
        (30 * 24 * HOUR, "mo"),
        (24 * HOUR, "d"),
        (HOUR, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    match units.into_iter().find(|(unit, _)| magnitude > *unit) {
        Some((unit, name)) => format!("{}{name}", magnitude / unit),
        None => "0s".to_owned(),
    }
}
