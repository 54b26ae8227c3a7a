//! Replacements: a value read from one resource (or given) and written into fields of others.

use crate::{
    error::Error,
    id::{Gvk, ResId},
    kustomization::{FieldOptions, ReplacementField, Selector, SourceSelector, TargetSelector},
    node::{Node, Scalar, Tag},
    res_map::ResMap,
    resource::Resource,
    selector::CompiledSelector,
    transform::path::{self, Make},
};

const DEFAULT_PATH: &str = "metadata.name";

/// Carries out one replacement.
pub(crate) fn apply(resources: &mut ResMap, replacement: &ReplacementField) -> Result<(), Error> {
    let value = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => {
            return Err(Error::message("value and resource selectors are mutually exclusive in replacements"));
        }
        (None, None) => return Err(Error::message("replacements must specify a source and at least one target")),
        (None, Some(value)) => Node::string(value.as_str()),
        (Some(source), None) => source_value(resources, source)?,
    };
    if replacement.targets.is_empty() {
        return Err(Error::message("replacements must specify a source and at least one target"));
    }
    replacement.targets.iter().try_for_each(|target| write(resources, &value, target))
}

fn described(source: &SourceSelector) -> String {
    let gvk = Gvk {
        group: source.group.as_str().into(),
        version: source.version.as_str().into(),
        kind: source.kind.as_str().into(),
    };
    let id = ResId { gvk, name: source.name.as_str().into(), namespace: source.namespace.as_str().into() };
    let path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    format!("{id}:{path}")
}

fn source_value(resources: &mut ResMap, source: &SourceSelector) -> Result<Node, Error> {
    let gvk = Gvk {
        group: source.group.as_str().into(),
        version: source.version.as_str().into(),
        kind: source.kind.as_str().into(),
    };
    let same = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
    let matches = |id: &ResId| {
        id.gvk.is_selected(&gvk)
            && same(&source.name, &id.name)
            && (source.namespace.is_empty() || source.namespace == id.effective_namespace())
    };
    let mut found =
        (0..).zip(resources.iter()).filter(|(_, r)| matches(r.id()) || r.previous_ids().any(|id| matches(&id)));
    let (first, second) = (found.next(), found.next());
    let (at, resource) = match (first, second) {
        (Some(found), None) => found,
        (None, _) => return Err(Error::message(format!("nothing selected by {}", described(source)))),
        (Some(_), Some(_)) => {
            return Err(Error::message(format!("multiple matches for selector {}", described(source))));
        }
    };
    let field_path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let node = path::find(resource.node(), &path::parse(field_path))?.filter(|node| !node.is_null() && !is_blank(node));
    let Some(node) = node else {
        return Err(Error::message(format!(
            "fieldPath `{field_path}` is missing for replacement source {}",
            resource_text(resource)
        )));
    };
    let value = refine(node, source.options.as_ref())?;
    if let Some(resource) = resources.get_mut(at) {
        resource.referrers += 1;
    }
    Ok(value)
}

fn is_blank(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| scalar.text.is_empty())
}

fn resource_text(resource: &Resource) -> String {
    resource.id().to_string()
}

/// The part of the source that a delimiter and index pick.
fn refine(node: &Node, options: Option<&FieldOptions>) -> Result<Node, Error> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else { return Ok(node.clone()) };
    let Node::Scalar(scalar) = node else {
        return Err(Error::message("delimiter option can only be used with scalar nodes"));
    };
    let parts: Vec<&str> = scalar.text.split(options.delimiter.as_str()).collect();
    let part = usize::try_from(options.index).ok().and_then(|index| parts.get(index));
    match part {
        Some(part) => Ok(Node::Scalar(Scalar { text: (*part).into(), tag: scalar.tag, plain: scalar.plain })),
        None => {
            Err(Error::message(format!("options.index {} is out of bounds for value {}", options.index, scalar.text)))
        }
    }
}

