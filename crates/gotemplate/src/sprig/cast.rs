//! Number conversions of spf13/cast 1.7: whatever cannot be converted is zero.

use crate::strconv::{parse_float, parse_int};
use crate::value::{Value, float_to_int64};

/// `cast.ToInt64`, and `cast.ToInt`, which is the same on 64 bits.
pub(super) fn to_int64(value: &Value) -> i64 {
    if let Some(number) = value.as_signed() {
        return number;
    }
    if let Some(number) = value.as_unsigned() {
        return number.cast_signed();
    }
    match value {
        Value::Bool(truth) => i64::from(*truth),
        Value::String(text) => text.as_str().and_then(|text| parse_int(trim_zero_decimal(text))).unwrap_or(0),
        Value::Object(object) => match object.go_type().name {
            "time.Month" | "time.Weekday" => object.underlying().and_then(|value| value.as_signed()).unwrap_or(0),
            _ => 0,
        },
        other => other.as_float().map_or(0, float_to_int64),
    }
}

/// `cast.ToFloat64`.
#[expect(clippy::cast_precision_loss, reason = "float64(int) rounds in Go too")]
pub(super) fn to_float64(value: &Value) -> f64 {
    if let Some(number) = value.as_float() {
        return number;
    }
    if let Some(number) = value.as_unsigned() {
        return number as f64;
    }
    match value {
        Value::String(text) => text.as_str().and_then(parse_float).unwrap_or(0.0),
        other => to_int64(other) as f64,
    }
}

/// `1.00` becomes `1`: cuts at the last dot behind which there are only zeros (and, by accident, dots).
fn trim_zero_decimal(text: &str) -> &str {
    let mut found_zero = false;
    for (index, byte) in text.bytes().enumerate().rev() {
        match byte {
            b'.' if found_zero => return text.get(..index).unwrap_or(text),
            b'.' => {}
            b'0' => found_zero = true,
            _ => break,
        }
    }
    text
}
