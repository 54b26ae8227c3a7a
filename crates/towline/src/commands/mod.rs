//! The commands, one file each.

pub(crate) mod build;
pub(crate) mod completion;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod resume;
pub(crate) mod suspend;
pub(crate) mod sync;
pub(crate) mod template;
pub(crate) mod version;

use crate::cli::{Command, Towline};
use crate::error::Result;

/// Runs a command.
pub(crate) async fn run(arguments: Towline) -> Result<()> {
    let cluster = &arguments.cluster;
    match &arguments.command {
        Command::Sync(arguments) => sync::run(cluster, arguments).await,
        Command::Get(arguments) => get::run(cluster, arguments).await,
        Command::Suspend(arguments) => suspend::run(cluster, arguments).await,
        Command::Resume(arguments) => resume::run(cluster, arguments).await,
        Command::Events(arguments) => events::run(cluster, arguments).await,
        Command::Build(arguments) => build::run(arguments),
        Command::Template(arguments) => template::run(cluster, arguments),
        Command::Version(arguments) => version::run(cluster, arguments).await,
        Command::Completion(arguments) => completion::run(arguments),
    }
}

/// The time, for annotations and ages.
#[expect(clippy::disallowed_methods, reason = "the edge: everything below takes the time as an argument")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
