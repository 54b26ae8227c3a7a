//! The notes that kustomize keeps of a resource in annotations of its own. Here they are fields of [`Resource`]; as
//! annotations they are seen where a build copies whole metadata, and at the end those that `buildMetadata` asks for.

use crate::{
    node::{Node, Text},
    resource::{Behavior, Origin, Resource, internal},
};

/// Where a resource came from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// What changed it.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// All notes on a resource, as annotations.
pub(crate) fn annotations(resource: &Resource) -> Vec<(&'static str, String)> {
    let joined = |texts: &[Text]| texts.join(",");
    let previous = |part: fn(&crate::resource::Previous) -> &Text| {
        resource.previous.iter().map(part).map(Text::as_str).collect::<Vec<_>>().join(",")
    };
    let mut out = vec![
        (internal::PREVIOUS_NAMES, previous(|previous| &previous.name)),
        (internal::PREVIOUS_NAMESPACES, previous(|previous| &previous.namespace)),
        (internal::PREVIOUS_KINDS, previous(|previous| &previous.kind)),
        (internal::PREFIXES, joined(&resource.prefixes)),
        (internal::SUFFIXES, joined(&resource.suffixes)),
    ];
    if resource.is_generated {
        let behavior = match resource.behavior {
            Behavior::Unspecified => "unspecified",
            Behavior::Create => "create",
            Behavior::Replace => "replace",
            Behavior::Merge => "merge",
        };
        out.push((internal::BEHAVIOR, behavior.to_owned()));
    }
    if resource.needs_hash {
        out.push((internal::NEEDS_HASH, "enabled".to_owned()));
    }
    if resource.is_tracked {
        out.push((ORIGIN, resource.origin.as_ref().map(|origin| origin_text(origin, "")).unwrap_or_default()));
        out.push((TRANSFORMATIONS, transformations_text(resource)));
    }
    out.retain(|(_, text)| !text.is_empty());
    out
}

/// A copy of the resource's tree with the notes in it.
pub(crate) fn noted(resource: &Resource) -> Node {
    let mut node = resource.node().clone();
    let notes = annotations(resource);
    if !notes.is_empty()
        && let Some(map) = node.map_at_mut(&["metadata", "annotations"])
    {
        notes.into_iter().for_each(|(key, text)| map.set(key, Node::string(text)));
    }
    node
}

/// What changed a resource, one item each.
pub(crate) fn transformations_text(resource: &Resource) -> String {
    resource.transformations.iter().map(|origin| format!("- {}", origin_text(origin, "  "))).collect()
}

/// An origin as kustomize writes it: YAML with fixed order, empty fields left out.
pub(crate) fn origin_text(origin: &Origin, indent: &str) -> String {
    let mut lines = Vec::new();
    for (key, value) in [
        ("path", &origin.path),
        ("repo", &origin.repo),
        ("ref", &origin.reference),
        ("configuredIn", &origin.configured_in),
    ] {
        if !value.is_empty() {
            lines.push(format!("{key}: {value}\n"));
        }
    }
    if let Some(by) = &origin.configured_by {
        lines.push("configuredBy:\n".to_owned());
        for (key, value) in
            [("apiVersion", &by.api_version), ("kind", &by.kind), ("name", &by.name), ("namespace", &by.namespace)]
        {
            if !value.is_empty() {
                lines.push(format!("  {key}: {value}\n"));
            }
        }
    }
    lines.join(indent)
}
