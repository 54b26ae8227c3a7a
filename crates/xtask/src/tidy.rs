//! House rules that no compiler checks: which crate may depend on which, inherited versions, what each file is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::generated::workspace;

/// Which of our crates each one may depend on, tests aside. An entry that is missing here is a decision that is missing.
const ARROWS: &[(&str, &[&str])] = &[
    ("apply", &["common", "status"]),
    ("archive", &[]),
    ("artifact", &["archive", "common"]),
    ("chart-repository", &["common", "http-client", "version", "yaml"]),
    ("common", &[]),
    ("fuzz", &[]),
    ("git", &["archive", "common", "http-client", "version"]),
    ("goregex", &[]),
    ("gotemplate", &["goregex", "version", "yaml"]),
    ("helm", &["archive", "goregex", "gotemplate", "version", "yaml"]),
    ("helm-controller", ANY_LIBRARY),
    ("http-client", &["common"]),
    ("kustomize", &["goregex", "helm", "yaml"]),
    ("memory", &[]),
    ("oci", &["common", "http-client"]),
    ("oracle", &[]),
    ("provenance", &["yaml"]),
    ("runtime", &["common"]),
    ("source-controller", ANY_LIBRARY),
    ("status", &[]),
    ("substitute", &[]),
    // Controllers run in its process, under their own names, so it may know them.
    ("testkit", &["common"]),
    ("towline", ANY_LIBRARY),
    ("version", &[]),
    ("xtask", EVERYTHING),
    ("yaml", &[]),
];

const ANY_LIBRARY: &[&str] = &[
    "apply",
    "archive",
    "artifact",
    "chart-repository",
    "common",
    "git",
    "goregex",
    "gotemplate",
    "helm",
    "http-client",
    "kustomize",
    "memory",
    "oci",
    "provenance",
    "runtime",
    "status",
    "substitute",
    "version",
    "yaml",
];

const EVERYTHING: &[&str] = &[
    "apply",
    "archive",
    "artifact",
    "chart-repository",
    "common",
    "fuzz",
    "git",
    "goregex",
    "gotemplate",
    "helm",
    "helm-controller",
    "http-client",
    "kustomize",
    "memory",
    "oci",
    "oracle",
    "provenance",
    "runtime",
    "source-controller",
    "status",
    "substitute",
    "testkit",
    "towline",
    "version",
    "yaml",
];

/// Crates that other people use as libraries: no runtime, no client, no network.
const PURE: &[&str] = &[
    "archive",
    "common",
    "goregex",
    "gotemplate",
    "helm",
    "kustomize",
    "provenance",
    "status",
    "substitute",
    "version",
    "yaml",
];

/// What a pure crate must not depend on.
const EFFECTS: &[&str] = &["axum", "git2", "hyper", "kube", "reqwest", "russh", "tokio", "tokio-util", "tonic"];

/// Packages that must not be in the tree at all, for licence or build reasons.
const BANNED: &[&str] = &["native-tls", "openssl", "openssl-sys", "ring"];

/// Names the machine of whoever wrote the file.
const MACHINE_PATHS: &[&str] = &["/home/", "/root/"];

/// Checks everything and says everything that is wrong.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut findings = Vec::new();
    for manifest in manifests()? {
        let text = fs_err::read_to_string(&manifest)?;
        let manifest = Manifest::read(&text).with_context(|| manifest.display().to_string())?;
        findings.extend(check_manifest(&manifest));
    }
    for file in tracked_files()? {
        // Binary files have no lines to check.
        let Ok(text) = fs_err::read_to_string(workspace().join(&file)) else { continue };
        findings.extend(check_file(&file, &text));
    }
    findings.extend(check_tree(&dependency_tree()?));
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{}", findings.join("\n"))
}

fn manifests() -> anyhow::Result<Vec<PathBuf>> {
    let mut manifests = Vec::new();
    for entry in fs_err::read_dir(workspace().join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.is_file() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    Ok(manifests)
}

fn tracked_files() -> anyhow::Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files"]).current_dir(workspace()).output().context("run git")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// What matters of a crate's manifest.
struct Manifest {
    name: String,
    dependencies: BTreeMap<String, toml::Value>,
    all_dependencies: Vec<(String, toml::Value)>,
    package: toml::Table,
    inherits_lints: bool,
}

impl Manifest {
    fn read(text: &str) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse()?;
        let package = table.get("package").and_then(toml::Value::as_table).context("no [package]")?.clone();
        let section = |name: &str| -> BTreeMap<String, toml::Value> {
            let section = table.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
            section.into_iter().collect()
        };
        let dependencies = section("dependencies");
        let mut all_dependencies: Vec<_> = dependencies.clone().into_iter().collect();
        all_dependencies.extend(section("dev-dependencies"));
        all_dependencies.extend(section("build-dependencies"));
        Ok(Self {
            name: package.get("name").and_then(toml::Value::as_str).context("no name")?.to_owned(),
            dependencies,
            all_dependencies,
            inherits_lints: inherits(table.get("lints")),
            package,
        })
    }
}

