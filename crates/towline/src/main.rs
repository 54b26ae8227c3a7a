//! The towline command line.

mod allocator;
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

// What C calls `memcpy` and its like, which musl has in a slow form.
#[cfg(all(target_env = "musl", target_arch = "x86_64"))]
use memory as _;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::ShortLived = allocator::ShortLived;

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
