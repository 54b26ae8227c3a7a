//! Real files: charts and kustomizations, read and written in both dialects as Go does.

use std::path::{Path, PathBuf};

use oracle::Oracle;
use serde_json::{Value as Json, json};

use crate::differential::{agree, expected};
use crate::subject;

fn yaml_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            yaml_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(path);
        }
    }
}

#[test]
fn real_files_read_and_write_as_in_go() {
    let Some(shared) = oracle::shared_directory() else { return };
    let Some(mut oracle) = Oracle::start("yaml") else { return };
    let mut files = Vec::new();
    yaml_files(&shared.join("corpus"), &mut files);
    files.sort();
    let texts: Vec<String> = files
        .iter()
        .filter_map(|file| fs_err::read_to_string(file).ok())
        .filter(|text| text.len() < 300_000)
        .flat_map(|text| yaml::v2::split_documents(&text).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut failures = Vec::new();
    let mut compared = 0;
    for operation in ["v2.roundtrip", "v2.json", "v3.decode", "v3.pretty", "v3.roundtrip", "kyaml.string", "kyaml.wide"]
    {
        let questions: Vec<Json> = texts.iter().map(|text| json!({"op": operation, "text": text})).collect();
        let mut count = 0;
        for (text, answer) in texts.iter().zip(oracle.ask_many(&questions)) {
            let ours = subject::answer(operation, text.as_bytes());
            let theirs = expected(&answer);
            compared += 1;
            if !agree(operation, text, &ours, &theirs) {
                count += 1;
                if count < 4 {
                    failures.push(format!("{operation} {:.300?}\n{}", text, difference(&ours, &theirs)));
                }
            }
        }
        if count > 0 {
            failures.push(format!("{operation}: {count} of {} differ", texts.len()));
        }
    }
    println!("{compared} answers about {} documents compared", texts.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn difference(ours: &Result<String, String>, theirs: &Result<String, String>) -> String {
    let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
        return format!("   ours {ours:.300?}\n   Go   {theirs:.300?}");
    };
    let same = ours.lines().zip(theirs.lines()).take_while(|(ours, theirs)| ours == theirs).count();
    let excerpt = |text: &str| text.lines().skip(same.saturating_sub(1)).take(3).collect::<Vec<_>>().join("\n");
    format!("   ours {:?}\n   Go   {:?}", excerpt(ours), excerpt(theirs))
}
