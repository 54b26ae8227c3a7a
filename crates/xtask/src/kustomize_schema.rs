//! The table of list strategies and scopes of crates/kustomize, printed by a Go program that asks kyaml's own schema.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::generated::{Files, workspace};

const TABLE: &str = "crates/kustomize/src/schema/builtin.rs";

/// The generated file. Needs Go.
pub(crate) fn files() -> anyhow::Result<Files> {
    let output = Command::new("go")
        .args(["run", "./cmd/schema"])
        .current_dir(workspace().join("tests/oracle-kustomize"))
        .output()
        .context("run go, which is needed to ask kyaml for its schema")?;
    ensure!(output.status.success(), "cmd/schema failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut files = Files::default();
    files.add(TABLE, output.stdout);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn the_checked_in_table_is_that_of_kyaml() {
        if Command::new("go").arg("version").output().is_err() {
            testkit::skip("the_checked_in_table_is_that_of_kyaml", "Go is not installed");
            return;
        }
        let drift = crate::generated::drift(&super::files().unwrap()).unwrap();
        assert!(drift.is_empty(), "{drift:?}: run cargo xtask kustomize-schema");
    }
}
