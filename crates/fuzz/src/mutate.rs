//! Changes to inputs: of bytes, of pieces of the language, of whole lines, and between inputs.

use crate::random::Random;

/// Numbers on which programs trip.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "99999999",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "1e400",
    "0.1",
];

/// A changed copy of one of the seeds.
pub(crate) fn mutated(random: &mut Random, seeds: &[Vec<u8>], tokens: &[&str]) -> Vec<u8> {
    let mut input = random.pick(seeds).cloned().unwrap_or_default();
    for _ in 0..=random.below(4) {
        change(random, &mut input, seeds, tokens);
    }
    input
}

/// Part of an input: where it begins and ends.
fn range(random: &mut Random, input: &[u8], longest: usize) -> (usize, usize) {
    let start = random.below(input.len() + 1);
    let length = random.below(longest.min(input.len() - start) + 1);
    (start, start + length)
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let at = at.min(input.len());
    input.splice(at..at, piece.iter().copied());
}

fn change(random: &mut Random, input: &mut Vec<u8>, seeds: &[Vec<u8>], tokens: &[&str]) {
    let position = random.below(input.len() + 1);
    match random.below(14) {
        0 => {
            let bit = 1_u8 << random.below(8);
            if let Some(byte) = input.get_mut(position) {
                *byte ^= bit;
            }
        }
        1 => {
            let [byte, ..] = random.next().to_le_bytes();
            insert(input, position, &[byte]);
        }
        2 | 3 => {
            let (start, end) = range(random, input, 16);
            input.drain(start..end);
        }
        4..=6 => {
            if let Some(token) = random.pick(tokens) {
                insert(input, position, token.as_bytes());
            }
        }
        7 => {
            if let Some(token) = random.pick(tokens) {
                let (start, end) = range(random, input, 8);
                input.splice(start..end, token.bytes());
            }
        }
        8 => {
            let (start, end) = range(random, input, 64);
            let piece = input.get(start..end).unwrap_or_default().to_vec();
            insert(input, position, &piece);
        }
        9 => {
            let other = random.pick(seeds).cloned().unwrap_or_default();
            let (start, end) = range(random, &other, 256);
            insert(input, position, other.get(start..end).unwrap_or_default());
        }
        10 => {
            if let Some(number) = random.pick(&NUMBERS) {
                let start = input.iter().skip(position).position(u8::is_ascii_digit).map(|offset| position + offset);
                let start = start.unwrap_or(position);
                let end = start + input.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count();
                input.splice(start..end, number.bytes());
            }
        }
        11 => repeat(random, input, position, tokens),
        12 => exchange_lines(random, input),
        _ => input.truncate(position),
    }
}

/// The same piece again and again: nesting, long names, many entries.
fn repeat(random: &mut Random, input: &mut Vec<u8>, position: usize, tokens: &[&str]) {
    let largest = if random.below(40) == 0 { 14 } else { 7 };
    let times = 1 << random.below(largest);
    let piece = match random.pick(tokens) {
        Some(token) if random.below(2) == 0 => token.as_bytes().to_vec(),
        _ => {
            let (start, end) = range(random, input, 12);
            input.get(start..end).unwrap_or_default().to_vec()
        }
    };
    insert(input, position, &piece.repeat(times));
}

fn exchange_lines(random: &mut Random, input: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (left, right) = (random.below(lines.len()), random.below(lines.len()));
    if left < lines.len() && right < lines.len() {
        lines.swap(left, right);
    }
    *input = lines.concat();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_works_on_every_length() {
        let mut random = Random::new(7);
        for length in [0, 1, 2, 100] {
            let seeds = vec![vec![b'1'; length], b"a\nb\n".to_vec()];
            for _ in 0..2000 {
                let mut input = vec![b'x'; length];
                change(&mut random, &mut input, &seeds, &["token"]);
                change(&mut random, &mut input, &seeds, &[]);
            }
        }
        assert_ne!(
            mutated(&mut random, &[b"something".to_vec()], &["a"]),
            mutated(&mut random, &[b"something".to_vec()], &["a"])
        );
    }
}
