//! What `helm lint` says about small charts (`testdata/lint`) and about the real charts of the corpus.
//!
//! `TOWLINE_HELM=path/to/helm cargo test -p helm --test lint` asks the real Helm anew and rewrites what is expected.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod case;

use case::Case;
use helm::capabilities::KubeVersion;
use helm::lint::{ChartFiles, ChartReport, LintOptions, lint, report};
use helm::values::{ValuesFile, ValuesOptions};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the chart lies, in what is expected.
const PLACE: &str = "/place/";

fn ours(case: &Case) -> String {
    let mut files = ChartFiles { directory: format!("{PLACE}chart"), ..ChartFiles::default() };
    for (name, text) in &case.files {
        match name.strip_prefix("chart/") {
            Some(name) if name.ends_with('/') => drop(files.directories.insert(name.trim_end_matches('/').to_owned())),
            Some(name) => files.add(name, text.clone().into_bytes()),
            None => {}
        }
    }
    let mut options = LintOptions { namespace: "default".into(), ..LintOptions::default() };
    let mut values = ValuesOptions::default();
    let (mut strict, mut quiet) = (false, false);
    for flag in &case.flags {
        let (name, value) = flag.split_once(' ').unwrap_or((flag, ""));
        let value = value.to_owned();
        match name {
            "--set" => values.set.push(value),
            "-f" => {
                let content = case.files.iter().find(|file| file.0 == value).unwrap().1.clone().into_bytes();
                values.files.push(ValuesFile { name: value, content });
            }
            "--strict" => strict = true,
            "--quiet" => quiet = true,
            "--namespace" => options.namespace = value,
            "--kube-version" => options.kube_version = Some(KubeVersion::parse(&value).unwrap()),
            "--skip-schema-validation" => options.skip_schema_validation = true,
            other => panic!("unknown flag {other}"),
        }
    }
    let findings = lint(&files, &values.merge().unwrap(), &options);
    printed(&ChartReport { path: "chart".into(), result: Ok(findings) }, strict, quiet)
}

fn printed(chart: &ChartReport, strict: bool, quiet: bool) -> String {
    let report = report(std::slice::from_ref(chart), strict, quiet);
    let failure = report.failure.map(|failure| format!("Error: {failure}\n")).unwrap_or_default();
    report.text + &failure
}

fn theirs(helm: &Path, directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(helm)
        .arg("lint")
        .args(arguments)
        .current_dir(directory)
        .env("HELM_CACHE_HOME", directory.join("cache"))
        .env("HELM_CONFIG_HOME", directory.join("config"))
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let error = error.lines().find(|line| line.starts_with("Error: ")).map(|line| format!("{line}\n"));
    let text = String::from_utf8(output.stdout).unwrap() + &error.unwrap_or_default();
    assert_eq!(output.status.success(), !text.contains("\nError: "));
    text.replace(&format!("{}/", directory.display()), PLACE)
}

#[test]
fn small_charts_are_judged_as_helm_judges_them() {
    case::hold("lint", 50, ours, |helm, case| {
        let scratch = std::env::temp_dir().join(format!("towline-lint-{}", std::process::id()));
        case.write(&scratch);
        let flags = case.flags.iter().flat_map(|flag| flag.splitn(2, ' '));
        let answer = theirs(helm, &scratch, &std::iter::once("chart").chain(flags).collect::<Vec<_>>());
        fs_err::remove_dir_all(&scratch).unwrap();
        answer
    });
}

/// Without and with warnings as failures, under an old and under the newest Kubernetes.
const CORPUS_FLAGS: &[&[&str]] =
    &[&[], &["--strict", "--quiet", "--kube-version", "1.16"], &["--kube-version", "1.25"]];

#[test]
fn real_charts_are_judged_as_helm_judges_them() {
    let Some(shared) = oracle::shared_directory() else { return };
    let directory = shared.join("corpus/charts");
    let expected_file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/lint-corpus.json");
    let helm = std::env::var_os("TOWLINE_HELM");
    let mut expected: BTreeMap<String, String> = match &helm {
        Some(_) => BTreeMap::new(),
        None => serde_json::from_slice(&fs_err::read(&expected_file).unwrap()).unwrap(),
    };
    let mut charts: Vec<String> = fs_err::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".tgz"))
        .collect();
    charts.sort();
    let (mut same, mut failures) = (0, String::new());
    for chart in &charts {
        let bytes = fs_err::read(directory.join(chart)).unwrap();
        for flags in CORPUS_FLAGS {
            let key = format!("{chart} {}", flags.join(" "));
            if let Some(helm) = &helm {
                let arguments: Vec<&str> = std::iter::once(chart.as_str()).chain(flags.iter().copied()).collect();
                let text = theirs(Path::new(helm), &directory, &arguments);
                expected.insert(key.clone(), text);
            }
            let version = flags.iter().position(|flag| *flag == "--kube-version").map(|index| flags[index + 1]);
            let options = LintOptions {
                namespace: "default".into(),
                kube_version: version.map(|version| KubeVersion::parse(version).unwrap()),
                ..LintOptions::default()
            };
            let files = ChartFiles::from_archive(PLACE, &bytes).unwrap();
            let findings = lint(&files, &ValuesOptions::default().merge().unwrap(), &options);
            let (strict, quiet) = (flags.contains(&"--strict"), flags.contains(&"--quiet"));
            let found = printed(&ChartReport { path: chart.clone(), result: Ok(findings) }, strict, quiet);
            if expected.get(&key) == Some(&found) {
                same += 1;
            } else {
                let expected = expected.get(&key).map(String::as_str).unwrap_or_default();
                failures.push_str(&format!("=== {key}\n--- expected\n{expected}--- found\n{found}\n"));
            }
        }
    }
    if helm.is_some() {
        fs_err::write(&expected_file, serde_json::to_string_pretty(&expected).unwrap() + "\n").unwrap();
    }
    eprintln!("lint of real charts: {same}/{} as Helm", charts.len() * CORPUS_FLAGS.len());
    assert!(failures.is_empty(), "{failures}");
}
