//! Go's `fmt`: `Sprintf`, `Sprint` and `Sprintln` over template values.

mod flags;
pub mod float;
mod printer;
mod printf;
pub mod quote;

pub use printf::append_printf;

use crate::value::{Kind, Str, Value};
use printer::Printer;

/// Printing one value stops once it has written more than this: shared lists can print exponentially much.
/// The executor makes an error of every text that is longer than its limit, which is no larger.
pub const MAX_TEXT: usize = 32 << 20;

/// `fmt.Sprintf`.
#[must_use]
pub fn sprintf(format: &[u8], arguments: &[Value]) -> Str {
    let mut output = Vec::new();
    append_printf(&mut output, format, arguments, MAX_TEXT);
    output.into()
}

/// `fmt.Sprint`: a space between two operands when neither is a string.
#[must_use]
pub fn sprint(arguments: &[Value]) -> Str {
    let mut output = Vec::new();
    let mut after_string = false;
    for (index, argument) in arguments.iter().enumerate() {
        if output.len() > MAX_TEXT {
            break;
        }
        let is_string = argument.kind() == Kind::String;
        if index > 0 && !is_string && !after_string {
            output.push(b' ');
        }
        append_display(&mut output, argument);
        after_string = is_string;
    }
    output.into()
}

/// `fmt.Sprintln`.
#[must_use]
pub fn sprintln(arguments: &[Value]) -> Str {
    let mut output = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if output.len() > MAX_TEXT {
            break;
        }
        if index > 0 {
            output.push(b' ');
        }
        append_display(&mut output, argument);
    }
    output.push(b'\n');
    output.into()
}

/// `fmt.Sprintf("%v", value)`.
#[must_use]
pub fn display(value: &Value) -> Str {
    if let Value::String(text) = value {
        return text.clone();
    }
    let mut output = Vec::new();
    append_display(&mut output, value);
    output.into()
}

/// Appends what an action prints: as `%v`, but what a pointer points to instead of its address.
pub(crate) fn append_printable(output: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Object(object) => Printer::new(output).dereferenced(value, object.as_ref()),
        _ => append_display(output, value),
    }
}

/// Appends what `%v` prints.
pub fn append_display(output: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => output.extend_from_slice(text.as_bytes()),
        Value::Int(number) | Value::Int64(number) => {
            output.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes());
        }
        Value::Bool(truth) => output.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Float(number) => {
            float::append(output, *number, float::Form::General, None, float::Size::Double, false);
        }
        _ => Printer::new(output).argument(value, 'v'),
    }
}
