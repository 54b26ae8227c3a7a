//! Random texts and numbers, from the execution's source of randomness.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rand::seq::SliceRandom;
use rand::{Rng, RngCore};

use super::arguments::{Outcome, int, text};
use crate::context::Context;
use crate::function::Function;
use crate::value::Value;
use crate::value::types::{INT, STRING};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("randAlphaNum", &[&INT], &STRING, |context, arguments| {
        characters(context, arguments, u8::is_ascii_alphanumeric)
    }),
    Function::new("randAlpha", &[&INT], &STRING, |context, arguments| {
        characters(context, arguments, u8::is_ascii_alphabetic)
    }),
    Function::new("randNumeric", &[&INT], &STRING, |context, arguments| {
        characters(context, arguments, u8::is_ascii_digit)
    }),
    Function::new("randAscii", &[&INT], &STRING, ascii),
    Function::new("randBytes", &[&INT], &STRING, random_bytes),
    Function::new("randInt", &[&INT, &INT], &INT, random_int),
    Function::new("shuffle", &[&STRING], &STRING, shuffle),
    Function::new("uuidv4", &[], &STRING, uuid),
];

/// How many are asked for; fewer than none is none.
fn count(context: &Context<'_>, arguments: &[Value]) -> Result<usize, crate::function::FunctionError> {
    let count = usize::try_from(int(arguments, 0)?).unwrap_or(0);
    context.reserve(count)?;
    Ok(count)
}

fn characters(context: &mut Context<'_>, arguments: &[Value], accept: fn(&u8) -> bool) -> Outcome {
    let count = count(context, arguments)?;
    let alphabet: Vec<u8> = (b' '..=b'z').filter(accept).collect();
    let random = context.random();
    let character = |_| alphabet.get(random.random_range(0..alphabet.len())).copied().map_or(' ', char::from);
    Ok((0..count).map(character).collect::<String>().into())
}

fn ascii(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let count = count(context, arguments)?;
    let random = context.random();
    Ok((0..count).map(|_| char::from(random.random_range(b' '..=b'~'))).collect::<String>().into())
}

fn random_bytes(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let asked = int(arguments, 0)?;
    if asked < 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    let count = count(context, arguments)?;
    let mut bytes = vec![0; count];
    context.random().fill_bytes(&mut bytes);
    Ok(BASE64_STANDARD.encode(bytes).into())
}

fn random_int(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let (minimum, maximum) = (int(arguments, 0)?, int(arguments, 1)?);
    let span = maximum.wrapping_sub(minimum);
    if span <= 0 {
        return Err("invalid argument to Intn".into());
    }
    Ok(Value::Int(context.random().random_range(0..span).wrapping_add(minimum)))
}

fn shuffle(context: &mut Context<'_>, arguments: &[Value]) -> Outcome {
    let mut characters: Vec<char> = text(arguments, 0)?.lossy().chars().collect();
    characters.shuffle(context.random());
    Ok(characters.into_iter().collect::<String>().into())
}

fn uuid(context: &mut Context<'_>, _: &[Value]) -> Outcome {
    let mut bytes: u128 = context.random().random();
    // Version 4, variant 1.
    bytes = bytes & !(0xF000 << 64) | 0x4000 << 64;
    bytes = bytes & !(0xC000 << 48) | 0x8000 << 48;
    let digits = format!("{bytes:032x}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    Ok(parts.join("-").into())
}
