//! Reading a format string: flags, widths, precisions, argument indexes and verbs.

use super::flags::Flags;
use super::printer::Printer;
use crate::utf8::Runes;
use crate::value::Value;

/// Larger widths, precisions and indexes are mistakes.
const MAX_NUMBER: i64 = 1_000_000;

/// Appends `fmt.Sprintf(format, arguments...)`; stops early once more than `limit` bytes have been written.
pub fn append_printf(output: &mut Vec<u8>, format: &[u8], arguments: &[Value], limit: usize) {
    let start = output.len();
    let mut reader = Reader { format, position: 0, arguments, next: 0, reordered: false, good_index: true };
    let mut printer = Printer::new(output);
    while let Some(rest) = format.get(reader.position..).filter(|rest| !rest.is_empty()) {
        let literal = memchr(rest);
        printer.output.extend_from_slice(rest.get(..literal).unwrap_or(rest));
        reader.position += literal;
        if reader.position >= format.len() {
            break;
        }
        reader.position += 1;
        reader.directive(&mut printer);
        if printer.output.len() - start > limit {
            return;
        }
    }
    if !reader.reordered && reader.next < arguments.len() {
        printer.extra(arguments.get(reader.next..).unwrap_or_default());
    }
}

fn memchr(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'%').unwrap_or(bytes.len())
}

struct Reader<'a> {
    format: &'a [u8],
    position: usize,
    arguments: &'a [Value],
    next: usize,
    reordered: bool,
    good_index: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    fn directive(&mut self, printer: &mut Printer<'_>) {
        self.good_index = true;
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.position += 1;
        }
        let mut after_index = self.argument_index();
        if self.peek() == Some(b'*') {
            self.position += 1;
            match self.integer_argument() {
                Some(width) => {
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => printer.output.extend_from_slice(b"%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            flags.width = self.number();
            if after_index && flags.width.is_some() {
                self.good_index = false;
            }
        }
        // A point at the very end is taken for the verb.
        if self.peek() == Some(b'.') && self.position + 1 < self.format.len() {
            self.position += 1;
            if after_index {
                self.good_index = false;
            }
            after_index = self.argument_index();
            if self.peek() == Some(b'*') {
                self.position += 1;
                match self.integer_argument() {
                    Some(precision) if precision >= 0 => flags.precision = Some(precision.unsigned_abs() as usize),
                    _ => printer.output.extend_from_slice(b"%!(BADPREC)"),
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.argument_index();
        }
        let Some(rune) = self.format.get(self.position..).and_then(|rest| Runes::new(rest).next()) else {
            printer.output.extend_from_slice(b"%!(NOVERB)");
            return;
        };
        self.position += rune.bytes.len();
        let verb = rune.character();
        if verb == '%' {
            printer.output.push(b'%');
        } else if !self.good_index {
            printer.mistake(verb, "(BADINDEX)");
        } else if let Some(argument) = self.arguments.get(self.next) {
            if matches!(verb, 'v' | 'w') {
                flags.sharp_v = std::mem::take(&mut flags.sharp);
                flags.plus_v = std::mem::take(&mut flags.plus);
            }
            printer.flags = flags;
            printer.argument(argument, verb);
            self.next += 1;
        } else {
            printer.mistake(verb, "(MISSING)");
        }
    }

    /// Reads `[n]`; true when there was a well-formed index.
    fn argument_index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.get(self.position..).unwrap_or_default();
        let Some(close) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3) else {
            self.good_index = false;
            self.position += 1;
            return false;
        };
        let end = self.position + close;
        self.position += 1;
        let number = self.number_until(end);
        let well_formed = self.position == end && number.is_some();
        self.position = end + 1;
        let Some(number) = number.filter(|_| well_formed) else {
            self.good_index = false;
            return false;
        };
        match number.checked_sub(1).filter(|index| *index < self.arguments.len()) {
            Some(index) => self.next = index,
            None => self.good_index = false,
        }
        true
    }

    fn number(&mut self) -> Option<usize> {
        self.number_until(self.format.len())
    }

    fn number_until(&mut self, end: usize) -> Option<usize> {
        let mut number: i64 = 0;
        let mut found = false;
        while self.position < end
            && let Some(digit @ b'0'..=b'9') = self.peek()
        {
            if number > MAX_NUMBER {
                self.position = end;
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            found = true;
            self.position += 1;
        }
        found.then(|| usize::try_from(number).unwrap_or(0))
    }

    /// A width or precision given as an operand.
    fn integer_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let plain = argument.plain();
        let number = plain.as_signed().or_else(|| i64::try_from(plain.as_unsigned()?).ok())?;
        (-MAX_NUMBER..=MAX_NUMBER).contains(&number).then_some(number)
    }
}
