//! Go's `time.Time`: an instant with a zone, its calendar, its text, and reading it.

use jiff::tz::TimeZone;

use super::layout::{Chunk, OffsetForm, next_chunk};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY: i64 = 86_400;
/// Go's zero time, the first of January of the year 1.
pub(super) const ZERO_SECONDS: i64 = -62_135_596_800;

/// Where a time is.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    Named(TimeZone),
    Fixed { name: String, offset: i32 },
}

impl Zone {
    /// `time.LoadLocation`: a zone by name.
    pub(super) fn load(name: &str, local: &TimeZone) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Self::Utc),
            "Local" => Some(Self::local(local)),
            _ if name.contains("..") || name.starts_with(['/', '\\']) => None,
            _ => TimeZone::get(name).ok().map(Self::Named),
        }
    }

    pub(super) fn local(zone: &TimeZone) -> Self {
        if *zone == TimeZone::UTC { Self::Utc } else { Self::Named(zone.clone()) }
    }

    /// The offset in seconds and the abbreviation at an instant.
    fn at(&self, seconds: i64) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed { name, offset } => (*offset, name.clone()),
            Self::Named(zone) => {
                let limit = |timestamp: jiff::Timestamp| timestamp.as_second();
                let seconds = seconds.clamp(limit(jiff::Timestamp::MIN), limit(jiff::Timestamp::MAX));
                let timestamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
                let info = zone.to_offset_info(timestamp);
                (info.offset().seconds(), info.abbreviation().to_owned())
            }
        }
    }
}

/// An instant with a zone.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// Since 1970.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    pub(super) zone: Zone,
}

/// A time as calendars and clocks show it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) year_day: i64,
    /// From Sunday, 0.
    pub(super) weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

pub(super) fn is_leap(year: i64) -> bool {
    year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
}

