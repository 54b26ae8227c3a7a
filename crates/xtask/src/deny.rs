//! Licences, sources and bans of the dependency tree, by cargo-deny, which is installed into the cache when it is missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::generated::workspace;

/// Where cargo-deny is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's cache directory.
    #[arg(long, env = "TOWLINE_CACHE", value_name = "DIRECTORY")]
    cache: Option<PathBuf>,
    /// The home directory, for the usual place of the cache.
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,
}

/// Checks the tree. Advisories only where their database can be reached, and otherwise says that they were not.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let program = program(arguments)?;
    let deny = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(workspace()).args(words);
        command
    };
    let status = deny(&["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]).status()?;
    if !status.success() {
        bail!("the dependency tree is not as deny.toml asks");
    }
    let can_fetch = deny(&["fetch", "db"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
    if !can_fetch {
        println!("SKIPPED: advisories: their database cannot be reached");
        return Ok(());
    }
    if !deny(&["check", "--hide-inclusion-graph", "advisories"]).status()?.success() {
        bail!("a dependency has an advisory");
    }
    Ok(())
}

fn program(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let runs = |program: &PathBuf| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    let installed = PathBuf::from("cargo-deny");
    if runs(&installed) {
        return Ok(installed);
    }
    let cache = match (&arguments.cache, &arguments.home) {
        (Some(cache), _) => cache.clone(),
        (None, Some(home)) => home.join(".cache/towline"),
        (None, None) => bail!("neither TOWLINE_CACHE nor HOME is set"),
    };
    let root = cache.join("cargo");
    let program = root.join("bin/cargo-deny");
    if !runs(&program) {
        println!("installing cargo-deny into {}", root.display());
        let status = Command::new("cargo")
            .args(["install", "--locked", "--quiet", "cargo-deny", "--root"])
            .arg(&root)
            .status()
            .context("run cargo install")?;
        if !status.success() {
            bail!("cargo-deny does not install");
        }
    }
    Ok(program)
}
