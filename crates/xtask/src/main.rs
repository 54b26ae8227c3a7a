//! The project's own tasks: code generation, drift checks, tidiness, images. `cargo xtask --help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod crds;
mod demo;
mod generated;
mod parity;
mod proto;
mod yaml_text;

use clap::Parser;

/// Tasks of the Towline project.
#[derive(Debug, Parser)]
#[command(name = "xtask")]
enum Task {
    /// Writes deploy/crds from the API types.
    Crds(generated::Mode),
    /// Shows a Git push become an upgraded Helm release on a real control plane.
    Demo(demo::Arguments),
    /// Writes the gRPC code from proto/.
    Proto(generated::Mode),
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Crds(mode) => generated::settle(crds::files()?, mode),
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Proto(mode) => generated::settle(proto::files()?, mode),
    }
}
