//! `towline events`: what happened to objects, oldest first.

use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;

use crate::cli::ClusterArguments;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::kinds::{KINDS, Selection};
use crate::object::one_line;
use crate::output;

/// Arguments of `towline events`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only of these objects.
    #[arg(value_name = "[KIND/]NAME")]
    object: Option<String>,
    /// In all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let selection = Selection::parse(arguments.object.as_deref())?;
    let cluster = Cluster::connect(cluster).await?;
    let api: Api<Event> = if arguments.all_namespaces {
        Api::all(cluster.client.clone())
    } else {
        Api::namespaced(cluster.client.clone(), &cluster.namespace)
    };
    let listed = api
        .list(&ListParams::default())
        .await
        .map_err(|source| Error::Kubernetes { action: "listing events".to_owned(), source: Box::new(source) })?;
    let mut events: Vec<Event> = listed.items.into_iter().filter(|event| concerns(event, &selection)).collect();
    events.sort_by_key(last_seen);
    if events.is_empty() {
        return output::print("no events found\n");
    }
    output::print(&table(&events, arguments.all_namespaces, super::now()))
}

fn concerns(event: &Event, selection: &Selection) -> bool {
    let object = &event.involved_object;
    let group =
        object.api_version.as_deref().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    KINDS
        .iter()
        .find(|kind| kind.is(group, object.kind.as_deref().unwrap_or_default()))
        .is_some_and(|kind| selection.matches(kind, object.name.as_deref().unwrap_or_default()))
}

fn last_seen(event: &Event) -> Option<jiff::Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    series
        .or_else(|| event.last_timestamp.as_ref().map(|time| time.0))
        .or_else(|| event.event_time.as_ref().map(|time| time.0))
        .or_else(|| event.metadata.creation_timestamp.as_ref().map(|time| time.0))
}

fn table(events: &[Event], namespaces: bool, now: jiff::Timestamp) -> String {
    let mut headers = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    if namespaces {
        headers.insert(0, "NAMESPACE");
    }
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let object = &event.involved_object;
            let count = event.series.as_ref().and_then(|series| series.count).or(event.count).unwrap_or(1);
            let repeated = if count > 1 { format!(" (x{count})") } else { String::new() };
            let seen =
                last_seen(event).map_or_else(|| "-".to_owned(), |seen| output::age(now.as_second() - seen.as_second()));
            let mut row = vec![
                format!("{seen}{repeated}"),
                event.type_.clone().unwrap_or_default(),
                event.reason.clone().unwrap_or_default(),
                format!(
                    "{}/{}",
                    object.kind.as_deref().unwrap_or_default(),
                    object.name.as_deref().unwrap_or_default()
                ),
                one_line(event.message.as_deref().unwrap_or_default()),
            ];
            if namespaces {
                row.insert(0, object.namespace.clone().unwrap_or_default());
            }
            row
        })
        .collect();
    output::table(&headers, &rows)
}
