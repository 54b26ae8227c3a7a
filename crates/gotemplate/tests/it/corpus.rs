//! The shared corpus of templates with what Go's engine makes of them.

use serde_json::{Value as Json, json};

use crate::support::{ours, shared};

/// Runs a table and returns how many of its cases agree, in output or error text.
fn run(table: &str, funcs: &str, floor: usize) {
    let Some(shared) = shared() else {
        println!("skipped: no shared corpus");
        return;
    };
    let text = std::fs::read_to_string(shared.join("corpus/gotemplate").join(table)).unwrap();
    let cases: Vec<Json> = serde_json::from_str(&text).unwrap();
    let mut passed = 0;
    let mut texts = 0;
    for case in &cases {
        let answer = ours(&json!({ "template": case["template"], "data": case["data"], "funcs": funcs }));
        let agrees = case["expected"] == answer["expected"] && case["error"] == answer["error"];
        passed += usize::from(agrees);
        texts += usize::from(agrees && case["error_text"] == answer["error_text"]);
        if !agrees || case["error_text"] != answer["error_text"] {
            println!(
                "{}: {}\n  Go: {}{}\n  us: {answer}",
                case["name"], case["template"], case["expected"], case["error_text"]
            );
        }
    }
    println!("{table}: {passed}/{} ({texts} with the same error text too)", cases.len());
    assert!(passed >= floor, "{passed} of {} agree, the floor is {floor}", cases.len());
}

#[test]
fn core() {
    run("core.json", "core", 298);
}

#[test]
fn sprig() {
    run("sprig.json", "sprig", 210);
}
