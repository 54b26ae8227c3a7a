//! Which release records exist and where they stand, kept by a watch of the Secrets' metadata.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, pin_mut};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api,
    core::PartialObjectMeta,
    runtime::{WatchStreamExt, watcher},
};
use parking_lot::RwLock;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Record, recent::Recent};

/// What is known of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Helm's word for its status.
    pub status: Box<str>,
    /// Whether this controller, and nobody else, wrote it.
    pub ours: bool,
    /// `metadata.uid`.
    pub uid: Box<str>,
    /// `metadata.resourceVersion`.
    pub resource_version: u64,
}

impl Revision {
    /// Reads a record's metadata: the release, the revision, and what is known of it.
    pub fn read(metadata: &ObjectMeta) -> Option<(String, i64, Self)> {
        let labels = metadata.labels.as_ref()?;
        let name = labels.get("name")?.clone();
        let version = labels.get("version")?.parse().ok()?;
        let managers: HashSet<_> =
            metadata.managed_fields.iter().flatten().filter_map(|entry| entry.manager.as_deref()).collect();
        Some((
            name,
            version,
            Self {
                status: labels.get("status").map(String::as_str).unwrap_or_default().into(),
                ours: managers.len() == 1 && managers.contains(common::names::field_manager::HELM),
                uid: metadata.uid.as_deref().unwrap_or_default().into(),
                resource_version: metadata
                    .resource_version
                    .as_deref()
                    .and_then(|version| version.parse().ok())
                    .unwrap_or(0),
            },
        ))
    }
}

type Key = (Box<str>, Box<str>);

#[derive(Default)]
struct State {
    releases: HashMap<Key, BTreeMap<i64, Revision>>,
    /// Records we deleted: an event of the watch from before must not bring them back.
    deleted: HashMap<Box<str>, tokio::time::Instant>,
}

/// The index. Cheap to clone.
#[derive(Clone, Default)]
pub struct Index {
    state: Arc<RwLock<State>>,
    recent: Arc<Recent>,
    synced: Arc<watch::Sender<bool>>,
}

