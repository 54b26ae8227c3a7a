//! Checked-in questions with Go's answers, so that the tests hold without Go.
//!
//! To add a case, add `{"text": "..."}` to a file of `testdata` and run the tests once with `TOWLINE_BLESS=1`: Go answers.

use std::path::{Path, PathBuf};

use oracle::Oracle;
use serde_json::{Map, Value as Json, json};

use crate::differential::{agree, expected};
use crate::subject;

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut files: Vec<PathBuf> = fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

#[test]
fn tables_agree_with_go() {
    let bless = oracle::blesses();
    let mut oracle = if bless { Oracle::start("yaml") } else { None };
    let mut failures = Vec::new();
    let mut compared = 0;
    for file in files() {
        let mut cases: Vec<Json> = serde_json::from_slice(&fs_err::read(&file).unwrap()).unwrap();
        for case in &mut cases {
            let text = case["text"].as_str().unwrap().to_owned();
            if let Some(oracle) = &mut oracle {
                let mut answers = Map::new();
                for operation in subject::TEXT_OPERATIONS {
                    answers.insert(operation.to_owned(), oracle.ask(&json!({"op": operation, "text": text})));
                }
                case["answers"] = Json::Object(answers);
            }
            for operation in subject::TEXT_OPERATIONS {
                let theirs = expected(&case["answers"][operation]);
                let ours = subject::answer(operation, text.as_bytes());
                compared += 1;
                if !agree(operation, &text, &ours, &theirs) {
                    failures.push(format!("{operation} {text:?}\n   ours {ours:?}\n   Go   {theirs:?}"));
                }
            }
        }
        if bless {
            let lines: Vec<String> = cases.iter().map(ToString::to_string).collect();
            fs_err::write(&file, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
        }
    }
    assert!(compared > 1000, "only {compared} answers: the tables are missing");
    assert!(failures.is_empty(), "{} of {compared} differ\n{}", failures.len(), failures.join("\n"));
}
