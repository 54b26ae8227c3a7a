//! The resources of a build in order, found by id without scanning all of them.

use std::collections::{HashMap, HashSet};

use crate::{
    error::Error,
    generate::DATA,
    id::ResId,
    node::{Map, Node, Text},
    resource::{Behavior, Resource},
    trace::Trace,
};

/// Resources in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    resources: Vec<Resource>,
    /// Positions by current and previous ids; absent after changes to many until needed again.
    index: Option<Index>,
    /// A patch may have left resources without a tree, which the next sweep drops.
    has_emptied: bool,
    /// There may be resources whose origin is not known.
    has_unsourced: bool,
}

#[derive(Clone, Debug, Default)]
struct Index {
    current: HashMap<ResId, Vec<usize>>,
    any: HashMap<ResId, Vec<usize>>,
    /// The ids under which each position is filed, the current one first.
    filed: Vec<Vec<ResId>>,
    /// Positions that were handed out to be changed since they were filed.
    stale: Vec<usize>,
}

/// The ids a resource is found by, the current one first.
fn keys(resource: &Resource) -> Vec<ResId> {
    let mut keys = vec![resource.id().key()];
    for previous in resource.previous_ids() {
        let key = previous.key();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

impl Index {
    fn of(resources: &[Resource]) -> Self {
        let mut index = Self::default();
        for (at, resource) in resources.iter().enumerate() {
            index.add(at, resource);
        }
        index
    }

    /// Files a resource behind all others.
    fn add(&mut self, at: usize, resource: &Resource) {
        let keys = keys(resource);
        self.file(at, &keys);
        self.filed.push(keys);
    }

    fn file(&mut self, at: usize, keys: &[ResId]) {
        let put = |positions: &mut Vec<usize>| {
            let slot = positions.partition_point(|known| *known < at);
            positions.insert(slot, at);
        };
        if let Some(current) = keys.first() {
            put(self.current.entry(current.clone()).or_default());
        }
        for key in keys {
            put(self.any.entry(key.clone()).or_default());
        }
    }

    fn unfile(&mut self, at: usize, keys: &[ResId]) {
        let take = |positions: Option<&mut Vec<usize>>| {
            if let Some(positions) = positions {
                positions.retain(|known| *known != at);
            }
        };
        if let Some(current) = keys.first() {
            take(self.current.get_mut(current));
        }
        for key in keys {
            take(self.any.get_mut(key));
        }
    }

    /// Files anew what was changed.
    fn refresh(&mut self, resources: &[Resource]) {
        for at in std::mem::take(&mut self.stale) {
            let Some(keys) = resources.get(at).map(keys) else { continue };
            let Some(filed) = self.filed.get_mut(at) else { continue };
            if *filed == keys {
                continue;
            }
            let before = std::mem::replace(filed, keys.clone());
            self.unfile(at, &before);
            self.file(at, &keys);
        }
    }
}

impl From<Vec<Resource>> for ResMap {
    fn from(resources: Vec<Resource>) -> Self {
        Self { resources, index: None, has_emptied: true, has_unsourced: true }
    }
}

impl ResMap {
    /// The resources.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.resources.iter()
    }

    /// The resources, to be changed.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.index = None;
        self.resources.iter_mut()
    }

    /// One resource by position.
    pub(crate) fn get(&self, at: usize) -> Option<&Resource> {
        self.resources.get(at)
    }

    /// One resource by position, to be changed. Only this one is filed anew when ids are looked up again, so patches of
    /// one resource each do not cost more the more resources there are.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Resource> {
        if let Some(index) = &mut self.index
            && index.stale.last() != Some(&at)
        {
            index.stale.push(at);
        }
        self.resources.get_mut(at)
    }

    /// Notes that a patch has changed a resource: it may be without tree or origin now.
    pub(crate) fn was_patched(&mut self, is_emptied: bool, is_unsourced: bool) {
        self.has_emptied |= is_emptied;
        self.has_unsourced |= is_unsourced;
    }

    /// Drops the resources that patches have deleted.
    pub(crate) fn drop_emptied(&mut self) {
        if std::mem::take(&mut self.has_emptied) {
            self.retain(|resource| !resource.node().is_empty());
        }
    }

    /// Whether there may be resources whose origin is not known; asking takes it that they get one.
    pub(crate) fn take_unsourced(&mut self) -> bool {
        std::mem::take(&mut self.has_unsourced)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.resources.len()
    }

    /// Takes all resources out.
    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    /// Keeps the resources that `wanted` accepts.
    pub(crate) fn retain(&mut self, wanted: impl FnMut(&Resource) -> bool) {
        self.index = None;
        self.resources.retain(wanted);
    }

    /// Puts the resources into another order.
    pub(crate) fn reorder(&mut self, order: impl FnOnce(&mut Vec<Resource>)) {
        self.index = None;
        order(&mut self.resources);
    }

    fn index(&mut self) -> &Index {
        let resources = &self.resources;
        let index = self.index.get_or_insert_with(|| Index::of(resources));
        index.refresh(resources);
        index
    }

    /// Positions of the resources with this id now.
    pub(crate) fn with_current_id(&mut self, id: &ResId) -> Vec<usize> {
        let key = id.key();
        self.index().current.get(&key).cloned().unwrap_or_default()
    }

    /// Positions of the resources that have or had this id.
    pub(crate) fn with_any_id(&mut self, id: &ResId) -> Vec<usize> {
        let key = id.key();
        self.index().any.get(&key).cloned().unwrap_or_default()
    }

    /// The one resource that has or had this id.
    pub(crate) fn one_with_any_id(&mut self, id: &ResId) -> Result<usize, Error> {
        match self.with_any_id(id).as_slice() {
            [] => Err(Error::message(format!("no matches for Id {id}; failed to find unique target for patch {id}"))),
            [one] => Ok(*one),
            _ => Err(Error::message(format!(
                "multiple matches for Id {id}; failed to find unique target for patch {id}"
            ))),
        }
    }

    /// Adds a resource whose id must be new.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<(), Error> {
        if !self.with_current_id(resource.id()).is_empty() {
            return Err(Error::DuplicateId(resource.id().to_string()));
        }
        let at = self.resources.len();
        self.has_emptied |= resource.node().is_empty();
        self.has_unsourced |= resource.origin.is_none();
        if let Some(index) = &mut self.index {
            index.add(at, &resource);
        }
        self.resources.push(resource);
        Ok(())
    }

    /// Fails when a patch has given two resources one id.
    pub(crate) fn check_distinct(&self) -> Result<(), Error> {
        let mut seen = HashSet::with_capacity(self.resources.len());
        for resource in &self.resources {
            if !resource.node().is_empty() && !seen.insert(resource.id().key()) {
                return Err(Error::DuplicateId(resource.id().to_string()));
            }
        }
        Ok(())
    }

    /// Adds all of another map's resources.
    pub(crate) fn append_all(&mut self, other: Self) -> Result<(), Error> {
        other.resources.into_iter().try_for_each(|resource| self.append(resource))
    }

    /// Adds generated resources: as new ones, or over those that exist, as each one's behaviour says.
    pub(crate) fn absorb_all(&mut self, other: Self) -> Result<(), Error> {
        other.resources.into_iter().try_for_each(|resource| self.absorb(resource))
    }

    fn absorb(&mut self, mut resource: Resource) -> Result<(), Error> {
        let id = resource.id().clone();
        match (self.with_any_id(&id).as_slice(), resource.behavior) {
            ([], Behavior::Merge | Behavior::Replace) => {
                Err(Error::message(format!("id {id:?} does not exist; cannot merge or replace", id = id.to_string())))
            }
            ([], _) => self.append(resource),
            ([at], behavior @ (Behavior::Merge | Behavior::Replace)) => {
                let at = *at;
                let Some(old) = self.resources.get(at) else { return Ok(()) };
                take_over(&mut resource, old, behavior == Behavior::Merge);
                // It takes the place of the one that has its id now: where a patch has made that another kind, there is none.
                let taken = resource.id().clone();
                let candidates = self.with_any_id(&taken);
                let has_id =
                    |at: &&usize| self.resources.get(**at).is_some_and(|known| known.id().key() == taken.key());
                if candidates.iter().filter(has_id).count() != 1 {
                    return Err(Error::message(format!("cannot find the one resource with id {taken} to replace")));
                }
                self.has_unsourced |= resource.origin.is_none();
                if let Some(slot) = self.get_mut(at) {
                    *slot = resource;
                }
                Ok(())
            }
            ([_], _) => {
                Err(Error::message(format!("id {:?} exists; behavior must be merge or replace", id.to_string())))
            }
            _ => Err(Error::message(format!("found multiple objects {id} that could accept merge of {id}"))),
        }
    }
}

