//! Durations as Go writes and reads them (`1h30m`, `60s`, `1.5ms`), which is how every duration field of the API travels.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const SECOND: u64 = 1_000 * MILLISECOND;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A signed length of time in nanoseconds that parses and prints exactly as Go's `time.Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

/// Why a text is not a Go duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDurationError {
    /// Not of the form number, unit, number, unit, …
    #[error("invalid duration {0:?}: write numbers with units, as in \"1h30m\" or \"60s\"")]
    Invalid(String),
    /// A number without a unit behind it.
    #[error("missing unit in duration {0:?}: add one of ns, us, ms, s, m, h")]
    MissingUnit(String),
    /// A unit Go does not know.
    #[error("unknown unit {unit:?} in duration {text:?}: use one of ns, us, ms, s, m, h")]
    UnknownUnit {
        /// The unit as written.
        unit: String,
        /// The whole text.
        text: String,
    },
}

impl GoDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A duration of so many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// A duration of so many seconds; saturates.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND as i64))
    }

    /// The duration in nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The duration for Rust's clocks; a negative one is zero.
    #[must_use]
    pub fn to_std(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }

    /// Whether this is exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<Duration> for GoDuration {
    fn from(value: Duration) -> Self {
        Self(i64::try_from(value.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl From<GoDuration> for Duration {
    fn from(value: GoDuration) -> Self {
        value.to_std()
    }
}

/// Splits the leading digits off, as an integer; `None` when they exceed 2^63.
fn leading_integer(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let mut value: u64 = 0;
    for digit in digits.bytes() {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
        if value > 1 << 63 {
            return None;
        }
    }
    Some((value, rest))
}

/// Splits the digits behind a decimal point off, with their scale; digits that no longer fit are dropped, as Go does.
fn leading_fraction(text: &str) -> (u64, f64, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let (mut value, mut scale, mut full) = (0u64, 1f64, false);
    for digit in digits.bytes() {
        if full || value > (i64::MAX as u64) / 10 {
            full = true;
            continue;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            full = true;
            continue;
        }
        value = next;
        scale *= 10.0;
    }
    (value, scale, rest)
}

fn unit_nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

impl FromStr for GoDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || ParseDurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
                return Err(invalid());
            }
            let before = rest.len();
            let (mut value, after) = leading_integer(rest).ok_or_else(invalid)?;
            let whole_digits = before != after.len();
            rest = after;
            let mut fraction = (0u64, 1f64);
            let mut fraction_digits = false;
            if let Some(behind) = rest.strip_prefix('.') {
                let (digits, scale, after) = leading_fraction(behind);
                fraction_digits = after.len() != behind.len();
                fraction = (digits, scale);
                rest = after;
            }
            if !whole_digits && !fraction_digits {
                return Err(invalid());
            }
            let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
            let (unit, after) = rest.split_at(end);
            if unit.is_empty() {
                return Err(ParseDurationError::MissingUnit(text.to_owned()));
            }
            rest = after;
            let nanoseconds = unit_nanoseconds(unit)
                .ok_or_else(|| ParseDurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() })?;
            if value > (1 << 63) / nanoseconds {
                return Err(invalid());
            }
            value *= nanoseconds;
            if fraction.0 > 0 {
                // In floating point because Go does it so; the last nanosecond depends on it.
                value += (fraction.0 as f64 * (nanoseconds as f64 / fraction.1)) as u64;
                if value > 1 << 63 {
                    return Err(invalid());
                }
            }
            total = total.checked_add(value).filter(|total| *total <= 1 << 63).ok_or_else(invalid)?;
        }
        if negative {
            return Ok(Self(0i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }
}

/// Writes `value / unit` with as many decimals as are not zero.
fn write_scaled(f: &mut fmt::Formatter<'_>, value: u64, unit: u64, suffix: &str) -> fmt::Result {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return write!(f, "{whole}{suffix}");
    }
    let width = unit.ilog10() as usize;
    let decimals = format!("{fraction:0width$}");
    write!(f, "{whole}.{}{suffix}", decimals.trim_end_matches('0'))
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.unsigned_abs();
        if value == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match value {
            ..MICROSECOND => write!(f, "{value}ns"),
            MICROSECOND..MILLISECOND => write_scaled(f, value, MICROSECOND, "\u{b5}s"),
            MILLISECOND..SECOND => write_scaled(f, value, MILLISECOND, "ms"),
            _ => {
                if value >= HOUR {
                    write!(f, "{}h", value / HOUR)?;
                }
                if value >= MINUTE {
                    write!(f, "{}m", value % HOUR / MINUTE)?;
                }
                write_scaled(f, value % MINUTE, SECOND, "s")
            }
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = GoDuration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"1h30m\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<GoDuration, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text).map_err(D::Error::custom)
    }
}

impl JsonSchema for GoDuration {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "GoDuration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prints_as_go_does() {
        let table = [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (60_000_000_000, "1m0s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (nanoseconds, text) in table {
            assert_eq!(GoDuration(nanoseconds).to_string(), text);
            assert_eq!(text.parse(), Ok(GoDuration(nanoseconds)));
        }
    }

    #[test]
    fn reads_as_go_does() {
        let table: &[(&str, Option<i64>)] = &[
            ("0", Some(0)),
            ("-0", Some(0)),
            ("+5s", Some(5_000_000_000)),
            ("-1.5h", Some(-5_400_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("1h15m30.918273645s", Some(4_530_918_273_645)),
            ("0.3333333333333333333h", Some(1_200_000_000_000)),
            ("9007199254740993ns", Some(9_007_199_254_740_993)),
            ("-9223372036854775808ns", Some(i64::MIN)),
            ("9223372036854775808ns", None),
            ("3000000h", None),
            ("", None),
            ("3", None),
            ("-", None),
            ("s", None),
            (".", None),
            (".s", None),
            ("1d", None),
            ("1 s", None),
            ("1e3s", None),
            ("10000000000000000000h", None),
            ("1\u{3bc}s", Some(1000)),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse::<GoDuration>().ok().map(GoDuration::as_nanos), *expected, "{text:?}");
        }
    }

    #[test]
    fn travels_as_a_string() {
        assert_eq!(serde_json::to_string(&GoDuration::from_secs(300)).unwrap(), "\"5m0s\"");
        let error = serde_json::from_str::<GoDuration>("\"1day\"").unwrap_err().to_string();
        assert!(error.contains("unknown unit \"day\""), "{error}");
        assert!(serde_json::from_str::<GoDuration>("5").is_err());
    }

    proptest! {
        #[test]
        fn every_duration_survives_a_round_trip(nanoseconds: i64) {
            let duration = GoDuration(nanoseconds);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<GoDuration>();
        }

        #[test]
        fn no_almost_duration_panics(text in "[-+0-9.hmsnuµ]{0,60}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
