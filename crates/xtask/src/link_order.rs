//! The functions that small commands run, so that the linker can put them together: `crates/towline/link-order.txt`.
//!
//! Each part of a program that is touched for the first time costs a page fault; scattered over twenty megabytes, the few
//! hundred functions of a small `towline build` cost ninety. To be written anew when the compiler or much of the code has changed:
//! names that are gone are passed over by the linker, and all that is lost is time.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use testkit::TempDir;

use crate::generated::workspace;
use crate::release;

const LIST: &str = "crates/towline/link-order.txt";

/// Writes the list. Needs `valgrind`, and what builds `towline` with musl.
pub(crate) fn run() -> Result<()> {
    let target = release::musl_target().context("install musl-tools and the musl target of the compiler")?;
    println!("building {} with its symbols, which takes some minutes", release::COMMAND);
    let program = release::build_with_symbols(&target)?.join(release::COMMAND);
    let place = TempDir::new("link-order")?;
    for (path, text) in OVERLAYS {
        let path = place.join(path);
        fs_err::create_dir_all(path.parent().context("a file has a directory")?)?;
        fs_err::write(path, text)?;
    }
    let named = |path: &Path| path.display().to_string();
    let (plain, patched, chart) =
        (named(&place.join("plain")), named(&place.join("patched")), named(&workspace().join(CHART)));
    let runs: [&[&str]; 4] =
        [&["build", &plain], &["build", &patched], &["template", "hello", &chart], &["lint", &chart]];
    let (mut seen, mut text) = (BTreeSet::new(), String::new());
    for arguments in runs {
        for function in functions(&program, arguments, &place.join("profile"))? {
            if seen.insert(function.clone()) {
                text.push_str(&function);
                text.push('\n');
            }
        }
    }
    fs_err::write(workspace().join(LIST), text)?;
    println!("{LIST}: {} functions", seen.len());
    Ok(())
}

/// The functions that a command runs, by the names they have in the program.
fn functions(program: &Path, arguments: &[&str], profile: &Path) -> Result<BTreeSet<String>> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--demangle=no"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("run valgrind")?;
    if !output.status.success() {
        bail!("{} {}: {}", program.display(), arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(names(&fs_err::read_to_string(profile)?))
}

/// Functions of a profile: `fn=(12) NAME` when one is first mentioned, `cfn=` when it is as one that is called.
fn names(profile: &str) -> BTreeSet<String> {
    let named = profile.lines().filter_map(|line| {
        let (_, name) = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("))?.split_once(") ")?;
        // `NAME'2` is a deeper call of the same; `0x…` and `(below main)` have no name of their own.
        Some(name.split_once('\'').map_or(name, |(name, _)| name))
    });
    named.filter(|name| !name.starts_with("0x") && !name.starts_with('(')).map(ToOwned::to_owned).collect()
}

/// A chart of the project's own.
const CHART: &str = "examples/hello/charts/hello";

/// A plain overlay, and one with a bit of everything that small ones have.
const OVERLAYS: [(&str, &str); 5] = [
    ("base/kustomization.yaml", "resources: [web.yaml]\n"),
    (
        "base/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels: {app: web}\nspec:\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n        - name: web\n          image: \"nginx:1.27\"\n          ports:\n            - containerPort: 80\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector: {app: web}\n  ports:\n    - port: 80\n",
    ),
    (
        "plain/kustomization.yaml",
        "namePrefix: dev-\nresources: [../base]\nimages:\n  - name: nginx\n    newTag: \"1.29\"\n",
    ),
    (
        "patched/kustomization.yaml",
        "namespace: web\nresources: [../plain]\nlabels:\n  - pairs: {team: web}\n    includeSelectors: true\nconfigMapGenerator:\n  - name: settings\n    literals: [level=debug]\npatches:\n  - path: patch.yaml\n",
    ),
    (
        "patched/patch.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dev-web}\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env: [{name: LEVEL, value: debug}]\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_from_a_profile() {
        let profile = "fl=(1) a.rs\nfn=(1) _RNvCs1_4main\n0 5\ncfn=(2) memcpy\ncalls=1 0\nfn=(1)\nfn=(3) _RNvCs1_4deep'2\nfn=(4) 0x0000\nfn=(5) (below main)\n";
        assert_eq!(names(profile), BTreeSet::from(["_RNvCs1_4main", "memcpy", "_RNvCs1_4deep"].map(ToOwned::to_owned)));
    }
}
