//! The resources of a build in order, found by id without scanning all of them.

use std::collections::{HashMap, HashSet};

use crate::{
    error::Error,
    id::ResId,
    node::{Map, Node},
    resource::{Behavior, Resource},
};

/// Resources in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    resources: Vec<Resource>,
    /// Positions by current and previous ids; absent after changes until needed again.
    index: Option<Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    current: HashMap<ResId, Vec<usize>>,
    any: HashMap<ResId, Vec<usize>>,
}

impl Index {
    fn add(&mut self, at: usize, resource: &Resource) {
        let current = resource.id().key();
        self.current.entry(current.clone()).or_default().push(at);
        let mut keys = vec![current];
        for previous in resource.previous_ids() {
            let key = previous.key();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        for key in keys {
            self.any.entry(key).or_default().push(at);
        }
    }
}

impl From<Vec<Resource>> for ResMap {
    fn from(resources: Vec<Resource>) -> Self {
        Self { resources, index: None }
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

    /// One resource by position, to be changed.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Resource> {
        self.index = None;
        self.resources.get_mut(at)
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
        self.index.get_or_insert_with(|| {
            let mut index = Index::default();
            for (at, resource) in resources.iter().enumerate() {
                index.add(at, resource);
            }
            index
        })
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
                if let Some(slot) = self.resources.get_mut(at) {
                    *slot = resource;
                }
                self.index = None;
                Ok(())
            }
            ([_], _) => {
                Err(Error::message(format!("id {:?} exists; behavior must be merge or replace", id.to_string())))
            }
            _ => Err(Error::message(format!("found multiple objects {id} that could accept merge of {id}"))),
        }
    }
}

/// Gives a generated resource what stays of the one it meets: its name, its history, its labels and annotations beneath
/// the new ones and, when merging, its data beneath the new data.
fn take_over(new: &mut Resource, old: &Resource, merge: bool) {
    let beneath = |field: &str, old: &Resource, new: &mut Resource| {
        let Some(below) = old.node().at(&["metadata", field]).and_then(Node::as_map) else { return };
        let below = below.clone();
        if let Some(map) = new.node_mut().map_at_mut(&["metadata", field]) {
            lay_beneath(map, below);
        }
    };
    beneath("labels", old, new);
    beneath("annotations", old, new);
    if merge {
        for field in ["data", "binaryData"] {
            let Some(below) = old.node().at(&[field]).and_then(Node::as_map) else { continue };
            let below = below.clone();
            if let Some(map) = new.node_mut().map_at_mut(&[field]) {
                lay_beneath(map, below);
            }
        }
    }
    new.set_name(&old.id().name.clone());
    new.set_namespace(&old.id().namespace.clone());
    new.previous.clone_from(&old.previous);
    new.prefixes.clone_from(&old.prefixes);
    new.suffixes.clone_from(&old.suffixes);
    new.behavior = old.behavior;
    new.origin.clone_from(&old.origin);
    new.transformations.clone_from(&old.transformations);
    new.bound_vars.clone_from(&old.bound_vars);
    new.needs_hash = new.needs_hash && old.needs_hash;
}

fn lay_beneath(map: &mut Map, below: Map) {
    for (key, value) in below.entries {
        if !map.contains(&key.text) {
            map.entries.push((key, value));
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
