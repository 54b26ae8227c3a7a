//! `towline sync`: reconcile now and follow until ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::names::annotation;
use futures::StreamExt as _;
use futures::stream::{FuturesUnordered, SelectAll};
use kube::core::DynamicObject;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch};
use serde_json::json;
use tokio::time::Instant;

use crate::cli::{ClusterArguments, Waiting};
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::follow::{Outcome, Plan, Stage};
use crate::kinds::{KINDS, Kind, Requests, Selection};
use crate::object::{Key, Object};
use crate::output;
use crate::progress::{Progress, seconds};

/// How many requests to the API server are under way at once.
const CONCURRENT_REQUESTS: usize = 16;

/// Arguments of `towline sync`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to reconcile, with the sources it is made from; everything when absent. Without a kind, every object of that name.
    #[arg(value_name = "[KIND/]NAME")]
    object: Option<String>,
    /// In all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only the objects themselves, not their sources.
    #[arg(long)]
    without_sources: bool,
    #[command(flatten)]
    waiting: Waiting,
}

/// Runs it.
pub(crate) async fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let selection = Selection::parse(arguments.object.as_deref())?;
    if arguments.all_namespaces && cluster.namespace.is_some() {
        return Err(Error::Usage("--all-namespaces and --namespace exclude each other".to_owned()));
    }
    let cluster = Cluster::connect(cluster).await?;
    let namespace = (!arguments.all_namespaces).then_some(cluster.namespace.as_str());
    let every: Vec<&Kind> = KINDS.iter().collect();
    let objects = cluster.list(&every, namespace).await?;
    let selected: Vec<Object> = objects
        .iter()
        .filter(|object| selection.matches(object.kind, object.data.metadata.name.as_deref().unwrap_or_default()))
        .cloned()
        .collect();
    if selected.is_empty() {
        return match &arguments.object {
            Some(name) => Err(Error::NotFound { what: name.clone(), namespace: cluster.namespace.clone() }),
            None => output::print("nothing to sync\n"),
        };
    }
    let targets = if arguments.without_sources { selected } else { with_sources(&cluster, selected, &objects).await? };
    let named = arguments.object.is_some();
    follow(&cluster, targets, arguments.waiting.timeout.into(), named).await
}

/// The objects and everything they are made from, directly or not. Sources in other namespaces are fetched.
async fn with_sources(cluster: &Cluster, selected: Vec<Object>, known: &[Object]) -> Result<Vec<Object>> {
    let mut found: BTreeMap<Key, Object> = BTreeMap::new();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut queue = selected;
    while let Some(object) = queue.pop() {
        let generated = known.iter().filter(|other| object.owns(other)).map(Object::key);
        for key in object.sources().into_iter().chain(generated) {
            if !seen.insert(key.clone()) {
                continue;
            }
            match known.iter().find(|other| other.key() == key) {
                Some(source) => queue.push(source.clone()),
                None => queue.extend(cluster.get(&key).await?),
            }
        }
        found.insert(object.key(), object);
    }
    Ok(found.into_values().collect())
}

/// Asks the objects to reconcile, in order, and waits until they are ready. Suspended ones are skipped, unless the user named
/// one: then its suspension is why it does not become ready.
pub(crate) async fn follow(cluster: &Cluster, targets: Vec<Object>, limit: Duration, named: bool) -> Result<()> {
    let started = Instant::now();
    let total = targets.len();
    let mut watches = watches(cluster, &targets);
    let mut plan = Plan::new(&targets, super::now().to_string());
    let mut progress = Progress::new();
    let mut requests = FuturesUnordered::new();
    let mut queued: Vec<Key> = Vec::new();
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let mut ticker = tokio::time::interval(progress.tick().min(Duration::from_secs(1)));
    loop {
        let changes = plan.step(started.elapsed());
        queued.extend(changes.request.iter().cloned());
        progress.show(&plan, &changes, started.elapsed())?;
        if plan.pending() == 0 {
            break;
        }
        while requests.len() < CONCURRENT_REQUESTS
            && let Some(key) = queued.pop()
        {
            if let Some(entry) = plan.entry(&key)
                && entry.object.kind.requests != Requests::None
            {
                requests.push(request(cluster, entry.object.clone(), plan.token().to_owned()));
            }
        }
        tokio::select! {
            () = &mut deadline => {
                progress.end()?;
                return Err(timed_out(&plan, total, limit));
            }
            Some((key, outcome)) = requests.next() => match outcome {
                Ok(object) => plan.observe(object),
                Err(error) => plan.fail(&key, common::error::chain(&error)),
            },
            Some((kind, event)) = watches.next() => observe(&mut plan, kind, event)?,
            _ = ticker.tick() => {}
        }
    }
    progress.end()?;
    finish(&plan, total, started.elapsed(), named)
}