/// Says of what a generator has set just now, by `maker`, from which files that is.
fn keep_files(new: &mut Resource, own: &Trace, maker: usize) {
    for field in DATA {
        let keys: Vec<Text> = new
            .node()
            .at(&[field])
            .and_then(Node::as_map)
            .map_or_else(Vec::new, |map| map.entries.iter().map(|(key, _)| key.text.clone()).collect());
        for key in keys {
            let Some(trace) = new.trace.as_mut().filter(|trace| trace.last(field, &key) == Some(maker)) else {
                continue;
            };
            if let Some(by) = own.last(field, &key) {
                trace.correct(field, &key, by);
            }
        }
    }
}

/// Gives a generated resource what stays of the one it meets: its name, its history, its labels and annotations beneath
/// the new ones and, when merging, its data beneath the new data.
fn take_over(new: &mut Resource, old: &Resource, merge: bool) {
    let mut beneath = |path: &[&str]| {
        if let Some(below) = old.node().at(path).and_then(Node::as_map)
            && let Some(map) = new.node_mut().map_at_mut(path)
        {
            lay_beneath(map, below);
        }
    };
    beneath(&["metadata", "labels"]);
    beneath(&["metadata", "annotations"]);
    if merge {
        DATA.iter().for_each(|field| beneath(&[field]));
    }
    new.set_name(&old.id().name.clone());
    new.set_namespace(&old.id().namespace.clone());
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.behavior = old.behavior;
    new.is_generated = old.is_generated;
    // What takes its place comes from the generator; what is merged into it comes from where it did.
    if merge || new.origin.is_none() {
        new.origin.clone_from(&old.origin);
    }
    new.transformations.clone_from(&old.transformations);
    new.bound_vars.clone_from(&old.bound_vars);
    new.needs_hash = new.needs_hash && old.needs_hash;
    if let (Some(trace), Some(own)) = (old.trace.clone(), new.trace.take()) {
        new.trace = Some(trace);
        if let Some(by) = own.maker() {
            new.set_by(by);
            keep_files(new, &own, by);
        }
    }
}

