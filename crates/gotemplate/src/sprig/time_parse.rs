//! `time.ParseInLocation`: reading a date that follows a layout.

use super::layout::{Chunk, OffsetForm, next_chunk};
use super::time::{MONTHS, Time, WEEKDAYS, Zone, days_from_civil, days_in_month, is_leap, parse_error};

/// What has been read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i32>,
    zone_name: Option<String>,
}

/// Why an element could not be read.
enum Failure {
    Bad,
    OutOfRange(&'static str),
}

type Parsed<T> = Result<T, Failure>;

/// Reads `value` by `layout`; times without a zone are in `local`.
pub(super) fn parse(layout: &str, value: &str, local: &Zone) -> Result<Time, String> {
    let mut fields = Fields::default();
    let mut rest = value;
    let mut remaining = layout;
    loop {
        let chunk = next_chunk(remaining.as_bytes());
        let prefix_length = chunk.map_or(remaining.len(), |(before, ..)| before.len());
        let prefix = remaining.get(..prefix_length).unwrap_or_default();
        rest = skip(rest, prefix).map_err(|rest| parse_error(layout, value, prefix, rest, ""))?;
        let Some((_, chunk, text, after)) = chunk else {
            if !rest.is_empty() {
                let message = format!(": extra text: {}", super::time::quoted(rest));
                return Err(parse_error(layout, value, "", rest, &message));
            }
            break;
        };
        remaining = remaining.get(remaining.len() - after.len()..).unwrap_or_default();
        let held = rest;
        fields.read(chunk, &mut rest, remaining).map_err(|failure| {
            let element = std::str::from_utf8(text).unwrap_or_default();
            match failure {
                Failure::Bad => parse_error(layout, value, element, held, ""),
                Failure::OutOfRange(what) => {
                    parse_error(layout, value, element, rest, &format!(": {what} out of range"))
                }
            }
        })?;
    }
    fields.finish(local).map_err(|message| parse_error(layout, value, "", rest, message))
}

/// Reads literal text; runs of spaces are all alike.
fn skip<'a>(value: &'a str, prefix: &str) -> Result<&'a str, &'a str> {
    let (mut value, mut prefix) = (value, prefix);
    while let Some(wanted) = prefix.chars().next() {
        if wanted == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return Err(value);
            }
            prefix = prefix.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
            continue;
        }
        value = value.strip_prefix(wanted).ok_or(value)?;
        prefix = prefix.get(wanted.len_utf8()..).unwrap_or_default();
    }
    Ok(value)
}

fn take<'a>(rest: &mut &'a str, length: usize) -> Parsed<&'a str> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Failure::Bad)?;
    *rest = after;
    Ok(taken)
}

fn digit_at(text: &str, index: usize) -> bool {
    text.as_bytes().get(index).is_some_and(u8::is_ascii_digit)
}

/// One or two digits, exactly two if `fixed`.
fn number(rest: &mut &str, fixed: bool) -> Parsed<i64> {
    if !digit_at(rest, 0) || (fixed && !digit_at(rest, 1)) {
        return Err(Failure::Bad);
    }
    let length = if digit_at(rest, 1) { 2 } else { 1 };
    take(rest, length)?.parse().map_err(|_| Failure::Bad)
}

fn within(number: i64, maximum: i64, what: &'static str) -> Parsed<i64> {
    if (0..=maximum).contains(&number) { Ok(number) } else { Err(Failure::OutOfRange(what)) }
}

/// The index of the name that the text starts with, whatever the case.
fn name(rest: &mut &str, names: &[&str], length: Option<usize>) -> Parsed<i64> {
    for (index, name) in names.iter().enumerate() {
        let name = length.and_then(|length| name.get(..length)).unwrap_or(name);
        if rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name)) {
            take(rest, name.len())?;
            return i64::try_from(index).map_err(|_| Failure::Bad);
        }
    }
    Err(Failure::Bad)
}

/// A separator and digits, as nanoseconds.
fn fraction(rest: &mut &str, length: usize) -> Parsed<u32> {
    let text = take(rest, length)?;
    let digits = text.strip_prefix(['.', ',']).ok_or(Failure::Bad)?;
    let digits = digits.get(..digits.len().min(9)).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::Bad);
    }
    format!("{digits:0<9}").parse().map_err(|_| Failure::Bad)
}

fn starts_with_fraction(rest: &str) -> bool {
    rest.starts_with(['.', ',']) && digit_at(rest, 1)
}