fn inherits(value: Option<&toml::Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
}

fn check_manifest(manifest: &Manifest) -> Vec<String> {
    let name = &manifest.name;
    let mut findings = Vec::new();
    for field in ["version", "edition", "rust-version", "license", "publish"] {
        if !inherits(manifest.package.get(field)) {
            findings.push(format!("{name}: package.{field} is not inherited from the workspace"));
        }
    }
    if !manifest.package.contains_key("description") {
        findings.push(format!("{name}: no description: say in one line what the crate is for"));
    }
    if !manifest.inherits_lints {
        findings.push(format!("{name}: [lints] workspace = true is missing"));
    }
    for (dependency, value) in &manifest.all_dependencies {
        if !inherits(Some(value)) {
            findings.push(format!("{name}: {dependency} is not inherited from [workspace.dependencies]"));
        }
    }
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
        findings.push(format!("{name}: not in the table of arrows in xtask/src/tidy.rs"));
        return findings;
    };
    for dependency in manifest.dependencies.keys() {
        if ours.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
            findings.push(format!("{name}: may not depend on {dependency} (see ARCHITECTURE.md)"));
        }
        if PURE.contains(&name.as_str()) && EFFECTS.contains(&dependency.as_str()) {
            findings.push(format!("{name}: is pure and may not depend on {dependency}"));
        }
    }
    findings
}

fn check_file(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let is_rust = Path::new(path).extension().is_some_and(|extension| extension == "rs");
    if is_rust && !path.contains("/generated/") {
        let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!"));
        if !first.is_some_and(|line| line.starts_with("//!")) {
            findings.push(format!("{path}: does not begin with a //! line that says what it is for"));
        }
    }
    let is_exempt = path == "Cargo.lock" || path.ends_with("go.sum") || path.ends_with("tidy.rs");
    for machine_path in MACHINE_PATHS.iter().filter(|_| !is_exempt) {
        if text.contains(machine_path) {
            findings.push(format!("{path}: names {machine_path}, a path of somebody's machine"));
        }
    }
    findings
}

/// Every package and feature that is compiled, one a line.
fn dependency_tree() -> anyhow::Result<String> {
    let output = Command::new("cargo")
        .args(["tree", "--workspace", "--edges", "features", "--prefix", "none"])
        .current_dir(workspace())
        .output()
        .context("run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check_tree(tree: &str) -> Vec<String> {
    let starts = |start: String| tree.lines().any(|line| line.starts_with(&start));
    let packages = BANNED
        .iter()
        .filter(|package| starts(format!("{package} v")))
        .map(|package| format!("{package} must not be in the tree; `cargo tree -i {package}` says who wants it"));
    // Maps in the order of the text, or numbers kept as text, would change what charts render.
    let features = ["preserve_order", "arbitrary_precision"]
        .iter()
        .filter(|feature| starts(format!("serde_json feature \"{feature}\"")))
        .map(|feature| format!("serde_json/{feature} is on; `cargo tree -e features -i serde_json` says who wants it"));
    packages.chain(features).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        if let Err(findings) = run() {
            panic!("{findings}");
        }
    }

    #[test]
    fn untidiness_is_seen() {
        let manifest = Manifest::read(
            "[package]\nname = \"status\"\nversion = \"1.0.0\"\nedition.workspace = true\nrust-version.workspace = true\n\
             license.workspace = true\npublish.workspace = true\n[dependencies]\nhelm.workspace = true\n\
             kube.workspace = true\nserde = \"1\"\n",
        )
        .unwrap();
        let findings = check_manifest(&manifest).join("\n");
        for expected in [
            "package.version is not inherited",
            "no description",
            "[lints] workspace",
            "serde is not inherited",
            "may not depend on helm",
            "may not depend on kube",
        ] {
            assert!(findings.contains(expected), "{expected} not in:\n{findings}");
        }
        assert_eq!(check_file("a/b.rs", "use std::fs;\n").len(), 1);
        assert!(check_file("a/b.rs", "#![allow(x)]\n//! For this.\n").is_empty());
        assert_eq!(check_file("a.md", "see /root/x").len(), 1);
        assert_eq!(check_tree("ring v0.17.0\nserde_json feature \"preserve_order\"\nserde_json v1.0.0\n").len(), 2);
    }
}
