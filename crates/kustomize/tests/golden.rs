//! Golden kustomizations: each directory of `tests/golden` is built and held against what kustomize 5.8.1 prints for it.
//!
//! A case is a directory with a kustomization (its `overlay` directory is built if there is one, else the case itself) and
//! either `expected.yaml`, or `expected-error`: the build fails, and its message has every line of that file in it.
//! An optional file `options` changes the build: `load-restrictor: none`, `reorder: none`, `enable-helm`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::{path::Path, sync::Arc};

use kustomize::{LoadRestriction, Options, Reorder, build, fs::DirectoryFileSystem};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut trials = Vec::new();
    for entry in fs_err::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || check(&path)));
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(path: &Path) -> Option<String> {
    path.exists().then(|| fs_err::read_to_string(path).unwrap())
}

fn options(case: &Path) -> Options {
    let text = read(&case.join("options")).unwrap_or_default();
    let has = |line: &str| text.lines().any(|known| known == line);
    Options {
        reorder: if has("reorder: none") { Reorder::None } else { Reorder::Legacy },
        load_restriction: if has("load-restrictor: none") { LoadRestriction::None } else { LoadRestriction::RootOnly },
        enable_helm: has("enable-helm"),
        ..Options::default()
    }
}

fn check(case: &Path) -> Result<(), Failed> {
    let root = if case.join("overlay").is_dir() { "/overlay" } else { "/" };
    let fs = DirectoryFileSystem::below(case).unwrap();
    let built = build(Arc::new(fs), root, options(case)).and_then(|built| built.to_yaml());
    match (built, read(&case.join("expected.yaml")), read(&case.join("expected-error"))) {
        (Ok(found), Some(expected), None) if found == expected => Ok(()),
        (Ok(found), Some(expected), None) => Err(difference(&expected, &found).into()),
        (Err(error), Some(_), None) => Err(format!("failed: {error}").into()),
        (Ok(found), None, Some(_)) => Err(format!("should have failed:\n{found}").into()),
        (Err(error), None, Some(parts)) => {
            let text = error.to_string();
            match parts.lines().find(|part| !text.contains(part)) {
                Some(part) => Err(format!("the message lacks {part:?}:\n{text}").into()),
                None => Ok(()),
            }
        }
        _ => Err("a case has expected.yaml or expected-error".into()),
    }
}

fn difference(expected: &str, found: &str) -> String {
    for (expected, found) in expected.split("---\n").zip(found.split("---\n")) {
        if expected != found {
            return format!("output differs\n<<< expected\n{expected}>>> found\n{found}");
        }
    }
    format!("output differs\n<<< expected\n{expected}>>> found\n{found}")
}