/// The length of the separator and the digits that follow it.
fn fraction_length(rest: &str) -> usize {
    1 + rest.bytes().skip(1).take_while(u8::is_ascii_digit).count()
}

impl Fields {
    fn read(&mut self, chunk: Chunk, rest: &mut &str, remaining: &str) -> Parsed<()> {
        match chunk {
            Chunk::Year => {
                let year: i64 = take(rest, 2)?.parse().map_err(|_| Failure::Bad)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Chunk::LongYear => {
                if !digit_at(rest, 0) {
                    return Err(Failure::Bad);
                }
                self.year = take(rest, 4)?.parse().map_err(|_| Failure::Bad)?;
            }
            Chunk::Month => self.month = Some(name(rest, &MONTHS, Some(3))? + 1),
            Chunk::LongMonth => self.month = Some(name(rest, &MONTHS, None)? + 1),
            Chunk::NumberMonth | Chunk::ZeroMonth => {
                let month = number(rest, chunk == Chunk::ZeroMonth)?;
                self.month =
                    Some(if month == 0 { Err(Failure::OutOfRange("month")) } else { within(month, 12, "month") }?);
            }
            Chunk::Weekday => drop(name(rest, &WEEKDAYS, Some(3))?),
            Chunk::LongWeekday => drop(name(rest, &WEEKDAYS, None)?),
            Chunk::Day | Chunk::UnderDay | Chunk::ZeroDay => {
                if chunk == Chunk::UnderDay {
                    *rest = rest.strip_prefix(' ').unwrap_or(rest);
                }
                self.day = Some(number(rest, chunk == Chunk::ZeroDay)?);
            }
            Chunk::UnderYearDay | Chunk::ZeroYearDay => self.year_day = Some(year_day(rest, chunk)?),
            Chunk::Hour => self.hour = within(number(rest, false)?, 23, "hour")?,
            Chunk::Hour12 | Chunk::ZeroHour12 => {
                self.hour = within(number(rest, chunk == Chunk::ZeroHour12)?, 12, "hour")?;
            }
            Chunk::Minute | Chunk::ZeroMinute => {
                self.minute = within(number(rest, chunk == Chunk::ZeroMinute)?, 59, "minute")?;
            }
            Chunk::Second | Chunk::ZeroSecond => {
                self.second = within(number(rest, chunk == Chunk::ZeroSecond)?, 59, "second")?;
                // Fractional seconds may follow even where the layout has none.
                let in_layout = matches!(next_chunk(remaining.as_bytes()), Some((_, Chunk::Fraction { .. }, ..)));
                if starts_with_fraction(rest) && !in_layout {
                    self.nanosecond = fraction(rest, fraction_length(rest))?;
                }
            }
            Chunk::UpperMeridiem | Chunk::LowerMeridiem => {
                self.afternoon = match (take(rest, 2)?, chunk) {
                    ("PM", Chunk::UpperMeridiem) | ("pm", Chunk::LowerMeridiem) => Some(true),
                    ("AM", Chunk::UpperMeridiem) | ("am", Chunk::LowerMeridiem) => Some(false),
                    _ => return Err(Failure::Bad),
                };
            }
            Chunk::ZoneName => self.zone_name(rest)?,
            Chunk::Offset { utc: true, .. } if rest.starts_with('Z') => {
                take(rest, 1)?;
                self.utc = true;
            }
            Chunk::Offset { form, .. } => self.offset = Some(offset(rest, form)?),
            Chunk::Fraction { digits, zeros: true, .. } => self.nanosecond = fraction(rest, digits + 1)?,
            Chunk::Fraction { .. } => {
                if starts_with_fraction(rest) {
                    self.nanosecond = fraction(rest, fraction_length(rest))?;
                }
            }
        }
        Ok(())
    }

    fn zone_name(&mut self, rest: &mut &str) -> Parsed<()> {
        if rest.starts_with("UTC") {
            take(rest, 3)?;
            self.utc = true;
            return Ok(());
        }
        let length = zone_name_length(rest).ok_or(Failure::Bad)?;
        self.zone_name = Some(take(rest, length)?.to_owned());
        Ok(())
    }

    fn finish(mut self, local: &Zone) -> Result<Time, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        self.resolve_year_day()?;
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in_month(month, self.year) {
            return Err(": day out of range");
        }
        let days = days_from_civil(self.year, month, day);
        let second = self.hour * 3600 + self.minute * 60 + self.second;
        let time = |zone| Time::from_civil(days, second, self.nanosecond, zone);
        if self.utc {
            return Ok(time(Zone::Utc));
        }
        if let Some(offset) = self.offset {
            let mut time = time(Zone::Utc);
            time.seconds -= i64::from(offset);
            let name = self.zone_name.unwrap_or_default();
            time.zone = local.clone();
            if time.offset() != offset || !(name.is_empty() || name == time.abbreviation()) {
                time.zone = Zone::Fixed { name, offset };
            }
            return Ok(time);
        }
        let Some(name) = self.zone_name else { return Ok(time(local.clone())) };
        // An abbreviation that the local zone uses around that time means its offset.
        let nominal = time(local.clone());
        if nominal.abbreviation() == name {
            return Ok(nominal);
        }
        let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i32>().ok()).unwrap_or(0);
        let mut time = time(Zone::Utc);
        time.zone = Zone::Fixed { name, offset: hours * 3600 };
        Ok(time)
    }

    fn resolve_year_day(&mut self) -> Result<(), &'static str> {
        let Some(year_day) = self.year_day else { return Ok(()) };
        if year_day < 1 || year_day > 365 + i64::from(is_leap(self.year)) {
            return Err(": day-of-year out of range");
        }
        let (mut month, mut day) = (1, year_day);
        while day > days_in_month(month, self.year) {
            day -= days_in_month(month, self.year);
            month += 1;
        }
        if self.month.is_some_and(|given| given != month) {
            return Err(": day-of-year does not match month");
        }
        if self.day.is_some_and(|given| given != day) {
            return Err(": day-of-year does not match day");
        }
        (self.month, self.day) = (Some(month), Some(day));
        Ok(())
    }
}

