//! Go's layouts of dates: the reference time `Mon Jan 2 15:04:05 MST 2006` written as the date shall look.

/// A piece of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperMeridiem,
    LowerMeridiem,
    ZoneName,
    /// An offset from UTC; `utc` writes `Z` where there is none.
    Offset {
        utc: bool,
        form: OffsetForm,
    },
    /// Fractional seconds: how many digits, behind which separator, and whether zeros at the end stay.
    Fraction {
        separator: u8,
        digits: usize,
        zeros: bool,
    },
}

/// What an offset looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetForm {
    /// `-07`
    Hour,
    /// `-0700`
    Minute,
    /// `-07:00`
    ColonMinute,
    /// `-070000`
    Second,
    /// `-07:00:00`
    ColonSecond,
}

const FIXED: [(&[u8], Chunk); 27] = {
    use Chunk::*;
    use OffsetForm as Form;
    [
        (b"January", LongMonth),
        (b"Monday", LongWeekday),
        (b"MST", ZoneName),
        (b"01", ZeroMonth),
        (b"02", ZeroDay),
        (b"03", ZeroHour12),
        (b"04", ZeroMinute),
        (b"05", ZeroSecond),
        (b"06", Year),
        (b"002", ZeroYearDay),
        (b"15", Hour),
        (b"1", NumberMonth),
        (b"2006", LongYear),
        (b"2", Day),
        (b"_2", UnderDay),
        (b"__2", UnderYearDay),
        (b"3", Hour12),
        (b"4", Minute),
        (b"5", Second),
        (b"PM", UpperMeridiem),
        (b"pm", LowerMeridiem),
        (b"-070000", Offset { utc: false, form: Form::Second }),
        (b"-07:00:00", Offset { utc: false, form: Form::ColonSecond }),
        (b"-0700", Offset { utc: false, form: Form::Minute }),
        (b"-07:00", Offset { utc: false, form: Form::ColonMinute }),
        (b"-07", Offset { utc: false, form: Form::Hour }),
        (b"Z070000", Offset { utc: true, form: Form::Second }),
    ]
};

const FIXED_UTC: [(&[u8], OffsetForm); 4] = [
    (b"Z07:00:00", OffsetForm::ColonSecond),
    (b"Z0700", OffsetForm::Minute),
    (b"Z07:00", OffsetForm::ColonMinute),
    (b"Z07", OffsetForm::Hour),
];

/// The text before a chunk, the chunk, its own text, and the rest.
pub(super) type Split<'a> = (&'a [u8], Chunk, &'a [u8], &'a [u8]);

/// The first chunk: the text before it, the chunk with its text, and the rest.
pub(super) fn next_chunk(layout: &[u8]) -> Option<Split<'_>> {
    for start in 0..layout.len() {
        let rest = layout.get(start..).unwrap_or_default();
        // An underscore before a year is itself.
        if rest.starts_with(b"_2006") {
            continue;
        }
        if let Some((chunk, length)) = chunk_at(rest) {
            let (text, after) = rest.split_at_checked(length)?;
            return Some((layout.get(..start)?, chunk, text, after));
        }
    }
    None
}

fn chunk_at(text: &[u8]) -> Option<(Chunk, usize)> {
    let first = *text.first()?;
    if !b"JM012_345Pp-Z.,".contains(&first) {
        return None;
    }
    if let Some((pattern, chunk)) = FIXED.iter().find(|(pattern, _)| text.starts_with(pattern)) {
        return Some((*chunk, pattern.len()));
    }
    if let Some((pattern, form)) = FIXED_UTC.iter().find(|(pattern, _)| text.starts_with(pattern)) {
        return Some((Chunk::Offset { utc: true, form: *form }, pattern.len()));
    }
    let followed_by_small_letter = text.get(3).is_some_and(u8::is_ascii_lowercase);
    if text.starts_with(b"Jan") && !followed_by_small_letter {
        return Some((Chunk::Month, 3));
    }
    if text.starts_with(b"Mon") && !followed_by_small_letter {
        return Some((Chunk::Weekday, 3));
    }
    let digit = *text.get(1)?;
    if matches!(first, b'.' | b',') && matches!(digit, b'0' | b'9') {
        let digits = text.iter().skip(1).take_while(|byte| **byte == digit).count();
        if !text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
            return Some((Chunk::Fraction { separator: first, digits, zeros: digit == b'0' }, 1 + digits));
        }
    }
    None
}
