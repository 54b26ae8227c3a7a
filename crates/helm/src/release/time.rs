//! Times in release records: RFC 3339 with nanoseconds and the zone they were written in, as Go keeps them.

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

impl Time {
    /// Go's zero time, which records write where a time is required but unknown.
    pub const ZERO_TEXT: &'static str = "0001-01-01T00:00:00Z";

    /// The moment.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.timestamp
    }

    /// Reads RFC 3339.
    ///
    /// # Errors
    /// When the text is not a time.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        let timestamp: Timestamp = text.parse()?;
        let offset = match text.rfind(['+', '-', 'Z', 'z']) {
            Some(position) if !text.ends_with(['Z', 'z']) => {
                let zone = text.get(position..).unwrap_or_default();
                let (sign, digits) = zone.split_at(usize::from(!zone.is_empty()));
                let mut parts = digits.split(':').filter_map(|part| part.parse::<i32>().ok());
                let seconds = parts.next().unwrap_or(0) * 3600 + parts.next().unwrap_or(0) * 60;
                Offset::from_seconds(if sign == "-" { -seconds } else { seconds })?
            }
            _ => Offset::UTC,
        };
        Ok(Self { timestamp, offset })
    }

    fn is_zero(self) -> bool {
        self.to_string() == Self::ZERO_TEXT
    }
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
        Some(text) => {
            let time = Time::parse(&text).map_err(serde::de::Error::custom)?;
            Ok((!time.is_zero()).then_some(time))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Time;

    #[test]
    fn times_keep_their_text() {
        for (text, expected) in [
            ("2026-08-13T10:00:00.123456789Z", "2026-08-13T10:00:00.123456789Z"),
            ("2026-08-13T10:00:00.1200+02:00", "2026-08-13T10:00:00.12+02:00"),
            ("2026-08-13T10:00:00-05:30", "2026-08-13T10:00:00-05:30"),
            ("2026-08-13T10:00:00+00:00", "2026-08-13T10:00:00Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Time::parse(text).unwrap().to_string(), expected);
        }
    }
}
