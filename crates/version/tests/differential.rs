//! Random versions and constraints, answered by the original Go library and by this crate.
//!
//! `TOWLINE_DIFFERENTIAL_CASES` sets how many; what once differed is kept in `testdata/constraints.json`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use version::{Constraints, Error, Version};

const BATCH: usize = 500;

fn cases() -> usize {
    std::env::var("TOWLINE_DIFFERENTIAL_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(5_000)
}

fn identifiers() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(0|[1-9][0-9]?|[a-b]|[0-9a-z-]{1,3})(\\.(0|1|[0-9a-z-]{1,2})){0,2}",
        1 => "[0-9a-zA-Z.-]{0,4}",
        1 => Just("99999999999999999999.18446744073709551616".to_owned()),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[0-3]",
        2 => "[0-9]{1,2}",
        1 => Just("18446744073709551615".to_owned()),
        1 => "[0-9]{18,22}",
    ]
}

fn with_tail(core: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (
        prop_oneof![4 => Just(""), 1 => Just("v")],
        core,
        prop_oneof![3 => Just(None), 1 => identifiers().prop_map(Some)],
        prop_oneof![5 => Just(None), 1 => identifiers().prop_map(Some)],
    )
        .prop_map(|(v, core, pre, metadata)| {
            let pre = pre.map(|pre| format!("-{pre}")).unwrap_or_default();
            let metadata = metadata.map(|metadata| format!("+{metadata}")).unwrap_or_default();
            format!("{v}{core}{pre}{metadata}")
        })
}

fn core(part: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop_oneof![10 => prop::collection::vec(part, 1..=3).prop_map(|parts| parts.join(".")), 1 => "[0-3.]{0,7}"]
}

fn version_text() -> impl Strategy<Value = String> {
    prop_oneof![
        20 => with_tail(core(number())),
        1 => "[0-9v.+a-b-]{0,12}",
        1 => "[ -~é☺\u{7f}\u{a0}\u{200b}\u{e000}\u{10ffff}]{0,5}",
        1 => (250usize..260).prop_map(|length| format!("1.2.3-{}", "a".repeat(length - 6))),
    ]
}

fn constraint_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![6 => number(), 1 => "[xX*]", 1 => "[0-9xX*|]{1,3}"];
    let operand = with_tail(core(part)).boxed();
    let operator =
        prop::sample::select(vec!["", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^", "==", "!"]);
    let space = prop::sample::select(vec!["", "", "", " ", "  ", "\t", "\n", "\u{b}", "\u{a0}"]);
    let single = (space.clone(), operator, space.clone(), operand.clone(), space)
        .prop_map(|(a, operator, b, operand, c)| format!("{a}{operator}{b}{operand}{c}"));
    let range = (operand.clone(), prop::sample::select(vec![" - ", "  -  ", " -", "-", " - - "]), operand)
        .prop_map(|(low, dash, high)| format!("{low}{dash}{high}"));
    let term = prop_oneof![6 => single, 1 => range].boxed();
    let separator = prop::sample::select(vec![",", ", ", " ", " , ", "||", " || ", "|", ""]);
    prop_oneof![
        30 => (term.clone(), prop::collection::vec((separator, term), 0..3)).prop_map(|(first, more)| {
            more.into_iter().fold(first, |text, (separator, term)| format!("{text}{separator}{term}"))
        }),
        1 => "[<>=!~^|, 0-9xv.+*-]{0,12}",
        1 => "[ -~é☺\u{7f}\u{a0}\u{200b}\u{e000}\u{10ffff}]{0,5}",
        1 => (30usize..36).prop_map(|count| vec!["1"; count].join("||")),
        1 => (505usize..520).prop_map(|length| " ".repeat(length)),
    ]
}

fn describe(parsed: Result<Version, Error>) -> Value {
    let version = match parsed {
        Ok(version) => version,
        Err(error) => return json!({"error": error.to_string()}),
    };
    let step = |next: Result<Version, Error>| match next {
        Ok(next) => next.original().to_owned(),
        Err(error) => error.to_string(),
    };
    json!({
        "string": version.to_string(), "original": version.original(),
        "major": version.major(), "minor": version.minor(), "patch": version.patch(),
        "prerelease": version.prerelease(), "metadata": version.metadata(),
        "next_major": step(version.increment_major()),
        "next_minor": step(version.increment_minor()),
        "next_patch": step(version.increment_patch()),
    })
}

fn describe_pair(constraint: &str, version: &str) -> Value {
    let mut out = serde_json::Map::new();
    let version = Version::parse(version);
    if let (Ok(other), Ok(version)) = (Version::parse(constraint), &version) {
        out.insert("compare".to_owned(), json!(other.cmp(version) as i8));
    }
    match Constraints::parse(constraint) {
        Err(error) => {
            out.insert("error".to_owned(), json!(error.to_string()));
        }
        Ok(constraints) => {
            out.insert("string".to_owned(), json!(constraints.to_string()));
            if let Ok(version) = version {
                for (name, constraints) in
                    [("plain", constraints.clone()), ("prereleases", constraints.including_prereleases())]
                {
                    let verdict = constraints.validate(&version);
                    let texts = verdict.as_ref().err().into_iter().flatten().map(ToString::to_string);
                    out.insert(
                        name.to_owned(),
                        json!([constraints.check(&version), verdict.is_ok(), texts.collect::<Vec<_>>()]),
                    );
                }
            }
        }
    }
    Value::Object(out)
}

fn sample<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, runner: &mut TestRunner, count: usize) -> Vec<T> {
    (0..count).map(|_| strategy.new_tree(runner).unwrap().current()).collect()
}

