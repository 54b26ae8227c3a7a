//! Numbers as Go's `strconv` and `encoding/json` read and write them.

/// Go's `strconv.ParseInt(text, 0, 64)` (without `_` separators) widened by `ParseUint`: prefix `0x`, `0b`, `0o` or `0`.
#[must_use]
pub fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let explicit_sign = digits.len() != text.len();
    let bytes = digits.as_bytes();
    let (radix, digits) = match bytes {
        [b'0', b'x' | b'X', _, ..] => (16, digits.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, digits.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    let magnitude = parse_digits(digits, radix)?;
    if negative {
        (magnitude <= 1 << 63).then_some(-i128::from(magnitude))
    } else {
        // ParseUint, which reads what is above the signed range, takes no sign.
        (!explicit_sign || i64::try_from(magnitude).is_ok()).then_some(i128::from(magnitude))
    }
}

/// Unsigned digits in `radix`, at least one and nothing else.
pub(crate) fn parse_digits(digits: &str, radix: u32) -> Option<u64> {
    let starts_well = digits.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if starts_well { u64::from_str_radix(digits, radix).ok() } else { None }
}

/// Decimal digits and the exponent such that the value is `0.DIGITS * 10^point`; shortest that reads back the same.
pub(crate) struct Decimal {
    digits: [u8; 17],
    length: usize,
    point: i32,
    negative: bool,
}

impl Decimal {
    pub(crate) fn digits(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    fn from_ryu(text: &str) -> Self {
        let mut decimal = Self { digits: [b'0'; 17], length: 0, point: 0, negative: false };
        let mut exponent = 0;
        let mut point_seen = false;
        let mut integer_digits = 0;
        let (mantissa, exponent_text) = text.split_once('e').unwrap_or((text, "0"));
        exponent += exponent_text.parse::<i32>().unwrap_or(0);
        for byte in mantissa.bytes() {
            match byte {
                b'-' => decimal.negative = true,
                b'.' => point_seen = true,
                digit => {
                    if decimal.length == 0 && digit == b'0' {
                        // Leading zeros move the point.
                        exponent -= i32::from(point_seen);
                        continue;
                    }
                    integer_digits += i32::from(!point_seen);
                    if let Some(slot) = decimal.digits.get_mut(decimal.length) {
                        *slot = digit;
                        decimal.length += 1;
                    }
                }
            }
        }
        decimal.point = integer_digits + exponent;
        while decimal.length > 0 && decimal.digits.get(decimal.length - 1) == Some(&b'0') {
            decimal.length -= 1;
        }
        if decimal.length == 0 {
            decimal.length = 1;
            decimal.point = 1;
        }
        decimal
    }

    fn of(value: f64) -> Self {
        Self::from_ryu(ryu::Buffer::new().format_finite(value))
    }

    fn of_single(value: f32) -> Self {
        Self::from_ryu(ryu::Buffer::new().format_finite(value))
    }

    fn write_exponent_form(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        let digits = self.digits();
        out.extend(digits.first().map(|digit| char::from(*digit)));
        if digits.len() > 1 {
            out.push('.');
            out.extend(digits.iter().skip(1).map(|digit| char::from(*digit)));
        }
        let exponent = if self.is_zero() { 0 } else { self.point - 1 };
        out.push_str(if exponent < 0 { "e-" } else { "e+" });
        let magnitude = exponent.unsigned_abs();
        if magnitude < 10 {
            out.push('0');
        }
        out.push_str(itoa::Buffer::new().format(magnitude));
    }

    fn write_plain_form(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        let digits = self.digits();
        if self.point <= 0 {
            out.push_str("0.");
            (self.point..0).for_each(|_| out.push('0'));
            out.extend(digits.iter().map(|digit| char::from(*digit)));
            return;
        }
        let point = self.point as usize;
        for index in 0..point.max(digits.len()) {
            if index == point {
                out.push('.');
            }
            out.push(digits.get(index).map_or('0', |digit| char::from(*digit)));
        }
    }

    fn is_zero(&self) -> bool {
        self.digits() == b"0"
    }
}

fn write_special(value: f64, out: &mut String) -> bool {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        return false;
    }
    true
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`: exponent form when the exponent is below -4 or at least 6.
pub fn write_float_g(value: f64, out: &mut String) {
    if !write_special(value, out) {
        write_decimal_g(&Decimal::of(value), out);
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`, which `sigs.k8s.io/yaml` uses for float keys.
pub fn write_float_g_single(value: f64, out: &mut String) {
    let single = value as f32;
    if !write_special(f64::from(single), out) {
        write_decimal_g(&Decimal::of_single(single), out);
    }
}

fn write_decimal_g(decimal: &Decimal, out: &mut String) {
    let exponent = if decimal.is_zero() { 0 } else { decimal.point - 1 };
    // Go takes the precision for 6 when it prints the shortest digits.
    if !(-4..6).contains(&exponent) {
        decimal.write_exponent_form(out);
    } else {
        decimal.write_plain_form(out);
    }
}

/// A finite float as `encoding/json` writes it: plain digits between 1e-6 and 1e21, otherwise with an exponent.
pub fn write_float_json(value: f64, out: &mut String) {
    let magnitude = value.abs();
    let decimal = Decimal::of(value);
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        decimal.write_exponent_form(out);
        // Go's JSON writes e-9, not e-09.
        let length = out.len();
        if out.get(length.saturating_sub(4)..length.saturating_sub(1)) == Some("e-0") {
            out.remove(length - 2);
        }
    } else {
        decimal.write_plain_form(out);
    }
}
