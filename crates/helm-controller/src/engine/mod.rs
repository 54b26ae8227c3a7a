//! One release brought to what is wanted: the loop of observing, deciding and acting, interrupted wherever it has to wait.
//!
//! [`Engine`] is what all releases share; a [`Subject`] is one release in one reconcile. What survives between the
//! reconciles of a release is a [`Session`]; it is a cache, and a process that lost it finds its way by storage and status.

mod advance;
mod conclude;
mod drive;
mod error;
mod start;
mod view;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use apply::{ObjectRef, readiness::Required, watches::Interest};
use common::helm::v2::{HelmRelease, HelmReleaseStatus, ReleaseAction, Snapshot};
use helm::{chart::Chart, value::Map};
use jiff::Timestamp;
use parking_lot::Mutex;
use runtime::{ObjectKey, clock::Clock};

use crate::{
    action::Machine,
    charts::Charts,
    clusters::{Clusters, Target},
    manifest::Document,
    plan::{Performed, Stored, outcome::Notice, policy::Gates, requests::Requests},
    storage::{Index, Packer, Record, Storage},
};

pub use advance::Progress;
pub use error::EngineError;

/// What all releases share.
pub struct Engine {
    /// Ways to clusters.
    pub clusters: Clusters,
    /// Charts.
    pub charts: Charts,
    /// Packed charts.
    pub packer: Packer,
    /// Release records of the own cluster.
    pub index: Index,
    /// Whether the index covers all namespaces; else the one it covers.
    pub index_namespace: Option<String>,
    /// Time.
    pub clock: Clock,
    /// Feature gates.
    pub gates: Gates,
    /// What survives between reconciles of a release.
    pub sessions: Mutex<HashMap<ObjectKey, Session>>,
    /// Releases with an action under way: changes of their objects wake them, and nobody else's do.
    pub active: Mutex<HashSet<ObjectKey>>,
    /// The newest stored revision of each release, as read or written last.
    pub known: Mutex<HashMap<ObjectKey, Known>>,
}

/// A stored revision and the version of the Secret it was read from.
#[derive(Clone, Debug)]
pub struct Known {
    version: i64,
    resource_version: u64,
    stored: Stored,
}

/// What survives between reconciles of a release under way.
#[derive(Default)]
pub struct Session {
    /// What this attempt is about; another input begins a new one.
    inputs: Option<InputsKey>,
    performed: Vec<Performed>,
    running: Option<Box<Running>>,
    definitions: Option<Definitions>,
}

impl Session {
    /// Whether an action is under way.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

/// What an attempt is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputsKey {
    generation: i64,
    chart: String,
    config_digest: String,
}

/// Definitions of custom resources that must be established before the release is rendered.
struct Definitions {
    required: Vec<Required>,
    until: Timestamp,
    #[expect(dead_code, reason = "keeps the watch alive")]
    interests: Vec<Interest>,
}

/// Why an action runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// It is what the spec asks for.
    Release(ReleaseAction),
    /// Back to this release.
    Rollback(Box<Snapshot>),
    /// The failed release is taken away.
    Remediate,
    /// The release is taken away for good, or because it goes elsewhere.
    Remove,
    /// The tests are run.
    Test,
}

/// An action under way.
pub struct Running {
    purpose: Purpose,
    machine: Machine,
    record: Record,
    /// Objects of the manifest, until they are applied.
    documents: Option<Vec<Document>>,
    /// Manifest of the revision before, whose objects go if they are not in the new one.
    previous: Option<String>,
    apply: ApplySettings,
    started: Timestamp,
    deadline: Timestamp,
    interests: Vec<Interest>,
    created: Vec<ObjectRef>,
    gone: HashSet<ObjectRef>,
    tries: u32,
}

/// How objects are applied.
#[derive(Clone, Debug, Default)]
struct ApplySettings {
    strict: bool,
    wait: bool,
    wait_for_jobs: bool,
    take_ownership: bool,
    cleanup_on_fail: bool,
    propagation: apply::Propagation,
    keep_history: bool,
}

