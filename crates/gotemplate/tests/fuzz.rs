//! Any template: parsing and executing end soon, without a crash, within their limits.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use fuzz::Target;
use gotemplate::context::{Context, Environment};
use gotemplate::function::{Function, FunctionError};
use gotemplate::value::types::{ANY, STRING};
use gotemplate::value::{Map, Value};
use gotemplate::{Executor, Templates};

const TOKENS: &[&str] = &[
    "{{",
    "}}",
    "{{- ",
    " -}}",
    "{{if .a}}",
    "{{else}}",
    "{{else if .b}}",
    "{{else with .m}}",
    "{{end}}",
    "{{range .l}}",
    "{{range $i, $e := .l}}",
    "{{break}}",
    "{{continue}}",
    "{{with .m}}",
    "{{define \"x\"}}",
    "{{template \"x\" .}}",
    "{{block \"y\" .}}",
    "{{/* c */}}",
    "{{$x := 1}}",
    "{{$x = .}}",
    "(",
    ")",
    " | ",
    ".",
    "$",
    ".a",
    ".m.k",
    "$x",
    "nil",
    "true",
    "1",
    "1.5",
    "0x1p4",
    "'a'",
    "`raw`",
    "\"s\"",
    "\\\"",
    " ",
    "\n",
    "print ",
    "printf \"%v %d %q %[2]*.[1]*f\" ",
    "index ",
    "slice ",
    "len ",
    "eq ",
    "lt ",
    "call ",
    "and ",
    "or ",
    "not ",
    "html ",
    "js ",
    "include \"x\" .",
    "tpl \"{{.a}}\" .",
    "dict \"a\" ",
    "list ",
    "set .m \"k\" ",
    "unset .m \"k\"",
    "merge .m ",
    "deepCopy ",
    "toYaml ",
    "fromYaml ",
    "toJson ",
    "fromJson ",
    "toToml ",
    "repeat 99 ",
    "until 99",
    "regexReplaceAll \"a*\" ",
    "nindent 4 ",
    "date \"2006\" ",
    "semverCompare \"^1\" ",
    "trunc -3 ",
    "substr 1 2 ",
    "splitList \",\" ",
    "concat ",
    "genPrivateKey \"ed25519\"",
    "urlParse ",
    "dig \"a\" ",
    "untilStep 0 9 2",
    "required \"x\" ",
];

static HOST: &[Function] = &[
    Function::new("include", &[&STRING, &ANY], &STRING, |context: &mut Context<'_>, arguments| {
        let [Value::String(name), data] = arguments else { return Err("include".into()) };
        Ok(Value::String(context.execute(&name.lossy(), data.clone()).map_err(FunctionError::Template)?))
    }),
    Function::new("tpl", &[&STRING, &ANY], &STRING, |context: &mut Context<'_>, arguments| {
        let [Value::String(text), data] = arguments else { return Err("tpl".into()) };
        let result = context.execute_text("gotpl", text, data.clone());
        Ok(Value::String(result.map_err(|error| FunctionError::Custom(Box::new(error)))?))
    }),
];

fn data() -> Value {
    let map = Value::map([("k", Value::from("v")), ("n", Value::Nil), ("f", Value::Float(1.5))]);
    let list = Value::list(vec![Value::Int(1), "two".into(), map.clone(), Value::Nil]);
    let entries = [("a", Value::Int(3)), ("b", "text".into()), ("l", list), ("m", map), ("e", Value::from(""))];
    Value::Map(Map::from_entries(entries))
}

/// Executes on an ordinary thread, with small limits; the answer in a few words.
fn render(input: &[u8]) -> String {
    let functions = gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS).with(HOST);
    let mut templates = Templates::new(functions);
    if let Err(error) = templates.add("t", input) {
        return words(&error.to_string());
    }
    let mut environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
    environment.limits.bytes = 1 << 20;
    environment.limits.total_bytes = 16 << 20;
    environment.limits.live_bytes = 16 << 20;
    environment.limits.steps = 100_000;
    environment.limits.depth = 1000;
    let mut executor = Executor::new(templates, environment);
    let mut output = Vec::new();
    match executor.execute_into("t", data(), &mut output) {
        Ok(()) => format!("{} bytes", output.len().min(40)),
        Err(error) => words(&error.to_string()),
    }
}

/// The end of an error's text without numbers and quoted parts: what kind of error it is.
fn words(error: &str) -> String {
    let outside: String = error.split('"').step_by(2).collect();
    let plain: Vec<char> = outside.chars().filter(|character| character.is_alphabetic() || *character == ' ').collect();
    plain.iter().skip(plain.len().saturating_sub(50)).collect()
}

#[test]
fn templates() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/gotemplate");
    let cases = include_str!("../testdata/cases.jsonl").lines();
    let seeds = cases.filter_map(|line| {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        Some(case.get("template")?.as_str()?.as_bytes().to_vec())
    });
    let target = Target {
        name: "gotemplate",
        corpus: &corpus,
        seeds: seeds.collect(),
        tokens: TOKENS,
        scratch: Path::new(env!("CARGO_TARGET_TMPDIR")),
        slowest: Duration::from_secs(20),
        largest: 512 << 20,
    };
    fuzz::run(&target, render);
}
