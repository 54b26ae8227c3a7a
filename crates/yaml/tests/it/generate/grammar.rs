//! Documents that are mostly YAML, by a grammar.

use super::random::Random;
use super::words::{BREAKS, PLAIN, WORDS};

struct Grammar<'r> {
    random: &'r mut Random,
    out: String,
    anchors: usize,
    line_break: &'static str,
    comments: bool,
}

pub(super) fn grammar(random: &mut Random) -> String {
    let line_break = if random.chance(20) { random.pick(BREAKS) } else { "\n" };
    let comments = random.chance(3);
    let mut grammar = Grammar { random, out: String::new(), anchors: 0, line_break, comments };
    if grammar.random.chance(12) {
        grammar.out.push_str("---");
        grammar.line();
    }
    grammar.block(0, 0, false);
    if grammar.random.chance(15) {
        grammar.out.push_str(if grammar.random.chance(2) { "---" } else { "..." });
        grammar.line();
        if grammar.random.chance(2) {
            grammar.block(0, 2, false);
        }
    }
    grammar.out
}

impl Grammar<'_> {
    fn line(&mut self) {
        if self.comments && self.random.chance(6) {
            self.out.push_str(" # line");
        }
        self.out.push_str(self.line_break);
        while self.comments && self.random.chance(6) {
            let indent = self.random.below(5);
            self.spaces(indent);
            if !self.random.chance(4) {
                let number = self.random.below(100);
                self.out.push_str(&format!("# c{number}"));
            }
            self.out.push('\n');
        }
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }

    fn properties(&mut self) {
        if self.random.chance(12) {
            self.anchors += 1;
            let name = self.random.below(3);
            self.out.push_str(&format!("&n{name} "));
        }
        if self.random.chance(25) {
            let tag = self.random.pick(&[
                "!!str",
                "!!int",
                "!!float",
                "!!bool",
                "!!null",
                "!!map",
                "!!seq",
                "!custom",
                "!",
                "!!timestamp",
            ]);
            self.out.push_str(tag);
            self.out.push(' ');
        }
    }

    /// A block node whose first line continues the current one when `inline`.
    fn block(&mut self, indent: usize, depth: usize, inline: bool) {
        match self.random.below(if depth > 3 { 1 } else { 4 }) {
            0 => {
                if !inline {
                    self.spaces(indent);
                }
                self.scalar(indent);
            }
            1 => {
                for index in 0..=self.random.below(4) {
                    if index > 0 || !inline {
                        self.spaces(indent);
                    }
                    self.out.push_str("- ");
                    self.item(indent + 2, depth);
                }
            }
            _ => {
                for index in 0..=self.random.below(4) {
                    if index > 0 || !inline {
                        self.spaces(indent);
                    }
                    self.key();
                    self.out.push(':');
                    self.value(indent, depth);
                }
            }
        }
    }

    fn item(&mut self, indent: usize, depth: usize) {
        if self.random.chance(20) {
            self.line();
        } else {
            self.block(indent, depth + 1, true);
        }
    }

    fn value(&mut self, indent: usize, depth: usize) {
        match self.random.below(8) {
            0 => self.line(),
            1 | 2 => {
                if self.random.chance(6) {
                    self.out.push(' ');
                    self.properties();
                }
                self.line();
                let deeper = indent + 1 + self.random.below(4);
                self.block(deeper, depth + 1, false);
            }
            3 => {
                self.line();
                for _ in 0..=self.random.below(3) {
                    self.spaces(indent);
                    self.out.push_str("- ");
                    self.item(indent + 2, depth + 1);
                }
            }
            _ => {
                self.out.push(' ');
                self.scalar(indent);
            }
        }
    }

    fn key(&mut self) {
        match self.random.below(14) {
            0 => self.quoted(),
            1 => self.out.push_str("<<"),
            2 => {
                let word = self.random.pick(PLAIN);
                self.out.push_str(word);
            }
            3 if self.anchors > 0 => {
                let name = self.random.below(3);
                self.out.push_str(&format!("*n{name} "));
            }
            _ => {
                let letter = char::from(b'a' + self.random.below(8) as u8);
                self.out.push(letter);
                if self.random.chance(3) {
                    let number = self.random.below(12);
                    self.out.push_str(&number.to_string());
                }
            }
        }
    }

    /// A scalar or flow collection and the end of its line.
    fn scalar(&mut self, indent: usize) {
        match self.random.below(14) {
            0 => self.quoted(),
            1 => {
                self.properties();
                self.flow(0);
            }
            2 => {
                self.block_scalar(indent);
                return;
            }
            3 if self.anchors > 0 => {
                let name = self.random.below(3);
                self.out.push_str(&format!("*n{name}"));
            }
            4 => {
                // A plain scalar over several lines.
                for index in 0..=self.random.below(3) {
                    if index > 0 {
                        self.line();
                        if self.random.chance(4) {
                            self.line();
                        }
                        let extra = self.random_indent();
                        self.spaces(indent + 1 + extra);
                    }
                    let word = self.random.pick(PLAIN);
                    self.out.push_str(word);
                }
            }
            _ => {
                self.properties();
                let word = self.random.pick(PLAIN);
                self.out.push_str(word);
            }
        }
        if self.random.chance(15) {
            self.out.push(' ');
        }
        self.line();
    }

    fn random_indent(&mut self) -> usize {
        self.random.below(3)
    }

    fn quoted(&mut self) {
        let word = self.random.pick(WORDS);
        if self.random.chance(2) {
            self.out.push('\'');
            self.out.push_str(&word.replace('\'', "''"));
            if self.random.chance(6) {
                self.line();
                self.out.push_str("  ");
                self.out.push_str("more");
            }
            self.out.push('\'');
        } else {
            self.out.push('"');
            self.out.push_str(&word.replace('\\', "\\\\").replace('"', "\\\""));
            let escape = self.random.pick(&[
                "",
                "",
                "",
                "\\n",
                "\\t",
                "\\x41",
                "\\u00e9",
                "\\U0001F600",
                "\\\n  ",
                "\\0",
                "\\e",
                "\\_",
                "\\L",
                "  \n  z",
            ]);
            self.out.push_str(escape);
            self.out.push('"');
        }
    }

    fn flow(&mut self, depth: usize) {
        match self.random.below(if depth > 2 { 1 } else { 3 }) {
            0 => match self.random.below(6) {
                0 => self.quoted(),
                1 if self.anchors > 0 => self.out.push_str("*n1 "),
                2 => {}
                _ => {
                    let word = self.random.pick(&["a", "b c", "1", "true", "~", "x:y", "-1", "1.5", "<<", "é"]);
                    self.out.push_str(word);
                }
            },
            1 => {
                self.out.push('[');
                for index in 0..self.random.below(4) {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    if self.random.chance(8) {
                        self.out.push_str("k: ");
                    }
                    self.flow(depth + 1);
                    if self.random.chance(12) {
                        self.line();
                        self.out.push_str("    ");
                    }
                }
                self.out.push(']');
            }
            _ => {
                self.out.push('{');
                for index in 0..self.random.below(4) {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    let key = self.random.pick(&["a", "b", "c", "\"q\"", "'s'", "1", "yes", "<<", "? x"]);
                    self.out.push_str(key);
                    if !self.random.chance(8) {
                        self.out.push_str(if self.random.chance(8) { ":" } else { ": " });
                        self.flow(depth + 1);
                    }
                }
                self.out.push('}');
            }
        }
    }

    fn block_scalar(&mut self, indent: usize) {
        self.properties();
        self.out.push(if self.random.chance(2) { '|' } else { '>' });
        let header = self.random.pick(&["", "", "", "-", "+", "2", "-2", "+1", "4-"]);
        self.out.push_str(header);
        self.line();
        for _ in 0..self.random.below(5) {
            if self.random.chance(5) {
                self.line();
                continue;
            }
            let extra = if self.random.chance(5) { self.random.below(4) } else { 0 };
            self.spaces(indent + 2 + extra);
            let word = self.random.pick(WORDS);
            self.out.push_str(word);
            if self.random.chance(8) {
                self.out.push(' ');
            }
            self.line();
        }
    }
}
