//! Test: our CRDs are upstream's. The upstream CRDs are read out of the Go modules at test time and are no part of the project.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A Go module, the sum it must have, and where its CRDs are.
struct Upstream {
    module: &'static str,
    sum: &'static str,
    crds: &'static str,
}

const UPSTREAMS: &[Upstream] = &[
    Upstream {
        module: "github.com/fluxcd/source-controller@v1.9.1",
        sum: "h1:FF8XTxLND/pXzVtUESKURUDiItFJQDZBZkbHvZimN8s=",
        crds: "config/crd/bases",
    },
    Upstream {
        module: "github.com/fluxcd/helm-controller@v1.6.3",
        sum: "h1:MSiDP/s8xRSkO3g11vBiDStxfmJ5ZVdwDEpW7BSE/UA=",
        crds: "config/crd/bases",
    },
    Upstream {
        module: "github.com/fluxcd/helm-operator@v1.4.4",
        sum: "h1:Z5xiRc7UhCqhzc83qEa9PvW+yto7Ymc4ihVSgMkvZ9g=",
        crds: "chart/helm-operator/crds",
    },
];

/// What is in ours and not in theirs, on purpose: path and why. `*` stands for one CRD.
const ADDITIONS: &[(&str, &str)] = &[
    // The distribution adds it to every CRD; the bases of the modules do not have it yet.
    ("*/metadata/annotations/kustomize.toolkit.fluxcd.io/substitute", "added by the distribution"),
    (
        "helmreleases.helm.fluxcd.io/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/towline",
        "what the engine remembers of a release",
    ),
    (
        "helmreleases.helm.fluxcd.io/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions/items/properties/type/enum",
        "Ready, for `kubectl wait`",
    ),
];

/// What is in theirs and not in ours, on purpose.
const OMISSIONS: &[(&str, &str)] = &[
    ("*/metadata/annotations/controller-gen.kubebuilder.io/version", "ours are not made by controller-gen"),
    ("*/metadata/creationTimestamp", "a null written by an old controller-gen"),
    ("*/status", "an empty status written by an old controller-gen"),
];

fn download(upstream: &Upstream) -> Option<PathBuf> {
    let output = match Command::new("go").args(["mod", "download", "-json", upstream.module]).output() {
        Ok(output) => output,
        Err(error) => {
            println!("SKIPPED: CRD parity needs Go to read the upstream modules: {error}");
            return None;
        }
    };
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let (Some(directory), Some(sum)) = (answer["Dir"].as_str(), answer["Sum"].as_str()) else {
        println!("SKIPPED: CRD parity cannot download {}: {}", upstream.module, answer["Error"]);
        return None;
    };
    assert_eq!(sum, upstream.sum, "{} is not the module it was", upstream.module);
    Some(PathBuf::from(directory))
}

fn read_crds(directory: &Path) -> BTreeMap<String, Value> {
    let mut crds = BTreeMap::new();
    for entry in fs_err::read_dir(directory).unwrap() {
        let text = fs_err::read(entry.unwrap().path()).unwrap();
        let crd: Value = serde_json::from_str(&yaml::v2::yaml_to_json(&text).unwrap()).unwrap();
        crds.insert(crd["metadata"]["name"].as_str().unwrap().to_owned(), crd);
    }
    crds
}

fn is_listed(list: &[(&str, &str)], path: &str) -> bool {
    let rest = path.split_once('/').map_or("", |(_, rest)| rest);
    list.iter().any(|(pattern, _)| *pattern == path || pattern.strip_prefix("*/") == Some(rest))
}

fn compare(path: &str, ours: &Value, theirs: &Value, differences: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in ours {
                let path = format!("{path}/{key}");
                match theirs.get(key) {
                    // A property may be called description; the keyword is text, and ours.
                    _ if key == "description" && value.is_string() => {}
                    Some(other) => compare(&path, value, other, differences),
                    None if is_listed(ADDITIONS, &path) => {}
                    None => differences.push(format!("{path}: only ours: {value}")),
                }
            }
            for (key, value) in theirs.iter().filter(|(key, _)| !ours.contains_key(*key)) {
                let path = format!("{path}/{key}");
                if !(key == "description" && value.is_string() || is_listed(OMISSIONS, &path)) {
                    differences.push(format!("{path}: only upstream's: {value}"));
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() && !path.ends_with("/required") => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                compare(&format!("{path}/{index}"), ours, theirs, differences);
            }
        }
        (Value::Array(ours), Value::Array(theirs))
            if path.ends_with("/enum")
                && is_listed(ADDITIONS, path)
                && theirs.iter().all(|word| ours.contains(word)) => {}
        (Value::Array(left), Value::Array(right)) if path.ends_with("/required") => {
            let sorted = |list: &[Value]| {
                let mut names: Vec<_> = list.iter().map(ToString::to_string).collect();
                names.sort();
                names
            };
            if sorted(left) != sorted(right) {
                differences.push(format!("{path}: ours {ours}, upstream's {theirs}"));
            }
        }
        (Value::Number(ours), Value::Number(theirs)) if ours.as_f64() == theirs.as_f64() => {}
        _ if ours == theirs => {}
        _ => differences.push(format!("{path}: ours {ours}, upstream's {theirs}")),
    }
}

#[test]
fn our_crds_are_upstreams() {
    let ours: BTreeMap<String, Value> = common::crd::all()
        .into_iter()
        .map(|crd| (crd.metadata.name.clone().unwrap(), serde_json::to_value(crd).unwrap()))
        .collect();
    let mut differences = Vec::new();
    let mut compared = 0;
    for upstream in UPSTREAMS {
        let Some(directory) = download(upstream) else { continue };
        for (name, theirs) in read_crds(&directory.join(upstream.crds)) {
            match ours.get(&name) {
                Some(ours) => compare(&name, ours, &theirs, &mut differences),
                None => differences.push(format!("{name}: not ours")),
            }
            compared += 1;
        }
    }
    println!("{compared} CRDs compared with upstream's");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared == 0 || compared == ours.len(), "compared {compared} of {}", ours.len());
}

/// The comparison itself must see a difference wherever there is one.
#[test]
fn the_comparison_sees_differences() {
    let crd = serde_json::json!({ "spec": { "required": ["a", "b"], "pattern": "x", "description": "ours" } });
    let same = serde_json::json!({ "spec": { "required": ["b", "a"], "pattern": "x", "description": "theirs" } });
    let mut differences = Vec::new();
    compare("crd", &crd, &same, &mut differences);
    assert!(differences.is_empty(), "{differences:?}");
    for other in [
        serde_json::json!({ "spec": { "required": ["a"], "pattern": "x" } }),
        serde_json::json!({ "spec": { "required": ["a", "b"], "pattern": "y" } }),
        serde_json::json!({ "spec": { "required": ["a", "b"] } }),
        serde_json::json!({ "spec": { "required": ["a", "b"], "pattern": "x", "minLength": 1 } }),
    ] {
        let mut differences = Vec::new();
        compare("crd", &crd, &other, &mut differences);
        assert_eq!(differences.len(), 1, "{other}");
    }
}
