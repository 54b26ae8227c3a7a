//! Dates: `time.Time` values with their methods, formatting, reading and durations.

use std::any::Any;
use std::rc::Rc;

use super::arguments::{Outcome, int, text, value};
use super::time::{MONTHS, Time, WEEKDAYS, Zone};
use super::{duration, time_parse};
use crate::context::Context;
use crate::function::{Function, FunctionError};
use crate::value::types::{ANY, BOOL, INT, INT64, STRING};
use crate::value::{Kind, Number, Object, Str, Type, Value, downcast};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("now", &[], &TIME, |context, _| Ok(present(context).into_value())),
    Function::new("ago", &[&ANY], &STRING, ago),
    Function::new("date", &[&STRING, &ANY], &STRING, |context, arguments| {
        formatted(context, text(arguments, 0)?.as_bytes(), value(arguments, 1)?, "Local")
    }),
    Function::new("dateInZone", &[&STRING, &ANY, &STRING], &STRING, date_in_zone),
    Function::new("date_in_zone", &[&STRING, &ANY, &STRING], &STRING, date_in_zone),
    Function::new("htmlDate", &[&ANY], &STRING, |context, arguments| {
        formatted(context, b"2006-01-02", value(arguments, 0)?, "Local")
    }),
    Function::new("htmlDateInZone", &[&ANY, &STRING], &STRING, |context, arguments| {
        formatted(context, b"2006-01-02", value(arguments, 0)?, &text(arguments, 1)?.lossy())
    }),
    Function::new("dateModify", &[&STRING, &TIME], &TIME, date_modify),
    Function::new("date_modify", &[&STRING, &TIME], &TIME, date_modify),
    Function::new("mustDateModify", &[&STRING, &TIME], &TIME, must_date_modify),
    Function::new("must_date_modify", &[&STRING, &TIME], &TIME, must_date_modify),
    Function::new("duration", &[&ANY], &STRING, |_, arguments| {
        let seconds = match value(arguments, 0)? {
            Value::String(text) => leading_int64(&text.lossy()),
            Value::Int64(number) => *number,
            _ => 0,
        };
        Ok(duration::display(seconds.wrapping_mul(1_000_000_000)).into())
    }),
    Function::new("durationRound", &[&ANY], &STRING, duration_round),
    Function::new("toDate", &[&STRING, &STRING], &TIME, |context, arguments| {
        Ok(parsed(context, arguments)?.unwrap_or_else(|_| Time::zero()).into_value())
    }),
    Function::new("mustToDate", &[&STRING, &STRING], &TIME, |context, arguments| {
        parsed(context, arguments)?.map(Time::into_value).map_err(FunctionError::Message)
    }),
    Function::new("unixEpoch", &[&TIME], &STRING, |_, arguments| Ok(time(arguments, 0)?.seconds.to_string().into())),
];

static TIME: Type = Type::basic("time.Time", Kind::Struct).with_methods(&[
    &FORMAT,
    &STRING_METHOD,
    &UNIX,
    &UNIX_MILLI,
    &UNIX_MICRO,
    &UNIX_NANO,
    &YEAR,
    &MONTH,
    &DAY,
    &HOUR,
    &MINUTE,
    &SECOND,
    &NANOSECOND,
    &YEAR_DAY,
    &WEEKDAY,
    &ADD,
    &ADD_DATE,
    &SUB,
    &BEFORE,
    &AFTER,
    &EQUAL,
    &IS_ZERO,
    &UTC,
    &LOCAL,
]);
static MONTH_TYPE: Type = Type::basic("time.Month", Kind::Int).with_methods(&[&NAME_TEXT]);
static WEEKDAY_TYPE: Type = Type::basic("time.Weekday", Kind::Int).with_methods(&[&NAME_TEXT]);
static DURATION: Type = Type::basic("time.Duration", Kind::Int64).with_methods(&[
    &DURATION_TEXT,
    &DURATION_HOURS,
    &DURATION_MINUTES,
    &DURATION_SECONDS,
    &DURATION_MILLISECONDS,
    &DURATION_NANOSECONDS,
]);

