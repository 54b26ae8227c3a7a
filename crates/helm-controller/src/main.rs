//! The helm-controller binary.

use std::process::ExitCode;

use clap::Parser;
use helm_controller::{app, settings::Flags};

fn main() -> ExitCode {
    let flags = Flags::parse();
    runtime::process::run("helm-controller", flags.common.clone(), |shell| app::run(shell, flags))
}
