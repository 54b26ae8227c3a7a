//! Writes a tree as a golden directory: its files, and what kustomize makes of them.

use std::path::{Path, PathBuf};

use crate::generator::Tree;
use crate::judge::Outcome;

/// Writes the directory of a seed: into the golden directories when the run blesses, or else aside, ready to be moved there.
pub(crate) fn write(seed: u64, tree: &Tree, theirs: &Outcome) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let aside = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kustomize-differences");
    let place = if oracle::blesses() { golden } else { aside }.join(format!("seed-{seed}"));
    if place.exists() {
        fs_err::remove_dir_all(&place).unwrap();
    }
    for (path, text) in &tree.files {
        put(&place.join(path), text);
    }
    if !tree.legacy {
        put(&place.join("options"), "reorder: none\n");
    }
    match theirs {
        Ok(output) => put(&place.join("expected.yaml"), output),
        // What the message must say is for people to add: kustomize's own words are not the measure.
        Err(_) => put(&place.join("expected-error"), ""),
    }
    place
}

fn put(path: &Path, text: &str) {
    if let Some(parent) = path.parent() {
        fs_err::create_dir_all(parent).unwrap();
    }
    fs_err::write(path, text).unwrap();
}