const STRING_LAYOUT: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";
const RFC3339_NANO: &[u8] = b"2006-01-02T15:04:05.999999999Z07:00";

impl Object for Time {
    fn go_type(&self) -> &'static Type {
        &TIME
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn text(&self) -> Option<Str> {
        Some(Str::from_bytes(self.format(STRING_LAYOUT)))
    }

    fn json(&self) -> Option<Value> {
        Some(Str::from_bytes(self.format(RFC3339_NANO)).into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| {
            (self.seconds, self.nanoseconds) == (other.seconds, other.nanoseconds)
                && self.format(STRING_LAYOUT) == other.format(STRING_LAYOUT)
        })
    }

    fn is_zero(&self) -> bool {
        Self::is_zero(self)
    }
}

impl Time {
    fn into_value(self) -> Value {
        Value::Object(Rc::new(self))
    }
}

/// A number of a named type that prints as a name or as a duration.
#[derive(Debug)]
struct NamedNumber {
    number: i64,
    go_type: &'static Type,
}

impl NamedNumber {
    fn value(number: i64, go_type: &'static Type) -> Value {
        Value::Object(Rc::new(Self { number, go_type }))
    }

    fn shown(&self) -> String {
        let name = |names: &[&str], first: i64| {
            let index = usize::try_from(self.number - first).ok();
            index.and_then(|index| names.get(index)).map_or_else(|| self.number.to_string(), |name| (*name).to_owned())
        };
        match self.go_type.name {
            "time.Month" => name(&MONTHS, 1),
            "time.Weekday" => name(&WEEKDAYS, 0),
            _ => duration::display(self.number),
        }
    }
}

impl Object for NamedNumber {
    fn go_type(&self) -> &'static Type {
        self.go_type
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn text(&self) -> Option<Str> {
        Some(self.shown().into())
    }

    fn underlying(&self) -> Option<Value> {
        Some(if self.go_type.kind == Kind::Int64 { Value::Int64(self.number) } else { Value::Int(self.number) })
    }
}

fn present(context: &Context<'_>) -> Time {
    let now = context.now();
    let nanoseconds = now.as_nanosecond().rem_euclid(1_000_000_000);
    let seconds = now.as_nanosecond().div_euclid(1_000_000_000);
    Time::new(i64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0), Zone::local(context.zone()))
}

/// A `time.Time` argument.
fn time(arguments: &[Value], index: usize) -> Result<&Time, FunctionError> {
    downcast(value(arguments, index)?).ok_or_else(|| FunctionError::new("argument is not of type time.Time"))
}

/// `int64`, `int`, `int32` and times are taken as they are; for anything else it is now.
fn instant(context: &Context<'_>, value: &Value) -> Time {
    let seconds = match value {
        Value::Int(seconds) | Value::Int64(seconds) => Some(*seconds),
        Value::Number(Number::Int32(seconds)) => Some(i64::from(*seconds)),
        _ => None,
    };
    match (downcast::<Time>(value), seconds) {
        (Some(time), _) => time.clone(),
        (None, Some(seconds)) => Time::new(seconds, 0, Zone::local(context.zone())),
        (None, None) => present(context),
    }
}

fn formatted(context: &Context<'_>, layout: &[u8], value: &Value, zone: &str) -> Outcome {
    let mut time = instant(context, value);
    time.zone = Zone::load(zone, context.zone()).unwrap_or(Zone::Utc);
    Ok(Str::from_bytes(time.format(layout)).into())
}

fn date_in_zone(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let zone = text(arguments, 2)?.lossy();
    formatted(context, text(arguments, 0)?.as_bytes(), value(arguments, 1)?, &zone)
}

fn date_modify(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    match duration::parse(&text(arguments, 0)?.lossy()) {
        Ok(nanoseconds) => Ok(time(arguments, 1)?.plus(nanoseconds).into_value()),
        Err(_) => Ok(value(arguments, 1)?.clone()),
    }
}

