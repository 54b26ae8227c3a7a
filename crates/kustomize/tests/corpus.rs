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
const FLOOR_BUILDS: usize = 313;
/// Expected failures whose text differs from upstream's, at most.
const MAX_OTHER_WORDS: usize = 5;
/// Library calls of the corpus that must agree: all of them.
const FLOOR_LIBRARY: usize = 128;
/// Overlays of the corpus that must agree.
const FLOOR_OVERLAYS: usize = 30;

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
        managed_by_label: options["add_managedby_label"].as_bool().unwrap_or(false),
        ..Options::default()
    }
}

/// Whether a case agrees; an expected error also says whether its words are the same.
enum Verdict {
    Agrees,
    OtherWords(String),
    Differs(String),
}

fn check(case: &Value) -> Verdict {
    let mut fs = files(case);
    let root = format!("/{}", case["root"].as_str().unwrap_or("."));
    if case["kind"] == "generator" {
        fs.insert("kustomization.yaml", "generators:\n- zz-config.yaml\n");
    }
    let built = build(Arc::new(fs), &root, options(case)).and_then(|built| built.to_yaml());
    let expected = case["expected_stdout"].as_str();
    match (&built, expected) {
        (Ok(out), Some(expected)) if out == expected => Verdict::Agrees,
        // The unit tests of generators stop before names get their hashes.
        (Ok(out), Some(expected)) if case["kind"] == "generator" && unhashed(out) == expected => Verdict::Agrees,
        (Ok(out), Some(expected)) => {
            Verdict::Differs(format!("output differs\n--- expected\n{expected}\n--- found\n{out}"))
        }
        (Err(error), Some(_)) => Verdict::Differs(format!("failed: {error}")),
        (Ok(out), None) => Verdict::Differs(format!("should have failed: {}\n{out}", errors(case))),
        (Err(error), None) => words(case, &error.to_string()),
    }
}

/// The text with the ten characters of a hash taken from the end of each name.
fn unhashed(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.strip_prefix("  name: ") {
        Some(name) => format!("  name: {}\n", name.trim_end().rsplit_once('-').map_or(name, |(name, _)| name)),
        None => line.to_owned(),
    });
    lines.collect()
}

/// Compares an error's text with what is expected of it. File names in expectations are those of the tests of origin.
fn words(case: &Value, error: &str) -> Verdict {
    let list = |key: &str| -> Vec<String> {
        match &case[key] {
            Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(text) => vec![text.clone()],
            _ => Vec::new(),
        }
    };
    let one_of = list("expected_error_one_of");
    let agrees = list("expected_error").iter().all(|part| error.contains(part.as_str()))
        && list("expected_error_exact").iter().all(|part| error.contains(part.as_str()))
        && (one_of.is_empty() || one_of.iter().any(|part| error.contains(part.as_str())))
        && case["expected_error_regex"].is_null();
    if agrees { Verdict::Agrees } else { Verdict::OtherWords(format!("{}\n  found: {error}", errors(case))) }
}

fn errors(case: &Value) -> String {
    case.as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| key.starts_with("expected_error"))
        .map(|(_, v)| v.to_string())
        .collect()
}

fn cases(corpus: &std::path::Path, kinds: &[&str]) -> Vec<(String, Value)> {
    let mut cases: BTreeMap<String, Value> = BTreeMap::new();
    for entry in fs_err::read_dir(corpus.join("cases")).unwrap() {
        let text = fs_err::read_to_string(entry.unwrap().path()).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap();
        cases.insert(case["name"].as_str().unwrap().to_owned(), case);
    }
    cases.retain(|_, case| kinds.contains(&case["kind"].as_str().unwrap()) && case["oracle_disagrees"] != true);
    cases.into_iter().collect()
}

#[test]
fn builds() {
    let Some(corpus) = shared() else { return };
    let (mut agree, mut other_words) = (0, 0);
    let cases = cases(&corpus, &["build", "transformer", "generator"]);
    for (name, case) in &cases {
        match check(case) {
            Verdict::Agrees => agree += 1,
            Verdict::OtherWords(why) => {
                (agree, other_words) = (agree + 1, other_words + 1);
                say!("OTHER WORDS {name}: {why}");
            }
            Verdict::Differs(why) => say!("DISAGREES {name}: {why}"),
        }
    }
    let total = cases.len();
    say!("kustomize corpus builds: {agree}/{total}, of which {other_words} fail as expected in other words");
    assert!(agree >= FLOOR_BUILDS, "{agree} of {total} agree, fewer than {FLOOR_BUILDS}");
    assert!(other_words <= MAX_OTHER_WORDS, "{other_words} errors in other words, more than {MAX_OTHER_WORDS}");
}

/// The documents of a YAML text as data.
fn data(text: &str) -> Result<Vec<Value>, String> {
    let documents = kustomize::testing::documents(text)?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

#[test]
fn library_calls() {
    let Some(corpus) = shared() else { return };
    let cases = cases(&corpus, &["filter", "merge2"]);
    let mut agree = 0;
    for (name, case) in &cases {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let found = if case["kind"] == "filter" {
            kustomize::testing::filter(text("filter"), &case["config"], text("input"))
        } else {
            let (infer, append) = (case["infer"] == true, text("list_direction") != "prepend");
            kustomize::testing::merge(text("patch"), text("dest"), infer, append)
        };
        let verdict = match (found, case["expected"].as_str()) {
            (Ok(found), Some(expected)) => match data(expected) {
                Ok(expected) if expected == found => Verdict::Agrees,
                expected => Verdict::Differs(format!("\n  expected {expected:?}\n  found    {found:?}")),
            },
            (Err(error), Some(_)) => Verdict::Differs(format!("failed: {error}")),
            (Ok(found), None) => Verdict::Differs(format!("should have failed: {}: {found:?}", errors(case))),
            (Err(error), None) => words(case, &error),
        };
        match verdict {
            Verdict::Agrees => agree += 1,
            Verdict::OtherWords(why) => say!("OTHER WORDS {name}: {why}"),
            Verdict::Differs(why) => say!("DISAGREES {name}: {why}"),
        }
    }
    let total = cases.len();
    say!("kustomize corpus library calls: {agree}/{total}");
    assert!(agree >= FLOOR_LIBRARY, "{agree} of {total} agree, fewer than {FLOOR_LIBRARY}");
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
                    say!("DISAGREES {}: {} bytes, expected {}", relative.display(), out.len(), expected.len());
                }
                Err(error) => say!("DISAGREES {}: {error}", relative.display()),
            }
        }
    }
    say!("kustomize corpus overlays: {agree}/{total}");
    assert!(agree >= FLOOR_OVERLAYS, "{agree} of {total} agree, fewer than {FLOOR_OVERLAYS}");
}
