//! Random templates and data, mostly well-formed, so that both successes and every kind of mistake come up.

mod expressions;
pub(crate) mod known;
mod texts;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value as Json, json};

const KEYS: &[&str] = &["a", "b", "c", "d", "e", "list", "map", "none"];
/// Each may call only those before it, so that nothing recurses without end.
const TEMPLATES: &[&str] = &["x", "y", "z", "u", "v", "a name", "w.x"];
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

/// A source of random templates.
pub(crate) struct Generator {
    random: StdRng,
    variables: Vec<String>,
    loops: usize,
    /// Avoids what is likely to fail, so that whole templates succeed.
    careful: bool,
    /// How many of the templates may be called here.
    callable: usize,
    /// The templates that have a definition.
    defined: Vec<usize>,
    /// Whether sprig's and Helm's functions are there too.
    rich: bool,
    /// Whether `include`, `tpl` and `required` are there too.
    host: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            variables: Vec::new(),
            loops: 0,
            careful: false,
            callable: TEMPLATES.len(),
            defined: Vec::new(),
            rich: false,
            host: false,
        }
    }

    /// The same with sprig's and Helm's functions.
    pub(crate) fn rich(seed: u64) -> Self {
        Self { rich: true, ..Self::new(seed) }
    }

    /// The same with everything that a chart's templates have.
    #[allow(dead_code, reason = "for charts, whose tests share this file")]
    pub(crate) fn host(seed: u64) -> Self {
        Self { host: true, ..Self::rich(seed) }
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
                let Some(index) = self.undefined() else { continue };
                let body = self.body_of(index, 2);
                let name = self.template_name(index);
                let (open, end) = (self.wrap(&format!("define {name}")), self.wrap("end"));
                text.push_str(&format!("{open}{body}{end}"));
                // A second definition is a mistake unless it is empty.
                if self.one_in(20) {
                    text.push_str(&format!("{{{{define {name}}}}} {{{{/* empty */}}}}\n{{{{end}}}}"));
                }
            }
        }
        if self.one_in(30) {
            text.push_str(
                "{{define \"r\"}}{{with .}}({{index . 0}}{{template \"r\" (slice . 1)}}){{else}}.{{end}}{{end}}{{template \"r\" $.list}}",
            );
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

    /// The body of a template, which sees no variables and no loops of its surroundings.
    fn body_of(&mut self, index: usize, depth: u32) -> String {
        let variables = std::mem::take(&mut self.variables);
        let loops = std::mem::take(&mut self.loops);
        let callable = std::mem::replace(&mut self.callable, index);
        let body = self.body(depth);
        (self.variables, self.loops, self.callable) = (variables, loops, callable);
        body
    }

    /// A template to be defined here, as a rule one that has no definition yet.
    fn undefined(&mut self) -> Option<usize> {
        let free: Vec<usize> = (0..self.callable).filter(|index| !self.defined.contains(index)).collect();
        if self.risk(12) && self.callable > 0 {
            return Some(self.random.random_range(0..self.callable));
        }
        let index = *free.choose(&mut self.random)?;
        self.defined.push(index);
        Some(index)
    }

    /// A template to be called here, as a rule one that has a definition.
    fn callee(&mut self) -> Option<usize> {
        let known: Vec<usize> = self.defined.iter().copied().filter(|index| *index < self.callable).collect();
        if self.risk(6) && self.callable > 0 {
            return Some(self.random.random_range(0..self.callable));
        }
        known.choose(&mut self.random).copied()
    }

    /// The name of a template as a literal.
    fn template_name(&mut self, index: usize) -> String {
        let name = TEMPLATES.get(index).copied().unwrap_or_default();
        if self.one_in(8) { format!("`{name}`") } else { format!("\"{name}\"") }
    }

    fn open(&mut self) -> &'static str {
        self.pick(&["{{", "{{", "{{", "{{- ", "{{ "])
    }

    fn close(&mut self) -> &'static str {
        self.pick(&["}}", "}}", "}}", " -}}", " }}"])
    }

    fn wrap(&mut self, inner: &str) -> String {
        let inner = if self.one_in(12) { self.spread(inner) } else { inner.to_owned() };
        format!("{}{inner}{}", self.open(), self.close())
    }

    /// The same action over several lines.
    fn spread(&mut self, inner: &str) -> String {
        let mut out = String::new();
        let (mut quote, mut escaped) = (None, false);
        for character in inner.chars() {
            match (character, quote) {
                (' ', None) => out.push_str(self.pick(&["\n", "\n  ", "\t", "  ", " \r\n", " "])),
                _ => out.push(character),
            }
            quote = match quote {
                None if matches!(character, '"' | '\'' | '`') => Some(character),
                Some(open) if open == character && !escaped => None,
                unchanged => unchanged,
            };
            escaped = character == '\\' && !escaped && quote != Some('`');
        }
        out
    }

    fn action(&mut self, depth: u32) -> String {
        match self.random.random_range(0..if depth == 0 { 5 } else { 12 }) {
            0 => self.pick(&["text", " \n ", "x\ny", " ", "{ ", "}}", "é"]).to_owned(),
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
            10 => {
                let Some(index) = self.callee() else { return self.branch("if", depth) };
                let name = self.template_name(index);
                let argument = if self.one_in(3) { String::new() } else { self.pipeline(1, false) };
                self.wrap(&format!("template {name} {argument}"))
            }
            _ => {
                let Some(index) = self.undefined() else { return self.branch("with", depth) };
                let name = self.template_name(index);
                let argument = self.pipeline(1, false);
                let body = self.body_of(index, depth - 1);
                let (open, end) = (self.wrap(&format!("block {name} {argument}")), self.wrap("end"));
                format!("{open}{body}{end}")
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
}
