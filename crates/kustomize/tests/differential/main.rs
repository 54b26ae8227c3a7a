//! Random kustomization trees built by the real kustomize and by this crate: the output must be the same.
//!
//! Needs Go; bounded here, longer with `TOWLINE_FUZZ_CASES=20000`. Every difference found becomes a golden directory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::panic, reason = "tests")]

mod more;
mod tree;

use std::{collections::BTreeMap, sync::Arc};

use kustomize::{Options, Reorder, build, fs::MemoryFileSystem};
use oracle::{Oracle, fuzz_cases, fuzz_seed};
use serde_json::json;

/// Trees of an ordinary test run.
const CASES: u32 = 300;
/// Differences shown in full.
const SHOWN: usize = 20;
/// Trees asked for at once.
const BATCH: usize = 100;

fn ours(tree: &tree::Tree) -> Result<String, String> {
    let mut fs = MemoryFileSystem::default();
    for (path, text) in &tree.files {
        fs.insert(path, text.as_str());
    }
    let reorder = if tree.legacy { Reorder::Legacy } else { Reorder::None };
    let options = Options { reorder, ..Options::default() };
    let built = build(Arc::new(fs), &format!("/{}", tree.root), options);
    built.and_then(|built| built.to_yaml()).map_err(|error| error.to_string())
}

#[test]
fn differential_trees() {
    let Some(mut oracle) = Oracle::start_in("oracle-kustomize", "build") else { return };
    let (first, count) = (fuzz_seed(), u64::from(fuzz_cases(CASES)));
    let seeds: Vec<u64> = (first..first + count).collect();
    let (mut built, mut refused, mut differences) = (0, 0, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for seeds in seeds.chunks(BATCH) {
        let trees: Vec<tree::Tree> = seeds.iter().map(|seed| tree::Tree::random(*seed)).collect();
        let questions: Vec<_> = trees
            .iter()
            .map(|tree| json!({"files": tree.files, "root": tree.root, "legacy": tree.legacy, "schema": tree.schema}))
            .collect();
        for ((seed, tree), answer) in seeds.iter().zip(&trees).zip(oracle.ask_many(&questions)) {
            let theirs = match answer["error"].as_str() {
                Some(error) => Err(error.to_owned()),
                // A library build of kustomize does not know its version.
                None => {
                    Ok(answer["output"].as_str().unwrap_or_default().replace("kustomize-(devel)", "kustomize-v5.8.1"))
                }
            };
            let found = ours(tree);
            match (&theirs, &found) {
                (Ok(a), Ok(b)) if a == b => built += 1,
                (Err(theirs), Err(_)) => {
                    refused += 1;
                    *reasons.entry(reason(theirs)).or_default() += 1;
                }
                _ => differences.push(describe(*seed, tree, &theirs, &found)),
            }
        }
    }
    eprintln!("kustomize differential: {built} same, {refused} refused by both, {} different", differences.len());
    for (reason, count) in reasons {
        eprintln!("{count:5} refused: {reason}");
    }
    for difference in differences.iter().take(SHOWN) {
        eprintln!("{difference}");
    }
    assert!(differences.is_empty(), "{} of {count} trees differ", differences.len());
}

/// The end of an error's first line: what a tree was refused for.
fn reason(error: &str) -> String {
    let line = error.split("node contents").next().unwrap_or_default().trim_end_matches([':', '\n', ' ']);
    let last = line.rsplit(": ").next().unwrap_or_default();
    last.chars().filter(|c| !c.is_ascii_digit()).take(70).collect::<String>().replace('\n', " ")
}

fn describe(seed: u64, tree: &tree::Tree, theirs: &Result<String, String>, ours: &Result<String, String>) -> String {
    let mut out = format!("=== seed {seed}, root {}\n", tree.root);
    for (path, text) in &tree.files {
        out.push_str(&format!("--- {path}\n{text}\n"));
    }
    let (theirs, ours) = match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => (theirs, ours),
        (theirs, ours) => {
            let short = |result: &Result<String, String>| match result {
                Ok(_) => "builds".to_owned(),
                Err(error) => format!("fails: {error}"),
            };
            return out + &format!("kustomize {}\nours {}\n", short(theirs), short(ours));
        }
    };
    for (theirs, ours) in theirs.split("---\n").zip(ours.split("---\n")) {
        if theirs != ours {
            out.push_str(&format!("<<< kustomize\n{theirs}>>> ours\n{ours}"));
            break;
        }
    }
    out
}
