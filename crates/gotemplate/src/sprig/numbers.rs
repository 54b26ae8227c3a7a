//! Arithmetic on integers, floats and decimals, conversions and sequences.

use super::arguments::{Outcome, int, rest, text, value};
use super::cast::{to_float64, to_int64};
use super::decimal::Decimal;
use crate::context::Context;
use crate::format::sprint;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, FLOAT64, INT, INT64, INTS, STRING};
use crate::value::{List, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("atoi", &[&STRING], &INT, atoi),
    Function::new("int", &[&ANY], &INT, |_, arguments| Ok(Value::Int(to_int64(value(arguments, 0)?)))),
    Function::new("int64", &[&ANY], &INT64, |_, arguments| Ok(Value::Int64(to_int64(value(arguments, 0)?)))),
    Function::new("float64", &[&ANY], &FLOAT64, |_, arguments| Ok(to_float64(value(arguments, 0)?).into())),
    Function::new("toDecimal", &[&ANY], &INT64, to_decimal),
    Function::new("add", &[], &INT64, |_, arguments| fold(0, arguments, i64::wrapping_add)).variadic(&ANY),
    Function::new("add1", &[&ANY], &INT64, |_, arguments| fold(1, arguments, i64::wrapping_add)),
    Function::new("sub", &[&ANY, &ANY], &INT64, |_, arguments| fold_first(arguments, i64::wrapping_sub)),
    Function::new("mul", &[&ANY], &INT64, |_, arguments| fold_first(arguments, i64::wrapping_mul)).variadic(&ANY),
    Function::new("div", &[&ANY, &ANY], &INT64, |_, arguments| divide(arguments, i64::wrapping_div)),
    Function::new("mod", &[&ANY, &ANY], &INT64, |_, arguments| divide(arguments, i64::wrapping_rem)),
    Function::new("max", &[&ANY], &INT64, |_, arguments| fold_first(arguments, i64::max)).variadic(&ANY),
    Function::new("biggest", &[&ANY], &INT64, |_, arguments| fold_first(arguments, i64::max)).variadic(&ANY),
    Function::new("min", &[&ANY], &INT64, |_, arguments| fold_first(arguments, i64::min)).variadic(&ANY),
    Function::new("maxf", &[&ANY], &FLOAT64, |_, arguments| fold_floats(arguments, float_max)).variadic(&ANY),
    Function::new("minf", &[&ANY], &FLOAT64, |_, arguments| fold_floats(arguments, float_min)).variadic(&ANY),
    Function::new("addf", &[], &FLOAT64, add_floats).variadic(&ANY),
    Function::new("add1f", &[&ANY], &FLOAT64, add_one_float),
    Function::new("subf", &[&ANY], &FLOAT64, |_, arguments| {
        fold_decimals(arguments, |left, right| Ok(left.subtract(right)))
    })
    .variadic(&ANY),
    Function::new("mulf", &[&ANY], &FLOAT64, |_, arguments| {
        fold_decimals(arguments, |left, right| Ok(left.multiply(right)))
    })
    .variadic(&ANY),
    Function::new("divf", &[&ANY], &FLOAT64, |_, arguments| fold_decimals(arguments, Decimal::divide)).variadic(&ANY),
    Function::new("ceil", &[&ANY], &FLOAT64, |_, arguments| Ok(to_float64(value(arguments, 0)?).ceil().into())),
    Function::new("floor", &[&ANY], &FLOAT64, |_, arguments| Ok(to_float64(value(arguments, 0)?).floor().into())),
    Function::new("round", &[&ANY, &INT], &FLOAT64, round).variadic(&FLOAT64),
    Function::new("until", &[&INT], &INTS, until),
    Function::new("untilStep", &[&INT, &INT, &INT], &INTS, until_step),
    Function::new("seq", &[], &STRING, sequence).variadic(&INT),
];

/// `strconv.Atoi` without its error: a number out of range is the nearest that is not, as Go returns it.
fn atoi(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = text(arguments, 0)?.lossy();
    let number = text.parse().unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow => i64::MAX,
        std::num::IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    });
    Ok(Value::Int(number))
}

/// Reads the text form of a value as an octal number.
fn to_decimal(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let text = sprint(arguments);
    Ok(Value::Int64(text.as_str().and_then(|text| i64::from_str_radix(text, 8).ok()).unwrap_or(0)))
}

#[expect(clippy::unnecessary_wraps, reason = "the body of functions, which can fail")]
fn fold(start: i64, arguments: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    Ok(Value::Int64(arguments.iter().map(to_int64).fold(start, operation)))
}

fn fold_first(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    fold(to_int64(value(arguments, 0)?), rest(arguments, 1), operation)
}

fn divide(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    if to_int64(value(arguments, 1)?) == 0 {
        return Err("runtime error: integer divide by zero".into());
    }
    fold_first(arguments, operation)
}

fn fold_floats(arguments: &[Value], operation: fn(f64, f64) -> f64) -> Outcome {
    let first = to_float64(value(arguments, 0)?);
    Ok(rest(arguments, 1).iter().map(to_float64).fold(first, operation).into())
}

