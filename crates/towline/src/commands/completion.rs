//! `towline completion`: completion scripts for shells.

use clap_complete::Shell;

use crate::cli::command;
use crate::error::Result;
use crate::output;

/// Arguments of `towline completion`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(), "towline", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
