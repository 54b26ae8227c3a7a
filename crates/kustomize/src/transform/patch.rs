//! Patches: strategic merge and JSON 6902, on one resource or on all that a target selects.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    error::{Context, Error},
    id::ResId,
    kustomization::{PatchOptions, Selector},
    merge::{self, merge},
    node::Node,
    res_map::ResMap,
    resource::{Resource, internal, set_text},
    schema::Schema,
    selector::CompiledSelector,
    text, trace,
    transform::json_patch::{self, Operation},
};

/// A patch's content.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Partial resources.
    Merge(Vec<Node>),
    /// Operations.
    Json(Vec<Operation>),
}

/// What has become of a patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patched {
    /// How many resources it was for.
    pub count: usize,
    /// Whether any of them is another now.
    pub is_effective: bool,
    is_emptied: bool,
    is_unsourced: bool,
}

impl Patched {
    fn note(&self, resources: &mut ResMap) {
        resources.was_patched(self.is_emptied, self.is_unsourced);
    }

    /// Runs a change of one resource. Trees are compared until the first one that differs, so only a patch without effect
    /// costs more.
    fn one(
        &mut self,
        resource: &mut Resource,
        change: impl FnOnce(&mut Resource) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let before = if self.is_effective { None } else { Some(resource.node().clone()) };
        change(resource)?;
        self.count += 1;
        self.is_effective |= before.is_some_and(|before| !trace::is_same(&before, resource.node()));
        self.is_emptied |= resource.node().is_empty();
        self.is_unsourced |= resource.origin.is_none();
        Ok(())
    }
}

/// Tells what a patch's text is; `source` names it in messages.
pub(crate) fn parse(patch: &str, source: &str) -> Result<Option<Content>, Error> {
    let merging = resources_of(patch, source);
    let operations = json_patch::parse(patch);
    match (merging, operations) {
        (Ok(nodes), Ok(operations)) if !nodes.is_empty() && !operations.is_empty() => {
            Err(Error::message(format!("illegally qualifies as both an SM and JSON patch: [{source}]")))
        }
        (_, Ok(operations)) if !operations.is_empty() => Ok(Some(Content::Json(operations))),
        (Ok(nodes), _) if nodes.is_empty() => Ok(None),
        (Ok(nodes), _) => Ok(Some(Content::Merge(nodes))),
        (Err(error), Err(_)) => {
            Err(Error::message(format!("unable to parse SM or JSON patch from [{patch}]: {error}")))
        }
        (Err(error), Ok(_)) => Err(error),
    }
}

/// The partial resources of a strategic merge patch; each has a kind and a name.
pub(crate) fn resources_of(patch: &str, source: &str) -> Result<Vec<Node>, Error> {
    let nodes = text::parse_documents(patch.as_bytes(), source)?;
    for node in &nodes {
        crate::accumulate::check_resource(node, source)?;
    }
    Ok(nodes)
}

/// Where the one resource is that a partial resource names.
fn named_by(resources: &mut ResMap, patch: &Node) -> Result<usize, Error> {
    resources.one_with_any_id(Resource::new(patch.clone()).id())
}

/// Lays each partial resource over the one resource it names.
pub(crate) fn apply_merge_to_named(
    resources: &mut ResMap,
    patches: &[Node],
    options: PatchOptions,
    schema: &Schema,
) -> Result<Patched, Error> {
    let mut done = Patched::default();
    for patch in patches {
        let at = named_by(resources, patch)?;
        if let Some(resource) = resources.get_mut(at) {
            done.one(resource, |resource| merge_into(resource, patch, options, schema))?;
        }
    }
    done.note(resources);
    resources.drop_emptied();
    Ok(done)
}

/// The same as `patchesStrategicMerge` does it: the way of patches with a target.
pub(crate) fn apply_merge_by_id(resources: &mut ResMap, patches: &[Node], schema: &Schema) -> Result<Patched, Error> {
    let mut done = Patched::default();
    for patch in patches {
        let at = named_by(resources, patch)?;
        let patch = with_texts(patch);
        if let Some(resource) = resources.get_mut(at) {
            let options = PatchOptions::default();
            done.one(resource, |resource| merge_into(resource, &of_version(&patch, resource), options, schema))?;
        }
        done.note(resources);
        resources.drop_emptied();
        resources.check_distinct()?;
    }
    Ok(done)
}

/// The patch with the version of what it is laid over, be it none.
fn of_version<'a>(patch: &'a Node, resource: &Resource) -> Cow<'a, Node> {
    let version = resource.id().gvk.api_version();
    let mut out = Cow::Borrowed(patch);
    if patch.text_at(&["apiVersion"]) != version
        && let Some(map) = out.to_mut().as_map_mut()
    {
        set_text(map, "apiVersion", &version);
    }
    out
}

/// Lays one partial resource over every resource that the target selects.
pub(crate) fn apply_merge_to_selected(
    resources: &mut ResMap,
    patch: &Node,
    target: &Selector,
    options: PatchOptions,
    schema: &Schema,
) -> Result<Patched, Error> {
    let target = CompiledSelector::new(target)?;
    let patch = &with_texts(patch);
    let mut done = Patched::default();
    // Upstream keeps the ids of what is selected: others that a JSON patch has given one of these ids are patched as well.
    let is_selected: Vec<bool> = resources.iter().map(|resource| target.selects(resource)).collect();
    let ids: HashSet<ResId> = resources
        .iter()
        .zip(&is_selected)
        .filter(|(_, is_selected)| **is_selected)
        .map(|(resource, _)| resource.id().clone())
        .collect();
    for (resource, is_selected) in resources.iter_mut().zip(is_selected) {
        if !is_selected && !ids.contains(resource.id()) {
            continue;
        }
        done.one(resource, |resource| merge_into(resource, &of_version(patch, resource), options, schema))?;
    }
    done.note(resources);
    resources.drop_emptied();
    // Ids that a JSON patch has made equal are only found out here, as upstream adds all resources anew here.
    resources.check_distinct()?;
    Ok(done)
}

