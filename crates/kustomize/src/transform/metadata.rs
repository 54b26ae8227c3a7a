//! Labels and annotations.

use std::collections::BTreeMap;

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    node::{Map, Node, Scalar},
    res_map::ResMap,
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
        let gvk = resource.id().gvk.clone();
        let node = resource.node_mut();
        for spec in specs {
            spec.apply(&gvk, node, Create::Map, &mut |node| set_pairs(node, pairs, &spec.path))?;
        }
    }
    Ok(())
}

fn set_pairs(node: &mut Node, pairs: &BTreeMap<String, String>, path: &str) -> Result<(), Error> {
    if node.is_null() {
        *node = Node::map();
    }
    let kind = node.kind();
    let Some(map) = node.as_map_mut() else {
        return Err(Error::WrongNode { expected: "MappingNode", found: kind, path: path.to_owned() });
    };
    for (key, value) in pairs {
        set_string(map, key, value);
    }
    Ok(())
}

/// Sets a text that stays a text whatever it looks like.
pub(crate) fn set_string(map: &mut Map, key: &str, value: &str) {
    map.set(key, Node::Scalar(Scalar::string(value)));
}
