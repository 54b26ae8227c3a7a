//! The natural order of keys in what goyaml writes.

use std::cmp::Ordering;

/// Compares two keys: digits as numbers (`a2` before `a10`), letters after everything else, otherwise by code point.
#[must_use]
pub fn compare_keys(left: &str, right: &str) -> Ordering {
    compare(left, right, false)
}

/// Sorts by keys in natural order.
///
/// The order is not transitive (`a10` < `a1b` < `a01` < `a10`), which the standard library's sort may answer with a panic;
/// this one always ends.
pub fn sort_naturally<T>(items: &mut Vec<T>, key: impl Fn(&T) -> &str) {
    sort_by(items, |left, right| compare_keys(key(left), key(right)));
}

/// A stable merge sort that bears any comparison.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    if items.windows(2).all(|pair| matches!(pair, [left, right] if compare(left, right) != Ordering::Greater)) {
        return;
    }
    let mut runs: Vec<Vec<T>> = items.drain(..).map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, &compare),
                None => left,
            });
        }
        runs = merged;
    }
    items.extend(runs.into_iter().flatten());
}

fn merge<T>(left: Vec<T>, right: Vec<T>, compare: &impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let taken = if compare(first, second) == Ordering::Greater { right.next() } else { left.next() };
        out.extend(taken);
    }
    out.extend(left);
    out.extend(right);
    out
}

/// goyaml v3 differs in one point: after a digit, a letter comes before everything else.
pub(crate) fn compare(left: &str, right: &str, letters_after_digits_first: bool) -> Ordering {
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
        let after_digit = letters_after_digits_first
            && left.get(..start).and_then(|before| before.chars().next_back()).is_some_and(is_digit);
        return match (left_letter, after_digit) {
            (true, true) | (false, false) => Ordering::Less,
            _ => Ordering::Greater,
        };
    }
    // A zero after digits that are not all zeros is not a leading zero.
    let inside_number = (left_char == '0' || right_char == '0')
        && left
            .get(..start)
            .is_some_and(|before| before.chars().rev().take_while(|c| is_digit(*c)).any(|digit| digit != '0'));
    let (left_value, left_length) = number(left_rest, inside_number);
    let (right_value, right_length) = number(right_rest, inside_number);
    left_value.cmp(&right_value).then(left_length.cmp(&right_length)).then(left_char.cmp(&right_char))
}

fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

/// The number at the start of `text` and its length in digits (0 and 0 without any); wraps like Go's int64.
fn number(text: &str, inside_number: bool) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value = text
        .bytes()
        .take(digits)
        .fold(i64::from(inside_number), |value, digit| value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
    (value, digits)
}