fn must_date_modify(_: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let nanoseconds = duration::parse(&text(arguments, 0)?.lossy()).map_err(FunctionError::Message)?;
    Ok(time(arguments, 1)?.plus(nanoseconds).into_value())
}

fn parsed(context: &Context<'_>, arguments: &[Value]) -> Result<Result<Time, String>, FunctionError> {
    let (layout, value) = (text(arguments, 0)?.lossy(), text(arguments, 1)?.lossy());
    Ok(time_parse::parse(&layout, &value, &Zone::local(context.zone())))
}

/// `strconv.ParseInt` without its error: out of range gives the nearest number.
fn leading_int64(text: &str) -> i64 {
    text.parse().unwrap_or_else(|error: std::num::ParseIntError| match error.kind() {
        std::num::IntErrorKind::PosOverflow => i64::MAX,
        std::num::IntErrorKind::NegOverflow => i64::MIN,
        _ => 0,
    })
}

/// How long ago, to the second.
fn ago(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let elapsed = present(context).minus(&instant(context, value(arguments, 0)?));
    let half = if elapsed < 0 { -500_000_000 } else { 500_000_000 };
    let rounded = elapsed.checked_add(half).map_or(elapsed, |sum| sum / 1_000_000_000 * 1_000_000_000);
    Ok(duration::display(rounded).into())
}

fn duration_round(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let nanoseconds = match value(arguments, 0)? {
        Value::String(text) => duration::parse(&text.lossy()).unwrap_or(0),
        Value::Int64(number) => *number,
        other => downcast::<Time>(other).map_or(0, |time| present(context).minus(time)),
    };
    Ok(duration::round(nanoseconds).into())
}

static FORMAT: Function = Function::new("Format", &[&TIME, &STRING], &STRING, |_, arguments| {
    Ok(Str::from_bytes(time(arguments, 0)?.format(text(arguments, 1)?.as_bytes())).into())
});
static STRING_METHOD: Function = Function::new("String", &[&TIME], &STRING, |_, arguments| {
    Ok(Str::from_bytes(time(arguments, 0)?.format(STRING_LAYOUT)).into())
});
static UNIX: Function =
    Function::new("Unix", &[&TIME], &INT64, |_, arguments| Ok(Value::Int64(time(arguments, 0)?.seconds)));
static UNIX_MILLI: Function = Function::new("UnixMilli", &[&TIME], &INT64, |_, arguments| fractions(arguments, 1_000));
static UNIX_MICRO: Function =
    Function::new("UnixMicro", &[&TIME], &INT64, |_, arguments| fractions(arguments, 1_000_000));
static UNIX_NANO: Function =
    Function::new("UnixNano", &[&TIME], &INT64, |_, arguments| fractions(arguments, 1_000_000_000));
static YEAR: Function =
    Function::new("Year", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().year)));
static MONTH: Function = Function::new("Month", &[&TIME], &MONTH_TYPE, |_, arguments| {
    Ok(NamedNumber::value(time(arguments, 0)?.civil().month, &MONTH_TYPE))
});
static DAY: Function =
    Function::new("Day", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().day)));
static HOUR: Function =
    Function::new("Hour", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().hour)));
static MINUTE: Function =
    Function::new("Minute", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().minute)));
static SECOND: Function =
    Function::new("Second", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().second)));
static NANOSECOND: Function = Function::new("Nanosecond", &[&TIME], &INT, |_, arguments| {
    Ok(Value::Int(i64::from(time(arguments, 0)?.nanoseconds)))
});
static YEAR_DAY: Function =
    Function::new("YearDay", &[&TIME], &INT, |_, arguments| Ok(Value::Int(time(arguments, 0)?.civil().year_day)));
