//! Drives one kind: watches it, queues what changed, and runs the reconciler on a bounded number of objects at a time.

use std::{collections::HashMap, fmt::Debug, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use common::{names::annotation::REQUESTED_AT, unread::Unread};
use futures::{FutureExt, StreamExt};
use kube::{
    Api, Resource, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
    core::{ApiResource, error_boundary::InvalidObject},
    runtime::watcher,
};
use parking_lot::Mutex;
use rand::Rng;
use serde::de::DeserializeOwned;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, warn};

use crate::{
    backoff::{Backoff, BackoffPolicy},
    clock::Clock,
    health::Gate,
    key::ObjectKey,
    metrics::ReconcileMetrics,
    queue::Queue,
    status::invalid_object_status,
    store::Store,
};

/// What to do with an object after a reconcile that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing until a watch or another controller part asks for it.
    Await,
    /// Look again after this long, or earlier if asked.
    RequeueAfter(Duration),
}

/// What a failed reconcile means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Only a change of the object or its inputs can help.
    Terminal,
    /// Retried with exponential backoff.
    Transient,
    /// Something else has to happen first; looked at again after this long, or when woken.
    Waiting(Duration),
}

/// An error that knows its class.
pub trait ReconcileError: std::error::Error + Send + Sync + 'static {
    /// How to go on after this error.
    fn class(&self) -> ErrorClass;
}

/// A controller's own part: what to do with one object of kind `K`.
pub trait Reconcile<K: Resource>: Send + Sync + 'static {
    /// The controller's error type.
    type Error: ReconcileError;

    /// Brings the world closer to what `object` declares. Must not wait for anything but its own requests.
    fn reconcile(&self, object: Arc<K>) -> impl Future<Output = Result<Action, Self::Error>> + Send;

    /// Whether a change of the stored object asks for a reconcile. Status changes (mostly our own) do not.
    fn is_relevant(&self, old: &K, new: &K) -> bool {
        asks_for_reconcile(old.meta(), new.meta())
    }

    /// Names the state of the inputs that a failure belongs to; when it changes, backoff starts again.
    fn epoch(&self, object: &K) -> String {
        let meta = object.meta();
        let requested = meta.annotations.as_ref().and_then(|a| a.get(REQUESTED_AT)).map_or("", String::as_str);
        format!("{}/{requested}", meta.generation.unwrap_or_default())
    }

    /// The object is gone from the cluster: drop what is remembered of it.
    fn gone(&self, _key: &ObjectKey) {}
}

/// Whether generation, deletion, finalizers or a `reconcile.fluxcd.io/…` annotation changed.
pub fn asks_for_reconcile(
    old: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
    new: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
) -> bool {
    fn requests(meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> Vec<(&String, &String)> {
        meta.annotations.iter().flatten().filter(|(key, _)| key.starts_with("reconcile.fluxcd.io/")).collect()
    }
    old.uid != new.uid
        || old.generation != new.generation
        || old.deletion_timestamp != new.deletion_timestamp
        || old.finalizers != new.finalizers
        || requests(old) != requests(new)
}

/// Settings of a [`Controller`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Reconciles running at the same time.
    pub concurrent: usize,
    /// Retry delays of transient errors.
    pub backoff: BackoffPolicy,
    /// Restricts the watch (label selector, page size).
    pub watch: watcher::Config,
    /// Field manager of the status written for objects that cannot be read.
    pub field_manager: String,
    /// Where conditions take their time from.
    pub clock: Clock,
}

/// One kind's watch, store and queue.
#[derive(Debug)]
pub struct Controller<K: Resource> {
    api: Api<Unread<K>>,
    store: Store<K>,
    queue: Queue<ObjectKey>,
    options: Options,
    gate: Gate,
    metrics: ReconcileMetrics,
    synced: watch::Sender<bool>,
    backoffs: Arc<Mutex<HashMap<ObjectKey, Backoff>>>,
}

/// Wakes objects of one kind from outside their own watch.
#[derive(Clone, Debug)]
pub struct Trigger {
    queue: Queue<ObjectKey>,
}

impl Trigger {
    /// Reconcile this object now.
    pub fn wake(&self, key: ObjectKey) {
        self.queue.add(key);
    }

    /// Reconcile this object after `delay`, or earlier.
    pub fn wake_after(&self, key: ObjectKey, delay: Duration) {
        self.queue.add_at(key, Instant::now() + delay);
    }
}

