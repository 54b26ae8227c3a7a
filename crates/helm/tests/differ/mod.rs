//! Random inputs through Helm's own packages and through this crate.

use oracle::{Oracle, fuzz_cases, fuzz_seed};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// So many questions are under way at a time: waiting for each answer costs more than finding it.
const BATCH: u32 = 500;
/// Differences shown.
const MOST: usize = 20;

/// Runs `cases` random inputs through both sides.
pub(crate) fn differ<S: Strategy>(
    cases: u32,
    strategy: S,
    question: impl Fn(&S::Value) -> serde_json::Value,
    ours: impl Fn(&S::Value) -> Result<String, String>,
    compare_errors: bool,
) where
    S::Value: std::fmt::Debug,
{
    let Some(mut oracle) = Oracle::start("helm") else { return };
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&fuzz_seed().to_le_bytes());
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let difference = |input: &S::Value, answer: &serde_json::Value| {
        let theirs = match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"].as_str().map_or_else(|| answer["ok"].to_string(), ToOwned::to_owned)),
        };
        let ours = ours(input);
        let same = match (&theirs, &ours) {
            (Err(_), Err(_)) if !compare_errors => true,
            (theirs, ours) => theirs == ours,
        };
        (!same).then(|| format!("{input:?}\n  ours   {ours:?}\n  theirs {theirs:?}"))
    };
    let mut found = Vec::new();
    let mut left = fuzz_cases(cases);
    while left > 0 && found.len() < MOST {
        let count = left.min(BATCH);
        left -= count;
        let mut trees: Vec<_> = (0..count).map(|_| strategy.new_tree(&mut runner).unwrap()).collect();
        let questions: Vec<_> = trees.iter().map(|tree| question(&tree.current())).collect();
        let answers = oracle.ask_many(&questions);
        for (tree, answer) in trees.iter_mut().zip(&answers) {
            let Some(mut smallest) = difference(&tree.current(), answer) else { continue };
            let mut simpler = tree.simplify();
            while simpler {
                let answer = oracle.ask(&question(&tree.current()));
                simpler = match difference(&tree.current(), &answer) {
                    Some(smaller) => {
                        smallest = smaller;
                        tree.simplify()
                    }
                    None => tree.complicate(),
                };
            }
            found.push(smallest);
            if found.len() == MOST {
                break;
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
