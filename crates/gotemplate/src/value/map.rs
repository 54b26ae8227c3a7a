//! Go maps with string keys: shared, mutable, kept in key order.

use std::cell::{Ref, RefCell};
use std::rc::{Rc, Weak};

use super::depth::Children;
use super::types::{self, Type};
use super::{Str, Value};

/// The entries of a map in ascending key order.
pub type Entries = Vec<(Str, Value)>;

/// What all references to one map share.
pub(super) type Shared = RefCell<Children<Entries>>;

/// A Go map; cloning gives another reference to the same entries, as in Go. The type belongs to the reference:
/// a `common.Values` passed as `map[string]interface {}` is the same map under another type.
#[derive(Clone, Debug)]
pub struct Map {
    go_type: &'static Type,
    entries: Option<Rc<Shared>>,
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    #[must_use]
    pub fn new() -> Self {
        Self::typed(&types::MAP)
    }

    /// An empty map of the given type.
    #[must_use]
    pub fn typed(go_type: &'static Type) -> Self {
        Self::from_sorted(go_type, Vec::new())
    }

    /// The nil map of the given type.
    #[must_use]
    pub fn nil(go_type: &'static Type) -> Self {
        Self { go_type, entries: None }
    }

    /// A `map[string]interface {}` of these entries; of equal keys the last wins.
    pub fn from_entries<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::typed_from_entries(&types::MAP, entries)
    }

    /// A map of the given type of these entries; of equal keys the last wins.
    pub fn typed_from_entries<K: Into<Str>>(
        go_type: &'static Type,
        entries: impl IntoIterator<Item = (K, Value)>,
    ) -> Self {
        let mut entries: Entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.reverse();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self::from_sorted(go_type, entries)
    }

    fn from_sorted(go_type: &'static Type, entries: Entries) -> Self {
        Self { go_type, entries: Some(Rc::new(RefCell::new(Children::new(entries)))) }
    }

    /// The entries in key order. Nothing may change the map while they are borrowed; use [`Map::snapshot`] around calls.
    #[must_use]
    pub fn entries(&self) -> Option<Ref<'_, [(Str, Value)]>> {
        self.entries.as_deref().map(|entries| Ref::map(entries.borrow(), |entries| entries.as_slice()))
    }

    /// A copy of the entries in key order.
    #[must_use]
    pub fn snapshot(&self) -> Entries {
        self.entries.as_deref().map_or_else(Vec::new, |entries| entries.borrow().to_vec())
    }

    /// A copy of the keys in order.
    #[must_use]
    pub fn keys(&self) -> Vec<Str> {
        self.entries().map_or_else(Vec::new, |entries| entries.iter().map(|entry| entry.0.clone()).collect())
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        self.get_bytes(key.as_bytes())
    }

    /// The value under a key of any bytes.
    #[must_use]
    pub fn get_bytes(&self, key: &[u8]) -> Option<Value> {
        let entries = self.entries.as_deref()?.borrow();
        let index = search(&entries, key).ok()?;
        entries.get(index).map(|entry| entry.1.clone())
    }

    /// Is there an entry under this key?
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.as_deref().is_some_and(|entries| search(&entries.borrow(), key).is_ok())
    }

    /// Sets an entry. A nil map stays nil and `false` is returned (Go panics: assignment to entry in nil map).
    pub fn insert(&self, key: impl Into<Str>, value: Value) -> bool {
        let Some(entries) = self.entries.as_deref() else { return false };
        let key = key.into();
        // The old value is dropped only after the borrow has ended: dropping may reach this very map.
        let old = {
            let mut entries = entries.borrow_mut();
            if entries.last().is_none_or(|last| last.0 < key) {
                entries.push((key, value));
                entries.count();
                None
            } else {
                match search(&entries, key.as_bytes()) {
                    Ok(index) => entries.get_mut(index).map(|entry| std::mem::replace(&mut entry.1, value)),
                    Err(index) => {
                        entries.insert(index, (key, value));
                        entries.count();
                        None
                    }
                }
            }
        };
        drop(old);
        true
    }

    /// Removes an entry and returns its value.
    pub fn remove(&self, key: &[u8]) -> Option<Value> {
        let mut entries = self.entries.as_deref()?.borrow_mut();
        let index = search(&entries, key).ok()?;
        Some(entries.remove(index).1)
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.as_deref().map_or(0, |entries| entries.borrow().len())
    }

    /// Has it no entries?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is it the nil map?
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.entries.is_none()
    }

    /// Its Go type.
    #[must_use]
    pub fn go_type(&self) -> &'static Type {
        self.go_type
    }

    /// The type of its values.
    #[must_use]
    pub fn element_type(&self) -> &'static Type {
        self.go_type.element.unwrap_or(&types::ANY)
    }

    /// The same entries under another type of the same shape (a Go conversion).
    #[must_use]
    pub fn converted(&self, go_type: &'static Type) -> Self {
        Self { go_type, entries: self.entries.clone() }
    }

    pub(super) fn address(&self) -> Option<usize> {
        self.entries.as_ref().map(|entries| Rc::as_ptr(entries).addr())
    }

    pub(super) fn downgrade(&self) -> Option<Weak<Shared>> {
        self.entries.as_ref().map(Rc::downgrade)
    }

    pub(super) fn upgrade(entries: &Weak<Shared>) -> Option<Self> {
        Some(Self { go_type: &types::MAP, entries: Some(entries.upgrade()?) })
    }

    /// Takes values out and leaves nil in their place. They are given back, as dropping them may reach this very map.
    pub(super) fn take_values(&self, taken: &mut Vec<Value>, mut is_taken: impl FnMut(&Value) -> bool) {
        let Some(Ok(mut entries)) = self.entries.as_deref().map(RefCell::try_borrow_mut) else { return };
        let values = entries.iter_mut().map(|entry| &mut entry.1);
        taken.extend(values.filter(|value| is_taken(value)).map(std::mem::take));
    }

    /// Are both references to the same map?
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (&self.entries, &other.entries) {
            (Some(left), Some(right)) => Rc::ptr_eq(left, right),
            (None, None) => true,
            _ => false,
        }
    }
}

fn search(entries: &[(Str, Value)], key: &[u8]) -> Result<usize, usize> {
    entries.binary_search_by(|entry| entry.0.as_bytes().cmp(key))
}
