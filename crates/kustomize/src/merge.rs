//! Strategic merge: a partial resource laid over a whole one, lists of known types by their keys.
//!
//! The rules are those of kyaml's `merge2` (reference section 4), which are not apimachinery's: `$retainKeys` and the
//! `$setElementOrder` family are ordinary fields here.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use crate::{
    error::Error,
    hint::Hints,
    id::Gvk,
    identity::{Identity, joined, merged_identities},
    node::{Map, Node, Scalar, Tag, Text},
    schema::{Cursor, Schema},
    text::tag_of,
};

/// Where elements that only the patch has go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NewElements {
    /// Before the others (what `kustomize build` does).
    Prepend,
    /// Behind the others.
    Append,
}

/// How to merge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Where new list elements go.
    pub new_elements: NewElements,
    /// Lists without a schema whose elements all have a well-known key are merged by it.
    pub infer_keys: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { new_elements: NewElements::Prepend, infer_keys: false }
    }
}

/// Keys that tell list elements apart when they are inferred, most telling first.
const INFERRED_KEYS: [&str; 7] = ["mountPath", "devicePath", "ip", "type", "topologyKey", "name", "containerPort"];

/// The directive's key.
const DIRECTIVE: &str = "$patch";

/// Deepest nesting merged; far above what the parser lets through.
const MAX_DEPTH: usize = 10_000;

/// Lays `patch` over `destination`; `None` means that the patch deletes the whole resource.
pub(crate) fn merge(schema: &Schema, destination: Node, patch: &Node, options: Options) -> Result<Option<Node>, Error> {
    let cursor = Cursor::unknown(schema);
    let merger = Merger { options };
    merger.node(Some(destination), Some(patch), cursor, &Place { parent: None, key: "", depth: 0 })
}

struct Merger {
    options: Options,
}

/// Where in the tree a merge is, for messages.
struct Place<'a> {
    parent: Option<&'a Self>,
    key: &'a str,
    depth: usize,
}

impl<'a> Place<'a> {
    fn child(&'a self, key: &'a str) -> Self {
        Place { parent: Some(self), key, depth: self.depth + 1 }
    }

