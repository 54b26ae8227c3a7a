//! Replacements: a value read from one resource (or given) and written into fields of others.

use std::borrow::Cow;

use crate::{
    error::{Context, Error},
    id::{Gvk, ResId},
    kustomization::{FieldOptions, ReplacementField, Selector, SourceSelector, TargetSelector},
    node::{Node, Scalar},
    notes,
    res_map::ResMap,
    resource::Resource,
    selector::CompiledSelector,
    transform::path::{self, Inside, Make, Step},
};

const DEFAULT_PATH: &str = "metadata.name";

/// Largest tree copied. Copies into what they are copied from double each time.
const MAX_VALUE: usize = 100_000;
/// Longest text put together from parts, for the same reason.
const MAX_TEXT: usize = 8 << 20;

/// Where a replacement's value is.
enum Source {
    /// Given, or cut out of a field once.
    Fixed(Node),
    /// A field of the resource at a position. It is read anew for each target, as what the replacement itself writes may
    /// change it.
    Field { at: usize, steps: Vec<Step> },
}

impl Source {
    /// The value now, free of what it shares with other fields.
    fn value(&self, resources: &ResMap) -> Node {
        match self {
            Self::Fixed(node) => node.copied(),
            Self::Field { at, steps } => resources
                .get(*at)
                .and_then(|resource| path::follow(&tree(resource, steps), steps).map(Node::copied))
                .unwrap_or_else(Node::null),
        }
    }

    fn is_in(&self, resource: usize) -> bool {
        matches!(self, Self::Field { at, .. } if *at == resource)
    }
}

/// The tree that steps are followed in. kustomize's notes are among the annotations of a whole `metadata`.
fn tree<'a>(resource: &'a Resource, steps: &[Step]) -> Cow<'a, Node> {
    let is = |at: usize, name: &str| matches!(steps.get(at), Some(Step::Key(key)) if key == name);
    let is_whole = is(0, "metadata") && (steps.len() == 1 || (steps.len() == 2 && is(1, "annotations")));
    if is_whole && resource.has_notes() { Cow::Owned(notes::noted(resource)) } else { Cow::Borrowed(resource.node()) }
}

/// Carries out one replacement.
pub(crate) fn apply(resources: &mut ResMap, replacement: &ReplacementField) -> Result<(), Error> {
    let Some(targets) = &replacement.targets else {
        return Err(Error::message("replacements must specify a source and at least one target"));
    };
    let source = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => {
            return Err(Error::message("value and resource selectors are mutually exclusive in replacements"));
        }
        (None, None) => return Err(Error::message("replacements must specify a source and at least one target")),
        (None, Some(value)) => Source::Fixed(Node::string(value.as_str())),
        (Some(source), None) => source_of(resources, source).context(|| "source".to_owned())?,
    };
    (0..)
        .zip(targets)
        .try_for_each(|(at, target): (usize, _)| write(resources, &source, target).context(|| format!("targets[{at}]")))
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

fn source_of(resources: &mut ResMap, source: &SourceSelector) -> Result<Source, Error> {
    let gvk = Gvk {
        group: source.group.as_str().into(),
        version: source.version.as_str().into(),
        kind: source.kind.as_str().into(),
    };
    // Unlike elsewhere a namespace counts for kinds that are in none too.
    let or_default = |namespace: &str| if namespace.is_empty() { "default".to_owned() } else { namespace.to_owned() };
    let matches = |id: &ResId| {
        id.gvk.is_selected(&gvk)
            && (source.name.is_empty() || *id.name == *source.name)
            && (source.namespace.is_empty() || source.namespace == or_default(&id.namespace))
    };
    let mut found = resources
        .iter()
        .enumerate()
        .filter(|(_, resource)| matches(resource.id()) || resource.previous_ids().any(|id| matches(&id)));
    let (at, resource) = match (found.next(), found.next()) {
        (Some(found), None) => found,
        (None, _) => return Err(Error::message(format!("nothing selected by {}", described(source)))),
        (Some(_), Some(_)) => {
            return Err(Error::message(format!("multiple matches for selector {}", described(source))));
        }
    };
    let field_path = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let segments = path::parse(field_path);
    let mut steps = path::locate(resource.node(), &segments)?;
    if steps.is_none() && field_path == "metadata.annotations" && resource.has_notes() {
        steps = Some(["metadata", "annotations"].map(|key| Step::Key(key.to_owned())).to_vec());
    }
    let tree = steps.as_deref().map(|steps| tree(resource, steps));
    let found = steps.zip(tree.as_ref()).and_then(|(steps, tree)| Some((path::follow(tree, &steps)?, steps)));
    let Some((node, steps)) =
        found.filter(|(node, _)| !node.is_null() && (node.as_scalar().is_some() || !node.is_empty()))
    else {
        return Err(Error::message(format!(
            "fieldPath `{field_path}` is missing for replacement source {}",
            resource_text(resource)
        )));
    };
    let value = match source.options.as_ref().filter(|options| !options.delimiter.is_empty()) {
        Some(options) => refine(node, options).map(Source::Fixed),
        None => Ok(Source::Field { at, steps }),
    }?;
    if let Some(resource) = resources.get_mut(at) {
        resource.referrers += 1;
    }
    Ok(value)
}

fn resource_text(resource: &Resource) -> String {
    resource.id().to_string()
}

/// The part of the source that a delimiter and index pick.
fn refine(node: &Node, options: &FieldOptions) -> Result<Node, Error> {
    let Node::Scalar(scalar) = node else {
        return Err(Error::message("delimiter option can only be used with scalar nodes"));
    };
    let parts: Vec<&str> = scalar.text.split(options.delimiter.as_str()).collect();
    let part = usize::try_from(options.index).ok().and_then(|index| parts.get(index));
    match part {
        Some(part) => Ok(Node::Scalar(Scalar { text: (*part).into(), ..scalar.clone() })),
        None => {
            Err(Error::message(format!("options.index {} is out of bounds for value {}", options.index, scalar.text)))
        }
    }
}

