//! One formatting directive's flags, and the padding and number layout they ask for.

use super::float::{self, Form, Size};
use super::quote::{self, Charset};
use crate::utf8::Runes;

/// The flags, width and precision of one directive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`.
    pub(super) plus_v: bool,
    /// `%#v`.
    pub(super) sharp_v: bool,
}

impl Flags {
    fn without_zero(self) -> Self {
        Self { zero: false, ..self }
    }

    fn padding(&self, output: &mut Vec<u8>, count: usize) {
        let byte = if self.zero && !self.minus { b'0' } else { b' ' };
        output.resize(output.len() + count, byte);
    }

    /// Appends bytes, padded to the width in characters.
    pub(super) fn pad(&self, output: &mut Vec<u8>, bytes: &[u8]) {
        let Some(width) = self.width.filter(|width| *width > 0) else {
            output.extend_from_slice(bytes);
            return;
        };
        let count = width.saturating_sub(Runes::new(bytes).count());
        if self.minus {
            output.extend_from_slice(bytes);
            self.padding(output, count);
        } else {
            self.padding(output, count);
            output.extend_from_slice(bytes);
        }
    }

    fn truncate<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.precision else { return bytes };
        let length = Runes::new(bytes).take(precision).map(|rune| rune.bytes.len()).sum();
        bytes.get(..length).unwrap_or(bytes)
    }

    pub(super) fn string(&self, output: &mut Vec<u8>, bytes: &[u8]) {
        self.pad(output, self.truncate(bytes));
    }

    pub(super) fn quoted(&self, output: &mut Vec<u8>, bytes: &[u8]) {
        let bytes = self.truncate(bytes);
        let mut text = Vec::with_capacity(bytes.len() + 2);
        if self.sharp && quote::can_backquote(bytes) {
            text.push(b'`');
            text.extend_from_slice(bytes);
            text.push(b'`');
        } else {
            quote::append_string(&mut text, bytes, self.charset());
        }
        self.pad(output, &text);
    }

    fn charset(&self) -> Charset {
        if self.plus { Charset::Ascii } else { Charset::Printable }
    }

    pub(super) fn hexadecimal_bytes(&self, output: &mut Vec<u8>, bytes: &[u8], upper: bool) {
        let length = self.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()));
        let bytes = bytes.get(..length).unwrap_or(bytes);
        if bytes.is_empty() {
            self.padding(output, self.width.unwrap_or(0));
            return;
        }
        let prefix: &[u8] = if upper { b"0X" } else { b"0x" };
        let width = match (self.space, self.sharp) {
            (true, true) => length * 4 + length - 1,
            (true, false) => length * 2 + length - 1,
            (false, true) => length * 2 + 2,
            (false, false) => length * 2,
        };
        let count = self.width.map_or(0, |wanted| wanted.saturating_sub(width));
        if !self.minus {
            self.padding(output, count);
        }
        let digits = digits(upper);
        for (index, byte) in bytes.iter().enumerate() {
            if self.space && index > 0 {
                output.push(b' ');
            }
            if self.sharp && (index == 0 || self.space) {
                output.extend_from_slice(prefix);
            }
            output.push(digits[usize::from(byte >> 4)]);
            output.push(digits[usize::from(byte & 15)]);
        }
        if self.minus {
            self.padding(output, count);
        }
    }

    pub(super) fn integer(&self, output: &mut Vec<u8>, magnitude: u64, negative: bool, base: Base) {
        let mut zeros = 0;
        if let Some(precision) = self.precision {
            if precision == 0 && magnitude == 0 {
                self.without_zero().padding(output, self.width.unwrap_or(0));
                return;
            }
            zeros = precision;
        } else if let (true, false, Some(width)) = (self.zero, self.minus, self.width) {
            zeros = width.saturating_sub(usize::from(negative || self.plus || self.space));
        }
        let table = digits(base == Base::UpperHexadecimal);
        let radix = base.radix();
        let mut reversed = Vec::with_capacity(24.max(zeros + 3));
        let mut rest = magnitude;
        loop {
            reversed.push(table[(rest % radix) as usize]);
            rest /= radix;
            if rest == 0 {
                break;
            }
        }
        if reversed.len() < zeros {
            reversed.resize(zeros, b'0');
        }
        if self.sharp {
            match base {
                Base::Binary => reversed.extend_from_slice(b"b0"),
                Base::Octal | Base::PrefixedOctal if reversed.last() != Some(&b'0') => reversed.push(b'0'),
                Base::Hexadecimal => reversed.extend_from_slice(b"x0"),
                Base::UpperHexadecimal => reversed.extend_from_slice(b"X0"),
                _ => {}
            }
        }
        if base == Base::PrefixedOctal {
            reversed.extend_from_slice(b"o0");
        }
        if negative {
            reversed.push(b'-');
        } else if self.plus {
            reversed.push(b'+');
        } else if self.space {
            reversed.push(b' ');
        }
        reversed.reverse();
        self.without_zero().pad(output, &reversed);
    }

    pub(super) fn character(&self, output: &mut Vec<u8>, code: u64) {
        self.pad(output, to_character(code).encode_utf8(&mut [0; 4]).as_bytes());
    }

    pub(super) fn quoted_character(&self, output: &mut Vec<u8>, code: u64) {
        let mut text = Vec::new();
        quote::append_character(&mut text, to_character(code), self.charset());
        self.pad(output, &text);
    }

    pub(super) fn unicode(&self, output: &mut Vec<u8>, code: u64) {
        let digits = self.precision.unwrap_or(4).max(4);
        let hexadecimal = format!("{code:X}");
        let mut text = b"U+".to_vec();
        text.resize(2 + digits.saturating_sub(hexadecimal.len()), b'0');
        text.extend_from_slice(hexadecimal.as_bytes());
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(character) = character.filter(|character| self.sharp && quote::is_printable(*character)) {
            text.extend_from_slice(b" '");
            text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            text.push(b'\'');
        }
        self.without_zero().pad(output, &text);
    }

    /// `default` is the precision when the directive has none.
    pub(super) fn float(&self, output: &mut Vec<u8>, number: f64, size: Size, verb: char, default: Option<usize>) {
        let precision = self.precision.or(default);
        let form = match verb {
            'e' | 'E' => Form::Exponent,
            'f' | 'F' => Form::Plain,
            'b' => Form::Binary,
            'x' | 'X' => Form::Hexadecimal,
            _ => Form::General,
        };
        let mut text = vec![b'+'];
        float::append(&mut text, number, form, precision, size, matches!(verb, 'E' | 'G' | 'X'));
        if matches!(text.get(1), Some(b'-' | b'+')) {
            text.remove(0);
        }
        if self.space && !self.plus && text.first() == Some(&b'+') {
            text[0] = b' ';
        }
        if matches!(text.get(1), Some(b'I' | b'N')) {
            let unsigned = text.get(1) == Some(&b'N') && !self.space && !self.plus;
            // Infinities show their sign only when negative or asked for, but always one character is kept for it.
            let shown = if unsigned { text.get(1..).unwrap_or_default() } else { &text };
            self.without_zero().pad(output, shown);
            return;
        }
        if self.sharp && verb != 'b' {
            keep_point(&mut text, verb, precision);
        }
        if self.plus || text.first() != Some(&b'+') {
            if let (true, false, Some(width)) = (self.zero, self.minus, self.width)
                && width > text.len()
            {
                output.extend(text.first());
                self.padding(output, width - text.len());
                output.extend_from_slice(text.get(1..).unwrap_or_default());
                return;
            }
            self.pad(output, &text);
            return;
        }
        self.pad(output, text.get(1..).unwrap_or_default());
    }
}

