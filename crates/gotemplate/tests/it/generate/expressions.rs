//! Random pipelines.

use rand::Rng;

use super::{Generator, KEYS, NUMBERS, STRINGS};
use crate::functions::{self, Signature};

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
    pub(super) fn pipeline(&mut self, depth: u32, may_declare: bool) -> String {
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
        if self.host && self.one_in(5) {
            return self.host_function(depth);
        }
        if self.rich && self.one_in(2) {
            return self.typed('a', depth);
        }
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

    fn host_function(&mut self, depth: u32) -> String {
        let argument = self.operand(depth.saturating_sub(1));
        match self.random.random_range(0..3) {
            0 => {
                let Some(index) = self.callee() else { return format!("required \"needed\" {argument}") };
                format!("include {} {argument}", self.template_name(index))
            }
            1 => format!("required \"needed\" {argument}"),
            _ => {
                let texts = [
                    "`{{ . }}`",
                    "`{{ .a }}-{{ $.b }}`",
                    "\"x\"",
                    "`{{`",
                    "`{{ toJson . }}\n{{ nope }}`",
                    "`{{ len . }}`",
                    "$.a",
                ];
                format!("tpl {} {argument}", self.pick(&texts))
            }
        }
    }

    /// A call of a function of sprig's or Helm's whose result is of this kind, or any.
    fn typed(&mut self, kind: char, depth: u32) -> String {
        let fitting: Vec<Signature> =
            functions::SIGNATURES.iter().copied().filter(|(_, _, result)| kind == 'a' || *result == kind).collect();
        let (name, parameters, _) = self.pick(&fitting);
        let mut call = name.to_owned();
        for parameter in parameters.chars() {
            call.push(' ');
            call.push_str(&self.of_kind(parameter, depth.saturating_sub(1)));
        }
        call
    }

    /// An operand of a kind: text, integer, list, map, boolean, constant, regular expression or anything.
    fn of_kind(&mut self, kind: char, depth: u32) -> String {
        if self.risk(12) {
            return self.operand(0);
        }
        if depth > 0 && matches!(kind, 's' | 'i' | 'l' | 'm' | 'b') && self.one_in(2) {
            return format!("({})", self.typed(kind, depth));
        }
        match kind {
            's' => quoted(self.pick(STRINGS)),
            'c' => self.pick(&["1", "\"k\"", "true", "2.5", "\"\"", "nil"]).to_owned(),
            'k' => format!("\"{}\"", self.pick(KEYS)),
            'i' => self.random.random_range(-2..7).to_string(),
            'b' => self.pick(&["true", "false"]).to_owned(),
            'l' => self
                .pick(&["$.list", "(list 1 \"a\" nil 2.5)", "(list)", "(until 3)", "(list \"b\" \"a\" \"b\")"])
                .to_owned(),
            'm' => self
                .pick(&["$.map", "(dict \"a\" 1 \"b\" (dict \"c\" 2))", "(dict)", "(dict \"b\" \"\" \"d\" 0)"])
                .to_owned(),
            'r' => self.pick(&["\"a+\"", "\"(h)(e?)\"", "`\\w+`", "\"[a\"", "\"\"", "\"^.\""]).to_owned(),
            _ => self.operand(depth),
        }
    }

    fn operand(&mut self, depth: u32) -> String {
        match self.random.random_range(0..if depth == 0 { 9 } else { 12 }) {
            0 => self.pick(NUMBERS).to_owned(),
            1 => format!("{}", self.random.random_range(-2..6)),
            2 => quoted(self.pick(STRINGS)),
            3 if !self.risk(1) => self.pick(&["true", "false", "`raw\\n`"]).to_owned(),
            3 => self
                .pick(&[
                    "true",
                    "false",
                    "nil",
                    "`raw\\n`",
                    "`two\nlines`",
                    "\"\\x41\\u00e9\"",
                    "\"\\xff\"",
                    "'\\u00e9'",
                ])
                .to_owned(),
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
}

/// A Go string literal.
fn quoted(text: &str) -> String {
    gotemplate::format::quote::quoted(text.as_bytes())
}
