//! Shared watches of the objects that releases and kustomizations apply, one per kind, alive while somebody waits.
//!
//! Only a judgement per object is kept, so that hundreds of Deployments cost kilobytes. When the judgement of an object
//! changes, its owner (named by two labels) is woken.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::unread::Unread;
use futures::{StreamExt, pin_mut};
use kube::{
    Api, Client, ResourceExt as _,
    core::DynamicObject,
    runtime::{WatchStreamExt, watcher},
};
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use crate::{
    discovery::{Resource, api_resource},
    object::{Gvk, ObjectRef, label},
    readiness::{Observed, Sighting},
};

/// The labels that name an object's owner.
#[derive(Clone, Copy, Debug)]
pub struct OwnerLabels {
    /// Label with the owner's name.
    pub name: &'static str,
    /// Label with the owner's namespace.
    pub namespace: &'static str,
}

/// Called with an owner's namespace and name when one of its objects changed.
pub type Wake = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// A watch nobody waits on any more ends after this long: the next rollout often follows soon.
const LINGER: Duration = Duration::from_secs(20);
/// Objects per page of the initial list: pages are parsed one at a time.
const PAGE: u32 = 50;

/// The watches of one cluster. Cheap to clone.
#[derive(Clone)]
pub struct Watches {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    labels: OwnerLabels,
    wake: Wake,
    kinds: Mutex<HashMap<Gvk, Arc<Kind>>>,
}

impl std::fmt::Debug for Watches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watches").field("kinds", &self.inner.kinds.lock().len()).finish()
    }
}

#[derive(Default)]
struct Kind {
    objects: RwLock<HashMap<Key, Observed>>,
    synced: AtomicBool,
    /// We may not watch the whole cluster: objects are looked up one by one.
    denied: AtomicBool,
    interested: AtomicUsize,
    task: Mutex<Option<tokio::task::AbortHandle>>,
}

impl Drop for Kind {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

/// Keeps the watch of one kind alive.
pub struct Interest {
    watches: Watches,
    gvk: Gvk,
    kind: Arc<Kind>,
}

impl std::fmt::Debug for Interest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Interest").field(&self.gvk).finish()
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        if self.kind.interested.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let inner = Arc::downgrade(&self.watches.inner);
        let (gvk, kind) = (self.gvk.clone(), Arc::downgrade(&self.kind));
        runtime.spawn(async move {
            tokio::time::sleep(LINGER).await;
            let (Some(inner), Some(kind)) = (inner.upgrade(), kind.upgrade()) else { return };
            let mut kinds = inner.kinds.lock();
            if kind.interested.load(Ordering::Acquire) == 0
                && kinds.get(&gvk).is_some_and(|current| Arc::ptr_eq(current, &kind))
            {
                kinds.remove(&gvk);
                if let Some(task) = kind.task.lock().take() {
                    task.abort();
                }
            }
        });
    }
}

impl Watches {
    /// Watches on the cluster of `client`, of objects that bear both owner labels.
    pub fn new(client: Client, labels: OwnerLabels, wake: Wake) -> Self {
        Self { inner: Arc::new(Inner { client, labels, wake, kinds: Mutex::default() }) }
    }

    /// Starts watching a kind, or joins the watch that is there.
    pub fn interest(&self, gvk: &Gvk, resource: &Resource) -> Interest {
        let mut kinds = self.inner.kinds.lock();
        let kind = kinds.entry(gvk.clone()).or_insert_with(|| self.start(gvk, resource));
        kind.interested.fetch_add(1, Ordering::AcqRel);
        Interest { watches: self.clone(), gvk: gvk.clone(), kind: Arc::clone(kind) }
    }

    /// What is known of an object.
    pub fn sighting(&self, object: &ObjectRef) -> Sighting {
        let kind = self.inner.kinds.lock().get(&object.gvk).cloned();
        let Some(kind) = kind else { return Sighting::Unsynced };
        let key = (object.namespace.as_str().into(), object.name.as_str().into());
        if let Some(observed) = kind.objects.read().get(&key) {
            return Sighting::Seen(observed.clone());
        }
        if kind.synced.load(Ordering::Acquire) { Sighting::Absent } else { Sighting::Unsynced }
    }

    /// Whether an object's kind may not be watched, so that the object has to be looked up.
    pub fn is_denied(&self, object: &ObjectRef) -> bool {
        let kinds = self.inner.kinds.lock();
        kinds.get(&object.gvk).is_some_and(|kind| kind.denied.load(Ordering::Acquire))
    }

    /// Takes in an object that was looked up.
    pub fn observe(&self, object: &ObjectRef, observed: Observed) {
        let kind = self.inner.kinds.lock().get(&object.gvk).cloned();
        if let Some(kind) = kind {
            let key = (object.namespace.as_str().into(), object.name.as_str().into());
            kind.objects.write().insert(key, observed);
        }
    }