fn write(resources: &mut ResMap, source: &Source, target: &TargetSelector) -> Result<(), Error> {
    let Some(select) = &target.select else { return Err(Error::message("target must specify resources to select")) };
    let selector = CompiledSelector::new(select)?;
    let rejects = target
        .reject
        .iter()
        .map(|reject| Ok((CompiledSelector::new(reject)?, reject)))
        .collect::<Result<Vec<_>, Error>>()?;
    let default = [DEFAULT_PATH.to_owned()];
    let paths: &[String] = if target.field_paths.is_empty() { &default } else { &target.field_paths };
    for at in 0..resources.len() {
        let Some(resource) = resources.get(at) else { continue };
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
            write_field(resources, at, source, field_path, target.options.as_ref())?;
        }
        // It must still be a resource: a name can be written over with nothing.
        if let Some(resource) = resources.get(at) {
            crate::accumulate::check_resource(resource.node(), &resource_text(resource))?;
        }
    }
    Ok(())
}

fn matches_id(selector: &CompiledSelector, id: &ResId) -> bool {
    selector.matches_gvk(&id.gvk) && selector.matches_name(&id.name) && selector.matches_namespace(&id.namespace)
}

/// The part of a reject that names ids and the part that names labels and annotations each reject on their own; an empty
/// part does not.
fn is_rejected(compiled: &CompiledSelector, reject: &Selector, resource: &Resource, ids: &[ResId]) -> bool {
    let names_ids = [&reject.group, &reject.version, &reject.kind, &reject.name, &reject.namespace]
        .iter()
        .any(|part| !part.is_empty());
    if names_ids && ids.iter().any(|id| matches_id(compiled, id)) {
        return true;
    }
    !(reject.label_selector.is_empty() && reject.annotation_selector.is_empty())
        && compiled.matches_labels(resource)
        && compiled.matches_annotations(resource)
}

fn write_field(
    resources: &mut ResMap,
    at: usize,
    source: &Source,
    field_path: &str,
    options: Option<&FieldOptions>,
) -> Result<(), Error> {
    let create = options.is_some_and(|options| options.create);
    let segments = path::parse(field_path);
    if create && segments.last() == Some(&path::Segment::All) {
        return Err(Error::message("cannot support create option in a multi-value target"));
    }
    let make = if create { Make::like(&source.value(resources)) } else { Make::Nothing };
    let described = resources.get(at).map(resource_text).unwrap_or_default();
    let not_found = |why: &str| {
        let verb = if create { "find or create" } else { "find" };
        Error::message(format!("unable to {verb} field \"{field_path}\" in replacement target{why} (in {described})"))
    };
    let visit = |resources: &mut ResMap, change: &mut dyn FnMut(&mut Node, Inside) -> Result<bool, Error>| {
        let Some(resource) = resources.get_mut(at) else { return Ok(0) };
        let had_made = resource.has_made_labels();
        let count = path::visit(resource.node_mut(), &segments, make, change);
        resource.settle();
        if had_made {
            resource.keep_made_labels(false);
        }
        match count {
            Ok(0) => Err(not_found("")),
            Ok(count) => Ok(count),
            Err(error) => Err(not_found(&format!(": {error}"))),
        }
    };
    // The value is part of what is being changed, so it is taken when the fields to be written have been made.
    if create && source.is_in(at) {
        visit(resources, &mut |_, _| Ok(false))?;
    }
    let mut value = source.value(resources);
    if value.is_larger_than(MAX_VALUE) {
        return Err(not_found(&format!(": the value to be copied holds more than {MAX_VALUE} values")));
    }
    // A field that is itself the source: what it becomes is what the fields after it get.
    let own = match source {
        Source::Field { at: own, steps } if *own == at => resources.get_mut(at).and_then(|resource| {
            let root: &Node = resource.node_mut();
            path::follow(root, steps).filter(|node| node.as_scalar().is_some()).map(std::ptr::from_ref)
        }),
        _ => None,
    };
    visit(resources, &mut |node, place| {
        set(node, &value, options, place)?;
        if own.is_some_and(|own| std::ptr::eq(own, node)) {
            value = node.copied();
        }
        Ok(true)
    })
    .map(drop)
}

/// Writes the value: a text into a text keeps the field's type; anything else takes the field's place.
fn set(node: &mut Node, value: &Node, options: Option<&FieldOptions>, place: Inside) -> Result<(), Error> {
    // In text that holds YAML or JSON, delimiters count for nothing.
    let parts = options.filter(|options| !options.delimiter.is_empty() && place == Inside::Resource);
    if let Some(options) = parts {
        return set_part(node, value, options);
    }
    match (node, value) {
        // Only the text is new: a number's field takes numbers alone.
        (Node::Scalar(target), Node::Scalar(source)) => {
            target.text = source.text.clone();
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
    let Node::Scalar(target) = node else {
        return Err(Error::message("delimiter option can only be used with scalar nodes"));
    };
    // Of a list or mapping there is no text.
    let text = value.text().unwrap_or_default();
    let delimiter = options.delimiter.as_str();
    let mut parts: Vec<&str> = target.text.split(delimiter).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, text),
        Ok(at) => match parts.get_mut(at) {
            Some(part) => *part = text,
            None => parts.push(text),
        },
    }
    let joined = parts.join(delimiter);
    if joined.len() > MAX_TEXT {
        return Err(Error::message(format!("the text would be longer than {MAX_TEXT} bytes")));
    }
    target.text = joined.into();
    Ok(())
}
