//! `towline resume`: reconcile suspended objects again.

use serde_json::json;

use crate::cli::{ClusterArguments, Waiting};
use crate::cluster::Cluster;
use crate::commands::{suspend, sync};
use crate::error::Result;
use crate::output;

/// Arguments of `towline resume`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to resume. Without a kind, every object of that name.
    #[arg(value_name = "[KIND/]NAME", required_unless_present = "all", conflicts_with = "all")]
    objects: Vec<String>,
    /// Everything in the namespace that is suspended.
    #[arg(long)]
    all: bool,
    /// Do not wait until the objects are ready.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    waiting: Waiting,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let cluster = Cluster::connect(cluster).await?;
    let mut resumed = Vec::new();
    for object in suspend::select(&cluster, &arguments.objects).await? {
        if arguments.all && !object.suspended() {
            continue;
        }
        let changed = cluster.patch(&object, &json!({ "spec": { "suspend": false } })).await?;
        output::print(&format!("resumed  {}\n", object.title()))?;
        resumed.push(changed);
    }
    if arguments.no_wait || resumed.is_empty() {
        return Ok(());
    }
    sync::follow(&cluster, resumed, arguments.waiting.timeout.into(), true).await
}
