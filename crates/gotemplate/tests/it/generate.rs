//! Random templates and data, mostly well-formed, so that both successes and every kind of mistake come up.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value as Json, json};

const KEYS: &[&str] = &["a", "b", "c", "d", "e", "list", "map", "none"];
const TEMPLATES: &[&str] = &["x", "y", "z"];
const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "hello",
    "é",
    "世界",
    "<a&'\">",
    "a b",
    "1",
    "tab\there",
    "\u{7f}\u{1}",
    "\u{301}",
    "😀",
    "\u{feff}",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "1.5",
    "-0.0",
    "1e3",
    "1e6",
    "1e21",
    "0x10",
    "0b11",
    "0o7",
    "017",
    "1_000",
    "'a'",
    "'\\n'",
    "1i",
    "1+2i",
    "2.0",
    "1e-7",
    "123456789.125",
    "'世'",
    "0x1p4",
    ".5",
    "5.",
];
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("and", 1, 3),
    ("or", 1, 3),
    ("not", 1, 1),
    ("len", 1, 1),
    ("index", 1, 3),
    ("slice", 1, 4),
    ("eq", 2, 3),
    ("ne", 2, 2),
    ("lt", 2, 2),
    ("le", 2, 2),
    ("gt", 2, 2),
    ("ge", 2, 2),
    ("print", 0, 3),
    ("println", 0, 3),
    ("html", 0, 2),
    ("js", 0, 2),
    ("urlquery", 0, 2),
    ("call", 1, 2),
];
const VERBS: &[char] = &[
    'v', 'd', 's', 'q', 'x', 'X', 'T', 't', 'f', 'e', 'g', 'G', 'E', 'c', 'U', 'b', 'o', 'O', 'w', 'z', '%', 'F', '!',
    'é',
];

/// A source of random templates.
pub(crate) struct Generator {
    random: StdRng,
    variables: Vec<String>,
    loops: usize,
    /// Avoids what is likely to fail, so that whole templates succeed.
    careful: bool,
}

