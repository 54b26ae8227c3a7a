//! Cases with the answers the real engine gave: `testdata/cases.jsonl`, one a line. The first line holds the data that
//! `"@data"` stands for. A new case is a new line; the oracle program gives its answer.

use serde_json::Value as Json;

use crate::support::ours;

#[test]
fn every_case_is_answered_as_go_answered() {
    let text = include_str!("../../testdata/cases.jsonl");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    let shared = lines.next().unwrap()["data"].take();
    let (mut count, mut failed) = (0, 0);
    for mut case in lines {
        if case["data"] == "@data" {
            case["data"] = shared.clone();
        }
        let answer = ours(&case);
        count += 1;
        if answer["expected"] != case["expected"]
            || answer["error"] != case["error"]
            || answer["error_text"] != case["error_text"]
        {
            failed += 1;
            println!("{}\n  Go: {}{}\n  us: {answer}", case["template"], case["expected"], case["error_text"]);
        }
    }
    println!("{}/{count} agree", count - failed);
    assert!(count > 300);
    assert_eq!(failed, 0);
}

/// Random templates with sprig's and Helm's functions: `testdata/random.jsonl`.
#[test]
fn every_random_template_is_answered_as_go_answered() {
    let mut count = 0;
    for line in include_str!("../../testdata/random.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let answer = ours(&case);
        for key in ["expected", "error", "error_text"] {
            assert_eq!(answer.get(key), case.get(key), "{line}");
        }
        count += 1;
    }
    assert!(count > 300);
}