/// Runs the operations on every resource that the target selects, which remembers who it was before if asked to.
pub(crate) fn apply_json_to_selected(
    resources: &mut ResMap,
    operations: &[Operation],
    target: &Selector,
    remembers: bool,
) -> Result<Patched, Error> {
    let target = CompiledSelector::new(target)?;
    let mut done = Patched::default();
    for resource in resources.iter_mut().filter(|resource| target.selects(resource)) {
        if remembers {
            resource.remember();
        }
        done.one(resource, |resource| apply_json(resource, operations))?;
    }
    done.note(resources);
    Ok(done)
}

/// Runs operations on one resource, which goes through Go's JSON and comes back changed by that too.
pub(crate) fn apply_json(resource: &mut Resource, operations: &[Operation]) -> Result<(), Error> {
    let mut value = text::to_json(resource.node()).map_err(|message| resource.error("patching", message))?;
    json_patch::through_floats(&mut value);
    // Upstream's notes are annotations, so there are some to patch whenever it has noted anything.
    let noted = resource.has_notes() && note(&mut value);
    json_patch::apply(&mut value, operations).context(|| format!("patching {}", resource.id()))?;
    if noted && !take_note(&mut value) {
        resource.forget_origin();
    }
    *resource.node_mut() = text::from_json(&value);
    resource.made_labels = None;
    resource.rewrite_annotations();
    Ok(())
}

/// An annotation that stands for all of kustomize's notes during a patch.
const NOTE: &str = internal::PREVIOUS_NAMES;

fn note(value: &mut serde_json::Value) -> bool {
    let metadata = value.get_mut("metadata").and_then(serde_json::Value::as_object_mut);
    let Some(metadata) = metadata else { return false };
    let annotations = metadata.entry("annotations").or_insert_with(|| serde_json::json!({}));
    if annotations.is_null() {
        *annotations = serde_json::json!({});
    }
    let Some(annotations) = annotations.as_object_mut() else { return false };
    annotations.insert(NOTE.to_owned(), serde_json::Value::String(String::new()));
    true
}

/// Takes the note out again; false when the patch has removed it.
fn take_note(value: &mut serde_json::Value) -> bool {
    let metadata = value.get_mut("metadata").and_then(serde_json::Value::as_object_mut);
    let Some(metadata) = metadata else { return false };
    let Some(annotations) = metadata.get_mut("annotations").and_then(serde_json::Value::as_object_mut) else {
        return false;
    };
    let kept = annotations.remove(NOTE).is_some();
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    kept
}

/// A patch for selected resources with its labels and annotations as texts: upstream lays the selected resource's own
/// beneath them as maps of texts, in which a null is the text `null`.
fn with_texts(patch: &Node) -> Node {
    let mut patch = patch.clone();
    let Some(metadata) = patch.as_map_mut().and_then(|map| map.get_mut("metadata")).and_then(Node::as_map_mut) else {
        return patch;
    };
    for field in ["labels", "annotations"] {
        let Some(map) = metadata.get_mut(field).and_then(Node::as_map_mut).filter(|map| !map.entries.is_empty()) else {
            // What is no map of texts is none, so that the resource keeps its own.
            metadata.remove(field);
            continue;
        };
        for (_, value) in &mut map.entries {
            if let Some(text) = value.text().map(str::to_owned) {
                *value = Node::string(text);
            }
        }
    }
    patch
}

/// Whether laying a patch over a resource may take kustomize's notes away with its annotations.
fn may_remove_notes(patch: &Node) -> bool {
    let directs = |path: &[&str]| patch.at(path).and_then(Node::as_map).is_some_and(|map| map.contains("$patch"));
    let is_null = |path: &[&str]| patch.at(path).is_some_and(Node::is_null);
    let (metadata, annotations) = (["metadata"], ["metadata", "annotations"]);
    directs(&[]) || directs(&metadata) || directs(&annotations) || is_null(&metadata) || is_null(&annotations)
}

fn merge_into(resource: &mut Resource, patch: &Node, options: PatchOptions, schema: &Schema) -> Result<(), Error> {
    let before: ResId = resource.id().clone();
    if options.allow_name_change || options.allow_kind_change {
        resource.remember();
    }
    let noted = resource.has_notes() && may_remove_notes(patch);
    let mut node = resource.take_node();
    if noted && let Some(annotations) = node.map_at_mut(&["metadata", "annotations"]) {
        annotations.set(NOTE, Node::string(""));
    }
    let merged = merge(schema, node, patch, merge::Options::default())
        .context(|| format!("failed to apply strategic merge patch to {before}"))?;
    let Some(merged) = merged else {
        // The whole resource is deleted: an empty tree marks it until the transformer is done.
        *resource.node_mut() = Node::map();
        return Ok(());
    };
    *resource.node_mut() = merged;
    if noted {
        if resource.annotation(NOTE).is_none() {
            resource.forget_notes();
        }
        resource.drop_annotations(|key| key == NOTE);
    }
    resource.settle();
    if resource.node().is_empty() {
        return Ok(());
    }
    if !options.allow_name_change {
        resource.set_name(&before.name);
    }
    if !options.allow_kind_change {
        resource.set_kind(&before.gvk);
    }
    resource.set_namespace(&before.namespace);
    Ok(())
}
