//! Labels and annotations.

use std::collections::BTreeMap;

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    node::{Map, Node, Scalar},
    res_map::ResMap,
    resource::Resource,
};

/// Sets `pairs` in every map that `specs` name, keys in sorted order.
pub(crate) fn apply(
    resources: &mut ResMap,
    pairs: &BTreeMap<String, String>,
    specs: &[FieldSpec],
) -> Result<(), Error> {
    if pairs.is_empty() {
        return Ok(());
    }
    for resource in resources.iter_mut() {
        one(resource, pairs, specs)?;
    }
    Ok(())
}

fn one(resource: &mut Resource, pairs: &BTreeMap<String, String>, specs: &[FieldSpec]) -> Result<(), Error> {
    let gvk = resource.id().gvk.clone();
    let specs: Vec<&FieldSpec> = specs.iter().filter(|spec| gvk.is_selected(&spec.gvk)).collect();
    // A value that is new in several fields is one value from then on.
    let first_link = if specs.len() > 1 { resource.next_link() } else { 0 };
    let mut shared = false;
    let has_notes = resource.has_notes();
    let labels = ["metadata", "labels"];
    let sets_labels = specs.iter().any(|spec| spec.path == "metadata/labels");
    let had_none = resource.node().at(&labels).is_none();
    let had_made = resource.has_made_labels();
    let node = resource.node_mut();
    for spec in specs {
        // kustomize's notes are annotations, so that there are some already.
        let is_there = has_notes && !spec.create && spec.path == "metadata/annotations";
        let made = is_there.then(|| FieldSpec { create: true, ..spec.clone() });
        let spec = made.as_ref().unwrap_or(spec);
        spec.apply(&gvk, node, Create::Map, &mut |node| {
            shared |= set_pairs(node, pairs, first_link)?;
            Ok(())
        })?;
    }
    if sets_labels {
        if had_made {
            resource.keep_made_labels(true);
        } else {
            let made = resource.node().at(&labels).filter(|_| had_none);
            resource.made_labels = made.map(|made| (made.clone(), has_notes));
        }
    }
    resource.settle();
    if shared && first_link > 0 {
        resource.share(pairs.values().map(|value| Scalar::string(value.as_str())));
    }
    Ok(())
}

/// Sets all pairs in a map; true when some were new there. New ones get links, when the first one is not zero.
fn set_pairs(node: &mut Node, pairs: &BTreeMap<String, String>, first_link: u32) -> Result<bool, Error> {
    if node.is_null() {
        *node = Node::map();
    }
    let kind = node.kind();
    let Some(map) = node.as_map_mut() else {
        return Err(Error::WrongNode { expected: "MappingNode", found: kind, path: String::new() });
    };
    let mut made = false;
    for (offset, (key, value)) in (0..).zip(pairs) {
        let scalar = Scalar::string(value.as_str());
        match map.get_mut(key) {
            Some(Node::Scalar(old)) => old.assign(scalar),
            Some(other) => *other = Node::Scalar(scalar),
            None => {
                let link = if first_link > 0 { first_link.saturating_add(offset) } else { 0 };
                map.set(key, Node::Scalar(Scalar { link, ..scalar }));
                made = true;
            }
        }
    }
    Ok(made)
}

/// Sets a text that stays a text whatever it looks like.
pub(crate) fn set_string(map: &mut Map, key: &str, value: &str) {
    map.set(key, Node::Scalar(Scalar::string(value)));
}
