//! The shared corpus of kustomize cases, where it is present: prints how many agree and holds a floor that only goes up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::panic, reason = "tests")]

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::Engine;
use kustomize::{LoadRestriction, Options, Reorder, build, fs::MemoryFileSystem};
use serde_json::Value;

/// Prints past the test harness's capture.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

/// Builds of the corpus that must agree (of 320 builds less 7 that disagree with kustomize itself).
const FLOOR_BUILDS: usize = 0;
/// Overlays of the corpus that must agree.
const FLOOR_OVERLAYS: usize = 0;

#[expect(clippy::disallowed_methods, reason = "tests find the shared material by it")]
fn shared() -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = std::env::var("TOWLINE_SHARED").map_or_else(|_| workspace.join("../shared"), PathBuf::from);
    let corpus = path.join("corpus/kustomize");
    if corpus.is_dir() {
        return Some(corpus);
    }
    say!("SKIPPED: no kustomize corpus");
    None
}

fn files(case: &Value) -> MemoryFileSystem {
    let mut fs = MemoryFileSystem::default();
    for (path, text) in case["files"].as_object().into_iter().flatten() {
        fs.insert(path, text.as_str().unwrap());
    }
    for (path, text) in case["files_base64"].as_object().into_iter().flatten() {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_str().unwrap()).unwrap();
        fs.insert(path, bytes);
    }
    fs
}

fn options(case: &Value) -> Options {
    let options = &case["options"];
    let reorder = options["reorder"].as_str().unwrap_or("none");
    Options {
        load_restriction: match options["load_restrictions"].as_str() {
            Some("none") => LoadRestriction::None,
            _ => LoadRestriction::RootOnly,
        },
        reorder: if reorder == "none" { Reorder::None } else { Reorder::Legacy },
        reorder_forced: reorder != "unspecified",
        managed_by_label: options["add_managedby_label"].as_bool().unwrap_or(false),
        ..Options::default()
    }
}

/// `Ok` when the case agrees, else what differs.
fn check(case: &Value) -> Result<(), String> {
    let mut fs = files(case);
    let root = format!("/{}", case["root"].as_str().unwrap_or("."));
    if case["kind"] == "generator" {
        fs.insert("kustomization.yaml", "generators:\n- zz-config.yaml\n");
    }
    let built = build(Arc::new(fs), &root, options(case)).and_then(|built| built.to_yaml());
    let expected = &case["expected_stdout"];
    match (&built, expected.as_str()) {
        (Ok(out), Some(expected)) if out == expected => Ok(()),
        (Ok(out), Some(expected)) => Err(format!("output differs\n--- expected\n{expected}\n--- found\n{out}")),
        (Err(error), Some(_)) => Err(format!("failed: {error}")),
        (Ok(out), None) => Err(format!("should have failed: {case_errors}\n{out}", case_errors = errors(case))),
        (Err(_), None) => Ok(()),
    }
}

fn errors(case: &Value) -> String {
    case.as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| key.starts_with("expected_error"))
        .map(|(_, v)| v.to_string())
        .collect()
}

#[test]
fn builds() {
    let Some(corpus) = shared() else { return };
    let mut cases: BTreeMap<String, Value> = BTreeMap::new();
    for entry in fs_err::read_dir(corpus.join("cases")).unwrap() {
        let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap();
        cases.insert(case["name"].as_str().unwrap().to_owned(), case);
    }
    let (mut agree, mut total) = (0, 0);
    for (name, case) in &cases {
        let is_build = ["build", "transformer", "generator"].contains(&case["kind"].as_str().unwrap());
        if !is_build || case["oracle_disagrees"] == true {
            continue;
        }
        total += 1;
        match check(case) {
            Ok(()) => agree += 1,
            Err(why) => say!("DISAGREES {name}: {why}"),
        }
    }
    say!("kustomize corpus builds: {agree}/{total}");
    assert!(agree >= FLOOR_BUILDS, "{agree} of {total} agree, fewer than {FLOOR_BUILDS}");
}

#[test]
fn overlays() {
    let Some(corpus) = shared() else { return };
    let fs = kustomize::fs::DirectoryFileSystem::whole_machine();
    let (mut agree, mut total) = (0, 0);
    let expected_root = corpus.join("overlays-expected");
    let mut pending = vec![expected_root.clone()];
    while let Some(directory) = pending.pop() {
        for entry in fs_err::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let relative = path.strip_prefix(&expected_root).unwrap().with_extension("");
            let directory = corpus.join("overlays").join(&relative);
            let directory =
                if relative.ends_with("_root") { directory.parent().unwrap().to_owned() } else { directory };
            let options =
                Options { load_restriction: LoadRestriction::None, reorder: Reorder::Legacy, ..Options::default() };
            total += 1;
            let root = fs_err::canonicalize(&directory).unwrap_or(directory);
            let built = build(Arc::new(fs.clone()), root.to_str().unwrap(), options).and_then(|built| built.to_yaml());
            let expected = fs_err::read_to_string(&path).unwrap();
            match built {
                Ok(out) if out == expected => agree += 1,
                Ok(out) => {
                    say!("DISAGREES {}: {} bytes, expected {}", relative.display(), out.len(), expected.len())
                }
                Err(error) => say!("DISAGREES {}: {error}", relative.display()),
            }
        }
    }
    say!("kustomize corpus overlays: {agree}/{total}");
    assert!(agree >= FLOOR_OVERLAYS, "{agree} of {total} agree, fewer than {FLOOR_OVERLAYS}");
}