    fn path(&self) -> String {
        let mut keys = Vec::new();
        let mut place = Some(self);
        while let Some(here) = place {
            if !here.key.is_empty() {
                keys.push(here.key);
            }
            place = here.parent;
        }
        keys.reverse();
        keys.join(".")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

/// The `$patch` directive of a mapping, if it has one.
fn directive(map: &Map) -> Result<Option<Directive>, Error> {
    let Some(value) = map.get(DIRECTIVE) else { return Ok(None) };
    match value.text().unwrap_or_default() {
        "merge" => Ok(Some(Directive::Merge)),
        "replace" => Ok(Some(Directive::Replace)),
        "delete" => Ok(Some(Directive::Delete)),
        other => Err(Error::message(format!("unknown patch strategy '{other}': use one of delete, merge, replace"))),
    }
}

fn without_directive(map: &Map) -> Map {
    let entries = map.entries.iter().filter(|(key, _)| &*key.text != DIRECTIVE).cloned().collect();
    Map { entries, hints: map.hints.clone() }
}

/// A null that was written as nothing at all (`key:`). Merging drops those, and keeps ones that were spelt out.
fn is_blank_null(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar: &Scalar| scalar.is_null() && scalar.text.is_empty())
}

/// Merging sets every field anew, be it to itself, and what has no type and looks like no text gets quotes then.
fn quoted(mut node: Node) -> Node {
    if let Node::Scalar(scalar) = &mut node
        && scalar.tag == Tag::Open
        && !scalar.text.is_empty()
        && tag_of(&scalar.text) != Tag::Str
    {
        scalar.plain = false;
    }
    node
}

fn present(node: Option<&Node>) -> Option<&Node> {
    node.filter(|node| !node.is_null())
}

impl Merger {
    fn node(
        &self,
        destination: Option<Node>,
        patch: Option<&Node>,
        cursor: Cursor<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Node>, Error> {
        if place.depth > MAX_DEPTH {
            return Err(Error::message("nested too deeply to merge"));
        }
        if patch.is_some_and(Node::is_null) {
            return Ok(None);
        }
        let kind = present(destination.as_ref()).or(patch);
        match kind {
            Some(Node::Map(_)) => self.map(destination, patch, cursor, place),
            Some(Node::Seq(_)) | Some(Node::Scalar(_)) | None => match (destination, patch) {
                (destination, None) => Ok(destination.filter(|node| !is_blank_null(node)).map(quoted)),
                (destination, Some(patch)) => {
                    if let Some(destination) = present(destination.as_ref())
                        && destination.kind() != patch.kind()
                    {
                        return Err(wrong_kind(destination.kind(), patch, place));
                    }
                    Ok(Some(match (destination, patch) {
                        // Only the value is new; the other fields that share it follow. The quotes stay, so that a
                        // number laid over a text in quotes becomes a text.
                        (Some(Node::Scalar(mut scalar)), Node::Scalar(value)) => {
                            scalar.assign(Scalar { plain: scalar.plain, ..value.clone() });
                            Node::Scalar(scalar)
                        }
                        _ => patch.clone(),
                    }))
                }
            },
        }
    }

    fn map(
        &self,
        destination: Option<Node>,
        patch: Option<&Node>,
        cursor: Cursor<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Node>, Error> {
        let patch = match patch {
            None => None,
            Some(Node::Map(patch)) => Some(patch),
            Some(other) => return Err(wrong_kind("MappingNode", other, place)),
        };
        let destination = match destination {
            Some(Node::Map(map)) => Some(map),
            Some(other) if !other.is_null() => return Err(wrong_kind("MappingNode", &other, place)),
            _ => None,
        };
        let mut stripped = None;
        let (mut destination, patch) = match (destination, patch) {
            (destination, None) => (destination.unwrap_or_default(), None),
            (destination, Some(patch)) => {
                let directive = directive(patch)?;
                let mut destination = destination;
                if directive.is_some() {
                    // Within something wholly new both are one mapping, which loses its directive.
                    if let Some(copy) = destination.as_mut().filter(|destination| *destination == patch) {
                        *copy = without_directive(patch);
                    }
                    stripped = Some(without_directive(patch));
                }
                let patch = stripped.as_ref().unwrap_or(patch);
                match (directive, destination) {
                    (Some(Directive::Delete), _) => return Ok(None),
                    (Some(Directive::Replace), _) => return Ok(Some(Node::Map(patch.clone()))),
                    // A wholly new mapping is laid over itself, so that nulls and deletions inside it are carried out.
                    (_, None) => (patch.clone(), Some(patch)),
                    (_, Some(destination)) => (destination, Some(patch)),
                }
            }
        };
        let cursor = known_here(cursor, &destination, patch);
        // Most of a tree is passed by no patch; only what a patch brings is looked up.
        let brought = patch.map(|patch| patch.entries.as_slice()).unwrap_or_default();
        let had = present_keys(&destination.entries, brought);
        let mut entries = Vec::with_capacity(destination.entries.len());
        for (key, value) in destination.entries.drain(..) {
            let patched = patch.and_then(|patch| patch.get(&key.text));
            let cursor = hinted(&destination.hints, patch, &key.text, cursor);
            if let Some(value) = self.field(&key.text, Some(value), patched, cursor, place)? {
                entries.push((key, value));
            }
        }
        for ((key, value), had) in brought.iter().zip(had) {
            if had || value.is_null() {
                continue;
            }
            let cursor = hinted(&destination.hints, patch, &key.text, cursor);
            if let Some(value) = self.field(&key.text, None, Some(value), cursor, place)? {
                entries.push((key.clone(), value));
            }
        }
        Ok(Some(Node::Map(Map { entries, hints: destination.hints })))
    }

    fn field(
        &self,
        key: &str,
        destination: Option<Node>,
        patch: Option<&Node>,
        cursor: Cursor<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Node>, Error> {
        let place = place.child(key);
        if patch.is_some_and(Node::is_null) {
            return Ok(None);
        }
        let is_list = matches!(present(destination.as_ref()).or(patch), Some(Node::Seq(_)));
        if is_list {
            let (items, keys) = cursor.list(key);
            return self.list(destination, patch, items, keys, &place);
        }
        if let Some(values) = cursor.values(key) {
            return self.free_map(destination, patch, values, &place);
        }
        self.node(destination, patch, cursor.child(key), &place)
    }

    /// A mapping whose keys are free and whose values share a definition.
    fn free_map(
        &self,
        destination: Option<Node>,
        patch: Option<&Node>,
        values: Cursor<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Node>, Error> {
        // The values' definition is reached through each key, so the keys are walked here.
        let (Some(Node::Map(_)) | None, Some(Node::Map(_)) | None) = (present(destination.as_ref()), patch) else {
            return self.node(destination, patch, values, place);
        };
        let mut entries = Vec::new();
        let destination = destination.and_then(|node| if let Node::Map(map) = node { Some(map) } else { None });
        let patch_map = patch.and_then(Node::as_map);
        for (key, value) in destination.into_iter().flat_map(|map| map.entries) {
            let patched = patch_map.and_then(|map| map.get(&key.text));
            if let Some(value) = self.node(Some(value), patched, values, &place.child(&key.text))? {
                entries.push((key, value));
            }
        }
        for (key, value) in patch_map.into_iter().flat_map(|map| &map.entries) {
            if entries.iter().all(|(known, _): &(Scalar, Node)| known.text != key.text)
                && let Some(value) = self.node(None, Some(value), values, &place.child(&key.text))?
            {
                entries.push((key.clone(), value));
            }
        }
        Ok(Some(Node::Map(Map { entries, ..Map::default() })))
    }

    fn list(
        &self,
        destination: Option<Node>,
        patch: Option<&Node>,
        items: Cursor<'_>,
        keys: Option<&[Cow<'static, str>]>,
        place: &Place<'_>,
    ) -> Result<Option<Node>, Error> {
        let inferred;
        let keys = match keys {
            Some(keys) => Some(keys),
            None if self.options.infer_keys => {
                inferred = infer(destination.as_ref(), patch);
                inferred.as_deref()
            }
            None => None,
        };
        let mut elements = match destination {
            Some(Node::Seq(list)) => Some(list),
            Some(other) if !other.is_null() => return Err(wrong_kind("SequenceNode", &other, place)),
            _ => None,
        };
        let patch_list = match patch {
            None => None,
            Some(Node::Seq(list)) => Some(list),
            Some(other) => return Err(wrong_kind("SequenceNode", other, place)),
        };
        let Some(keys) = keys else {
            return Ok(match patch_list {
                Some(list) => Some(Node::Seq(list.clone())),
                None => elements.map(Node::Seq),
            });
        };
        let mut stripped = None;
        let mut order = self.options.new_elements;
        if let Some(list) = patch_list
            && let Some((strategy, rest)) = list_directive(list)?
        {
            if elements.is_none() && strategy != Directive::Merge {
                // Onto nothing, directives for a whole list are not seen, and stay in the output.
                // With a single key, nothing else does.
                let kept = |node: &&Node| keys.len() > 1 || node.as_map().is_some_and(|map| map.contains(DIRECTIVE));
                return Ok(Some(Node::Seq(list.iter().filter(kept).cloned().collect())));
            }
            match strategy {
                Directive::Delete => return Ok(None),
                Directive::Replace => return Ok(Some(Node::Seq(rest))),
                Directive::Merge => {
                    stripped = Some(rest);
                    // Said explicitly, merging puts the patch's elements first whatever the caller wants.
                    order = NewElements::Prepend;
                }
            }
        }
        let patch_list: Option<&[Node]> = stripped.as_deref().or(patch_list.map(Vec::as_slice));
        let had_none = elements.is_none();
        if had_none {
            // As with a wholly new mapping: laid over itself.
            elements = patch_list.map(<[Node]>::to_vec);
        }
        let elements = elements.unwrap_or_default();
        let is_new = patch.is_some() && had_none;
        if keys.is_empty() || elements.iter().chain(patch_list.unwrap_or_default()).all(|e| e.as_scalar().is_some()) {
            return Ok(Some(Node::Seq(values(&elements, patch_list.unwrap_or_default(), order))));
        }
        self.keyed(elements, patch_list.unwrap_or_default(), items, &Keyed { keys, is_new, order }, place).map(Some)
    }

    fn keyed(
        &self,
        destination: Vec<Node>,
        patch: &[Node],
        items: Cursor<'_>,
        how: &Keyed<'_>,
        place: &Place<'_>,
    ) -> Result<Node, Error> {
        // Keys that no element has do not tell anything apart.
        let all = || destination.iter().chain(patch);
        let keys: Vec<&str> = how
            .keys
            .iter()
            .map(AsRef::as_ref)
            .filter(|key| all().any(|element| !element.text_at(&[key]).is_empty()))
            .collect();
        if keys.is_empty() && !patch.is_empty() {
            return Ok(Node::Seq(patch.to_vec()));
        }
        let mut elements: Vec<Option<(Identity, Node)>> =
            destination.into_iter().map(|node| Some((Identity::of(&node, &keys), node))).collect();
        let patch: Vec<(Identity, &Node)> = patch.iter().map(|node| (Identity::of(node, &keys), node)).collect();
        let own: Vec<&Identity> = elements.iter().flatten().map(|(identity, _)| identity).collect();
        let changed: Vec<&Identity> = patch.iter().map(|(identity, _)| identity).collect();
        let identities = merged_identities(if how.is_new { &[] } else { &own }, &changed, how.order, &keys)?;
        // Of elements that share an identity the first ones merge.
        let positions = |list: &[&Identity]| {
            let mut out: HashMap<Identity, Vec<usize>> = HashMap::new();
            for (at, identity) in list.iter().enumerate() {
                out.entry((*identity).clone()).or_default().push(at);
            }
            out
        };
        let (in_destination, in_patch) = (positions(&own), positions(&changed));
        drop(own);
        let mut patched: Vec<(Identity, Node)> = Vec::new();
        for identity in &identities {
            let mine = in_destination.get(identity).map(Vec::as_slice).unwrap_or_default();
            let change = in_patch.get(identity).and_then(|list| patch.get(*list.first()?)).map(|(_, node)| *node);
            let slot = mine.first().and_then(|at| elements.get_mut(*at)).filter(|slot| slot.is_some());
            if slot.is_none() && change.is_none() {
                continue;
            }
            let replaces =
                change.and_then(Node::as_map).map(directive).transpose()?.flatten() == Some(Directive::Replace);
            let place = place.child(identity.text());
            let old = match &slot {
                // Within something wholly new this is the patch's own element, which has lost its directive.
                Some(Some((_, Node::Map(map)))) if replaces && change.and_then(Node::as_map) == Some(map) => {
                    Some(Node::Map(without_directive(map)))
                }
                Some(Some((_, node))) if replaces => Some(node.clone()),
                _ => None,
            };
            let before = slot.and_then(Option::take).map(|(_, node)| node);
            let existed = before.is_some();
            let after = self.node(before, change, items, &place)?.filter(|node| !is_empty_map(node));
            let Some(node) = after else {
                for at in mine {
                    if let Some(slot) = elements.get_mut(*at) {
                        *slot = None;
                    }
                }
                continue;
            };
            if change.is_some() {
                patched.push((Identity::of(&node, &keys), node.clone()));
            }
            if existed && let Some(slot) = mine.first().and_then(|at| elements.get_mut(*at)) {
                // What replaces an element of the destination yields to it, as it is not merged into it.
                let node = old.unwrap_or(node);
                *slot = Some((Identity::of(&node, &keys), node));
            }
        }
        let mut kept = Vec::new();
        if !how.is_new {
            kept = elements.into_iter().flatten().collect();
        }
        Ok(Node::Seq(match how.order {
            NewElements::Prepend => joined(patched, kept, keys.len() > 1),
            NewElements::Append => joined(kept, patched, false),
        }))
    }
}

fn is_empty_map(node: &Node) -> bool {
    node.as_map().is_some_and(|map| map.entries.is_empty())
}

/// How a list of mappings is merged.
struct Keyed<'a> {
    keys: &'a [Cow<'static, str>],
    /// The destination had no such list.
    is_new: bool,
    order: NewElements,
}

/// Which of a patch's keys a mapping has.
fn present_keys(entries: &[(Scalar, Node)], patch: &[(Scalar, Node)]) -> Vec<bool> {
    /// Looking for more keys than this one by one takes longer than making a set.
    const FEW: usize = 8;
    let has: &dyn Fn(&Text) -> bool = if patch.len() <= FEW {
        &|wanted| entries.iter().any(|(key, _)| key.text == *wanted)
    } else {
        let all: HashSet<&Text> = entries.iter().map(|(key, _)| &key.text).collect();
        &move |wanted| all.contains(wanted)
    };
    patch.iter().map(|(key, _)| has(&key.text)).collect()
}

/// A set of plain values: each once.
fn values(destination: &[Node], patch: &[Node], order: NewElements) -> Vec<Node> {
    let mut seen = HashSet::new();
    let mut out: Vec<Node> = Vec::new();
    let mut add = |node: &Node| {
        if seen.insert(node.text().map(str::to_owned)) {
            out.push(node.clone());
        }
    };
    match order {
        NewElements::Prepend => patch.iter().chain(destination).for_each(&mut add),
        NewElements::Append => destination.iter().chain(patch).for_each(&mut add),
    }
    out
}

/// The definition to look a field up in: that of a comment, where there is one.
fn hinted<'a>(hints: &'a Hints, patch: Option<&'a Map>, field: &str, known: Cursor<'a>) -> Cursor<'a> {
    let hint = hints.get(field).or_else(|| patch.and_then(|patch| patch.hints.get(field)));
    hint.map_or(known, |schema| schema.of_kind(&Gvk::default()))
}

/// A directive for the whole list: an element that consists of `$patch` alone.
fn list_directive(list: &[Node]) -> Result<Option<(Directive, Vec<Node>)>, Error> {
    let alone = |node: &Node| node.as_map().is_some_and(|map| map.entries.len() == 1 && map.contains(DIRECTIVE));
    let Some(found) = list.iter().find(|node| alone(node)) else { return Ok(None) };
    let strategy = found.as_map().map(directive).transpose()?.flatten();
    let rest = list.iter().filter(|node| !alone(node)).cloned().collect();
    Ok(strategy.map(|strategy| (strategy, rest)))
}

/// The schema of a mapping: what its parent's definition says, or, where nothing is known, its own kind's.
fn known_here<'a>(cursor: Cursor<'a>, destination: &Map, patch: Option<&Map>) -> Cursor<'a> {
    if cursor.is_known() {
        return cursor;
    }
    let of = |map: &Map| {
        let text = |key: &str| map.get(key).and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned);
        let found = cursor.at_kind(&Gvk::parse(&text("apiVersion")?, &text("kind")?));
        found.is_known().then_some(found)
    };
    of(destination).or_else(|| patch.and_then(of)).unwrap_or(cursor)
}

/// The first well-known key that every element has.
fn infer(destination: Option<&Node>, patch: Option<&Node>) -> Option<Vec<Cow<'static, str>>> {
    let elements: Vec<&Node> = [destination, patch].into_iter().flatten().filter_map(Node::as_seq).flatten().collect();
    if elements.is_empty() || elements.iter().any(|element| element.as_map().is_none()) {
        return None;
    }
    INFERRED_KEYS
        .into_iter()
        .find(|key| elements.iter().all(|element| element.at(&[key]).is_some_and(|value| value.text().is_some())))
        .map(|key| vec![Cow::Borrowed(key)])
}

fn wrong_kind(expected: &'static str, found: &Node, place: &Place<'_>) -> Error {
    Error::WrongNode { expected, found: found.kind(), path: place.path() }
}