    fn start(&self, gvk: &Gvk, resource: &Resource) -> Arc<Kind> {
        let kind = Arc::new(Kind::default());
        let labels = self.inner.labels;
        let api: Api<Unread<DynamicObject>> = Api::all_with(self.inner.client.clone(), &api_resource(gvk, resource));
        let config =
            watcher::Config::default().labels(&format!("{},{}", labels.name, labels.namespace)).page_size(PAGE);
        let (weak, wake, gvk) = (Arc::downgrade(&kind), Arc::clone(&self.inner.wake), gvk.clone());
        let task = tokio::spawn(async move {
            let events = watcher(api, config).default_backoff();
            pin_mut!(events);
            let mut relisted: Option<HashMap<Key, Observed>> = None;
            while let Some(event) = events.next().await {
                let Some(kind) = weak.upgrade() else { return };
                match event {
                    Ok(watcher::Event::Init) => relisted = Some(HashMap::new()),
                    Ok(watcher::Event::InitApply(object)) => {
                        let (key, owner, observed) = digest(&gvk, labels, &object);
                        if let Some(relisted) = relisted.as_mut() {
                            relisted.insert(key.clone(), observed.clone());
                        }
                        kind.take_in(key, observed, owner.as_ref(), &wake);
                    }
                    Ok(watcher::Event::InitDone) => {
                        if let Some(relisted) = relisted.take() {
                            kind.objects.write().retain(|key, _| relisted.contains_key(key));
                        }
                        kind.synced.store(true, Ordering::Release);
                        kind.denied.store(false, Ordering::Release);
                    }
                    Ok(watcher::Event::Apply(object)) => {
                        let (key, owner, observed) = digest(&gvk, labels, &object);
                        kind.take_in(key, observed, owner.as_ref(), &wake);
                    }
                    Ok(watcher::Event::Delete(object)) => {
                        let (key, owner, _) = digest(&gvk, labels, &object);
                        kind.objects.write().remove(&key);
                        if let Some((namespace, name)) = owner {
                            wake(&namespace, &name);
                        }
                    }
                    Err(error) => {
                        if is_denial(&error) {
                            kind.denied.store(true, Ordering::Release);
                        }
                        tracing::debug!(%gvk, %error, "watch of applied objects interrupted");
                    }
                }
            }
        });
        *kind.task.lock() = Some(task.abort_handle());
        kind
    }
}

impl Kind {
    fn take_in(&self, key: Key, observed: Observed, owner: Option<&(String, String)>, wake: &Wake) {
        let changed = {
            let mut objects = self.objects.write();
            let changed = objects
                .get(&key)
                .is_none_or(|earlier| earlier.condition != observed.condition || earlier.uid != observed.uid);
            objects.insert(key, observed);
            changed
        };
        if changed && let Some((namespace, name)) = owner {
            wake(namespace, name);
        }
    }
}

fn is_denial(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.is_forbidden(),
        watcher::Error::WatchError(status) => status.is_forbidden(),
        _ => false,
    }
}

/// Namespace and name.
type Key = (Box<str>, Box<str>);
type Digested = (Key, Option<(String, String)>, Observed);

fn digest(gvk: &Gvk, labels: OwnerLabels, object: &Unread<DynamicObject>) -> Digested {
    let key = (object.namespace().unwrap_or_default().into(), object.name_any().into());
    let mut value: Value = object.read_as().unwrap_or_default();
    if let Some(map) = value.as_object_mut() {
        // The items of a list do not say what they are.
        map.insert("apiVersion".to_owned(), Value::String(gvk.api_version()));
        map.insert("kind".to_owned(), Value::String(gvk.kind.clone()));
    }
    let owner = label(&value, labels.namespace).zip(label(&value, labels.name));
    let owner = owner.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
    (key, owner, Observed::of(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readiness::Condition;

    #[test]
    fn an_object_is_judged_without_its_managed_fields() {
        const LABELS: OwnerLabels = OwnerLabels { name: "owner", namespace: "owner-namespace" };
        let text = serde_json::json!({
            "metadata": {
                "name": "web", "namespace": "apps", "uid": "u", "resourceVersion": "12", "generation": 1,
                "labels": {"owner": "release", "owner-namespace": "flux"},
                "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 0},
        });
        let object = serde_json::from_str(&text.to_string()).unwrap();
        let (key, owner, observed) = digest(&Gvk::new("apps/v1", "Deployment"), LABELS, &object);
        assert_eq!(key, ("apps".into(), "web".into()));
        assert_eq!(owner, Some(("flux".to_owned(), "release".to_owned())));
        assert_eq!((&*observed.uid, observed.resource_version), ("u", 12));
        assert_eq!(observed.condition, Condition::InProgress);
    }
}
