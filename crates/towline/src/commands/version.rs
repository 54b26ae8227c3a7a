//! `towline version`: of this program and, on request, of the cluster.

use crate::cli::ClusterArguments;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::output;

/// Arguments of `towline version`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Also ask the cluster for its version.
    #[arg(long)]
    server: bool,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    output::print(&format!("towline: v{}\n", env!("CARGO_PKG_VERSION")))?;
    if arguments.server {
        let cluster = Cluster::connect(cluster).await?;
        let version = cluster.client.apiserver_version().await.map_err(|source| Error::Kubernetes {
            action: "asking for the cluster's version".to_owned(),
            source: Box::new(source),
        })?;
        output::print(&format!("kubernetes: {}\n", version.git_version))?;
    }
    Ok(())
}
