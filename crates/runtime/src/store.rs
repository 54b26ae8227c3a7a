//! What is known of the objects of one kind: fed by a watch and by the answers to our own writes.

use std::{collections::HashMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, core::error_boundary::InvalidObject};
use parking_lot::RwLock;

use crate::key::ObjectKey;

/// A shared, read-mostly map of objects by key.
///
/// An answer to a write is put in at once ([`Store::observe`]), so that a reconcile never acts on a state older than
/// its own last write; an event of the watch that is older than what is stored is passed over.
#[derive(Debug)]
pub struct Store<K> {
    objects: Arc<RwLock<HashMap<ObjectKey, Arc<K>>>>,
    invalid: Arc<RwLock<HashMap<ObjectKey, Arc<InvalidObject>>>>,
}

impl<K> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self { objects: Arc::clone(&self.objects), invalid: Arc::clone(&self.invalid) }
    }
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self { objects: Arc::default(), invalid: Arc::default() }
    }
}

impl<K: Resource> Store<K> {
    /// The object, if it is known.
    pub fn get(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.objects.read().get(key).cloned()
    }

    /// All objects at this moment.
    pub fn list(&self) -> Vec<Arc<K>> {
        self.objects.read().values().cloned().collect()
    }

    /// The keys of the objects that `wanted` accepts.
    pub fn keys_where(&self, mut wanted: impl FnMut(&K) -> bool) -> Vec<ObjectKey> {
        self.objects.read().iter().filter(|(_, object)| wanted(object)).map(|(key, _)| key.clone()).collect()
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.objects.read().len()
    }

    /// Whether no object is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The object as it could not be read, if that is what is stored in the cluster.
    pub fn get_invalid(&self, key: &ObjectKey) -> Option<Arc<InvalidObject>> {
        self.invalid.read().get(key).cloned()
    }

    /// Takes in the newer state of an object; returns the earlier one, or `Err` if what is stored is newer.
    pub fn observe(&self, object: K) -> Result<Option<Arc<K>>, Stale> {
        self.observe_shared(Arc::new(object))
    }

    /// The same with an object that is used elsewhere too.
    pub fn observe_shared(&self, object: Arc<K>) -> Result<Option<Arc<K>>, Stale> {
        let key = ObjectKey::of(object.as_ref());
        let mut objects = self.objects.write();
        if let Some(stored) = objects.get(&key)
            && stored.meta().uid == object.meta().uid
            && resource_version(stored.meta()) > resource_version(object.meta())
        {
            return Err(Stale);
        }
        self.invalid.write().remove(&key);
        Ok(objects.insert(key, object))
    }

    /// Whether this state of an object, or a newer one, is stored: there is no need to read it.
    pub fn knows(&self, meta: &ObjectMeta) -> bool {
        let offered = resource_version(meta);
        let key = ObjectKey {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        };
        offered > 0
            && self
                .objects
                .read()
                .get(&key)
                .is_some_and(|stored| stored.meta().uid == meta.uid && resource_version(stored.meta()) >= offered)
    }

    /// Takes in an object that cannot be read; an earlier readable state is dropped.
    pub fn observe_invalid(&self, object: InvalidObject) {
        let key = ObjectKey {
            namespace: object.metadata.namespace.clone().unwrap_or_default(),
            name: object.metadata.name.clone().unwrap_or_default(),
        };
        self.objects.write().remove(&key);
        self.invalid.write().insert(key, Arc::new(object));
    }

    /// Forgets an object; returns what was known of it.
    pub fn remove(&self, key: &ObjectKey) -> Option<Arc<K>> {
        self.invalid.write().remove(key);
        self.objects.write().remove(key)
    }

    /// Every key known, readable or not.
    pub fn keys(&self) -> Vec<ObjectKey> {
        let mut keys: Vec<_> = self.objects.read().keys().cloned().collect();
        keys.extend(self.invalid.read().keys().cloned());
        keys
    }
}

/// What is stored is newer than what was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

/// Resource versions of one object are comparable integers (Kubernetes KEP-5504); anything else compares as oldest.
fn resource_version(meta: &ObjectMeta) -> u64 {
    meta.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    fn object(version: &str, uid: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some("a".into());
        object.metadata.resource_version = Some(version.into());
        object.metadata.uid = Some(uid.into());
        object
    }

    #[test]
    fn an_older_event_does_not_undo_the_answer_to_a_write() {
        let store = Store::default();
        store.observe(object("10", "u")).unwrap();
        assert_eq!(store.observe(object("9", "u")), Err(Stale));
        assert!(store.observe(object("11", "u")).unwrap().is_some());
        let recreated = store.observe(object("5", "other"));
        assert!(recreated.is_ok(), "another object of the same name is always taken");
    }

    #[test]
    fn what_is_stored_need_not_be_read_again() {
        let store = Store::default();
        store.observe(object("10", "u")).unwrap();
        for (version, uid, expected) in
            [("9", "u", true), ("10", "u", true), ("11", "u", false), ("9", "other", false), ("", "u", false)]
        {
            assert_eq!(store.knows(&object(version, uid).metadata), expected, "{version} {uid}");
        }
    }

    #[test]
    fn an_unreadable_object_replaces_the_readable_one() {
        let store = Store::default();
        store.observe(object("1", "u")).unwrap();
        store.observe_invalid(InvalidObject { error: "bad".into(), metadata: object("2", "u").metadata });
        let key = ObjectKey::new("", "a");
        assert!(store.get(&key).is_none());
        assert!(store.get_invalid(&key).is_some());
        store.observe(object("3", "u")).unwrap();
        assert!(store.get_invalid(&key).is_none());
    }
}