impl Index {
    /// Whether the index may be relied on.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Waits until the index may be relied on.
    pub async fn synced(&self) {
        // The sender lives as long as we do.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// The revisions of a release.
    pub fn revisions(&self, namespace: &str, release: &str) -> BTreeMap<i64, Revision> {
        self.state.read().releases.get(&(namespace.into(), release.into())).cloned().unwrap_or_default()
    }

    /// The newest revision of a release.
    pub fn newest(&self, namespace: &str, release: &str) -> Option<(i64, Revision)> {
        let state = self.state.read();
        let revisions = state.releases.get(&(namespace.into(), release.into()))?;
        revisions.last_key_value().map(|(version, revision)| (*version, revision.clone()))
    }

    /// A record that was written or read before and is stored unchanged.
    pub(super) fn kept(&self, namespace: &str, release: &str, version: i64) -> Option<Record> {
        let stored = {
            let state = self.state.read();
            state.releases.get(&(namespace.into(), release.into()))?.get(&version)?.resource_version
        };
        self.recent.get(namespace, release, version, stored).filter(|_| self.is_synced())
    }

    /// Keeps a record if it is one that will be asked for: the deployed one.
    pub(super) fn keep(&self, namespace: &str, record: &Record, metadata: &ObjectMeta) {
        let Some((_, _, revision)) = Revision::read(metadata) else { return };
        if &*revision.status == "deployed" {
            self.recent.keep(namespace, record, revision.resource_version);
        }
    }

    /// Takes in a record's metadata, unless something newer is known.
    pub fn observe(&self, metadata: &ObjectMeta) {
        let Some((name, version, revision)) = Revision::read(metadata) else { return };
        let namespace: Box<str> = metadata.namespace.as_deref().unwrap_or_default().into();
        let mut state = self.state.write();
        if state.deleted.contains_key(&revision.uid) {
            return;
        }
        let revisions = state.releases.entry((namespace, name.into_boxed_str())).or_default();
        match revisions.get(&version) {
            Some(known) if known.uid == revision.uid && known.resource_version > revision.resource_version => {}
            _ => {
                revisions.insert(version, revision);
            }
        }
    }

    /// A record is gone.
    pub fn forget(&self, namespace: &str, release: &str, version: i64) {
        const REMEMBERED: Duration = Duration::from_secs(60);
        let mut state = self.state.write();
        let now = tokio::time::Instant::now();
        state.deleted.retain(|_, at| now.duration_since(*at) < REMEMBERED);
        let key: Key = (namespace.into(), release.into());
        let Some(revisions) = state.releases.get_mut(&key) else { return };
        let gone = revisions.remove(&version);
        if revisions.is_empty() {
            state.releases.remove(&key);
            self.recent.forget(namespace, release);
        }
        if let Some(gone) = gone {
            state.deleted.insert(gone.uid, now);
        }
    }

    fn gone(&self, metadata: &ObjectMeta) {
        let Some((name, version, revision)) = Revision::read(metadata) else { return };
        let key: Key = (metadata.namespace.as_deref().unwrap_or_default().into(), name.into_boxed_str());
        let mut state = self.state.write();
        let Some(revisions) = state.releases.get_mut(&key) else { return };
        if revisions.get(&version).is_some_and(|known| known.uid == revision.uid) {
            revisions.remove(&version);
        }
        if revisions.is_empty() {
            state.releases.remove(&key);
            self.recent.forget(&key.0, &key.1);
        }
    }

    /// Keeps the index until `shutdown`.
    pub async fn run(self, api: Api<PartialObjectMeta<Secret>>, shutdown: CancellationToken) {
        let config = watcher::Config::default().labels("owner=helm").page_size(100);
        let events = watcher(api, config).default_backoff();
        pin_mut!(events);
        let mut listed: HashSet<Box<str>> = HashSet::new();
        loop {
            let event = tokio::select! {
                () = shutdown.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                Some(Ok(watcher::Event::Init)) => listed.clear(),
                Some(Ok(watcher::Event::InitApply(object))) => {
                    listed.insert(object.metadata.uid.as_deref().unwrap_or_default().into());
                    self.observe(&object.metadata);
                }
                Some(Ok(watcher::Event::InitDone)) => {
                    // Only what the first list of a restarted watch left out is dropped; our own newest writes are in it.
                    if self.is_synced() {
                        let mut state = self.state.write();
                        state.releases.retain(|_, revisions| {
                            revisions.retain(|_, revision| listed.contains(&revision.uid));
                            !revisions.is_empty()
                        });
                    }
                    listed.clear();
                    self.synced.send_replace(true);
                }
                Some(Ok(watcher::Event::Apply(object))) => self.observe(&object.metadata),
                Some(Ok(watcher::Event::Delete(object))) => self.gone(&object.metadata),
                Some(Err(error)) => tracing::debug!(%error, "watch of release records interrupted"),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(version: i64, status: &str, uid: &str, resource_version: &str) -> ObjectMeta {
        serde_json::from_value(serde_json::json!({
            "namespace": "apps", "uid": uid, "resourceVersion": resource_version,
            "labels": {"name": "web", "owner": "helm", "status": status, "version": version.to_string()},
            "managedFields": [{"manager": "helm-controller", "operation": "Update"}],
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn older_events_change_nothing() {
        let index = Index::default();
        index.observe(&metadata(1, "deployed", "a", "10"));
        index.observe(&metadata(1, "pending-install", "a", "9"));
        let (version, revision) = index.newest("apps", "web").unwrap();
        assert_eq!((version, &*revision.status, revision.ours), (1, "deployed", true));
    }

    #[tokio::test]
    async fn a_deleted_record_does_not_come_back() {
        let index = Index::default();
        index.observe(&metadata(1, "deployed", "a", "10"));
        index.forget("apps", "web", 1);
        index.observe(&metadata(1, "deployed", "a", "9"));
        assert_eq!(index.newest("apps", "web"), None);
        index.observe(&metadata(1, "pending-install", "b", "12"));
        assert!(index.newest("apps", "web").is_some());
    }

    #[test]
    fn records_somebody_else_touched_are_not_ours() {
        let mut foreign = metadata(2, "deployed", "a", "1");
        foreign.managed_fields =
            serde_json::from_value(serde_json::json!([{"manager": "helm-controller"}, {"manager": "helm"}])).unwrap();
        let (_, _, revision) = Revision::read(&foreign).unwrap();
        assert!(!revision.ours);
    }
}
