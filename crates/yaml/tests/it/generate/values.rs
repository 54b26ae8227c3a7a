//! Values to be written.

use std::collections::BTreeMap;

use yaml::Value;

use super::random::Random;
use super::words::{PLAIN, WORDS};

/// A value to be written.
pub(crate) fn value(seed: u64) -> Value {
    let mut random = Random::new(seed ^ 0x5555);
    any_value(&mut random, 0)
}

fn any_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 3 { 6 } else { 9 }) {
        0 => match random.below(4) {
            0 => Value::Null,
            1 => Value::Bool(random.chance(2)),
            2 => Value::Int(random.next() as i64 >> random.below(64)),
            _ => Value::Uint(random.next() >> random.below(64)),
        },
        1 => Value::Float(float(random)),
        2..=5 => Value::String(string(random)),
        6 => Value::Sequence((0..random.below(4)).map(|_| any_value(random, depth + 1)).collect()),
        _ => {
            let mapping: BTreeMap<String, Value> =
                (0..random.below(5)).map(|_| (key(random), any_value(random, depth + 1))).collect();
            Value::Mapping(mapping)
        }
    }
}

fn float(random: &mut Random) -> f64 {
    match random.below(4) {
        0 => random.below(100_000) as f64,
        1 => random.below(1_000_000) as f64 / 1000.0,
        2 => (random.next() as f64) * 10_f64.powi(random.below(40) as i32 - 25),
        _ => {
            let value = f64::from_bits(random.next());
            if value.is_nan() { 0.5 } else { value }
        }
    }
}

fn key(random: &mut Random) -> String {
    match random.below(6) {
        0 => string(random),
        1 => format!("a{}", random.below(200)),
        2 => format!("{:03}b{}", random.below(30), random.below(3)),
        _ => (0..1 + random.below(5))
            .map(|_| random.pick(&["a", "b", "B", "1", "0", "9", "10", "-", "_", ".", "é", "/"]))
            .collect(),
    }
}

fn string(random: &mut Random) -> String {
    match random.below(8) {
        0 | 1 => random.pick(WORDS).to_owned(),
        2 => (0..random.below(40))
            .map(|_| random.pick(&["word ", "another ", "x", "  ", "it's ", "\"q\" ", "a: ", "#", "é "]))
            .collect(),
        3 => (0..random.below(8))
            .map(|_| {
                random.pick(&[
                    "line\n",
                    "\n",
                    " indented\n",
                    "trailing \n",
                    "\t",
                    "last",
                    "# no\n",
                    "a: b\n",
                    "-",
                    "\r\n",
                ])
            })
            .collect(),
        4 => {
            const CHARACTERS: &[&str] = &[
                "a", "b", " ", ":", "#", "-", "?", "!", "&", "*", "|", ">", "%", "@", "`", "\"", "'", "\\", "{", "}",
                "[", "]", ",", "\n", "\t", "\r", "\0", "\u{7}", "\u{1b}", "\u{7f}", "\u{80}", "\u{85}", "\u{a0}",
                "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffd}", "\u{fffe}", "é", "日", "😀", "<", "&", "=", "~", "0",
                "1", ".", "_", "e", "+",
            ];
            (0..random.below(12)).map(|_| random.pick(CHARACTERS)).collect()
        }
        5 => (0..1 + random.below(6))
            .map(|_| random.pick(&["0", "1", "7", "9", "x", "b", "o", "e", ".", "_", "-", "+", ":", "E", "f"]))
            .collect(),
        6 => "k".repeat(100 + random.below(60)),
        _ => (0..random.below(6))
            .map(|_| random.pick(PLAIN))
            .collect::<Vec<_>>()
            .join(random.pick(&[" ", "  ", "\n", ": ", " #"])),
    }
}
