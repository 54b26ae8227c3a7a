//! What artifacts there are: a shared table that reconcilers write and the server reads and watches.

use std::collections::{BTreeMap, HashMap};

use common::meta::Artifact;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::source::{Source, SourceKind};

/// The current artifact of every source, and the few before it that are still stored.
#[derive(Debug, Default)]
pub struct Catalogue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Source, Vec<Artifact>>,
    /// Only of sources somebody watches.
    watchers: HashMap<Source, watch::Sender<Option<Artifact>>>,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// Sorted by namespace and name.
    pub artifacts: Vec<(Source, Artifact)>,
    /// Whether there are more.
    pub is_truncated: bool,
}

impl Catalogue {
    /// How many artifacts of one source can be fetched by digest: the retention's default.
    const KEPT: usize = 2;

    /// Makes an artifact the current one of its source.
    pub fn publish(&self, source: &Source, artifact: &Artifact) {
        let mut state = self.state.lock();
        let known = state.entries.entry(source.clone()).or_default();
        if known.first() == Some(artifact) {
            return;
        }
        known.retain(|other| other.digest != artifact.digest);
        known.insert(0, artifact.clone());
        known.truncate(Self::KEPT);
        state.notify(source, Some(artifact));
    }

    /// Forgets a source.
    pub fn remove(&self, source: &Source) {
        let mut state = self.state.lock();
        if state.entries.remove(source).is_some() {
            state.notify(source, None);
        }
    }

    /// The current artifact of the source.
    pub fn current(&self, source: &Source) -> Option<Artifact> {
        self.state.lock().entries.get(source)?.first().cloned()
    }

    /// The source's artifact with this digest, current or still kept.
    pub fn by_digest(&self, source: &Source, digest: &str) -> Option<Artifact> {
        self.state.lock().entries.get(source)?.iter().find(|artifact| artifact.digest == digest).cloned()
    }

    /// Current artifacts of one kind behind `after`, at most `limit`.
    pub fn list(&self, kind: SourceKind, namespace: Option<&str>, after: Option<&Source>, limit: usize) -> Page {
        let state = self.state.lock();
        let mut matching = state
            .entries
            .iter()
            .filter(|(source, _)| source.kind == kind)
            .filter(|(source, _)| namespace.is_none_or(|namespace| source.namespace == namespace))
            .filter(|(source, _)| after.is_none_or(|after| *source > after))
            .filter_map(|(source, known)| Some((source.clone(), known.first()?.clone())));
        let artifacts = matching.by_ref().take(limit).collect();
        Page { artifacts, is_truncated: matching.next().is_some() }
    }

    /// The latest value, now and after each change; a reader that is slow sees only the latest.
    pub fn watch(&self, source: &Source) -> watch::Receiver<Option<Artifact>> {
        let mut state = self.state.lock();
        let current = state.entries.get(source).and_then(|known| known.first().cloned());
        state.watchers.retain(|_, sender| sender.receiver_count() > 0);
        state.watchers.entry(source.clone()).or_insert_with(|| watch::Sender::new(current)).subscribe()
    }
}

impl State {
    fn notify(&mut self, source: &Source, artifact: Option<&Artifact>) {
        if let Some(sender) = self.watchers.get(source) {
            sender.send_replace(artifact.cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    fn artifact(digest: &str) -> Artifact {
        Artifact {
            path: format!("helmchart/apps/web/{digest}.tgz"),
            url: String::new(),
            revision: digest.to_owned(),
            digest: digest.to_owned(),
            last_update_time: Time(jiff::Timestamp::UNIX_EPOCH),
            size: Some(1),
            metadata: BTreeMap::new(),
        }
    }

    #[test]
    fn the_current_and_the_one_before_are_kept() {
        let catalogue = Catalogue::default();
        let source = Source::new(SourceKind::HelmChart, "apps", "web");
        let mut watcher = catalogue.watch(&source);
        assert_eq!(*watcher.borrow_and_update(), None);
        for digest in ["a", "b", "c"] {
            catalogue.publish(&source, &artifact(digest));
        }
        assert_eq!(watcher.borrow_and_update().as_ref().map(|artifact| artifact.digest.as_str()), Some("c"));
        assert_eq!(catalogue.current(&source), Some(artifact("c")));
        assert_eq!(catalogue.by_digest(&source, "b"), Some(artifact("b")));
        assert_eq!(catalogue.by_digest(&source, "a"), None);
        catalogue.publish(&source, &artifact("c"));
        assert!(!watcher.has_changed().unwrap(), "the same artifact again is no change");
        catalogue.remove(&source);
        assert_eq!(*watcher.borrow_and_update(), None);
    }

    #[test]
    fn listings_are_paged_and_filtered() {
        let catalogue = Catalogue::default();
        for (kind, namespace, name) in [
            (SourceKind::HelmChart, "a", "x"),
            (SourceKind::HelmChart, "a", "y"),
            (SourceKind::HelmChart, "b", "z"),
            (SourceKind::GitRepository, "a", "g"),
        ] {
            catalogue.publish(&Source::new(kind, namespace, name), &artifact(name));
        }
        let names = |page: &Page| page.artifacts.iter().map(|(source, _)| source.name.clone()).collect::<Vec<_>>();
        let first = catalogue.list(SourceKind::HelmChart, None, None, 2);
        assert_eq!((names(&first), first.is_truncated), (vec!["x".to_owned(), "y".to_owned()], true));
        let last = first.artifacts.last().map(|(source, _)| source);
        let second = catalogue.list(SourceKind::HelmChart, None, last, 2);
        assert_eq!((names(&second), second.is_truncated), (vec!["z".to_owned()], false));
        assert_eq!(names(&catalogue.list(SourceKind::HelmChart, Some("b"), None, 9)), ["z"]);
    }
}