fn year_day(rest: &mut &str, chunk: Chunk) -> Parsed<i64> {
    if chunk == Chunk::UnderYearDay {
        for _ in 0..2 {
            *rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    let digits = (0..3).take_while(|index| digit_at(rest, *index)).count();
    if digits == 0 || (chunk == Chunk::ZeroYearDay && digits != 3) {
        return Err(Failure::Bad);
    }
    take(rest, digits)?.parse().map_err(|_| Failure::Bad)
}

fn offset(rest: &mut &str, form: OffsetForm) -> Parsed<i32> {
    let length = match form {
        OffsetForm::Hour => 3,
        OffsetForm::Minute => 5,
        OffsetForm::ColonMinute => 6,
        OffsetForm::Second => 7,
        OffsetForm::ColonSecond => 9,
    };
    let text = take(rest, length)?;
    let digits = text.get(1..).ok_or(Failure::Bad)?;
    let parts: Vec<&str> = if matches!(form, OffsetForm::ColonMinute | OffsetForm::ColonSecond) {
        digits.split(':').collect()
    } else {
        (0..digits.len() / 2).filter_map(|index| digits.get(2 * index..2 * index + 2)).collect()
    };
    let mut values = [0i32; 3];
    if parts.len() != (length - 1).div_ceil(if digits.contains(':') { 3 } else { 2 }) {
        return Err(Failure::Bad);
    }
    for (value, part) in values.iter_mut().zip(&parts) {
        if part.len() != 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Failure::Bad);
        }
        *value = part.parse().map_err(|_| Failure::Bad)?;
    }
    let [hour, minute, second] = values;
    for (value, maximum, what) in [
        (hour, 24, "time zone offset hour"),
        (minute, 60, "time zone offset minute"),
        (second, 60, "time zone offset second"),
    ] {
        if value > maximum {
            return Err(Failure::OutOfRange(what));
        }
    }
    let offset = (hour * 60 + minute) * 60 + second;
    match text.as_bytes().first() {
        Some(b'+') => Ok(offset),
        Some(b'-') => Ok(-offset),
        _ => Err(Failure::Bad),
    }
}

/// How much of the text looks like the abbreviation of a zone.
fn zone_name_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.len() < 3 {
        return None;
    }
    if text.starts_with("ChST") || text.starts_with("MeST") {
        return Some(4);
    }
    if let Some(after) = text.strip_prefix("GMT") {
        return Some(3 + signed_offset_length(after).unwrap_or(0));
    }
    if matches!(bytes.first(), Some(b'+' | b'-')) {
        return signed_offset_length(text);
    }
    match bytes.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count() {
        3 => Some(3),
        4 if bytes.get(3) == Some(&b'T') || text.starts_with("WITA") => Some(4),
        5 if bytes.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// `+03`, at most 23.
fn signed_offset_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['+', '-'])?.bytes().take_while(u8::is_ascii_digit).count();
    let hours: u64 = text.get(1..=digits)?.parse().ok()?;
    (hours <= 23).then_some(1 + digits)
}
