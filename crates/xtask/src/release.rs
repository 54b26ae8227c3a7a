//! Release builds, with the settings of `.cargo/release.toml`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::generated::workspace;

/// What `cargo` is told before `build`; the Dockerfiles say the same.
pub(crate) const SETTINGS: [&str; 2] = ["--config", ".cargo/release.toml"];

/// The program that is started anew for each command.
pub(crate) const COMMAND: &str = "towline";

/// Builds programs for release; returns the directory they are in.
pub(crate) fn build(programs: &[&str]) -> Result<PathBuf> {
    let (commands, services): (Vec<&str>, Vec<&str>) = programs.iter().partition(|program| **program == COMMAND);
    let directory = if services.is_empty() { None } else { Some(cargo(command(None), &services)?) };
    if commands.is_empty() {
        return directory.context("no program to build");
    }
    let target = musl_target();
    if target.is_none() {
        eprintln!(
            "{COMMAND} is linked to the GNU library and starts more slowly; `rustup target add {}` and musl-gcc (Debian's musl-tools) help",
            musl_name()
        );
    }
    let built = cargo(command(target.as_deref()), &commands)?;
    let Some(directory) = directory else { return Ok(built) };
    if built != directory {
        fs_err::copy(built.join(COMMAND), directory.join(COMMAND))?;
    }
    Ok(directory)
}

fn musl_name() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The target of what is started anew for each command, if this machine can build for it. The GNU library asks the processor
/// 43 questions at each start (`cpuid`), each of which interrupts a virtual machine; musl asks none.
pub(crate) fn musl_target() -> Option<String> {
    let target = musl_name();
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", &target]).output().ok()?;
    let libraries = String::from_utf8(output.stdout).ok()?;
    let compiles = Command::new("musl-gcc").arg("--version").output().is_ok_and(|output| output.status.success());
    (compiles && Path::new(libraries.trim()).is_dir()).then_some(target)
}

/// Builds the command as for release, but for the names of its functions, which stay in it; returns its directory.
pub(crate) fn build_with_symbols(target: &str) -> Result<PathBuf> {
    let mut command = command(Some(target));
    // As flags of the compiler and not in the profile, on which the names depend.
    let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
    command.env(variable, "-C strip=none");
    cargo(command, &[COMMAND])
}

fn cargo(mut command: Command, programs: &[&str]) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics");
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

/// A release build of the workspace for a target, or else for this machine.
fn command(target: Option<&str>) -> Command {
    // The one Cargo that runs us: another version would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace()).args(SETTINGS).args(["build", "--release", "--locked"]);
    command.args(target.iter().flat_map(|target| ["--target", target]));
    command
}
