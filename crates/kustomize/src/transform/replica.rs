//! Replica counts.

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    id::ResId,
    kustomization::Replica,
    node::{Node, Scalar, Tag},
    res_map::ResMap,
    resource::Resource,
};

/// Sets the count of every resource of a scalable kind that has or had the name.
pub(crate) fn apply(resources: &mut ResMap, replica: &Replica, specs: &[FieldSpec]) -> Result<(), Error> {
    let mut found = false;
    for spec in specs {
        for resource in resources.iter_mut() {
            // A kind it had counts for being found, though only the kind it has decides whether it has a count.
            let is_meant = |id: &ResId| *id.name == *replica.name && id.gvk.is_selected(&spec.gvk);
            if !is_meant(resource.id()) && !resource.previous_ids().any(|id| is_meant(&id)) {
                continue;
            }
            found = true;
            set(resource, replica, spec)?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<String> = specs.iter().map(|spec| spec.gvk.kind.to_string()).collect();
    Err(Error::message(format!(
        "resource with name {} does not match a config with the following GVK [{}]",
        replica.name,
        kinds.join(", ")
    )))
}

/// Sets the count in one resource.
pub(crate) fn set(resource: &mut Resource, replica: &Replica, spec: &FieldSpec) -> Result<(), Error> {
    let gvk = resource.id().gvk.clone();
    spec.apply(&gvk, resource.node_mut(), Create::Scalar, &mut |node| {
        *node = Node::Scalar(Scalar { text: replica.count.to_string().into(), tag: Tag::Int, plain: true, link: 0 });
        Ok(())
    })
}
