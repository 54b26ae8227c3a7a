//! The source-controller binary.

use std::process::ExitCode;

use clap::Parser as _;
use common::names::controller;
use source_controller::flags::Flags;
use source_controller::program;

/// Small and steady memory matters more here than anything the system's allocator is better at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let flags = Flags::parse();
    runtime::process::run(controller::SOURCE, flags.common.clone(), |shell| async move {
        program::run(shell, flags).await.map_err(Into::into)
    })
}