/// `math.Max`: NaN unless the other is infinite, and `+0` above `-0`.
fn float_max(left: f64, right: f64) -> f64 {
    if left == f64::INFINITY || right == f64::INFINITY {
        f64::INFINITY
    } else if left.is_nan() || right.is_nan() {
        f64::NAN
    } else if left == 0.0 && right == 0.0 {
        if left.is_sign_negative() { right } else { left }
    } else {
        left.max(right)
    }
}

fn float_min(left: f64, right: f64) -> f64 {
    -float_max(-left, -right)
}

fn fold_decimals(
    arguments: &[Value],
    operation: impl Fn(&Decimal, &Decimal) -> Result<Decimal, FunctionError>,
) -> Outcome {
    let mut result = Decimal::from_float(to_float64(value(arguments, 0)?))?;
    for argument in rest(arguments, 1) {
        result = operation(&result, &Decimal::from_float(to_float64(argument))?)?;
    }
    Ok(result.to_float().into())
}

fn add_floats(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut result = Decimal::from_float(0.0)?;
    for argument in arguments {
        result = result.add(&Decimal::from_float(to_float64(argument))?);
    }
    Ok(result.to_float().into())
}

fn add_one_float(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let number = Decimal::from_float(to_float64(value(arguments, 0)?))?;
    Ok(number.add(&Decimal::from_float(1.0)?).to_float().into())
}

fn round(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let number = to_float64(value(arguments, 0)?);
    let threshold = arguments.get(2).map_or(0.5, to_float64);
    let power = power_of_ten(int(arguments, 1)?);
    let digits = power * number;
    let fraction = if digits.is_infinite() { f64::NAN } else { digits.fract() };
    let rounded = if fraction >= threshold { digits.ceil() } else { digits.floor() };
    Ok((rounded / power).into())
}

/// `math.Pow(10, exponent)`, bit for bit: repeated squaring of the mantissa.
fn power_of_ten(exponent: i64) -> f64 {
    match exponent {
        0 => return 1.0,
        1 => return 10.0,
        -1 => return 0.1,
        _ => {}
    }
    // 10 is 0.625 * 2^4.
    let (mut square, mut square_exponent) = (0.625, 4i64);
    let (mut mantissa, mut binary) = (1.0, 0i64);
    let mut bits = exponent.unsigned_abs();
    while bits != 0 {
        if !(-4096..=4096).contains(&square_exponent) {
            binary += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            mantissa *= square;
            binary += square_exponent;
        }
        square *= square;
        square_exponent <<= 1;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if exponent < 0 {
        mantissa = 1.0 / mantissa;
        binary = -binary;
    }
    scale_by_power_of_two(mantissa, i32::try_from(binary).unwrap_or(if binary < 0 { i32::MIN } else { i32::MAX }))
}

/// `number * 2^exponent`, rounded once: `math.Ldexp`.
pub(super) fn scale_by_power_of_two(number: f64, exponent: i32) -> f64 {
    let mut number = number;
    let mut exponent = exponent.clamp(-5000, 5000);
    while exponent > 1000 {
        number *= 2f64.powi(1000);
        exponent -= 1000;
    }
    // Normalised first, so that only the last step can lose bits.
    while exponent < -1000 && number.abs() > 2f64.powi(10) {
        number *= 2f64.powi(-10);
        exponent += 10;
    }
    while exponent < -1000 {
        number *= 2f64.powi(-1000);
        exponent += 1000;
    }
    number * 2f64.powi(exponent)
}

/// The numbers from `start` on by `step` before `stop`, as many as the limits allow.
fn steps(context: &Context<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FunctionError> {
    let upwards = stop >= start;
    if (upwards && step <= 0) || (!upwards && step >= 0) {
        return Ok(Vec::new());
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    context.reserve(count.saturating_mul(size_of::<Value>()))?;
    Ok(std::iter::successors(Some(start), |number| Some(number.wrapping_add(step))).take(count).collect())
}

fn integers(numbers: Vec<i64>) -> Value {
    List::typed(&INTS, numbers.into_iter().map(Value::Int).collect()).into()
}

fn until(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let count = int(arguments, 0)?;
    Ok(integers(steps(context, 0, count, if count < 0 { -1 } else { 1 })?))
}

fn until_step(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    Ok(integers(steps(context, int(arguments, 0)?, int(arguments, 1)?, int(arguments, 2)?)?))
}

fn sequence(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let number = |index| int(arguments, index);
    let direction = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, end, step) = match arguments.len() {
        1 => (1, number(0)?, direction(1, number(0)?)),
        2 => (number(0)?, number(1)?, direction(number(0)?, number(1)?)),
        3 => (number(0)?, number(2)?, number(1)?),
        _ => return Ok("".into()),
    };
    if arguments.len() == 3 && end < start && step > 0 {
        return Ok("".into());
    }
    let numbers = steps(context, start, end.wrapping_add(direction(start, end)), step)?;
    let mut out = String::new();
    for number in numbers {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(itoa::Buffer::new().format(number));
    }
    Ok(out.into())
}
