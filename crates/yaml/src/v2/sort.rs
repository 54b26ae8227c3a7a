//! The natural order of keys in what goyaml writes.

use std::cmp::Ordering;

/// Compares two keys: digits as numbers (`a2` before `a10`), letters after everything else, otherwise by code point.
#[must_use]
pub fn compare_keys(left: &str, right: &str) -> Ordering {
    let common = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    // Back to the start of a character.
    let start =
        (0..=common).rev().find(|index| left.is_char_boundary(*index) && right.is_char_boundary(*index)).unwrap_or(0);
    let (Some(left_rest), Some(right_rest)) = (left.get(start..), right.get(start..)) else { return left.cmp(right) };
    let (Some(left_char), Some(right_char)) = (left_rest.chars().next(), right_rest.chars().next()) else {
        return left.len().cmp(&right.len());
    };
    let (left_letter, right_letter) = (left_char.is_alphabetic(), right_char.is_alphabetic());
    if left_letter && right_letter {
        return left_char.cmp(&right_char);
    }
    if left_letter || right_letter {
        let after_digit = left.get(..start).and_then(|before| before.chars().next_back()).is_some_and(is_digit);
        return match (left_letter, after_digit) {
            (true, true) | (false, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
    }
    let zero_before = |text: &str| {
        text.get(..start).map(|before| {
            let digits: String = before.chars().rev().take_while(|c| is_digit(*c)).collect();
            digits.chars().any(|digit| digit != '0')
        })
    };
    let mut left_start = left_rest;
    let mut right_start = right_rest;
    if left_char == '0' || right_char == '0' {
        // Leading zeros count only when the digits before are not all zeros.
        if zero_before(left) == Some(true) {
            left_start = left_rest;
            right_start = right_rest;
        }
    }
    let left_number = number(left_start);
    let right_number = number(right_start);
    match (left_number, right_number) {
        (Some((left_value, left_length)), Some((right_value, right_length))) => {
            if left_value != right_value {
                return left_value.cmp(&right_value);
            }
            if left_length != right_length {
                return left_length.cmp(&right_length);
            }
            left_char.cmp(&right_char)
        }
        _ => left_char.cmp(&right_char),
    }
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// The number at the start of `text` and its length in digits (wrapping like Go's int64).
fn number(text: &str) -> Option<(i64, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| {
        let value = text
            .bytes()
            .take(digits)
            .fold(0_i64, |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
        (value, digits)
    })
}
