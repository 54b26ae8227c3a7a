//! Hostile patterns and texts end in an error, soon and without much memory; and the table of special cases.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use goregex::{Error, Regex, cached};
use proptest::prelude::*;

fn error(pattern: &str) -> String {
    let compiled = fuzz::bounded(Duration::from_secs(60), 256 << 20, || Regex::new(pattern));
    compiled.expect_err("an error").kind.to_string()
}

/// Each row: pattern, text, the first match or the error.
#[test]
fn table() {
    let rows: Vec<(String, String, String)> = serde_json::from_str(include_str!("../testdata/cases.json")).unwrap();
    for (pattern, text, expected) in rows {
        let outcome = match Regex::new(&pattern) {
            Ok(regex) => regex.find(text.as_str()).map_or("no match".to_owned(), |range| text[range].to_owned()),
            Err(error) => error.to_string(),
        };
        assert_eq!(outcome, expected, "{pattern} on {text}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_what_is_allowed_fits_the_stack() {
    for (open, close) in [("(", ")"), ("(?:", ")"), ("(a|", "b)"), ("(a", "){2}?"), ("(?:x", ")*")] {
        assert_eq!(error(&format!("{}{}", open.repeat(100_000), close.repeat(100_000))), "expression nests too deeply");
        // The deepest that is accepted, whatever that is, compiles on the stack of a test thread.
        let accepted = (1..=600).rev().find(|depth| {
            match Regex::new(&format!("{}{}", open.repeat(*depth), close.repeat(*depth))) {
                Ok(_) => true,
                Err(Error { kind, .. }) => {
                    assert!(
                        ["expression nests too deeply", "invalid repeat count", "expression too large"]
                            .contains(&kind.to_string().as_str())
                    );
                    false
                }
            }
        });
        assert!(accepted.is_some_and(|depth| depth >= 9), "{open} {accepted:?}");
    }
    assert_eq!(error(&format!("a{}", "*(?i)".repeat(1000))), "expression nests too deeply");
}

#[test]
fn bombs_are_refused() {
    assert_eq!(error(r"(\pL{100}){10}"), "expression too large");
    assert_eq!(error(r"((a{10}){10}){11}"), "invalid repeat count");
    assert_eq!(error(&r"\pL{30}".repeat(100)), "expression too large");
}

#[test]
fn replacing_is_bounded() {
    let regex = Regex::new("a").unwrap();
    let text = "a".repeat(1000);
    let large = vec![b'x'; 1000];
    assert_eq!(regex.replace_all(text.as_str(), &large, 100_000), None);
    assert_eq!(regex.replace_all(text.as_str(), &large, 1_000_000).map(|out| out.len()), Some(1_000_000));
}

#[test]
fn the_cache_gives_the_same_regex_again() {
    let first = cached("cache (me)").unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &cached("cache (me)").unwrap()));
    assert!(cached("cache (me").is_err());
    for number in 0..500 {
        cached(&format!("other {number}")).unwrap();
    }
}

#[test]
fn patterns_must_be_text() {
    let error = Regex::from_bytes(b"a\xffb").expect_err("an error");
    assert_eq!(error.to_string(), "error parsing regexp: invalid UTF-8: `\u{fffd}b`");
}

proptest! {
    #[test]
    fn never_panics(pattern in "\\PC{0,30}", text in prop::collection::vec(any::<u8>(), 0..20), template in "[$a1{}]{0,6}") {
        if let Ok(regex) = Regex::new(&pattern) {
            let _ = regex.replace_all(text.as_slice(), template.as_bytes(), 1000);
            let _ = regex.split(text.as_slice(), -1);
        }
    }
}
