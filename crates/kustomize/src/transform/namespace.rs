//! The namespace transformer.

use std::collections::HashSet;

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    node::{Node, Scalar},
    res_map::ResMap,
    resource::Resource,
};

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SubjectMode {
    /// Those named `default`, of whatever kind.
    #[default]
    DefaultOnly,
    /// All service accounts.
    AllServiceAccounts,
    /// None.
    None,
}

/// The transformer's settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// The namespace to set.
    pub namespace: String,
    /// Leave what is set already.
    pub unset_only: bool,
    /// Subjects of role bindings.
    pub subjects: SubjectMode,
}

/// Puts every resource into the namespace, with what else has to follow.
pub(crate) fn apply(resources: &mut ResMap, settings: &Settings, specs: &[FieldSpec]) -> Result<(), Error> {
    if settings.namespace.is_empty() {
        return Ok(());
    }
    for resource in resources.iter_mut() {
        if resource.node().is_empty() || resource.from_helm {
            continue;
        }
        resource.remember();
        one(resource, settings, specs)?;
    }
    let mut seen = HashSet::with_capacity(resources.len());
    for resource in resources.iter() {
        if !seen.insert(resource.id().key()) {
            return Err(Error::message(format!("namespace transformation produces ID conflict: {}", resource.id())));
        }
    }
    Ok(())
}

fn one(resource: &mut Resource, settings: &Settings, specs: &[FieldSpec]) -> Result<(), Error> {
    let gvk = resource.id().gvk.clone();
    let is_cluster_scoped = gvk.is_cluster_scoped();
    for spec in specs {
        if spec.path == "metadata/namespace" {
            if !is_cluster_scoped && gvk.is_selected(&spec.gvk) {
                set_own(resource, settings);
            }
            continue;
        }
        if spec.path == "metadata/name" && spec.gvk.kind == "Namespace" {
            if &*gvk.kind == "Namespace" && gvk.group.is_empty() && gvk.is_selected(&spec.gvk) && !settings.unset_only {
                resource.set_name(&settings.namespace);
            }
            continue;
        }
        if is_binding(&gvk.kind) && spec.path.starts_with("subjects") {
            // Which subjects change is the mode's business, not a field spec's.
            if spec.path == "subjects" && gvk.is_selected(&spec.gvk) && resource.node().at(&["subjects"]).is_some() {
                return Err(Error::message(format!(
                    "namespace field specs must target scalar nodes: considering field 'subjects' of object {}",
                    resource.id()
                )));
            }
            continue;
        }
        spec.apply(&gvk, resource.node_mut(), Create::Scalar, &mut |node| set_scalar(node, settings))?;
    }
    if is_binding(&gvk.kind) {
        subjects(resource, settings)?;
    }
    Ok(())
}

fn is_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}

fn set_own(resource: &mut Resource, settings: &Settings) {
    if settings.unset_only && !resource.id().namespace.is_empty() {
        return;
    }
    resource.set_namespace(&settings.namespace);
}

fn set_scalar(node: &mut Node, settings: &Settings) -> Result<(), Error> {
    match node {
        Node::Scalar(scalar) => {
            if settings.unset_only && !scalar.is_null() && !scalar.text.is_empty() {
                return Ok(());
            }
            scalar.assign(Scalar::string(settings.namespace.as_str()));
            Ok(())
        }
        other => Err(Error::WrongNode { expected: "ScalarNode", found: other.kind(), path: String::new() }),
    }
}

fn subjects(resource: &mut Resource, settings: &Settings) -> Result<(), Error> {
    if settings.subjects == SubjectMode::None {
        return Ok(());
    }
    let kind = match resource.node().at(&["subjects"]) {
        None => return Ok(()),
        Some(node) if node.is_null() => return Ok(()),
        Some(Node::Seq(_)) => "",
        Some(other) => other.kind(),
    };
    if !kind.is_empty() {
        return Err(
            resource.error("setting the namespace of subjects", format!("subjects should be a list, found {kind}"))
        );
    }
    let Some(Node::Seq(list)) = resource.node_mut().as_map_mut().and_then(|map| map.get_mut("subjects")) else {
        return Ok(());
    };
    for subject in list {
        let chosen = match settings.subjects {
            SubjectMode::AllServiceAccounts => subject.text_at(&["kind"]) == "ServiceAccount",
            _ => subject.text_at(&["name"]) == "default",
        };
        if !chosen || (settings.unset_only && !subject.text_at(&["namespace"]).is_empty()) {
            continue;
        }
        if let Some(map) = subject.as_map_mut() {
            match map.get_mut("namespace") {
                Some(field) => set_scalar(field, settings)?,
                None => map.set("namespace", Node::string(settings.namespace.as_str())),
            }
        }
    }
    Ok(())
}