fn compare<T: std::fmt::Debug>(inputs: &[T], expected: &Value, ours: impl Fn(&T) -> Value) {
    let expected = expected.as_array().expect("a list of answers");
    assert_eq!(expected.len(), inputs.len());
    for (input, expected) in inputs.iter().zip(expected) {
        assert_eq!(&ours(input), expected, "differs from Go for {input:?}");
    }
}

#[test]
fn random_cases_agree_with_go() {
    let Some(mut oracle) = oracle::Oracle::start("semver") else { return };
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases().div_ceil(2 * BATCH) {
        let versions = sample(&version_text(), &mut runner, BATCH);
        let answers = oracle.ask(&json!({ "versions": versions }));
        compare(
            &versions,
            &answers,
            |text| json!({"lenient": describe(Version::parse(text)), "strict": describe(Version::parse_strict(text))}),
        );
        let pairs = sample(&(constraint_text(), version_text()), &mut runner, BATCH);
        let answers = oracle.ask(&json!({ "pairs": pairs }));
        compare(&pairs, &answers, |(constraint, version)| describe_pair(constraint, version));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn never_panics(text in "\\PC{0,40}", constraint in "[<>=!~^|, 0-9xv.+*é\u{a0}-]{0,40}") {
        let _ = Version::parse(&text);
        let _ = Version::parse_strict(&text);
        let _ = describe_pair(&constraint, "1.2.3");
        let _ = describe_pair(&text, "1.2.3-a");
    }
}

/// Each row: constraint, version, whether it holds or the start of the error.
#[test]
fn table() {
    let rows: Vec<(String, String, String)> =
        serde_json::from_str(include_str!("../testdata/constraints.json")).unwrap();
    for (constraint, version, expected) in rows {
        let outcome = match (Constraints::parse(&constraint), Version::parse(&version)) {
            (Ok(constraints), Ok(version)) => match constraints.validate(&version) {
                Ok(()) => "yes".to_owned(),
                Err(violations) => violations[0].to_string(),
            },
            (Err(error), _) | (_, Err(error)) => error.to_string(),
        };
        assert_eq!(outcome, expected, "{constraint} on {version}");
    }
}
