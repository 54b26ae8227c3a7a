//! Any bytes: no crash, bounded time and memory, and what is written can be read back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use fuzz::Target;
use yaml::{Value, v2, v3};

const TOKENS: &[&str] = &[
    ": ",
    "- ",
    "? ",
    "\n",
    "\n  ",
    "  ",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "# c\n",
    "&a ",
    "*a",
    "!!str ",
    "!!binary ",
    "!t ",
    "|\n",
    ">-\n",
    "|2+\n",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "<<: ",
    "~",
    "0x1F",
    "1_000",
    ".inf",
    "2001-01-01",
    "\\x41",
    "\\u00e9",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "😀",
    "\t",
    "\r\n",
    "true",
    "null",
    "1e3",
    "a: &a [*a, *a]\n",
    "a",
    "k: v\n",
];

fn target<'a>(name: &'a str, corpus: &'a Path) -> Target<'a> {
    let table: Vec<serde_json::Value> = serde_json::from_str(include_str!("../testdata/documents.json")).unwrap();
    let seeds = table.iter().filter_map(|case| Some(case["text"].as_str()?.as_bytes().to_vec())).collect();
    Target {
        name,
        corpus,
        seeds,
        tokens: TOKENS,
        scratch: Path::new(env!("CARGO_TARGET_TMPDIR")),
        slowest: Duration::from_secs(10),
        largest: 512 << 20,
    }
}

/// What kind of error it is, without what differs from text to text.
fn kind(error: &yaml::Error) -> String {
    error.to_string().chars().filter(|character| !character.is_ascii_digit()).take(60).collect()
}

/// Go loses Unicode's line breaks on the way, writes a merge key without quotes, a float `-0.0` as `-0`, an integer, and a
/// block that begins with a tab so that it cannot read it.
fn is_lossy(value: &Value) -> bool {
    let shown = format!("{value:?}");
    ["Float(-0.0)", "\"\\t", "\\u{85}", "\\u{2028}", "\\u{2029}", "\\u{feff}", "\"<<\""]
        .iter()
        .any(|piece| shown.contains(piece))
}

fn shape(value: &Value, depth: u32) -> String {
    match value {
        _ if depth > 2 => "…".to_owned(),
        Value::Null => "n".to_owned(),
        Value::Bool(_) => "b".to_owned(),
        Value::Int(_) | Value::Uint(_) => "i".to_owned(),
        Value::Float(_) => "f".to_owned(),
        Value::String(text) => format!("s{}", text.len().min(3)),
        Value::Sequence(items) => {
            format!("[{}]", items.iter().take(4).map(|item| shape(item, depth + 1)).collect::<String>())
        }
        Value::Mapping(map) => {
            format!("{{{}}}", map.values().take(4).map(|item| shape(item, depth + 1)).collect::<String>())
        }
    }
}

#[test]
fn helm_dialect() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/yaml");
    fuzz::run(&target("yaml-v2", &corpus), |input| {
        let strict = v2::Options { strict: true, numbers: v2::Numbers::Yaml };
        drop(v2::parse(input, strict));
        drop(v2::yaml_to_json(input));
        let value = match v2::unmarshal(input) {
            Ok(value) => value,
            Err(error) => return kind(&error),
        };
        let Ok(text) = v2::to_string(&value) else { return "not written".to_owned() };
        let again = v2::unmarshal(text.as_bytes());
        if !is_lossy(&value) {
            let again = again.unwrap_or_else(|error| panic!("{error} in {text:?}"));
            assert_eq!(again, value, "{text:?}");
            assert_eq!(v2::to_string(&again).unwrap(), text);
        }
        shape(&value, 0)
    });
}

#[test]
fn kustomize_dialect() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/yaml");
    fuzz::run(&target("yaml-v3", &corpus), |input| {
        let nodes = match v3::parse_all(input) {
            Ok(nodes) => nodes,
            Err(error) => return kind(&error),
        };
        let mut seen = String::new();
        for node in &nodes {
            drop(v3::expand_aliases(node));
            if let Ok(text) = v3::encode(node, v3::EncodeOptions::KYAML) {
                // go-yaml's own trees do not always survive (empty values, folded lines), but reading them must end.
                drop(v3::parse_all(text.as_bytes()));
            }
            let value = v3::decode(node);
            if let Ok(value) = &value
                && let Ok(text) = v3::to_string_pretty(value)
            {
                let again = v3::parse(text.as_bytes()).map(|node| node.map(|node| v3::decode(&node)));
                if !is_lossy(value) {
                    // As texts: 1e3 is written as 1000, which is an integer when it is read.
                    assert_eq!(v3::to_string_pretty(&again.unwrap().unwrap().unwrap()).unwrap(), text);
                }
            }
            seen.push_str(&value.map_or_else(|error| kind(&error), |value| shape(&value, 0)));
        }
        seen
    });
}