static WEEKDAY: Function = Function::new("Weekday", &[&TIME], &WEEKDAY_TYPE, |_, arguments| {
    Ok(NamedNumber::value(time(arguments, 0)?.civil().weekday, &WEEKDAY_TYPE))
});
static ADD: Function = Function::new("Add", &[&TIME, &DURATION], &TIME, |_, arguments| {
    Ok(time(arguments, 0)?.plus(int(arguments, 1)?).into_value())
});
static ADD_DATE: Function = Function::new("AddDate", &[&TIME, &INT, &INT, &INT], &TIME, |_, arguments| {
    let (years, months, days) = (int(arguments, 1)?, int(arguments, 2)?, int(arguments, 3)?);
    Ok(time(arguments, 0)?.plus_date(years, months, days).into_value())
});
static SUB: Function = Function::new("Sub", &[&TIME, &TIME], &DURATION, |_, arguments| {
    Ok(NamedNumber::value(time(arguments, 0)?.minus(time(arguments, 1)?), &DURATION))
});
static BEFORE: Function =
    Function::new("Before", &[&TIME, &TIME], &BOOL, |_, arguments| Ok(order(arguments)?.is_lt().into()));
static AFTER: Function =
    Function::new("After", &[&TIME, &TIME], &BOOL, |_, arguments| Ok(order(arguments)?.is_gt().into()));
static EQUAL: Function =
    Function::new("Equal", &[&TIME, &TIME], &BOOL, |_, arguments| Ok(order(arguments)?.is_eq().into()));
static IS_ZERO: Function =
    Function::new("IsZero", &[&TIME], &BOOL, |_, arguments| Ok(time(arguments, 0)?.is_zero().into()));
static UTC: Function = Function::new("UTC", &[&TIME], &TIME, |_, arguments| {
    Ok(Time { zone: Zone::Utc, ..time(arguments, 0)?.clone() }.into_value())
});
static LOCAL: Function = Function::new("Local", &[&TIME], &TIME, |context, arguments| {
    Ok(Time { zone: Zone::local(context.zone()), ..time(arguments, 0)?.clone() }.into_value())
});

fn order(arguments: &[Value]) -> Result<std::cmp::Ordering, FunctionError> {
    let key = |time: &Time| (time.seconds, time.nanoseconds);
    Ok(key(time(arguments, 0)?).cmp(&key(time(arguments, 1)?)))
}

/// Time since 1970 in parts of a second; too far away it wraps, as in Go.
fn fractions(arguments: &[Value], per_second: i64) -> Outcome {
    let time = time(arguments, 0)?;
    let fraction = i64::from(time.nanoseconds) / (1_000_000_000 / per_second);
    Ok(Value::Int64(time.seconds.wrapping_mul(per_second).wrapping_add(fraction)))
}

static NAME_TEXT: Function = Function::new("String", &[&ANY], &STRING, |_, arguments| {
    Ok(downcast::<NamedNumber>(value(arguments, 0)?).map(NamedNumber::shown).unwrap_or_default().into())
});
static DURATION_TEXT: Function =
    Function::new("String", &[&DURATION], &STRING, |_, arguments| Ok(duration::display(int(arguments, 0)?).into()));
static DURATION_HOURS: Function =
    Function::new("Hours", &[&DURATION], &crate::value::types::FLOAT64, |_, arguments| in_units(arguments, 3.6e12));
static DURATION_MINUTES: Function =
    Function::new("Minutes", &[&DURATION], &crate::value::types::FLOAT64, |_, arguments| in_units(arguments, 6e10));
static DURATION_SECONDS: Function =
    Function::new("Seconds", &[&DURATION], &crate::value::types::FLOAT64, |_, arguments| in_units(arguments, 1e9));
static DURATION_MILLISECONDS: Function = Function::new("Milliseconds", &[&DURATION], &INT64, |_, arguments| {
    Ok(Value::Int64(int(arguments, 0)? / 1_000_000))
});
static DURATION_NANOSECONDS: Function =
    Function::new("Nanoseconds", &[&DURATION], &INT64, |_, arguments| Ok(Value::Int64(int(arguments, 0)?)));

/// Whole units and the rest apart, as Go adds them.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the arithmetic Go does")]
fn in_units(arguments: &[Value], unit: f64) -> Outcome {
    let nanoseconds = int(arguments, 0)?;
    let whole = nanoseconds / unit as i64;
    let rest = nanoseconds % unit as i64;
    Ok((whole as f64 + rest as f64 / unit).into())
}
