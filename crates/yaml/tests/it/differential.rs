//! Random documents and values: our answers and Go's.

use oracle::Oracle;
use serde_json::{Value as Json, json};

use crate::{generate, subject};

pub(crate) fn expected(answer: &Json) -> Result<String, String> {
    match answer.get("error").and_then(Json::as_str) {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer["output"].as_str().unwrap_or_default().to_owned()),
    }
}

/// Do the answers agree? JSON is compared as JSON; error texts are compared by `same_error`.
pub(crate) fn agree(
    operation: &str,
    text: &str,
    ours: &Result<String, String>,
    theirs: &Result<String, String>,
) -> bool {
    match (ours, theirs) {
        // kyaml doubles null keys; what has them cannot be written in the end.
        _ if operation == "kyaml.deanchor" && subject::answer("v3.decode", text.as_bytes()).is_err() => true,
        (Ok(ours), Ok(theirs)) if operation == "v3.nodes" => {
            let ours: Json = serde_json::from_str(ours).unwrap();
            let theirs: Json = serde_json::from_str(theirs).unwrap_or_default();
            ours == theirs || (theirs.is_null() && ours == json!([]))
        }
        (Ok(ours), Err(theirs)) if ours == "<EOF>" => theirs == "EOF",
        // Go writes bytes that are no text as an escape and the same character in text as it is.
        (Ok(ours), Ok(theirs)) => ours == theirs || *ours == theirs.replace("\\ufffd", "\u{fffd}"),
        (Err(ours), Err(theirs)) => ours == theirs || is_loose(operation, theirs) || ours.contains("invalid map key"),
        _ => false,
    }
}

/// Errors whose wording we do not follow: Go's printed types, the order of its maps, and what kyaml adds.
fn is_loose(operation: &str, theirs: &str) -> bool {
    // v3 looks two tokens ahead: of two errors in a row the other one may be told.
    operation.starts_with("kyaml")
        || operation.starts_with("v3")
        || (operation == "v2.roundtrip" && theirs.contains("did not find expected ',' or '}'"))
        || theirs.contains("unsupported map key")
        || theirs.contains("unsupported value")
        || theirs.contains("unsupported type")
        || theirs.contains("invalid map key")
        || theirs.contains("unmarshal errors")
}

/// What hangs on how the libraries fill their buffers of 512 bytes.
fn is_known(operation: &str, text: &str) -> bool {
    // A byte order mark is looked for where the buffer begins, not where the line does: then each line loses a character.
    let marked = text.char_indices().any(|(at, character)| at > 0 && character == '\u{feff}');
    // They step over the first byte of such a line break after a comment, and say other positions of what is missing there.
    let broken = ['\u{85}', '\u{2028}', '\u{2029}'].iter().any(|line_break| text.contains(*line_break));
    marked || (operation == "v3.nodes" && broken && text.contains('#'))
}

/// Where Go's answer is a matter of chance (the order of its maps: keys that the natural order runs around in a circle, a
/// number and a text that JSON writes alike), any of its answers will do.
const CHANCES: usize = 30;

fn differs(oracle: &mut Oracle, operation: &str, text: &str) -> bool {
    let ours = subject::answer(operation, text.as_bytes());
    (0..CHANCES).all(|_| {
        let theirs = expected(&oracle.ask(&json!({"op": operation, "text": text})));
        !agree(operation, text, &ours, &theirs)
    })
}

/// The smallest text we find that still differs.
fn shrink(oracle: &mut Oracle, operation: &str, text: &str) -> String {
    let mut best: Vec<char> = text.chars().collect();
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < best.len() {
            let mut shorter = best.clone();
            shorter.drain(start..(start + size).min(best.len()));
            if differs(oracle, operation, &shorter.iter().collect::<String>()) {
                best = shorter;
            } else {
                start += size;
            }
        }
        size /= 2;
    }
    best.into_iter().collect()
}

