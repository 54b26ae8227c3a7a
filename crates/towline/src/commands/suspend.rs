//! `towline suspend`: leave objects alone until they are resumed.

use serde_json::json;

use crate::cli::ClusterArguments;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::kinds::{KINDS, Kind, Selection};
use crate::object::Object;
use crate::output;

/// Arguments of `towline suspend`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to suspend. Without a kind, every object of that name.
    #[arg(value_name = "[KIND/]NAME", required_unless_present = "all", conflicts_with = "all")]
    objects: Vec<String>,
    /// Everything in the namespace.
    #[arg(long)]
    all: bool,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let cluster = Cluster::connect(cluster).await?;
    for object in select(&cluster, &arguments.objects).await? {
        cluster.patch(&object, &json!({ "spec": { "suspend": true } })).await?;
        output::print(&format!("suspended {}\n", object.title()))?;
    }
    Ok(())
}

/// The objects of the namespace that are named, or all when none is; only kinds that can be suspended.
pub(crate) async fn select(cluster: &Cluster, names: &[String]) -> Result<Vec<Object>> {
    let selections = names.iter().map(|name| Selection::parse(Some(name))).collect::<Result<Vec<_>>>()?;
    let kinds: Vec<&Kind> = KINDS.iter().collect();
    let objects = cluster.list(&kinds, Some(&cluster.namespace)).await?;
    if names.is_empty() {
        return Ok(objects.into_iter().filter(|object| object.kind.suspendable).collect());
    }
    let mut selected: Vec<Object> = Vec::new();
    for (selection, text) in selections.iter().zip(names) {
        let named: Vec<&Object> = objects
            .iter()
            .filter(|object| selection.matches(object.kind, object.data.metadata.name.as_deref().unwrap_or_default()))
            .collect();
        if named.is_empty() {
            return Err(Error::NotFound { what: text.clone(), namespace: cluster.namespace.clone() });
        }
        let can: Vec<Object> =
            named.iter().filter(|object| object.kind.suspendable).map(|object| (*object).clone()).collect();
        if can.is_empty() {
            let titles: Vec<String> = named.iter().map(|object| object.title()).collect();
            return Err(Error::Usage(format!("{} cannot be suspended", titles.join(", "))));
        }
        selected.extend(can);
    }
    Ok(selected)
}