pub(super) fn days_in_month(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date, which may lie outside its month and year.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year.saturating_add((month - 1).div_euclid(12));
    let month = (month - 1).rem_euclid(12) + 1;
    // Years from March on, so that a leap day comes last.
    let shifted = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era.saturating_mul(146_097).saturating_add(day_of_era - 719_468).saturating_add(day - 1)
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl Time {
    pub(super) fn new(seconds: i64, nanoseconds: u32, zone: Zone) -> Self {
        Self { seconds, nanoseconds, zone }
    }

    pub(super) fn zero() -> Self {
        Self::new(ZERO_SECONDS, 0, Zone::Utc)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanoseconds == 0
    }

    pub(super) fn offset(&self) -> i32 {
        self.zone.at(self.seconds).0
    }

    pub(super) fn abbreviation(&self) -> String {
        self.zone.at(self.seconds).1
    }

    /// `time.Date`: the instant at which clocks in the zone show this.
    pub(super) fn from_civil(days: i64, second_of_day: i64, nanoseconds: u32, zone: Zone) -> Self {
        let local = days.saturating_mul(DAY).saturating_add(second_of_day);
        // The offset at about that time, and if it differs, the one of the guess.
        let offset = i64::from(zone.at(local).0);
        let mut guess = local.saturating_sub(offset);
        let second = i64::from(zone.at(guess).0);
        if second != offset {
            let other = local.saturating_sub(second);
            guess = if i64::from(zone.at(other).0) == second { other } else { guess };
        }
        Self::new(guess, nanoseconds, zone)
    }

    pub(super) fn civil(&self) -> Civil {
        let local = self.seconds.saturating_add(i64::from(self.offset()));
        let days = local.div_euclid(DAY);
        let second = local.rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            year_day: days - days_from_civil(year, 1, 1) + 1,
            weekday: (days + 4).rem_euclid(7),
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// `Time.Add`.
    pub(super) fn plus(&self, nanoseconds: i64) -> Self {
        let total = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds) + i128::from(nanoseconds);
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).unwrap_or(i64::MAX);
        let rest = u32::try_from(total.rem_euclid(1_000_000_000)).unwrap_or(0);
        Self::new(seconds, rest, self.zone.clone())
    }

    /// `Time.Sub`, which stays within what a duration can hold.
    pub(super) fn minus(&self, other: &Self) -> i64 {
        let total = |time: &Self| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds);
        let difference = total(self) - total(other);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }

    /// `Time.AddDate`.
    pub(super) fn plus_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let day = days_from_civil(civil.year.saturating_add(years), civil.month.saturating_add(months), civil.day);
        let second = civil.hour * 3600 + civil.minute * 60 + civil.second;
        Self::from_civil(day.saturating_add(days), second, self.nanoseconds, self.zone.clone())
    }

    /// `Time.Format`.
    pub(super) fn format(&self, layout: &[u8]) -> Vec<u8> {
        let civil = self.civil();
        let mut out = Vec::with_capacity(layout.len() + 10);
        let mut rest = layout;
        while let Some((before, chunk, _, after)) = next_chunk(rest) {
            out.extend_from_slice(before);
            self.format_chunk(&mut out, chunk, &civil);
            rest = after;
        }
        out.extend_from_slice(rest);
        out
    }

    fn format_chunk(&self, out: &mut Vec<u8>, chunk: Chunk, civil: &Civil) {
        let name = |names: &[&'static str], index: i64| {
            usize::try_from(index).ok().and_then(|index| names.get(index).copied()).unwrap_or_default()
        };
        let short = |name: &'static str| name.get(..3).unwrap_or(name).to_owned();
        let twelve = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
        let text = match chunk {
            Chunk::LongMonth => name(&MONTHS, civil.month - 1).to_owned(),
            Chunk::Month => short(name(&MONTHS, civil.month - 1)),
            Chunk::NumberMonth => civil.month.to_string(),
            Chunk::ZeroMonth => format!("{:02}", civil.month),
            Chunk::LongWeekday => name(&WEEKDAYS, civil.weekday).to_owned(),
            Chunk::Weekday => short(name(&WEEKDAYS, civil.weekday)),
            Chunk::Day => civil.day.to_string(),
            Chunk::UnderDay => format!("{:2}", civil.day),
            Chunk::ZeroDay => format!("{:02}", civil.day),
            Chunk::UnderYearDay => format!("{:3}", civil.year_day),
            Chunk::ZeroYearDay => format!("{:03}", civil.year_day),
            Chunk::Hour => format!("{:02}", civil.hour),
            Chunk::Hour12 => twelve.to_string(),
            Chunk::ZeroHour12 => format!("{twelve:02}"),
            Chunk::Minute => civil.minute.to_string(),
            Chunk::ZeroMinute => format!("{:02}", civil.minute),
            Chunk::Second => civil.second.to_string(),
            Chunk::ZeroSecond => format!("{:02}", civil.second),
            Chunk::LongYear if civil.year < 0 => format!("-{:04}", civil.year.unsigned_abs()),
            Chunk::LongYear => format!("{:04}", civil.year),
            Chunk::Year => format!("{:02}", civil.year.unsigned_abs() % 100),
            Chunk::UpperMeridiem => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Chunk::LowerMeridiem => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Chunk::ZoneName => self.zone_name(),
            Chunk::Offset { utc: true, .. } if self.offset() == 0 => "Z".to_owned(),
            Chunk::Offset { form, .. } => offset_text(self.offset(), form),
            Chunk::Fraction { separator, digits, zeros } => self.fraction(separator, digits, zeros),
        };
        out.extend_from_slice(text.as_bytes());
    }

    fn zone_name(&self) -> String {
        let (offset, name) = self.zone.at(self.seconds);
        if !name.is_empty() {
            return name;
        }
        let minutes = offset / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        if minutes % 60 == 0 {
            format!("{sign}{:02}", minutes / 60)
        } else {
            format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
    }

    fn fraction(&self, separator: u8, digits: usize, zeros: bool) -> String {
        let all = format!("{:09}", self.nanoseconds);
        let mut text = all.get(..digits.min(9)).unwrap_or(&all).to_owned();
        if zeros {
            text.push_str(&"0".repeat(digits.saturating_sub(9)));
        } else {
            text.truncate(text.trim_end_matches('0').len());
            if text.is_empty() {
                return text;
            }
        }
        format!("{}{text}", char::from(separator))
    }
}

fn offset_text(offset: i32, form: OffsetForm) -> String {
    let minutes = offset / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hour, minute, second) = ((minutes / 60).abs(), (minutes % 60).abs(), (offset % 60).abs());
    match form {
        OffsetForm::Hour => format!("{sign}{hour:02}"),
        OffsetForm::Minute => format!("{sign}{hour:02}{minute:02}"),
        OffsetForm::ColonMinute => format!("{sign}{hour:02}:{minute:02}"),
        OffsetForm::Second => format!("{sign}{hour:02}{minute:02}{second:02}"),
        OffsetForm::ColonSecond => format!("{sign}{hour:02}:{minute:02}:{second:02}"),
    }
}

/// The quoting of Go's `time` package, which escapes everything but printable ASCII byte by byte.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7F => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

/// What Go says about a text that does not follow its layout.
pub(super) fn parse_error(layout: &str, value: &str, element: &str, rest: &str, message: &str) -> String {
    let shown = quoted;
    if message.is_empty() {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            shown(value),
            shown(layout),
            shown(rest),
            shown(element)
        )
    } else {
        format!("parsing time {}{message}", shown(value))
    }
}
