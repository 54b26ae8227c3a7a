//! Random patterns and texts, answered by Go's regexp and by this crate.
//!
//! `TOWLINE_DIFFERENTIAL_CASES` sets how many; what once differed is kept in `testdata/cases.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

use std::ops::Range;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use goregex::{Regex, quote_meta};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const BATCH: usize = 250;

#[derive(Debug, Clone)]
struct Case {
    pattern: String,
    text: Vec<u8>,
    template: Vec<u8>,
    limit: i64,
}

fn atom() -> impl Strategy<Value = String> {
    let fixed = |texts: &[&'static str]| prop::sample::select(texts.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        10 => "[a-cA-CkKsS019_ é-]",
        2 => fixed(&[".", "^", "$", r"\b", r"\B", r"\A", r"\z"]),
        3 => fixed(&[r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\pL", r"\PL", r"\p{Lu}", r"\p{^Greek}", r"\P{Han}"]),
        2 => fixed(&[r"\n", r"\t", r"\x41", r"\x{e9}", r"\x{1F600}", r"\101", r"\0", r"\.", r"\-", r"\_", r"\\", r"\x{D800}"]),
        1 => fixed(&[r"\Qa.b\E", r"\Q*", r"\Q\E", "{", "}", "]", "{,2}", "{a}", "-", "&&", "~~", "--", "#"]),
        1 => fixed(&[r"\p{Foo}", r"\pX", r"\p{LC}", r"\p{cn}", r"\p{Cs}", r"\pC", r"\p{Any}", r"\p{ASCII}", r"\p{Assigned}",
                     r"\p{Old_Italic}", r"\p{upper case letter}", r"\C", r"\Z", r"\8", r"\1", r"\e", r"\xg", r"\x{}", r"\x{110000}", r"\é", r"\q", r"\c"]),
        5 => class(),
    ]
}

fn class() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        6 => "[a-cA-CkKsS09é_]",
        3 => "[a-c]-[b-z]",
        1 => "[ -~]",
        2 => prop::sample::select(vec![
            r"\d", r"\W", r"\s", r"\S", "[:alpha:]", "[:^space:]", "[:word:]", "[:foo:]", "[:", "[", r"\]", "-", "&&", "--", "~~", "^",
            r"\p{Lu}", r"\PL", r"\x41", r"\n", r"\x{D800}-\x{DFFF}", r"\b", r"\Q", "{", "#", " ", "+--", r"\-", r"[:punct:]", r"[:graph:]", r"[:cntrl:]",
        ]).prop_map(str::to_owned),
    ];
    (
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.05),
        prop::collection::vec(item, 0..4),
        prop::bool::weighted(0.95),
    )
        .prop_map(|(negated, bracket, items, closed)| {
            format!(
                "[{}{}{}{}",
                if negated { "^" } else { "" },
                if bracket { "]" } else { "" },
                items.concat(),
                if closed { "]" } else { "" }
            )
        })
}

fn quantified(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let quantifier = prop_oneof![
        10 => Just(String::new()),
        4 => "[*+?]\\??",
        1 => "\\{[0-3](,[0-4]?)?\\}\\??",
        1 => prop::sample::select(vec!["**", "{2}{3}", "*?*", "{1001}", "{1000}", "{2,1}", "{01}", "{,3}", "{0}", "{99999999999}", "(?i)*", "++", "{500}"])
            .prop_map(str::to_owned),
    ];
    (inner, quantifier).prop_map(|(inner, quantifier)| inner + &quantifier)
}

