//! YAML timestamps as go-yaml recognises them with Go's `time.Parse`.

/// A moment as written, with its offset from UTC in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timestamp {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    offset_minutes: Option<i32>,
}

impl Timestamp {
    /// RFC 3339 with as many fraction digits as needed, as Go writes a time in JSON.
    pub(crate) fn to_rfc3339(self) -> String {
        let Self { year, month, day, hour, minute, second, nanosecond, offset_minutes } = self;
        let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        if nanosecond > 0 {
            text.push_str(format!(".{nanosecond:09}").trim_end_matches('0'));
        }
        match offset_minutes {
            None | Some(0) => text.push('Z'),
            Some(offset) => {
                let magnitude = offset.unsigned_abs();
                let sign = if offset < 0 { '-' } else { '+' };
                text.push_str(&format!("{sign}{:02}:{:02}", magnitude / 60, magnitude % 60));
            }
        }
        text
    }
}

/// Reads `2006-1-2`, `2006-1-2T15:4:5.9Z07:00`, the same with `t`, and `2006-1-2 15:4:5.9`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let well_begun = bytes.len() > 4 && bytes.iter().take(4).all(u8::is_ascii_digit) && bytes.get(4) == Some(&b'-');
    if !well_begun {
        return None;
    }
    let mut rest = Rest { bytes, position: 5 };
    let year = text.get(..4)?.parse().ok()?;
    let month = rest.number()?;
    rest.literal(b'-')?;
    let day = rest.number()?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(month, year) {
        return None;
    }
    let mut moment = Timestamp { year, month, day, hour: 0, minute: 0, second: 0, nanosecond: 0, offset_minutes: None };
    if rest.is_done() {
        return Some(moment);
    }
    let zoned = match rest.next()? {
        b'T' | b't' => true,
        b' ' => {
            while rest.peek() == Some(b' ') {
                rest.position += 1;
            }
            false
        }
        _ => return None,
    };
    moment.hour = rest.number()?;
    rest.literal(b':')?;
    moment.minute = rest.number()?;
    rest.literal(b':')?;
    moment.second = rest.number()?;
    moment.nanosecond = rest.fraction();
    if moment.hour > 23 || moment.minute > 59 || moment.second > 59 {
        return None;
    }
    if zoned {
        moment.offset_minutes = Some(rest.zone()?);
    }
    rest.is_done().then_some(moment)
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

struct Rest<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    fn is_done(&self) -> bool {
        self.position == self.bytes.len()
    }

    fn literal(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn digit(&mut self) -> Option<u32> {
        let digit = char::from(self.peek()?).to_digit(10)?;
        self.position += 1;
        Some(digit)
    }

    /// One or two digits.
    fn number(&mut self) -> Option<u32> {
        let first = self.digit()?;
        Some(self.digit().map_or(first, |second| first * 10 + second))
    }

    /// `.` or `,` and digits, of which nine count.
    fn fraction(&mut self) -> u32 {
        let begins = matches!(self.peek(), Some(b'.' | b','))
            && self.bytes.get(self.position + 1).is_some_and(u8::is_ascii_digit);
        if !begins {
            return 0;
        }
        self.position += 1;
        let mut nanoseconds = 0;
        let mut digits = 0;
        while let Some(digit) = self.digit() {
            if digits < 9 {
                nanoseconds = nanoseconds * 10 + digit;
                digits += 1;
            }
        }
        nanoseconds * 10_u32.pow(9 - digits)
    }

    /// `Z` or `+hh:mm`, in minutes.
    fn zone(&mut self) -> Option<i32> {
        let sign = match self.next()? {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = self.digit()? * 10 + self.digit()?;
        self.literal(b':')?;
        let minutes = self.digit()? * 10 + self.digit()?;
        (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) as i32)
    }
}
