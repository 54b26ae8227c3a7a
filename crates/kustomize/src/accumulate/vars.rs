//! Vars: what each is bound to when its kustomization is done, and its value at the end.

use std::collections::BTreeMap;

use super::{Accumulator, Target};
use crate::{
    error::Error,
    id::{Gvk, ResId},
    kustomization::Var,
    node::Node,
    resource::Resource,
    transform::{path, var},
};

impl Target<'_> {
    pub(super) fn register_vars(&self, all: &mut Accumulator) -> Result<(), Error> {
        for var in &self.kustomization.vars {
            let target = &var.objref;
            let mut gvk = Gvk::parse(&target.api_version, &target.kind);
            if gvk.group.is_empty() && !target.group.is_empty() {
                gvk.group = target.group.as_str().into();
            }
            if gvk.version.is_empty() && !target.version.is_empty() {
                gvk.version = target.version.as_str().into();
            }
            let wanted = |id: &ResId| {
                id.gvk == gvk
                    && *id.name == *target.name
                    && (target.namespace.is_empty() || id.effective_namespace() == target.namespace)
            };
            let matching: Vec<usize> = (0..)
                .zip(all.resources.iter())
                .filter(|(_, resource)| wanted(resource.id()) || resource.previous_ids().any(|id| wanted(&id)))
                .map(|(at, _)| at)
                .collect();
            match matching.as_slice() {
                [] => {}
                [one] => {
                    if let Some(resource) = all.resources.get_mut(*one) {
                        resource.bound_vars.push(var.name.clone());
                    }
                }
                _ => {
                    return Err(Error::message(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        matching.len(),
                        var.name
                    )));
                }
            }
            add_var(&mut all.vars, var.clone())?;
        }
        Ok(())
    }
}

/// Adds a var; names are unique.
pub(super) fn add_var(vars: &mut Vec<Var>, var: Var) -> Result<(), Error> {
    if vars.iter().any(|known| known.name == var.name) {
        return Err(Error::message(format!("var '{}' already encountered", var.name)));
    }
    vars.push(var);
    Ok(())
}

/// The values of all vars, read at the end of the build.
pub(crate) fn var_values(all: &mut Accumulator) -> Result<var::Values, Error> {
    let mut out = BTreeMap::new();
    for var in std::mem::take(&mut all.vars) {
        let bound = |resource: &&Resource| resource.bound_vars.contains(&var.name);
        let Some(resource) = all.resources.iter().find(bound) else {
            return Err(Error::message(format!(
                "var '{}' cannot be mapped to a field in the set of known resources: no resource matches its objref",
                var.name
            )));
        };
        let field = if var.fieldref.field_path.is_empty() { "metadata.name" } else { &var.fieldref.field_path };
        let found = path::find(resource.node(), &path::parse(&field.replace('[', ".").replace(']', "")))?;
        let missing = || {
            Error::message(format!(
                "field '{field}' specified in var '{}' not found in corresponding resource {}",
                var.name,
                resource.id()
            ))
        };
        match found {
            None => return Err(missing()),
            // Only plain values can stand in for a reference; with others it stays as it is.
            Some(Node::Scalar(scalar)) if !scalar.is_null() => {
                let value = var::Value::of(scalar).ok_or_else(missing)?;
                out.insert(var.name, value);
            }
            Some(_) => {}
        }
    }
    Ok(out)
}
