//! Random kustomization trees built by the real kustomize and by this crate: the output must be the same.
//!
//! Needs Go; bounded here, longer with `TOWLINE_FUZZ_CASES=20000`, single ones with `TOWLINE_FUZZ_SEEDS=7,20-30`. A tree on
//! which they differ is reduced and written as a golden directory: aside, or with `TOWLINE_BLESS=1` to where they are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::panic, reason = "tests")]

mod fixture;
mod generator;
mod judge;
mod reduce;

use std::collections::BTreeMap;

use oracle::fuzz_seeds;

use crate::generator::Tree;
use crate::judge::{Judge, Outcome, Verdict};

/// Trees of an ordinary test run.
const CASES: u32 = 300;
/// Differences reduced and shown in full.
const SHOWN: usize = 20;
/// Trees between two lines of progress.
const PROGRESS: usize = 1000;
/// Trees asked for at once.
const BATCH: usize = 100;

#[test]
fn differential_trees() {
    let Some(mut judge) = Judge::start() else { return };
    let seeds = fuzz_seeds(CASES);
    let (mut built, mut refused, mut known, mut differences) = (0, 0, 0, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for seeds in seeds.chunks(BATCH) {
        let trees: Vec<Tree> = seeds.iter().map(|seed| Tree::random(*seed)).collect();
        let verdicts = judge.try_all(&trees);
        for ((seed, tree), verdict) in seeds.iter().zip(trees).zip(verdicts) {
            match (&verdict.theirs, verdict.agrees()) {
                (_, false) if verdict.is_known() => {
                    eprintln!("seed {seed} differs as is known");
                    known += 1;
                }
                (_, false) => {
                    eprintln!("seed {seed} differs");
                    differences.push((*seed, tree, verdict));
                }
                (Ok(_), true) => built += 1,
                (Err(theirs), true) => {
                    refused += 1;
                    *reasons.entry(reason(theirs)).or_default() += 1;
                }
            }
        }
        let done = built + refused + known + differences.len();
        if done % PROGRESS == 0 {
            eprintln!("{done} trees: {built} same, {refused} refused by both, {} different", differences.len());
        }
    }
    eprintln!(
        "kustomize differential: {built} same, {refused} refused by both, {known} different as is known, {} different",
        differences.len()
    );
    for (reason, count) in reasons {
        eprintln!("{count:5} refused: {reason}");
    }
    for (seed, tree, verdict) in differences.iter().take(SHOWN) {
        let (tree, verdict) = reduce::reduce(&mut judge, tree, verdict);
        let place = fixture::write(*seed, &tree, &verdict.theirs);
        eprintln!("{}written to {}\n", describe(*seed, &tree, &verdict), place.display());
    }
    let list: Vec<String> = differences.iter().map(|(seed, _, _)| seed.to_string()).collect();
    assert!(list.is_empty(), "{} of {} trees differ: {}", list.len(), seeds.len(), list.join(","));
}

/// The end of an error's first line: what a tree was refused for.
fn reason(error: &str) -> String {
    let line = error.split("node contents").next().unwrap_or_default().trim_end_matches([':', '\n', ' ']);
    let last = line.rsplit(": ").next().unwrap_or_default();
    last.chars().filter(|c| !c.is_ascii_digit()).take(70).collect::<String>().replace('\n', " ")
}

fn describe(seed: u64, tree: &Tree, verdict: &Verdict) -> String {
    let mut out = format!("=== seed {seed}, root {}, legacy {}\n", tree.root, tree.legacy);
    for (path, text) in &tree.files {
        out.push_str(&format!("--- {path}\n{text}\n"));
    }
    let (Ok(theirs), Ok(ours)) = (&verdict.theirs, &verdict.ours) else {
        let short = |outcome: &Outcome| match outcome {
            Ok(_) => "builds".to_owned(),
            Err(error) => format!("fails: {error}"),
        };
        return out + &format!("kustomize {}\nours {}\n", short(&verdict.theirs), short(&verdict.ours));
    };
    for (theirs, ours) in theirs.split("---\n").zip(ours.split("---\n")) {
        if theirs != ours {
            out.push_str(&format!("<<< kustomize\n{theirs}>>> ours\n{ours}"));
            break;
        }
    }
    out
}
