//! The commands, one file each.

pub(crate) mod build;
mod chart;
pub(crate) mod chart_source;
pub(crate) mod completion;
mod dependency_update;
pub(crate) mod events;
pub(crate) mod get;
mod helm_flags;
pub(crate) mod lint;
pub(crate) mod resume;
pub(crate) mod suspend;
pub(crate) mod sync;
pub(crate) mod template;
mod values;
pub(crate) mod version;

use crate::cli::{Command, Towline};
use crate::error::{Error, Result};

/// Runs a command. Those that speak to no cluster start no event loop.
pub(crate) fn run(arguments: Towline) -> Result<()> {
    match &arguments.command {
        Command::Build(arguments) => build::run(arguments),
        Command::Template(template) => template::run(&arguments.cluster, template),
        Command::Lint(lint) => lint::run(&arguments.cluster, lint),
        Command::Completion(arguments) => completion::run(arguments),
        _ => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?
            .block_on(run_with_cluster(arguments)),
    }
}

async fn run_with_cluster(arguments: Towline) -> Result<()> {
    let cluster = &arguments.cluster;
    match &arguments.command {
        Command::Sync(arguments) => sync::run(cluster, arguments).await,
        Command::Get(arguments) => get::run(cluster, arguments).await,
        Command::Suspend(arguments) => suspend::run(cluster, arguments).await,
        Command::Resume(arguments) => resume::run(cluster, arguments).await,
        Command::Events(arguments) => events::run(cluster, arguments).await,
        Command::Version(arguments) => version::run(cluster, arguments).await,
        Command::Build(_) | Command::Template(_) | Command::Lint(_) | Command::Completion(_) => Ok(()),
    }
}

/// The time, for annotations and ages.
#[expect(clippy::disallowed_methods, reason = "the edge: everything below takes the time as an argument")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
