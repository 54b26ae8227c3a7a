//! Real charts against what Helm 4.2.4 makes of them: the corpus of the shared directory, when it is there.
//!
//! The floor in `testdata/conformance-floor.json` only goes up. `TOWLINE_CASE=text` runs only cases with that text in
//! their name and shows what differs; `TOWLINE_OUTPUT=directory` writes every output there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod corpus;

use corpus::{strings, values_options};
use helm::chart::{Chart, load_archive};
use helm::template::{TemplateOptions, template};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// What one case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Bad(String),
}

fn options(directory: &Path, case: &Value) -> TemplateOptions {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    TemplateOptions {
        values: values_options(directory, case),
        release_name: text("release"),
        namespace: text("namespace"),
        kube_version: Some(text("kubeVersion")),
        api_versions: strings(case, "apiVersions"),
        include_crds: case["includeCrds"].as_bool().unwrap(),
        ..TemplateOptions::default()
    }
}

/// The (kind, name) pairs or the kinds of an output, in order.
fn structure(text: &str, what: &str) -> String {
    let mut lines = String::new();
    for document in helm::manifest::split_manifests(text) {
        let Ok(head) = helm::manifest::ManifestHead::parse(document) else { continue };
        if head.kind.is_empty() {
            continue;
        }
        lines.push_str(&head.kind);
        if what == "names" {
            lines.push(' ');
            lines.push_str(&head.name);
        }
        lines.push('\n');
    }
    lines
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What Helm gave for a case that is not deterministic, of `testdata/corpus-structure.json`.
fn judge(case: &Value, output: Result<String, String>, expectations: &Value) -> Outcome {
    let name = case["name"].as_str().unwrap();
    match (case["expect"].as_str().unwrap(), output) {
        ("error", Err(_)) => Outcome::Good,
        ("error", Ok(_)) => Outcome::Bad("Helm fails, we do not".into()),
        (_, Err(error)) => Outcome::Bad(format!("Helm succeeds, we fail: {error}")),
        (_, Ok(text)) if case["deterministic"] == true => {
            if digest(&text) == case["sha256"].as_str().unwrap() {
                Outcome::Good
            } else {
                Outcome::Bad("output differs".into())
            }
        }
        (_, Ok(text)) => {
            let what = case["structure"].as_str().unwrap();
            let expected = &expectations[name];
            if what != "none" && digest(&structure(&text, what)) != expected["structure"].as_str().unwrap_or_default() {
                return Outcome::Bad(format!("{what} differ"));
            }
            let Some(varying) = expected["varying"].as_array() else { return Outcome::Good };
            let varying: Vec<usize> = varying.iter().map(|line| line.as_u64().unwrap() as usize).collect();
            if digest(&steady(&text, &varying)) == expected["steady"].as_str().unwrap() {
                Outcome::Good
            } else {
                Outcome::Bad("a line on which Helm's runs agree differs".into())
            }
        }
    }
}

/// The text without the lines that differ between Helm's own runs.
fn steady(text: &str, varying: &[usize]) -> String {
    text.lines()
        .enumerate()
        .map(|(number, line)| if varying.contains(&number) { "?\n".to_owned() } else { format!("{line}\n") })
        .collect()
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn json(path: &Path) -> Value {
    fs_err::read(path).ok().map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn real_charts_render_as_with_helm() {
    let Some(shared) = oracle::shared_directory() else { return };
    let directory = shared.join("corpus/charts");
    let mut cases: Vec<Value> = serde_json::from_slice(&fs_err::read(directory.join("cases.json")).unwrap()).unwrap();
    let filter = std::env::var("TOWLINE_CASE").unwrap_or_default();
    cases.retain(|case| case["name"].as_str().unwrap().contains(&filter));
    let expectations = json(&testdata("corpus-structure.json"));
    let charts: Mutex<BTreeMap<String, &'static OnceLock<Chart>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let outcomes: Mutex<BTreeMap<usize, Outcome>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let file = case["chart"].as_str().unwrap().to_owned();
                    let cell: &'static OnceLock<Chart> =
                        charts.lock().unwrap().entry(file.clone()).or_insert_with(|| Box::leak(Box::default()));
                    let chart = cell.get_or_init(|| {
                        load_archive(&fs_err::read(directory.join(&file)).unwrap()).expect("chart loads")
                    });
                    let output = template(chart, &options(&directory, case))
                        .map(|output| output.text)
                        .map_err(|error| error.to_string());
                    if let Ok(target) = std::env::var("TOWLINE_OUTPUT") {
                        let name = case["name"].as_str().unwrap().replace('/', "~");
                        let text = output.clone().unwrap_or_else(|error| format!("error: {error}\n"));
                        fs_err::write(Path::new(&target).join(name), text).unwrap();
                    }
                    let outcome = judge(case, output, &expectations);
                    outcomes.lock().unwrap().insert(index, outcome);
                }
            });
        }
    });
    report(&cases, &outcomes.into_inner().unwrap(), filter.is_empty());
}

