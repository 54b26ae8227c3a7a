//! Any pattern on any text: no crash, bounded time and memory, matches in order and within the text.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use fuzz::Target;
use goregex::Regex;

const TOKENS: &[&str] = &[
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?P<n>",
    "(?s-m:",
    "[",
    "]",
    "[^",
    "a-z",
    "[[:alpha:]]",
    "\\d",
    "\\pL",
    "\\p{Greek}",
    "\\PN",
    "*",
    "+",
    "?",
    "*?",
    "{2}",
    "{1000}",
    "{2,}",
    "|",
    "^",
    "$",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    ".",
    "\\Q",
    "\\E",
    "\\x{10FFFF}",
    "\\x41",
    "\\n",
    "é",
    "世",
    "\n",
    "(((((",
    "a",
];

#[test]
fn patterns() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/goregex");
    let rows: Vec<(String, String, String)> = serde_json::from_str(include_str!("../testdata/cases.json")).unwrap();
    let target = Target {
        name: "goregex",
        corpus: &corpus,
        seeds: rows.into_iter().map(|(pattern, text, _)| format!("{pattern}\n{text}").into_bytes()).collect(),
        tokens: TOKENS,
        scratch: Path::new(env!("CARGO_TARGET_TMPDIR")),
        slowest: Duration::from_secs(10),
        largest: 512 << 20,
    };
    fuzz::run(&target, |input| {
        let at = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
        let (pattern, text) = input.split_at(at);
        let regex = match Regex::from_bytes(pattern) {
            Ok(regex) => regex,
            Err(error) => return error.kind.to_string().chars().take(40).collect(),
        };
        let found = regex.find_all(text, -1);
        let mut before = 0;
        for range in &found {
            assert!(range.start >= before && range.end >= range.start && range.end <= text.len(), "{found:?}");
            before = range.end;
        }
        assert_eq!(regex.is_match(text), !found.is_empty());
        let replaced = regex.replace_all(text, b"<$0>", 1 << 20);
        let pieces = regex.split(text, -1).map_or(0, |pieces| pieces.len());
        format!("{} {} {}", found.len().min(5), replaced.is_some(), pieces.min(5))
    });
}
