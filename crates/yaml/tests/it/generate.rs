//! Random documents and values, from a seed.

use std::collections::BTreeMap;

use yaml::Value;

/// A small generator of random numbers (xorshift), so that a case can be named by its seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

const WORDS: &[&str] = &[
    "a",
    "b",
    "foo",
    "bar baz",
    "x-y",
    "true",
    "False",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "n",
    "null",
    "~",
    "Null",
    "1",
    "0",
    "-1",
    "+7",
    "012",
    "0o17",
    "0x1F",
    "0b101",
    "1_000",
    "1.5",
    "-0.0",
    "1e3",
    ".5",
    "1e+06",
    ".inf",
    "-.Inf",
    ".nan",
    "1:30",
    "12:30:45",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10",
    "123456789012345678901",
    "18446744073709551615",
    "9223372036854775808",
    "08",
    "1e400",
    "0.1e-9",
    "é",
    "日本",
    "😀",
    "a:b",
    "a#b",
    "http://x/y?z=1",
    "-x",
    "?x",
    ":x",
    "=",
    "<<",
    "a, b",
    "1,000",
    "v1.2.3",
    "{{ x }}",
    "*",
    "&",
    "!",
    "%",
    "@",
    "`",
    "|",
    ">",
    "---",
    "...",
    "- a",
    "a: b",
    "a # b",
    "[a]",
    "{a}",
    "long text that goes on and on so that it has to be folded somewhere after the eightieth column or so, maybe twice if it is \
     really long like this one here",
];

const PLAIN: &[&str] = &[
    "a",
    "b",
    "foo",
    "bar baz",
    "x-y",
    "true",
    "False",
    "yes",
    "No",
    "on",
    "y",
    "n",
    "null",
    "~",
    "1",
    "0",
    "-1",
    "012",
    "0o17",
    "0x1F",
    "1_000",
    "1.5",
    "-0.0",
    "1e3",
    ".5",
    ".inf",
    ".nan",
    "1:30",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "123456789012345678901",
    "08",
    "é",
    "日本",
    "😀",
    "a:b",
    "a#b",
    "http://x/y?z=1",
    "-x",
    ":x",
    "=",
    "<<",
    "v1.2.3",
    "'",
    "it's",
    "x\ty",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{feff}x",
];

const BREAKS: &[&str] = &["\n", "\n", "\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\u{85}", "\u{2028}"];

/// Fragments for soup: text that is mostly not YAML.
const FRAGMENTS: &[&str] = &[
    "a",
    "b",
    "key",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "?",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    " ",
    "  ",
    "\t",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    ",",
    "# c",
    "#",
    "&x ",
    "*x",
    "*x ",
    "!!str ",
    "!t ",
    "!",
    "|",
    ">",
    "|-\n",
    ">+\n",
    "|2\n",
    "---\n",
    "--- ",
    "...\n",
    "%YAML 1.1\n",
    "%TAG ! tag:x,1:\n",
    "\\n",
    "\\",
    "\r\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "😀",
    "<<: ",
    "<<",
    "1",
    "0x1",
    "true",
    "~",
    "@",
    "`",
    "%",
    "\u{7f}",
    "''",
    "\"\"",
    "!!int ",
    "!!binary ",
    "aGk=",
    "!!float ",
    "!<tag:yaml.org,2002:str> ",
    "x: 1",
    "- 1",
];

/// A document.
pub(crate) fn document(seed: u64) -> String {
    let mut random = Random::new(seed);
    match random.below(10) {
        0 | 1 => soup(&mut random),
        2 | 3 => {
            let text = grammar(&mut random);
            mutate(&mut random, &text)
        }
        _ => grammar(&mut random),
    }
}

fn soup(random: &mut Random) -> String {
    let count = 1 + random.below(14);
    (0..count).map(|_| random.pick(FRAGMENTS)).collect()
}

fn mutate(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(3) {
        let position = random.below(characters.len() + 1);
        if random.chance(2) && position < characters.len() {
            characters.remove(position);
        } else {
            let inserted = random.pick(FRAGMENTS);
            for (offset, character) in inserted.chars().enumerate() {
                characters.insert(position + offset, character);
            }
        }
    }
    characters.into_iter().collect()
}

struct Grammar<'r> {
    random: &'r mut Random,
    out: String,
    anchors: usize,
    line_break: &'static str,
    comments: bool,
}

fn grammar(random: &mut Random) -> String {
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
