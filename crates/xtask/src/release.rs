//! Release builds, with the settings of `.cargo/release.toml`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::generated::workspace;

/// What `cargo` is told before `build`; the Dockerfiles say the same.
pub(crate) const SETTINGS: [&str; 2] = ["--config", ".cargo/release.toml"];

/// Builds programs for release, all of them when none is named; returns the directory they are in.
pub(crate) fn build(programs: &[&str]) -> Result<PathBuf> {
    // The one Cargo that runs us: another version would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace()).args(SETTINGS).args(["build", "--release", "--locked"]);
    command.arg("--message-format=json-render-diagnostics");
    if programs.is_empty() {
        command.arg("--bins");
    }
    // `--bin` and not `--package`: the features of the whole workspace, so that nothing is compiled twice.
    programs.iter().for_each(|program| {
        command.args(["--bin", program]);
    });
    let output = command.stderr(Stdio::inherit()).output().context("run cargo")?;
    if !output.status.success() {
        bail!("the programs do not build");
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .find_map(|executable| executable.parent().map(Path::to_path_buf))
        .context("cargo names no executable")
}