async fn request(cluster: &Cluster, object: Object, token: String) -> (Key, Result<Object>) {
    let change = json!({ "metadata": { "annotations": { annotation::REQUESTED_AT: token } } });
    (object.key(), cluster.patch(&object, &change).await)
}

type Watch = futures::stream::BoxStream<'static, (&'static Kind, watcher::Result<Event<DynamicObject>>)>;

/// One watch per kind and namespace; for a single object, of it alone.
fn watches(cluster: &Cluster, targets: &[Object]) -> SelectAll<Watch> {
    let mut places: BTreeMap<(&str, &str, String), Vec<&Object>> = BTreeMap::new();
    for object in targets {
        let namespace = object.data.metadata.namespace.clone().unwrap_or_default();
        places.entry((object.kind.group, object.kind.kind, namespace)).or_default().push(object);
    }
    places
        .into_iter()
        .filter_map(|((_, _, namespace), objects)| {
            let first = *objects.first()?;
            let kind = first.kind;
            let name = first.data.metadata.name.clone().unwrap_or_default();
            let config = match objects.len() {
                1 => watcher::Config::default().fields(&format!("metadata.name={name}")),
                _ => watcher::Config::default(),
            };
            let stream = watch(cluster.api(kind, Some(&namespace)), config).default_backoff();
            Some(stream.map(move |event| (kind, event)).boxed())
        })
        .collect()
}

fn observe(plan: &mut Plan, kind: &'static Kind, event: watcher::Result<Event<DynamicObject>>) -> Result<()> {
    match event {
        Ok(Event::Apply(data) | Event::InitApply(data)) => plan.observe(Object { kind, data }),
        Ok(Event::Delete(data)) => plan.fail(&Object { kind, data }.key(), "was deleted".to_owned()),
        Ok(Event::Init | Event::InitDone) => {}
        Err(watcher::Error::WatchFailed(source) | watcher::Error::InitialListFailed(source)) if matches!(&source, kube::Error::Api(status) if status.code == 403) =>
        {
            return Err(Error::Kubernetes { action: format!("watching {}", kind.plural), source: Box::new(source) });
        }
        // The watch tries again by itself; a server that stays away ends in the time-out.
        Err(_) => {}
    }
    Ok(())
}

fn timed_out(plan: &Plan, total: usize, limit: Duration) -> Error {
    for entry in plan.entries().filter(|entry| !matches!(entry.stage, Stage::Done(_))) {
        let said = match entry.object.message() {
            message if message.is_empty() => "has no status yet".to_owned(),
            message if entry.stage == Stage::Waiting => format!("waits for its source; said before: {message}"),
            message if !entry.object.handled(plan.token()) => {
                format!("has not taken up the request; said before: {message}")
            }
            message => message,
        };
        output::note(&format!("waiting  {}: {said}", entry.object.title()));
    }
    Error::Timeout { waiting: plan.pending(), total, limit: seconds(limit) }
}

fn finish(plan: &Plan, total: usize, elapsed: Duration, named: bool) -> Result<()> {
    let suspended = plan.entries().filter(|entry| entry.stage == Stage::Done(Outcome::Suspended)).count();
    let failed = plan.failed() + if named && total == suspended { suspended } else { 0 };
    if failed > 0 {
        return Err(Error::NotReady { failed, total });
    }
    let skipped = if suspended > 0 { format!(", {suspended} suspended") } else { String::new() };
    output::print(&format!("{} ready{skipped} in {}\n", total - suspended, seconds(elapsed)))
}