fn lay_beneath(map: &mut Map, below: &Map) {
    for (key, value) in &below.entries {
        if !map.contains(&key.text) {
            // Upstream takes these through a map of texts.
            let text = if value.is_null() { "" } else { value.text().unwrap_or_default() };
            map.entries.push((key.clone(), Node::string(text)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str, data: &[(&str, &str)]) -> Resource {
        let mut node = Node::map();
        node.map_at_mut(&[]).unwrap().set("apiVersion", Node::string("v1"));
        node.map_at_mut(&[]).unwrap().set("kind", Node::string("ConfigMap"));
        node.map_at_mut(&["metadata"]).unwrap().set("name", Node::string(name));
        for (key, value) in data {
            node.map_at_mut(&["data"]).unwrap().set(key, Node::string(*value));
        }
        Resource::new(node)
    }

    #[test]
    fn an_id_can_be_added_once() {
        let mut map = ResMap::default();
        map.append(config_map("a", &[])).unwrap();
        let error = map.append(config_map("a", &[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "may not add resource with an already registered id: ConfigMap.v1.[noGrp]/a.[noNs]"
        );
    }

    #[test]
    fn a_renamed_resource_is_found_by_its_old_id() {
        let mut map = ResMap::default();
        map.append(config_map("a", &[])).unwrap();
        let old = map.get(0).unwrap().id().clone();
        let resource = map.get_mut(0).unwrap();
        resource.remember();
        resource.set_name("p-a");
        assert_eq!(map.with_any_id(&old), [0]);
        assert!(map.with_current_id(&old).is_empty());
    }

    #[test]
    fn the_index_follows_single_changes() {
        let mut map = ResMap::default();
        for name in ["a", "b", "c"] {
            map.append(config_map(name, &[])).unwrap();
        }
        let id = |map: &ResMap, at: usize| map.get(at).unwrap().id().clone();
        let (a, b) = (id(&map, 0), id(&map, 1));
        map.get_mut(0).unwrap().set_name("b");
        map.get_mut(1).unwrap().set_name("x");
        let x = id(&map, 1);
        assert_eq!(map.with_current_id(&b), [0]);
        assert_eq!((map.with_any_id(&a), map.with_any_id(&x)), (vec![], vec![1]));
        map.get_mut(1).unwrap().set_name("b");
        assert_eq!(map.with_current_id(&b), [0, 1], "in order");
        assert!(map.append(config_map("b", &[])).is_err());
        map.append(config_map("x", &[])).unwrap();
        assert_eq!(map.with_any_id(&x), [3]);
    }

    #[test]
    fn merging_keeps_old_data_beneath_the_new() {
        let mut map = ResMap::default();
        map.append(config_map("a", &[("x", "1"), ("y", "1")])).unwrap();
        let mut new = config_map("a", &[("y", "2")]);
        new.behavior = Behavior::Merge;
        let mut other = ResMap::default();
        other.append(new).unwrap();
        map.absorb_all(other).unwrap();
        let data = map.get(0).unwrap().node().at(&["data"]).unwrap();
        assert_eq!((data.text_at(&["x"]), data.text_at(&["y"])), ("1", "2"));
    }
}