/// The sharp flag on a float: always a decimal point, and for `%g` the trailing zeros up to the precision.
fn keep_point(text: &mut Vec<u8>, verb: char, precision: Option<usize>) {
    let mut digits = match verb {
        'v' | 'g' | 'G' | 'x' => precision.unwrap_or(6) as i64,
        _ => 0,
    };
    let hexadecimal = matches!(verb, 'x' | 'X');
    let end = text
        .iter()
        .position(|byte| matches!(byte, b'p' | b'P') || (!hexadecimal && matches!(byte, b'e' | b'E')))
        .unwrap_or(text.len());
    let tail = text.split_off(end);
    let mut point = false;
    let mut nonzero = false;
    for byte in text.iter().skip(1) {
        if *byte == b'.' {
            point = true;
            continue;
        }
        nonzero |= *byte != b'0';
        if nonzero {
            digits -= 1;
        }
    }
    if !point {
        if text.len() == 2 && text.get(1) == Some(&b'0') {
            digits -= 1;
        }
        text.push(b'.');
    }
    text.resize(text.len() + usize::try_from(digits).unwrap_or(0), b'0');
    text.extend_from_slice(&tail);
}

/// The base of an integer's digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Binary,
    Octal,
    /// `%O`, which always writes `0o`.
    PrefixedOctal,
    Decimal,
    Hexadecimal,
    UpperHexadecimal,
}

impl Base {
    const fn radix(self) -> u64 {
        match self {
            Self::Binary => 2,
            Self::Octal | Self::PrefixedOctal => 8,
            Self::Decimal => 10,
            Self::Hexadecimal | Self::UpperHexadecimal => 16,
        }
    }
}

const fn digits(upper: bool) -> &'static [u8; 16] {
    if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" }
}

fn to_character(code: u64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