/// Where a status is written to and events go.
pub trait Sink: Send + Sync {
    /// Writes what changed.
    fn save(
        &self,
        old: &HelmReleaseStatus,
        new: &HelmReleaseStatus,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;

    /// Sends an event.
    fn notify(&self, notice: &Notice, metadata: &[(&'static str, String)]);
}

/// The chart and values that are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The chart.
    pub chart: Arc<Chart>,
    /// What tells it from other charts of the same version.
    pub chart_digest: String,
    /// The composed values.
    pub values: Map,
    /// Their digest.
    pub config_digest: String,
}

/// One release in one reconcile.
pub struct Subject<'a, S> {
    engine: &'a Engine,
    key: ObjectKey,
    /// The object; its status is changed as things happen.
    object: HelmRelease,
    saved: HelmReleaseStatus,
    sink: &'a S,
    target: Target,
    storage: Storage,
    requests: Requests,
    /// API versions that are no longer served are mapped to their successors.
    map_removed_apis: bool,
    /// Further annotations of every object.
    annotations: Vec<(&'static str, String)>,
    chart_version: String,
    config_digest: String,
}

impl Engine {
    /// Storage of a release's records.
    pub fn storage(&self, target: &Target, namespace: &str) -> Storage {
        let covered = target.local && self.index_namespace.as_deref().is_none_or(|only| only == namespace);
        Storage::new(
            target.cluster.client().clone(),
            namespace,
            covered.then(|| self.index.clone()),
            common::names::field_manager::HELM,
        )
    }

    /// Forgets a release.
    pub fn forget(&self, key: &ObjectKey) {
        self.sessions.lock().remove(key);
        self.active.lock().remove(key);
        self.known.lock().remove(key);
    }

    /// Whether changes of the release's objects matter now. A settled release is not woken by them: whoever works on it
    /// by hand must not be disturbed in the middle.
    pub fn is_active(&self, key: &ObjectKey) -> bool {
        self.active.lock().contains(key)
    }

    /// Whether an action on the release is under way.
    pub fn is_running(&self, key: &ObjectKey) -> bool {
        self.sessions.lock().get(key).is_some_and(Session::is_running)
    }

    /// The newest revision's Secret is the one we know, so that nobody touched the release since.
    pub fn is_undisturbed(&self, key: &ObjectKey, namespace: &str, release: &str) -> bool {
        let Some(known) = self.known.lock().get(key).cloned() else { return false };
        self.index.is_synced()
            && self.index.newest(namespace, release).is_some_and(|(version, revision)| {
                version == known.version && revision.resource_version == known.resource_version
            })
    }
}

impl<'a, S: Sink> Subject<'a, S> {
    /// A release in a reconcile.
    pub fn new(
        engine: &'a Engine,
        key: ObjectKey,
        object: HelmRelease,
        sink: &'a S,
        target: Target,
        requests: Requests,
    ) -> Self {
        let storage_namespace = object.storage_namespace();
        let storage = engine.storage(&target, &storage_namespace);
        let saved = object.status.clone().unwrap_or_default();
        Self {
            engine,
            key,
            object,
            saved,
            sink,
            target,
            storage,
            requests,
            map_removed_apis: false,
            annotations: Vec::new(),
            chart_version: String::new(),
            config_digest: String::new(),
        }
    }

    /// Maps API versions that are no longer served.
    pub fn mapping_removed_apis(mut self, on: bool) -> Self {
        self.map_removed_apis = on;
        self
    }

    /// Puts annotations on every object.
    pub fn annotating(mut self, annotations: Vec<(&'static str, String)>) -> Self {
        self.annotations = annotations;
        self
    }

    /// Begins with a status that has changes which are not written yet.
    pub fn with_status(mut self, status: HelmReleaseStatus) -> Self {
        self.object.status = Some(status);
        self
    }

    /// The status as it was written last.
    pub fn saved_status(&self) -> &HelmReleaseStatus {
        &self.saved
    }

    /// The status as it stands now.
    pub fn status(&self) -> HelmReleaseStatus {
        self.object.status.clone().unwrap_or_default()
    }

    fn status_mut(&mut self) -> &mut HelmReleaseStatus {
        self.object.status.get_or_insert_default()
    }

    fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    /// The name on the origin label; the key may be another one for releases of the Helm operator's group.
    fn origin(&self) -> String {
        self.object.metadata.name.clone().unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or_default()
    }

    fn ledger(&mut self) -> crate::plan::outcome::Ledger<'_> {
        let (generation, now) = (self.generation(), self.now());
        crate::plan::outcome::Ledger { status: self.object.status.get_or_insert_default(), generation, now }
    }

    async fn save(&mut self) -> Result<(), EngineError> {
        let new = self.status();
        self.sink.save(&self.saved, &new).await?;
        self.saved = new;
        Ok(())
    }

    fn notify(&self, notice: &Notice) {
        let app_version = crate::plan::history::latest(self.object.status.as_ref().unwrap_or(&self.saved))
            .and_then(|snapshot| snapshot.app_version.clone())
            .unwrap_or_default();
        let mut metadata = vec![
            (common::names::annotation::HELM_REVISION, self.chart_version.clone()),
            (common::names::annotation::HELM_TOKEN, self.config_digest.clone()),
            (common::names::annotation::HELM_APP_VERSION, app_version),
        ];
        metadata.retain(|(_, value)| !value.is_empty());
        self.sink.notify(notice, &metadata);
    }

    fn session(&self) -> Session {
        self.engine.active.lock().insert(self.key.clone());
        self.engine.sessions.lock().remove(&self.key).unwrap_or_default()
    }

    /// Keeps what the next reconcile goes on with; without anything under way there is nothing to keep.
    fn keep_session(&self, session: Session) {
        if session.is_running() || session.definitions.is_some() {
            self.engine.sessions.lock().insert(self.key.clone(), session);
        } else {
            self.engine.active.lock().remove(&self.key);
        }
    }

    fn remember(&self, record: &Record, ours: bool) {
        let stored = Stored {
            status: crate::plan::ReleaseStatus::parse(&record.release.info.status),
            snapshot: crate::snapshot::observe(&record.release, self.oci_digest()),
            ours,
        };
        let Some((version, revision)) =
            self.engine.index.newest(&self.object.storage_namespace(), &record.release.name)
        else {
            return;
        };
        if version == record.release.version {
            let known = Known { version, resource_version: revision.resource_version, stored };
            self.engine.known.lock().insert(self.key.clone(), known);
        }
    }

    fn oci_digest(&self) -> &str {
        self.object.status.as_ref().map(|status| status.last_attempted_revision_digest.as_str()).unwrap_or_default()
    }

    /// Says who else the stored release belongs to by an annotation on its live objects, if it is not ours already.
    pub async fn foreign_owner(&self, annotation: &str, own: &str) -> Result<Option<String>, EngineError> {
        const LOOKED_AT: usize = 3;
        if self.object.status.as_ref().is_some_and(|status| !status.history.is_empty()) {
            return Ok(None);
        }
        let name = self.object.release_name();
        let revisions = self.storage.revisions(&name).await?;
        let Some((version, revision)) = revisions.last_key_value() else { return Ok(None) };
        if revision.ours {
            return Ok(None);
        }
        let Some(record) = self.storage.get(&name, *version).await? else { return Ok(None) };
        let documents = crate::manifest::parse(&record.release.manifest).unwrap_or_default();
        for document in documents.into_iter().take(LOOKED_AT) {
            let Ok(reference) = self.target.cluster.locate(&document.object, &record.release.namespace).await else {
                continue;
            };
            let Some(live) = self.target.cluster.get(&reference).await? else { continue };
            match apply::object::annotation(&live, annotation) {
                Some(owner) if owner != own => {
                    return Ok(Some(format!(
                        "release '{name}' belongs to {owner} ({reference} says so in its annotation {annotation})"
                    )));
                }
                _ => {}
            }
        }
        Ok(None)
    }
}
