//! Times in release records: RFC 3339 with nanoseconds and the zone they were written in, as Go keeps them.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A moment with the offset it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    timestamp: Timestamp,
    offset: Offset,
}

/// A text that Go's decoder does not take for a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {0:?} as \"2006-01-02T15:04:05Z07:00\": it is not an RFC 3339 time")]
pub struct NotATime(String);

impl Time {
    /// Go's zero time, which records write where a time is required but unknown.
    pub const ZERO_TEXT: &'static str = "0001-01-01T00:00:00Z";
    const ZERO_SECOND: i64 = -62_135_596_800;

    /// The moment.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.timestamp
    }

    /// Reads RFC 3339 as Go's JSON decoder does: an hour of one digit and a comma before the fraction pass.
    ///
    /// # Errors
    /// When the text is not a time.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        parse(text.as_bytes()).ok_or_else(|| NotATime(text.to_owned()))
    }

    /// The time, unless it is the moment Go takes for none, in whatever zone.
    #[must_use]
    pub fn unless_zero(self) -> Option<Self> {
        let zero = self.timestamp.as_second() == Self::ZERO_SECOND && self.timestamp.subsec_nanosecond() == 0;
        (!zero).then_some(self)
    }
}

fn parse(text: &[u8]) -> Option<Time> {
    if text.get(12) == Some(&b':') {
        let (date, time) = text.split_at_checked("2006-01-02T".len())?;
        return parse(&[date, b"0", time].concat());
    }
    let (date_time, rest) = text.split_at_checked("2006-01-02T15:04:05".len())?;
    for (position, separator) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if date_time.get(position) != Some(&separator) {
            return None;
        }
    }
    let number = |from: usize, to: usize| digits(date_time.get(from..to)?);
    let (nanosecond, zone) = fraction(rest)?;
    let short = |number: u32| i8::try_from(number).ok();
    let year = i16::try_from(number(0, 4)?).ok()?;
    let (month, day) = (short(number(5, 7)?)?, short(number(8, 10)?)?);
    let (hour, minute, second) = (short(number(11, 13)?)?, short(number(14, 16)?)?, short(number(17, 19)?)?);
    let nanosecond = i32::try_from(nanosecond).ok()?;
    let date_time = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    let offset = zone_offset(zone)?;
    Some(Time { timestamp: offset.to_timestamp(date_time).ok()?, offset })
}

/// The number these bytes write, when they are digits and nothing else.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number: u32, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// The nanoseconds, of which digits after the ninth are dropped, and what follows.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let [b'.' | b',', after @ ..] = text else { return Some((0, text)) };
    let length = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, rest) = after.split_at_checked(length)?;
    let mut padded = [b'0'; 9];
    for (slot, digit) in padded.iter_mut().zip(written) {
        *slot = *digit;
    }
    (length > 0).then_some((digits(&padded)?, rest))
}

fn zone_offset(zone: &[u8]) -> Option<Offset> {
    let (sign, rest) = match zone {
        b"Z" => return Some(Offset::UTC),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [hours @ .., b':', m1, m2] if hours.len() == 2 => (digits(hours)?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    if hours > 23 || minutes > 60 {
        return None;
    }
    Offset::from_seconds(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?).ok()
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self { timestamp, offset: Offset::UTC }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned: Zoned = self.timestamp.to_zoned(self.offset.to_time_zone());
        write!(formatter, "{}", zoned.strftime("%Y-%m-%dT%H:%M:%S"))?;
        let nanoseconds = zoned.subsec_nanosecond();
        if nanoseconds != 0 {
            let digits = format!("{nanoseconds:09}");
            write!(formatter, ".{}", digits.trim_end_matches('0'))?;
        }
        let seconds = self.offset.seconds();
        if seconds == 0 {
            return formatter.write_str("Z");
        }
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        write!(formatter, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Reads a time that may be absent, null, empty (Helm 3) or Go's zero time.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => Time::parse(&text).map(Time::unless_zero).map_err(serde::de::Error::custom),
    }
}

/// Reads a time that may be absent, null or Go's zero time.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    Ok(kept(deserializer)?.and_then(Time::unless_zero))
}

/// Reads a time that may be absent or null; Go's zero time is kept as it is written.
pub(crate) fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| Time::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_keep_their_text() {
        for (text, expected) in [
            ("2026-08-13T10:00:00.123456789Z", "2026-08-13T10:00:00.123456789Z"),
            ("2026-08-13T10:00:00.1234567899Z", "2026-08-13T10:00:00.123456789Z"),
            ("2026-08-13T10:00:00.1200+02:00", "2026-08-13T10:00:00.12+02:00"),
            ("2026-08-13T1:00:00,5Z", "2026-08-13T01:00:00.5Z"),
            ("2026-08-13T10:00:00-02:60", "2026-08-13T10:00:00-03:00"),
            ("2026-08-13T10:00:00-05:30", "2026-08-13T10:00:00-05:30"),
            ("2026-08-13T10:00:00+00:00", "2026-08-13T10:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Time::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_go_does_not_take_for_a_time_is_refused() {
        for text in [
            "",
            "2026-08-13",
            "2026-08-13 10:00:00Z",
            "2026-08-13t10:00:00z",
            "2026-08-13T10:00:00",
            "2026-08-13T10:00:60Z",
            "2026-08-13T24:00:00Z",
            "2026-02-30T10:00:00Z",
            "2026-08-13T10:00:00.Z",
            "2026-08-13T10:00:00+0200",
            "2026-08-13T10:00:00+24:00",
            "2026-08-13T:00:00Z",
            "2026-08-13T10:00:00+02:61",
        ] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
    }
}
