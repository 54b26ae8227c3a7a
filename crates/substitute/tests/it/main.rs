//! Substitution against the corpus, upstream's own code, and hostile input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use substitute::{Error, Template};

fn run(input: &str, variables: &BTreeMap<String, String>, strict: bool) -> Result<String, Error> {
    Template::parse(input)?.execute(|name| match variables.get(name) {
        None if !strict => Some(""),
        value => value.map(String::as_str),
    })
}

#[test]
fn corpus() {
    let Some(shared) = oracle::shared_directory() else { return };
    let cases: Vec<Value> =
        serde_json::from_slice(&fs_err::read(shared.join("corpus/envsubst.json")).unwrap()).unwrap();
    for case in &cases {
        let variables = serde_json::from_value(case["vars"].clone()).unwrap();
        let result = run(case["input"].as_str().unwrap(), &variables, case["strict"] == true);
        match case["expected"].as_str() {
            Some(expected) => assert_eq!(result.as_deref(), Ok(expected), "{}", case["name"]),
            None => assert!(case["error"] == true && result.is_err(), "{}: {result:?}", case["name"]),
        }
    }
    println!("{} texts", cases.len());
    assert!(cases.len() >= 31);
}

/// Pieces that expressions are made of, so that random texts often are some.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(vec![
            "${", "}", "$", "$$", "\\", "/", "//", "/#", "/%", "#", "##", "%", "%%", ":", ":-", ":=", ":?", ":+", "=",
            "-", ",", ",,", "^", "^^", "*", "?", "[", "[a-", "]", "[^", "1", "-2", "99", " ", "\\/", "\n", "\0", "é",
            "世", "ß", "_",
        ]).prop_map(str::to_owned),
        4 => select(vec!["a", "b", "e", "unset", "path"]).prop_map(str::to_owned),
        3 => select(vec![
            "${a}", "${#a}", "${unset:-x}", "${path##*/}", "${path%/*}", "${a/b/c}", "${a//[b]/c}", "${b:1:2}",
            "${b:-1}", "${e:=${a}y}", "${a^}", "${path%%[a-z]*}",
        ]).prop_map(str::to_owned),
        3 => (select(vec!["a", "b", "e", "unset", "path"]), select(vec!["/", "//", "/#", "/%", "#", "##", "%", "%%", ":", ":-"]), "[a-eé*?\\[\\]^/\\\\$0-3:-]{0,6}")
            .prop_map(|(name, operator, argument)| format!("${{{name}{operator}{argument}}}")),
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..9).prop_map(|pieces| pieces.concat())
}

fn variables() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = prop_oneof![
        select(vec!["abcabc", "/usr/lib/x.tar.gz", "Äéß世界", "a\\b/c", "[ab]*", "İıǆŉ", "ᾳᾲ"]).prop_map(str::to_owned),
        "[a-eé/.*\\[\\]]{0,8}",
    ];
    (value.clone(), value.clone(), value).prop_map(|(a, b, path)| {
        [("a", a), ("b", b), ("path", path), ("e", String::new())].map(|(name, value)| (name.to_owned(), value)).into()
    })
}

#[test]
fn random_texts() {
    let Some(oracle) = oracle::Oracle::start_in("oracle-flux", "envsubst") else { return };
    let oracle = RefCell::new(oracle);
    let counts = RefCell::new((0, 0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: oracle::fuzz_cases(30_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&(text(), variables(), any::<bool>()), |(input, variables, strict)| {
            let answer = oracle.borrow_mut().ask(&json!({ "input": input, "vars": variables, "strict": strict }));
            let ours = run(&input, &variables, strict);
            if answer["error"] == true {
                counts.borrow_mut().0 += 1;
                if answer["error_text"] != "panic" {
                    prop_assert!(ours.is_err(), "{input:?}: upstream {}, ours {ours:?}", answer["error_text"]);
                    prop_assert_eq!(
                        ours.unwrap_err().to_string(),
                        answer["error_text"].as_str().unwrap(),
                        "{:?}",
                        input
                    );
                }
                return Ok(());
            }
            counts.borrow_mut().1 += 1;
            let theirs =
                base64::engine::general_purpose::STANDARD.decode(answer["expected"].as_str().unwrap()).unwrap();
            match String::from_utf8(theirs) {
                Ok(theirs) => prop_assert_eq!(ours, Ok(theirs), "{:?} with {:?}", input, variables),
                Err(_) => prop_assert_eq!(ours, Err(Error::NotUtf8), "{:?}", input),
            }
            Ok(())
        })
        .unwrap();
    let (errors, texts) = *counts.borrow();
    println!("{texts} texts and {errors} errors agree");
    assert!(texts > errors / 10 && errors > 0, "the generator makes both");
}

#[test]
fn hostile_input_is_bounded() {
    let none = BTreeMap::new();
    let nested = |depth: usize| format!("{}x{}", "${a:-".repeat(depth), "}".repeat(depth));
    assert_eq!(run(&nested(substitute::MAX_DEPTH), &none, true).as_deref(), Ok("x"));
    assert_eq!(run(&nested(100_000), &none, true), Err(Error::TooDeep));
    assert!(run(&"${".repeat(100_000), &none, true).is_err());
    assert_eq!(run(&"$$".repeat(200_000), &none, true).map(|text| text.len()), Ok(200_000));

    let large = [("a".to_owned(), "x".repeat(1 << 20))].into();
    assert_eq!(run(&"${a}".repeat(100), &large, true), Err(Error::TooLarge));
    assert_eq!(run("${a//x/${a}}", &large, true), Err(Error::TooLarge));
    assert_eq!(run("${a#*a*b*c*d}", &large, true), Err(Error::TooMuchWork));
}

proptest! {
    #[test]
    fn nothing_panics(text in "\\PC{0,40}", pieces in text()) {
        let variables = [("a".to_owned(), text.clone()), ("b".to_owned(), pieces.clone())].into();
        let _ = run(&text, &variables, true);
        let _ = run(&pieces, &variables, false);
    }
}