impl<K> Controller<K>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    /// A controller of the objects that `api` shows.
    pub fn new(api: Api<Unread<K>>, options: Options, gate: Gate, metrics: ReconcileMetrics) -> Self {
        gate.waiting("the first list of objects has not been read yet");
        Self {
            api,
            store: Store::default(),
            queue: Queue::default(),
            options,
            gate,
            metrics,
            synced: watch::Sender::new(false),
            backoffs: Arc::default(),
        }
    }

    /// The objects as last seen.
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }

    /// A handle that wakes objects of this kind.
    pub fn trigger(&self) -> Trigger {
        Trigger { queue: self.queue.clone() }
    }

    /// Turns true once the first list has been read.
    pub fn synced(&self) -> watch::Receiver<bool> {
        self.synced.subscribe()
    }

    /// Watches and reconciles until `shutdown`; then no new reconcile starts and those running are finished.
    pub async fn run<R: Reconcile<K>>(self, reconciler: Arc<R>, shutdown: CancellationToken) {
        tokio::join!(self.watch(reconciler.as_ref(), &shutdown), self.work(Arc::clone(&reconciler), &shutdown));
    }

    async fn watch<R: Reconcile<K>>(&self, reconciler: &R, shutdown: &CancellationToken) {
        let mut events = std::pin::pin!(watcher(self.api.clone(), self.options.watch.clone()));
        let mut failures = Backoff::default();
        let policy = BackoffPolicy { min: Duration::from_millis(500), max: Duration::from_secs(10) };
        let mut listed: Vec<ObjectKey> = Vec::new();
        loop {
            let event = tokio::select! {
                () = shutdown.cancelled() => return,
                event = events.next() => event,
            };
            match event {
                Some(Ok(watcher::Event::Init)) => listed.clear(),
                Some(Ok(watcher::Event::InitApply(object))) => {
                    listed.push(ObjectKey::of(&object));
                    self.seen(reconciler, &object);
                }
                Some(Ok(watcher::Event::InitDone)) => {
                    let listed: std::collections::HashSet<_> = listed.drain(..).collect();
                    for key in self.store.keys().into_iter().filter(|key| !listed.contains(key)) {
                        self.forget(reconciler, &key);
                    }
                    failures = Backoff::default();
                    self.gate.ready();
                    self.synced.send_replace(true);
                }
                Some(Ok(watcher::Event::Apply(object))) => self.seen(reconciler, &object),
                Some(Ok(watcher::Event::Delete(object))) => self.forget(reconciler, &ObjectKey::of(&object)),
                Some(Err(error)) => {
                    self.watch_failed(&error);
                    let delay = failures.failed(policy, "", rand::rng().random());
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = sleep(delay) => {}
                    }
                }
                None => return,
            }
        }
    }

    fn watch_failed(&self, error: &watcher::Error) {
        let kind = K::kind(&());
        if let Some(reason) = missing_definition::<K>(error) {
            if self.gate.waiting(&reason) {
                warn!(controllerKind = %kind, "waiting until it is: {reason}");
            }
        } else if self.gate.is_ready() {
            // Transient: the last known objects stay in use, so the process stays ready.
            info!(controllerKind = %kind, error = %error, "watch interrupted, will be resumed");
        } else {
            self.gate.waiting(&format!("cannot list {kind} objects: {error}"));
            warn!(controllerKind = %kind, error = %error, "cannot list objects, will be tried again");
        }
    }

    fn seen<R: Reconcile<K>>(&self, reconciler: &R, object: &Unread<K>) {
        let key = ObjectKey::of(object);
        if self.store.knows(object.meta()) {
            debug!(object = %key, "event not newer than our own last write");
            return;
        }
        match object.read() {
            Ok(object) => {
                let current = Arc::new(object);
                match self.store.observe_shared(Arc::clone(&current)) {
                    Ok(Some(old)) if !reconciler.is_relevant(&old, &current) => {}
                    Ok(_) => self.queue.add(key),
                    Err(crate::store::Stale) => debug!(object = %key, "event older than our own last write"),
                }
            }
            Err(invalid) => {
                let known = self.store.get_invalid(&key).is_some_and(|known| known.error == invalid.error);
                self.store.observe_invalid(*invalid);
                if !known {
                    self.queue.add(key);
                }
            }
        }
    }

    fn forget<R: Reconcile<K>>(&self, reconciler: &R, key: &ObjectKey) {
        self.store.remove(key);
        self.queue.remove(key);
        self.backoffs.lock().remove(key);
        self.metrics.forget(&K::kind(&()), key);
        reconciler.gone(key);
    }

    async fn work<R: Reconcile<K>>(&self, reconciler: Arc<R>, shutdown: &CancellationToken) {
        let mut running = JoinSet::new();
        let mut synced = self.synced.subscribe();
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = synced.wait_for(|synced| *synced) => {}
        }
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(_) = running.join_next(), if !running.is_empty() => {}
                key = self.queue.next(), if running.len() < self.options.concurrent => {
                    self.metrics.depth(&K::kind(&()), self.queue.depth());
                    running.spawn(self.one(Arc::clone(&reconciler), key));
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// One reconcile of one object, panics contained, the key given back to the queue at the end.
    fn one<R: Reconcile<K>>(&self, reconciler: Arc<R>, key: ObjectKey) -> impl Future<Output = ()> + Send + use<K, R> {
        let (store, queue, metrics) = (self.store.clone(), self.queue.clone(), self.metrics.clone());
        let (backoffs, options, api) = (Arc::clone(&self.backoffs), self.options.clone(), self.api.clone());
        let kind = K::kind(&()).into_owned();
        let span = tracing::info_span!(
            "reconcile",
            otel.name = format!("{kind} {key}"),
            controllerKind = %kind,
            name = %key.name,
            namespace = %key.namespace,
        );
        async move {
            let started = Instant::now();
            let next = if let Some(object) = store.get(&key) {
                let epoch = reconciler.epoch(&object);
                let outcome = AssertUnwindSafe(reconciler.reconcile(object)).catch_unwind().await;
                let failed = |class: ErrorClass| match class {
                    ErrorClass::Terminal => None,
                    ErrorClass::Waiting(delay) => Some(delay),
                    ErrorClass::Transient => {
                        let mut backoffs = backoffs.lock();
                        let backoff = backoffs.entry(key.clone()).or_default();
                        Some(backoff.failed(options.backoff, &epoch, rand::rng().random()))
                    }
                };
                let (next, result) = match outcome {
                    Ok(Ok(action)) => {
                        backoffs.lock().remove(&key);
                        match action {
                            Action::Await => (None, "success"),
                            Action::RequeueAfter(delay) => (Some(delay), "requeue_after"),
                        }
                    }
                    Ok(Err(error)) => {
                        let class = error.class();
                        let next = failed(class);
                        match class {
                            ErrorClass::Waiting(_) => debug!(reason = %error, "waiting"),
                            _ => error!(error = %common::error::chain(&error), retryAfter = ?next, "reconciliation failed"),
                        }
                        (next, if matches!(class, ErrorClass::Waiting(_)) { "requeue_after" } else { "error" })
                    }
                    Err(panic) => {
                        let next = failed(ErrorClass::Transient);
                        error!(error = panic_text(&panic), retryAfter = ?next, "reconciliation panicked; this is a bug in Towline");
                        (next, "error")
                    }
                };
                metrics.reconciled(&kind, &key, started.elapsed(), result);
                next
            } else if let Some(invalid) = store.get_invalid(&key) {
                report_invalid::<K>(&api, &options, &key, &invalid).await
            } else {
                None
            };
            queue.done(&key, next.map(|delay| Instant::now() + delay));
        }
        .instrument(span)
    }
}