fn write(resources: &mut ResMap, value: &Node, target: &TargetSelector) -> Result<(), Error> {
    let Some(select) = &target.select else { return Err(Error::message("target must specify resources to select")) };
    let selector = CompiledSelector::new(select)?;
    let rejects = target
        .reject
        .iter()
        .map(|reject| Ok((CompiledSelector::new(reject)?, reject)))
        .collect::<Result<Vec<_>, Error>>()?;
    let default = [DEFAULT_PATH.to_owned()];
    let paths: &[String] = if target.field_paths.is_empty() { &default } else { &target.field_paths };
    for resource in resources.iter_mut() {
        let ids: Vec<ResId> = std::iter::once(resource.id().clone()).chain(resource.previous_ids()).collect();
        if !ids.iter().any(|id| matches_id(&selector, id)) {
            continue;
        }
        if !(selector.matches_labels(resource) && selector.matches_annotations(resource)) {
            continue;
        }
        if rejects.iter().any(|(compiled, reject)| is_rejected(compiled, reject, resource, &ids)) {
            continue;
        }
        for field_path in paths {
            write_field(resource, value, field_path, target.options.as_ref())?;
        }
    }
    Ok(())
}

fn matches_id(selector: &CompiledSelector, id: &ResId) -> bool {
    selector.matches_gvk(&id.gvk)
        && selector.matches_name(&id.name)
        && selector.matches_namespace(id.effective_namespace())
}

/// The part of a reject that names ids and the part that names labels each reject on their own; an empty part does not.
fn is_rejected(compiled: &CompiledSelector, reject: &Selector, resource: &Resource, ids: &[ResId]) -> bool {
    let names_ids = [&reject.group, &reject.version, &reject.kind, &reject.name, &reject.namespace]
        .iter()
        .any(|part| !part.is_empty());
    if names_ids && ids.iter().any(|id| matches_id(compiled, id)) {
        return true;
    }
    (!reject.label_selector.is_empty() && compiled.matches_labels(resource))
        || (!reject.annotation_selector.is_empty() && compiled.matches_annotations(resource))
}

fn write_field(
    resource: &mut Resource,
    value: &Node,
    field_path: &str,
    options: Option<&FieldOptions>,
) -> Result<(), Error> {
    let create = options.is_some_and(|options| options.create);
    let segments = path::parse(field_path);
    if create && segments.last() == Some(&path::Segment::All) {
        return Err(Error::message("cannot support create option in a multi-value target"));
    }
    let make = if create { Make::like(value) } else { Make::Nothing };
    let count = path::visit(resource.node_mut(), &segments, make, &mut |node| set(node, value, options))?;
    if count == 0 {
        return Err(Error::message(format!(
            "unable to find field \"{field_path}\" in replacement target {}",
            resource_text(resource)
        )));
    }
    Ok(())
}

/// Writes the value: a text into a text keeps the field's type; anything else takes the field's place.
fn set(node: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<(), Error> {
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        return set_part(node, value, options);
    }
    match (node, value) {
        (Node::Scalar(target), Node::Scalar(source)) => {
            target.text = source.text.clone();
            if target.plain && target.tag != Tag::Str {
                // A field that was written plain means whatever the new text means.
                target.tag = Tag::Open;
            }
            Ok(())
        }
        // As upstream: of anything else a text field takes the text, and there is none.
        (Node::Scalar(target), _) => {
            target.text = "".into();
            Ok(())
        }
        (node, value) => {
            *node = value.clone();
            Ok(())
        }
    }
}

fn set_part(node: &mut Node, value: &Node, options: &FieldOptions) -> Result<(), Error> {
    let (Node::Scalar(target), Node::Scalar(source)) = (node, value) else {
        return Err(Error::message("delimiter option can only be used with scalar nodes"));
    };
    let delimiter = options.delimiter.as_str();
    let mut parts: Vec<&str> = target.text.split(delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, &source.text),
        Ok(at) => match parts.get_mut(at) {
            Some(part) => *part = &source.text,
            None => parts.push(&source.text),
        },
    }
    let joined = parts.join(delimiter);
    target.text = joined.into();
    Ok(())
}