#[test]
fn random_documents_read_and_write_as_in_go() {
    let Some(mut oracle) = Oracle::start("yaml") else { return };
    let cases = oracle::fuzz_cases(400);
    let first = oracle::fuzz_seed();
    let mut failures = Vec::new();
    for operation in subject::TEXT_OPERATIONS {
        let mut shown = 0;
        let mut count = 0;
        for batch in (first..first + u64::from(cases)).collect::<Vec<_>>().chunks(500) {
            let texts: Vec<String> = batch.iter().map(|seed| generate::document(*seed)).collect();
            let questions: Vec<Json> = texts.iter().map(|text| json!({"op": operation, "text": text})).collect();
            for (text, answer) in texts.iter().zip(oracle.ask_many(&questions)) {
                let theirs = expected(&answer);
                if agree(operation, text, &subject::answer(operation, text.as_bytes()), &theirs)
                    || is_known(operation, text)
                    || !differs(&mut oracle, operation, text)
                {
                    continue;
                }
                count += 1;
                if shown < 6 {
                    shown += 1;
                    let small = shrink(&mut oracle, operation, text);
                    let theirs = expected(&oracle.ask(&json!({"op": operation, "text": small})));
                    let ours = subject::answer(operation, small.as_bytes());
                    failures.push(format!("{operation} {small:?}\n   ours {ours:?}\n   Go   {theirs:?}"));
                }
            }
        }
        if count > 0 {
            failures.push(format!("{operation}: {count} of {cases} differ"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn random_values_are_written_as_in_go() {
    let Some(mut oracle) = Oracle::start("yaml") else { return };
    let cases = oracle::fuzz_cases(600);
    let mut failures = Vec::new();
    for operation in ["v2.marshal", "v2.digest", "v3.marshal"] {
        let mut count = 0;
        let first = oracle::fuzz_seed();
        for batch in (first..first + u64::from(cases)).collect::<Vec<_>>().chunks(500) {
            let values: Vec<yaml::Value> = batch.iter().map(|seed| generate::value(*seed)).collect();
            let questions: Vec<Json> = values
                .iter()
                .map(|value| json!({"op": operation, "text": subject::question_value(value).to_string(), "indent": 2}))
                .collect();
            for (value, answer) in values.iter().zip(oracle.ask_many(&questions)) {
                let theirs = expected(&answer);
                let ours = subject::written(operation, value);
                if ours == theirs || (ours.is_err() && theirs.is_err()) || has_no_order(value) {
                    continue;
                }
                count += 1;
                if count <= 8 {
                    let (ours, theirs) = (first_difference(&ours, &theirs), first_difference(&theirs, &ours));
                    failures.push(format!("{operation}\n   ours {ours}\n   Go   {theirs}"));
                }
            }
        }
        if count > 0 {
            failures.push(format!("{operation}: {count} of {cases} differ"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Is there a map whose keys the natural order runs around in a circle? Go's answer is then a matter of chance.
fn has_no_order(value: &yaml::Value) -> bool {
    match value {
        yaml::Value::Sequence(items) => items.iter().any(has_no_order),
        yaml::Value::Mapping(mapping) => {
            let circles = |compare: fn(&str, &str) -> std::cmp::Ordering| {
                let keys: Vec<&String> = mapping.keys().collect();
                let less = |left: &str, right: &str| compare(left, right) == std::cmp::Ordering::Less;
                keys.iter().any(|a| keys.iter().any(|b| less(a, b) && keys.iter().any(|c| less(b, c) && less(c, a))))
            };
            circles(yaml::v2::compare_keys) || circles(yaml::v3::compare_keys) || mapping.values().any(has_no_order)
        }
        _ => false,
    }
}

/// The surroundings of the first line on which `left` differs from `right`.
fn first_difference(left: &Result<String, String>, right: &Result<String, String>) -> String {
    match (left, right) {
        (Ok(left), Ok(right)) => {
            let same = left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count();
            let from = same.saturating_sub(1);
            format!("{:?}", left.split_inclusive('\n').skip(from).take(3).collect::<String>())
        }
        _ => format!("{left:?}"),
    }
}