/// Says in the status of an object that it cannot be read; nothing else happens to it until it changes.
async fn report_invalid<K>(
    api: &Api<Unread<K>>,
    options: &Options,
    key: &ObjectKey,
    invalid: &InvalidObject,
) -> Option<Duration>
where
    K: Resource<DynamicType = ()> + Clone,
{
    error!(error = invalid.error, "the stored object cannot be read; mend its spec");
    let resource = ApiResource::erase::<K>(&());
    let client = api.clone().into_client();
    let objects: Api<DynamicObject> = if key.namespace.is_empty() {
        Api::all_with(client, &resource)
    } else {
        Api::namespaced_with(client, &key.namespace, &resource)
    };
    let patch = Patch::Merge(invalid_object_status(invalid, options.clock.now()));
    let params = PatchParams { field_manager: Some(options.field_manager.clone()), ..PatchParams::default() };
    match objects.patch_status(&key.name, &params, &patch).await {
        Ok(_) => None,
        Err(kube::Error::Api(status)) if status.is_not_found() => None,
        Err(error) => {
            warn!(error = %error, "could not say in the status that the object cannot be read");
            Some(options.backoff.max)
        }
    }
}

/// Says so if the watch failed because the API server does not know the kind.
pub fn missing_definition<K: Resource<DynamicType = ()>>(error: &watcher::Error) -> Option<String> {
    // By the code alone: what is not served is answered by plain text, without a reason.
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code,
        watcher::Error::WatchError(status) => status.code,
        _ => return None,
    };
    (code == 404).then(|| format!("CustomResourceDefinition {}.{} is not installed", K::plural(&()), K::group(&())))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "panic without a message"
    }
}

/// Deletion has been asked for.
pub fn is_being_deleted<K: ResourceExt>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}