fn pattern() -> impl Strategy<Value = String> {
    let structured = quantified(atom()).prop_recursive(4, 24, 4, |inner| {
        let group = prop::sample::select(vec![
            "(", "(", "(?:", "(?:", "(?i:", "(?s:", "(?m:", "(?U:", "(?-s:", "(?i-U:", "(?P<n>", "(?P<1W>", "(?<n>",
            "(?P<n", "(?P<>", "(?=", "(?P=n", "(?#", "(?", "(?i-:", "(?x:", "(?P<é>", "(?'n'", "(?i)", "(?m)(",
            "(?s)(",
        ]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..5).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join("|")),
            3 => quantified((group, inner, prop::bool::weighted(0.97)).prop_map(|(group, inner, closed)| {
                format!("{group}{inner}{}", if closed { ")" } else { "" })
            })),
        ]
    });
    prop_oneof![
        20 => structured,
        2 => (prop::sample::select(vec!["(?i)", "(?s)", "(?m)", "(?ims)", "(?U)"]), "[a-c.^$*+?()|\\[\\]]{0,8}").prop_map(|(a, b)| format!("{a}{b}")),
        2 => "[a-c.^$*+?()|\\[\\]{}\\\\0-2,-]{0,10}",
        1 => "\\PC{0,6}",
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-cA-C019_ é\n.kſ-]{0,12}".prop_map(String::into_bytes),
        2 => "[a-c]{0,6}".prop_map(String::into_bytes),
        1 => "[ -~α漢\u{212a}😀\u{fffd}\t]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(prop::sample::select(vec![b'a', b'b', 0xff, 0xc3, 0xa9, b' ', b'\n', 0xe2, 0x82, 0xac]), 0..10),
    ]
}

fn template() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "([$]|[$][{]|[01nWé}]|x){0,5}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec!["$1W", "${1}W", "$n", "${n}", "$$", "$0", "$01", "${é}", "$", "${", "$99999999999", "x"]).prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(vec![b'$', b'1', 0xff, b'$']),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let limit = prop_oneof![5 => Just(-1i64), 3 => -2i64..5];
    (pattern(), text(), template(), limit).prop_map(|(pattern, text, template, limit)| Case {
        pattern,
        text,
        template,
        limit,
    })
}

fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn positions(ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<[usize; 2]> {
    ranges.into_iter().map(|range| [range.start, range.end]).collect()
}

fn answer(case: &Case) -> Value {
    let regex = match Regex::new(&case.pattern) {
        Ok(regex) => regex,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let text = case.text.as_slice();
    let groups = regex.captures(text).map(|groups| {
        let pairs =
            groups.into_iter().map(|group| group.map_or([-1, -1], |range| [range.start as i64, range.end as i64]));
        pairs.flatten().collect::<Vec<_>>()
    });
    let all = regex.find_all(text, case.limit);
    let split = regex.split(text, case.limit);
    json!({
        "match": regex.is_match(text),
        "groups": groups,
        "names": regex.group_names().map(Option::unwrap_or_default).collect::<Vec<_>>(),
        "all": (!all.is_empty()).then(|| positions(all)),
        "replace": encode(&regex.replace_all(text, &case.template, 1 << 20).unwrap()),
        "literal": encode(&regex.replace_all_literal(text, &case.template, 1 << 20).unwrap()),
        "split": split.map(|pieces| pieces.into_iter().map(|piece| encode(&case.text[piece])).collect::<Vec<_>>()),
        "quoted": encode(&quote_meta(text)),
    })
}

#[test]
fn random_cases_agree_with_go() {
    let Some(mut oracle) = oracle::Oracle::start("regex") else { return };
    let count =
        std::env::var("TOWLINE_DIFFERENTIAL_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_500usize);
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let mut differences = 0;
    for _ in 0..count.div_ceil(BATCH) {
        let cases: Vec<Case> = (0..BATCH).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
        let requests: Vec<Value> = cases
            .iter()
            .map(|case| json!({"pattern": case.pattern, "text": encode(&case.text), "template": encode(&case.template), "limit": case.limit}))
            .collect();
        let answers = oracle.ask(&json!({ "cases": requests }));
        for (case, expected) in cases.iter().zip(answers.as_array().expect("a list of answers")) {
            let ours = answer(case);
            // Our limit on memory is lower: `\\pL{1000}` takes tens of megabytes.
            let too_large = ours["error"].as_str().is_some_and(|error| error.contains("too large"));
            if &ours != expected && !too_large {
                differences += 1;
                if differences < 20 {
                    println!("{case:?}\n  ours {ours}\n  Go   {expected}");
                }
            }
        }
    }
    assert_eq!(differences, 0, "answers differ from Go's");
}
