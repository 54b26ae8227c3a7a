//! The project's own tasks: code generation, drift checks, tidiness, images. `cargo xtask --help` lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod answer;
mod bench;
mod controllers;
mod crds;
mod demo;
mod deny;
mod deploy;
mod generated;
mod images;
mod kustomize_schema;
mod link_order;
mod parity;
mod proto;
mod rbac;
mod release;
mod tidy;
mod yaml_text;

use clap::Parser;

/// The allocator of the product's programs, so that what `bench` measures in process is what they do.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tasks of the Towline project.
#[derive(Debug, Parser)]
#[command(name = "xtask")]
enum Task {
    /// Answers questions of a table, one JSON line each, from standard input.
    Answer {
        /// Which engine answers.
        table: answer::Table,
    },
    /// Measures speed and size: medians, and ratios in one run.
    Bench(bench::Arguments),
    /// Writes deploy/crds from the API types.
    Crds(generated::Mode),
    /// Shows a Git push become an upgraded Helm release on a real control plane.
    Demo(demo::Arguments),
    /// Checks licences, sources and bans of the dependencies.
    Deny(deny::Arguments),
    /// Packs container images of the controllers as OCI archives.
    Images(images::Arguments),
    /// Writes crates/towline/link-order.txt: which functions stand together in the released program.
    LinkOrder,
    /// Writes the schema table of crates/kustomize.
    KustomizeSchema(generated::Mode),
    /// Writes the gRPC code from proto/.
    Proto(generated::Mode),
    /// Writes the controllers' roles.
    Rbac(generated::Mode),
    /// Checks the house rules.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Answer { table } => answer::run(table, std::io::stdin().lock(), std::io::stdout().lock()),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::LinkOrder => link_order::run(),
        Task::Crds(mode) => generated::settle(crds::files()?, mode),
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Deny(arguments) => deny::run(&arguments),
        Task::Images(arguments) => images::run(&arguments),
        Task::KustomizeSchema(mode) => generated::settle(kustomize_schema::files()?, mode),
        Task::Proto(mode) => generated::settle(proto::files()?, mode),
        Task::Rbac(mode) => generated::settle(rbac::files()?, mode),
        Task::Tidy => tidy::run(),
    }
}
