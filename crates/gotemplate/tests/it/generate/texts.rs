//! Random formats, numbers, JSON and literals.

use rand::Rng;

use super::{Generator, NUMBERS};

const VERBS: &[char] = &[
    'v', 'd', 's', 'q', 'x', 'X', 'T', 't', 'f', 'e', 'g', 'G', 'E', 'c', 'U', 'b', 'o', 'O', 'w', 'z', '%', 'F', '!',
    'é',
];

impl Generator {
    /// A format string with verbs, flags and mistakes.
    pub(crate) fn format(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.random.random_range(0..4) {
            if self.one_in(3) {
                text.push_str(self.pick(&["a", " ", "=", "é", "%%", "]", "["]));
            }
            text.push('%');
            for _ in 0..self.random.random_range(0..3) {
                if self.one_in(2) {
                    text.push(self.pick(&['+', '-', '#', '0', ' ']));
                }
            }
            if self.one_in(10) {
                text.push_str(&format!("[{}]", self.random.random_range(0..5)));
            }
            match self.random.random_range(0..12) {
                0..=2 => text.push_str(&self.random.random_range(0..15).to_string()),
                3 => text.push('*'),
                _ => {}
            }
            if self.one_in(4) {
                text.push('.');
                match self.random.random_range(0..5) {
                    0 => {}
                    1 => text.push('*'),
                    _ => text.push_str(&self.random.random_range(0..25).to_string()),
                }
            }
            if self.one_in(20) {
                text.push_str(self.pick(&["[1]", "[2]", "[", "[x]", "[]", "[3", "[-1]"]));
            }
            if !self.one_in(30) {
                text.push(self.pick(VERBS));
            }
        }
        text
    }

    /// A number of any size as JSON text, for formatting.
    pub(crate) fn number(&mut self) -> String {
        match self.random.random_range(0..6) {
            0 => self.random.random::<i64>().to_string(),
            1 => self.random.random_range(-1000i64..1000).to_string(),
            2 => finite(f64::from_bits(self.random.random())),
            3 => finite((self.random.random::<f64>() - 0.5) * 10f64.powi(self.random.random_range(-30..30))),
            4 => finite(f64::from(self.random.random::<i32>()) / 8.0),
            _ => self
                .pick(&[
                    "0",
                    "-0.0",
                    "0.0",
                    "1e21",
                    "1e20",
                    "5e-324",
                    "1.7976931348623157e308",
                    "9007199254740993",
                    "0.1",
                    "-9223372036854775808",
                ])
                .to_owned(),
        }
    }

    /// JSON, usually damaged.
    pub(crate) fn json_text(&mut self) -> String {
        let mut text = self.value(3).to_string();
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..self.random.random_range(0..3) {
            let position = self.random.random_range(0..=characters.len());
            if position < characters.len() && self.one_in(2) {
                characters.remove(position);
            } else {
                let noise: Vec<char> = "{}[],:\"\\ue-+.0123tfn \n\u{1}'é".chars().collect();
                characters.insert(position, self.pick(&noise));
            }
        }
        text = characters.into_iter().collect();
        text
    }

    /// A number literal as the template lexer might see it, right or wrong.
    pub(crate) fn literal(&mut self) -> String {
        if self.one_in(3) {
            return self.pick(NUMBERS).to_owned();
        }
        let alphabet: Vec<char> = "0123456789xXbBoO_.eEpPiaF+-'".chars().collect();
        let start = self.pick(&["", "0", "0x", "0b", "1", "-", "+", "0o", "1e", "0x1p", "."]);
        let rest: String = (0..self.random.random_range(0..6)).map(|_| self.pick(&alphabet)).collect();
        format!("{start}{rest}")
    }
}

fn finite(number: f64) -> String {
    if number.is_finite() { format!("{number:e}") } else { "1.5".to_owned() }
}
