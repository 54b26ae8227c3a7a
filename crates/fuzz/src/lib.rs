//! Test helper: a mutation-based fuzzer that runs on the stable compiler, inside an ordinary test.
//!
//! A target is a function that takes bytes, panics when a property does not hold, and tells what it saw. There is no coverage
//! to steer by; an input that is answered in a way not seen before becomes a seed instead. Each answer has to come in bounded
//! time and memory. What is found is written beside the build and named in the failure; a copy of it in the corpus, which is
//! checked in, keeps it from coming back.
//!
//! `TOWLINE_FUZZ_SECONDS` says for how long (2 without it), `TOWLINE_FUZZ_SEED` where to begin.

#![expect(clippy::print_stderr, reason = "a fuzzer reports what it did")]

mod measure;
mod mutate;
mod random;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use crate::measure::{bounded, peak_memory};

use crate::measure::{Watch, reset_peak, thread_time};
use crate::mutate::mutated;
use crate::random::Random;

/// What to fuzz, and within which bounds.
#[derive(Debug)]
pub struct Target<'a> {
    /// The name, for messages and files.
    pub name: &'a str,
    /// The folder of checked-in inputs.
    pub corpus: &'a Path,
    /// Inputs from elsewhere, such as tables of cases.
    pub seeds: Vec<Vec<u8>>,
    /// Pieces of the language under test.
    pub tokens: &'a [&'a str],
    /// Where to write what is found; `CARGO_TARGET_TMPDIR` of the test.
    pub scratch: &'a Path,
    /// Longest that one input may take, in time on the processor.
    pub slowest: Duration,
    /// Most memory that one input may take, in bytes.
    pub largest: u64,
}

/// Inputs kept because something new was seen.
const MOST_SEEDS: usize = 5_000;
/// Longer inputs are cut: they make everything slow and find little.
const LONGEST: usize = 64 << 10;
/// Reading the peak of memory costs more than most inputs do; what takes much memory takes this long at least.
const WORTH_A_LOOK: Duration = Duration::from_millis(1);

/// One target at a time: memory is measured for the whole process.
static RUNNING: Mutex<()> = Mutex::new(());

/// Runs a target over its corpus and over mutations of it.
///
/// # Panics
/// When an input panics, takes too long or too much memory.
pub fn run(target: &Target<'_>, property: impl Fn(&[u8]) -> String) {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let found = explore(target, property);
    drop(running);
    assert!(found.is_empty(), "{}: {} inputs fail:\n{}", target.name, found.len(), found.join("\n"));
}

fn explore(target: &Target<'_>, property: impl Fn(&[u8]) -> String) -> Vec<String> {
    let mut seeds = target.seeds.clone();
    seeds.extend(corpus(target.corpus));
    assert!(!seeds.is_empty(), "{}: no corpus in {}", target.name, target.corpus.display());
    let current = target.scratch.join(format!("fuzz-{}-current", target.name));
    let watch = Watch::start(format!("{} (its input is in {})", target.name, current.display()));
    let mut random = Random::new(setting("TOWLINE_FUZZ_SEED", 1));
    let (mut seen, mut found, mut count) = (HashSet::new(), Vec::new(), 0_u64);
    let mut check = |input: &[u8], seeds: &mut Vec<Vec<u8>>| {
        // Written first, as a stack overflow leaves no time to do it afterwards.
        drop(fs_err::write(&current, input));
        watch.begin();
        let outcome = outcome(target, input, &property);
        watch.end();
        match outcome {
            Ok(shape) => {
                let mut hasher = DefaultHasher::new();
                shape.hash(&mut hasher);
                if seen.insert(hasher.finish()) && seeds.len() < MOST_SEEDS {
                    seeds.push(input.to_vec());
                }
                None
            }
            Err(problem) => Some(kept(target, input, &problem)),
        }
    };
    for input in seeds.clone() {
        found.extend(check(&input, &mut seeds));
        count += 1;
    }
    let started = now();
    let length = Duration::from_secs(setting("TOWLINE_FUZZ_SECONDS", 2));
    while started.elapsed() < length && found.len() < 10 {
        let mut input = mutated(&mut random, &seeds, target.tokens);
        input.truncate(LONGEST);
        found.extend(check(&input, &mut seeds));
        count += 1;
    }
    drop(fs_err::remove_file(&current));
    eprintln!(
        "{}: {count} inputs in {:?}, {} different answers, {} failures",
        target.name,
        started.elapsed(),
        seen.len(),
        found.len()
    );
    found
}

/// The inputs of a folder, in order.
fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.iter().filter_map(|path| fs_err::read(path).ok()).collect()
}

fn outcome(target: &Target<'_>, input: &[u8], property: &impl Fn(&[u8]) -> String) -> Result<String, String> {
    let before = peak_memory();
    let (started, wall) = (thread_time(), now());
    let answer = catch_unwind(AssertUnwindSafe(|| property(input)));
    let wall = wall.elapsed();
    let spent = match (started, thread_time()) {
        (Some(started), Some(ended)) => ended.saturating_sub(started),
        _ => wall,
    };
    if spent > target.slowest {
        return Err(format!("took {spent:?}"));
    }
    if wall > WORTH_A_LOOK
        && let (Some(before), Some(after)) = (before, peak_memory())
    {
        if after.saturating_sub(before) > target.largest {
            return Err(format!("took {} MiB", after.saturating_sub(before) >> 20));
        }
        reset_peak();
    }
    answer.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panicked: {}", text.unwrap_or_default())
    })
}

/// Writes an input that fails to a file and describes it.
fn kept(target: &Target<'_>, input: &[u8], problem: &str) -> String {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = target.scratch.join(format!("fuzz-{}-{:016x}", target.name, hasher.finish()));
    drop(fs_err::write(&path, input));
    let shown = String::from_utf8_lossy(input.get(..300).unwrap_or(input)).into_owned();
    format!("{}: {problem}\n  {shown:?}", path.display())
}

#[expect(clippy::disallowed_methods, reason = "test helper: there is no command line to take it from")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[expect(clippy::disallowed_methods, reason = "real time is what is bounded here")]
fn now() -> Instant {
    Instant::now()
}
