//! The helm-controller binary.

use std::process::ExitCode;

use clap::Parser;
use helm_controller::{app, settings::Flags};

/// Releases are rendered and packed in bursts on many threads. The system's allocator keeps, for each of them, what it once
/// handed out: with 500 releases five times as much as this one has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let flags = Flags::parse();
    runtime::process::run("helm-controller", flags.common.clone(), |shell| app::run(shell, flags))
}