/// Prints also when the test passes: the numbers are to be seen.
fn say(line: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "{line}").unwrap();
}

/// `TOWLINE_HELM=path/to/helm cargo test -p helm --test conformance -- --ignored` writes `testdata/corpus-structure.json`
/// anew: for each case that is not deterministic what is the same in three runs of the real Helm.
#[test]
#[ignore = "asks the real Helm, to be run when the corpus changes"]
fn write_structure() {
    let Some(shared) = oracle::shared_directory() else { return };
    let directory = shared.join("corpus/charts");
    let helm = std::env::var("TOWLINE_HELM").expect("TOWLINE_HELM");
    let cases: Vec<Value> = serde_json::from_slice(&fs_err::read(directory.join("cases.json")).unwrap()).unwrap();
    let mut expectations = serde_json::Map::new();
    for case in cases.iter().filter(|case| case["structure"].is_string()) {
        let runs: Vec<String> = (0..3).map(|_| run_helm(&helm, &directory, case)).collect();
        let what = case["structure"].as_str().unwrap();
        let mut expected = serde_json::Map::new();
        expected.insert("structure".into(), digest(&structure(&runs[0], what)).into());
        let lines: Vec<Vec<&str>> = runs.iter().map(|run| run.lines().collect()).collect();
        if lines.iter().all(|run| run.len() == lines[0].len()) {
            let varying: Vec<usize> =
                (0..lines[0].len()).filter(|line| lines.iter().any(|run| run[*line] != lines[0][*line])).collect();
            expected.insert("steady".into(), digest(&steady(&runs[0], &varying)).into());
            expected.insert("varying".into(), varying.into());
        }
        expectations.insert(case["name"].as_str().unwrap().to_owned(), expected.into());
    }
    let text = serde_json::to_string(&expectations).unwrap().replace("},", "},\n");
    fs_err::write(testdata("corpus-structure.json"), text + "\n").unwrap();
}

fn run_helm(helm: &str, directory: &Path, case: &Value) -> String {
    let mut command = std::process::Command::new(helm);
    command
        .current_dir(directory)
        .arg("template")
        .arg(case["release"].as_str().unwrap())
        .arg(case["chart"].as_str().unwrap());
    command.args(["--namespace", case["namespace"].as_str().unwrap()]);
    for (flag, field) in [
        ("-f", "values"),
        ("--set", "set"),
        ("--set-string", "setString"),
        ("--set-json", "setJson"),
        ("--api-versions", "apiVersions"),
    ] {
        for value in strings(case, field) {
            command.args([flag, &value]);
        }
    }
    if let Some(version) = case["kubeVersion"].as_str().filter(|version| !version.is_empty()) {
        command.args(["--kube-version", version]);
    }
    if case["includeCrds"] == true {
        command.arg("--include-crds");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", case["name"]);
    String::from_utf8(output.stdout).unwrap()
}

fn report(cases: &[Value], outcomes: &BTreeMap<usize, Outcome>, complete: bool) {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (case, outcome) in cases.iter().zip(outcomes.values()) {
        let group = match (case["expect"].as_str().unwrap(), case["deterministic"].as_bool().unwrap()) {
            ("error", _) => "error",
            (_, true) => "deterministic",
            (_, false) => "structure",
        };
        let count = counts.entry(group).or_default();
        count.1 += 1;
        match outcome {
            Outcome::Good => count.0 += 1,
            Outcome::Bad(reason) => {
                let reason: String = reason.chars().take(600).collect();
                say(&format!("DIFFERS {}: {reason}", case["name"].as_str().unwrap()));
            }
        }
    }
    let floor = json(&testdata("conformance-floor.json"));
    for (group, (good, all)) in &counts {
        say(&format!("conformance {group}: {good}/{all}"));
        if complete {
            let floor = floor[*group].as_u64().unwrap_or(0) as usize;
            assert!(*good >= floor, "{group}: {good} of {all} cases agree, the floor is {floor}");
            if *good > floor {
                say(&format!(
                    "the floor of {group} in testdata/conformance-floor.json can go up from {floor} to {good}"
                ));
            }
        }
    }
}
