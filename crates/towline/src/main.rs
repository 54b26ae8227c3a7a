//! The towline command line.

mod cli;
mod cluster;
mod commands;
mod error;
mod fetch;
mod follow;
mod kinds;
mod object;
mod output;
mod progress;

use std::process::ExitCode;

/// Builds and renders are mostly small allocations, which this one serves faster and more tightly than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match cli::parse() {
        Ok(arguments) => arguments,
        Err(code) => return ExitCode::from(code),
    };
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