/// Functions that take anything.
const TOTAL: &[(&str, usize, usize)] = &[
    ("and", 1, 3),
    ("or", 1, 3),
    ("not", 1, 1),
    ("print", 0, 3),
    ("println", 0, 3),
    ("html", 0, 2),
    ("js", 0, 2),
    ("urlquery", 0, 2),
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), variables: Vec::new(), loops: 0, careful: false }
    }

    /// Whether to do something that is likely to fail.
    fn risk(&mut self, count: u32) -> bool {
        self.one_in(if self.careful { count * 40 } else { count })
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.random_ratio(1, count)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *items.choose(&mut self.random).unwrap()
    }

    pub(crate) fn data(&mut self) -> Json {
        if self.one_in(8) {
            return self.value(2);
        }
        Json::Object(KEYS.iter().map(|key| ((*key).to_owned(), self.field(key))).collect())
    }

    fn field(&mut self, key: &str) -> Json {
        match key {
            "list" => Json::Array((0..self.random.random_range(0..5)).map(|_| self.value(1)).collect()),
            "map" => self.object(1),
            "none" => Json::Null,
            _ => self.value(2),
        }
    }

    fn object(&mut self, depth: u32) -> Json {
        let mut object = Map::new();
        for _ in 0..self.random.random_range(0..4) {
            object.insert(self.pick(KEYS).to_owned(), self.value(depth));
        }
        Json::Object(object)
    }

    pub(crate) fn value(&mut self, depth: u32) -> Json {
        match self.random.random_range(0..if depth == 0 { 7 } else { 9 }) {
            0 => Json::Null,
            1 => json!(self.random.random::<bool>()),
            2 | 3 => json!(self.random.random_range(-3i64..12)),
            4 => serde_json::from_str(self.pick(&["1.5", "0.0", "-2.25", "1e21", "100000.0", "1e6", "3.0", "1e-7"]))
                .unwrap(),
            5 | 6 => json!(self.pick(STRINGS)),
            7 => Json::Array((0..self.random.random_range(0..4)).map(|_| self.value(depth - 1)).collect()),
            _ => self.object(depth - 1),
        }
    }

    /// A whole template; sometimes damaged.
    pub(crate) fn template(&mut self) -> String {
        self.careful = self.one_in(2);
        let mut text = String::new();
        for _ in 0..self.random.random_range(0..3) {
            if self.careful || self.one_in(2) {
                let name = self.pick(TEMPLATES);
                let body = self.body(2);
                text.push_str(&format!("{{{{define \"{name}\"}}}}{body}{{{{end}}}}"));
            }
        }
        text.push_str(&self.body(3));
        if self.risk(6) {
            self.damage(&mut text);
        }
        text
    }

    fn damage(&mut self, text: &mut String) {
        let mut characters: Vec<char> = text.chars().collect();
        for _ in 0..self.random.random_range(1..4) {
            let position = self.random.random_range(0..=characters.len());
            match self.random.random_range(0..3) {
                0 if position < characters.len() => {
                    characters.remove(position);
                }
                1 => {
                    let at = position.min(characters.len());
                    let noise = [
                        '{', '}', '(', ')', '|', '.', '$', '"', '`', '\'', ' ', '\n', '-', ',', ':', '=', '@', '1',
                        'x', '世', '/', '*', '\\',
                    ];
                    characters.insert(at, self.pick(&noise));
                }
                _ if position < characters.len() => characters.truncate(position),
                _ => {}
            }
        }
        *text = characters.into_iter().collect();
    }

    fn body(&mut self, depth: u32) -> String {
        let visible = self.variables.len();
        let text = (0..self.random.random_range(1..4)).map(|_| self.action(depth)).collect();
        self.variables.truncate(visible);
        text
    }

    fn open(&mut self) -> &'static str {
        self.pick(&["{{", "{{", "{{", "{{- ", "{{ "])
    }

    fn close(&mut self) -> &'static str {
        self.pick(&["}}", "}}", "}}", " -}}", " }}"])
    }

    fn wrap(&mut self, inner: &str) -> String {
        format!("{}{inner}{}", self.open(), self.close())
    }

    fn action(&mut self, depth: u32) -> String {
        match self.random.random_range(0..if depth == 0 { 5 } else { 12 }) {
            0 => self.pick(&["text", " \n ", "x\ny", " ", "{", "}}", "é"]).to_owned(),
            1..=3 => {
                let pipeline = self.pipeline(2, true);
                self.wrap(&pipeline)
            }
            4 if self.loops > 0 || self.risk(10) => {
                let jump = self.pick(&["break", "continue"]);
                self.wrap(jump)
            }
            4 => self.pick(&["{{/* comment */}}", "{{- /* c */ -}}", "{{/* a\nb */}}"]).to_owned(),
            5 | 6 => self.branch("if", depth),
            7 => self.branch("with", depth),
            8 | 9 => {
                self.loops += 1;
                let text = self.branch("range", depth);
                self.loops -= 1;
                text
            }
            10 if self.risk(1) => {
                let name = self.pick(TEMPLATES);
                let argument = if self.one_in(3) { String::new() } else { self.pipeline(1, false) };
                self.wrap(&format!("template \"{name}\" {argument}"))
            }
            _ => {
                let name = self.pick(TEMPLATES);
                let argument = self.pipeline(1, false);
                let body = self.body(depth - 1);
                format!("{{{{block \"{name}\" {argument}}}}}{body}{{{{end}}}}")
            }
        }
    }

    fn branch(&mut self, keyword: &str, depth: u32) -> String {
        let visible = self.variables.len();
        let mut head = String::new();
        if self.one_in(3) {
            let names: Vec<String> =
                (0..if keyword == "range" { self.random.random_range(1..3) } else { 1 }).map(|_| self.name()).collect();
            let operator = if self.risk(4) { "=" } else { ":=" };
            head = format!("{} {operator} ", names.join(", "));
            self.variables.extend(names);
        }
        let pipeline = if keyword == "range" && !self.risk(1) {
            self.pick(&["$.list", "$.map", "(slice $.list 0)", "$.none"]).to_owned()
        } else if keyword == "range" {
            self.pick(&[".list", ".map", ".", "3", "$", ".a", ".b", ".none", "0", "(slice .list 1)", ".c.d", "\"s\""])
                .to_owned()
        } else {
            self.pipeline(2, false)
        };
        let mut text = self.wrap(&format!("{keyword} {head}{pipeline}"));
        text.push_str(&self.body(depth - 1));
        while keyword != "range" && self.one_in(5) {
            let pipeline = self.pipeline(1, false);
            let other = if self.risk(12) { "if" } else { keyword };
            let clause = self.wrap(&format!("else {other} {pipeline}"));
            text.push_str(&clause);
            text.push_str(&self.body(depth - 1));
        }
        if self.one_in(3) {
            let clause = self.wrap("else");
            text.push_str(&clause);
            text.push_str(&self.body(depth - 1));
        }
        text.push_str(&self.wrap("end"));
        self.variables.truncate(visible);
        text
    }

    fn name(&mut self) -> String {
        self.pick(&["$x", "$y", "$z"]).to_owned()
    }

    fn pipeline(&mut self, depth: u32, may_declare: bool) -> String {
        let mut text = String::new();
        if may_declare && self.one_in(4) {
            let name = self.name();
            text = format!("{name} {} ", if self.risk(3) { "=" } else { ":=" });
            self.variables.push(name);
        }
        text.push_str(&self.command(depth));
        while self.one_in(4) {
            let next = if self.risk(8) { self.command(depth) } else { self.function(depth) };
            text = format!("{text} | {next}");
        }
        text
    }

    fn command(&mut self, depth: u32) -> String {
        match self.random.random_range(0..10) {
            0..=4 => self.operand(depth),
            5 if self.risk(3) => format!("{} {}", self.operand(depth), self.operand(depth)),
            _ => self.function(depth),
        }
    }

    fn function(&mut self, depth: u32) -> String {
        if self.one_in(4) {
            let format = self.format();
            let count = self.random.random_range(0..4);
            let arguments: String = (0..count).map(|_| format!(" {}", self.operand(depth.saturating_sub(1)))).collect();
            return format!("printf {format:?}{arguments}").replace("\\u{", "\\\\u{");
        }
        let (name, least, most) = if self.risk(1) || self.one_in(12) { self.pick(FUNCTIONS) } else { self.pick(TOTAL) };
        let mut count = self.random.random_range(least..=most);
        if self.risk(20) {
            count = self.random.random_range(0..4);
        }
        let arguments: String = (0..count).map(|_| format!(" {}", self.operand(depth.saturating_sub(1)))).collect();
        format!("{name}{arguments}")
    }

    fn operand(&mut self, depth: u32) -> String {
        match self.random.random_range(0..if depth == 0 { 9 } else { 12 }) {
            0 => self.pick(NUMBERS).to_owned(),
            1 => format!("{}", self.random.random_range(-2..6)),
            2 => quoted(self.pick(STRINGS)),
            3 if !self.risk(1) => self.pick(&["true", "false", "`raw\\n`"]).to_owned(),
            3 => self.pick(&["true", "false", "nil", "`raw\\n`", "\"\\x41\\u00e9\"", "\"\\xff\""]).to_owned(),
            4 => ".".to_owned(),
            5..=7 if !self.risk(1) => format!("$.{}", self.pick(KEYS)),
            5 | 6 => format!(".{}", self.pick(KEYS)),
            7 => format!(".{}.{}", self.pick(KEYS), self.pick(KEYS)),
            8 => {
                let name = match self.variables.len() {
                    0 => "$".to_owned(),
                    count => {
                        let index = self.random.random_range(0..count);
                        self.variables.get(index).cloned().unwrap()
                    }
                };
                let name = if self.risk(25) { self.name() } else { name };
                if !self.risk(2) { name } else { format!("{name}.{}", self.pick(KEYS)) }
            }
            9 if self.risk(1) => format!("({}).{}", self.pipeline(depth - 1, false), self.pick(KEYS)),
            _ => {
                let declares = self.one_in(12);
                format!("({})", self.pipeline(depth - 1, declares))
            }
        }
    }

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

/// A Go string literal.
fn quoted(text: &str) -> String {
    gotemplate::format::quote::quoted(text.as_bytes())
}
