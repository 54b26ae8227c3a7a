//! The random trees of the kustomize crate's differential test as files on disk, built by the real `kustomize` and by `towline`.
//!
//! Twenty in an ordinary run; `TOWLINE_FUZZ_CASES=200` or `TOWLINE_FUZZ_SEEDS=7,20-30` for others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "tests")]

use std::path::Path;
use std::process::Command;

use testkit::TempDir;

#[allow(dead_code, reason = "the kustomize crate's own test uses the rest")]
#[path = "../../kustomize/tests/differential/generator/mod.rs"]
mod generator;

use generator::Tree;

/// Trees of an ordinary run.
const CASES: u32 = 20;
/// How often kustomize is asked again when it differs: where it goes through a Go map, it has several answers.
const ASKED_AGAIN: usize = 8;

/// What a program printed, or `None` when it failed.
fn printed(program: &Path, place: &Path, tree: &Tree) -> (Option<Vec<u8>>, String) {
    let reorder = if tree.legacy { "--reorder=legacy" } else { "--reorder=none" };
    let output = Command::new(program).arg("build").arg(place.join(tree.root)).arg(reorder).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success().then_some(output.stdout), message)
}

#[test]
fn random_trees_on_disk_are_built_as_kustomize_builds_them() {
    let kustomize = match testkit::tool("kustomize") {
        Ok(kustomize) => kustomize,
        Err(error) => {
            eprintln!("SKIPPED comparison with kustomize: {error:#}");
            return;
        }
    };
    let (mut built, mut refused, mut different) = (0, 0, Vec::new());
    for seed in oracle::fuzz_seeds(CASES) {
        let tree = Tree::random(seed);
        let place = TempDir::new("tree").unwrap();
        for (path, text) in &tree.files {
            let path = place.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let (ours, our_message) = printed(Path::new(env!("CARGO_BIN_EXE_towline")), place.path(), &tree);
        let theirs = (0..=ASKED_AGAIN).map(|_| printed(&kustomize, place.path(), &tree));
        let (mut last, mut same) = (String::new(), false);
        for (theirs, message) in theirs {
            same = theirs == ours;
            last = message;
            if same {
                break;
            }
        }
        match (same, &ours) {
            (true, Some(_)) => built += 1,
            (true, None) => refused += 1,
            (false, _) => different.push(format!("seed {seed}\nours: {our_message}\nkustomize: {last}")),
        }
    }
    eprintln!(
        "kustomize and towline, as programs: {built} same, {refused} refused by both, {} different",
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n"));
}
