//! The towline command line.

mod cli;
mod cluster;
mod commands;
mod error;
mod follow;
mod kinds;
mod object;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

/// Builds and renders are mostly small allocations, which this one serves faster and more tightly than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(cli::Towline::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
