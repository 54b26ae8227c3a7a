//! A resource in a build: its tree, who it was before, and what the build still has to do to it.

use std::{cell::OnceCell, collections::BTreeMap, sync::Arc};

use crate::{
    error::Error,
    id::{Gvk, ResId},
    node::{Map, Node, Scalar, Tag, Text},
    trace::Trace,
};

/// Annotations by which kustomize keeps notes in the tree. They never reach the output, but input that carries them counts.
pub(crate) mod internal {
    /// Prefixes given so far.
    pub(crate) const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
    /// Suffixes given so far.
    pub(crate) const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
    /// All of kustomize's own notes start so.
    pub(crate) const PREFIX: &str = "internal.config.kubernetes.io/";
    /// Names it had, comma separated.
    pub(crate) const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
    /// Namespaces it had.
    pub(crate) const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
    /// Kinds it had.
    pub(crate) const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
    /// How a generated resource meets an existing one.
    pub(crate) const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
    /// Its name gets a hash suffix.
    pub(crate) const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
    /// Legacy notes of kyaml readers.
    pub(crate) const LEGACY: [&str; 3] =
        ["config.kubernetes.io/index", "config.kubernetes.io/path", "config.kubernetes.io/id"];
    /// Usable in the build and dropped at its end.
    pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
    /// What plugins say: the hash.
    pub(crate) const PLUGIN_NEEDS_HASH: &str = "kustomize.config.k8s.io/needs-hash";
    /// What plugins say: the behaviour.
    pub(crate) const PLUGIN_BEHAVIOR: &str = "kustomize.config.k8s.io/behavior";
}

/// How a generated resource meets an existing one of the same id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// Not generated, or not said.
    #[default]
    Unspecified,
    /// There must be none.
    Create,
    /// Takes its place.
    Replace,
    /// Is laid over it.
    Merge,
}

impl Behavior {
    /// From a kustomization's `behavior`.
    pub fn parse(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }
}

/// Who a resource was before a transformation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// `metadata.name`
    pub name: Text,
    /// The namespace as it took effect.
    pub namespace: Text,
    /// The kind.
    pub kind: Text,
}

/// Where a resource came from, for `buildMetadata`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// File, relative to the build's root or the repository.
    pub path: String,
    /// Repository.
    pub repo: String,
    /// Branch, tag or commit.
    pub reference: String,
    /// Kustomization file of a generator.
    pub configured_in: String,
    /// The generator's configuration.
    pub configured_by: Option<ConfiguredBy>,
}

/// The configuration object of a generator or transformer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredBy {
    /// Its apiVersion.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// One resource.
#[derive(Clone, Debug)]
pub struct Resource {
    node: Node,
    id: OnceCell<ResId>,
    /// Who it was, oldest first.
    pub previous: Vec<Previous>,
    /// Prefixes given so far, innermost first.
    pub prefixes: Vec<Text>,
    /// Suffixes given so far.
    pub suffixes: Vec<Text>,
    /// For generated ones.
    pub behavior: Behavior,
    /// Made by a generator, and has not met another.
    pub(crate) is_generated: bool,
    /// Its name gets a hash suffix.
    pub needs_hash: bool,
    /// The build keeps notes on its origin and what changes it.
    pub(crate) is_tracked: bool,
    /// Its labels as transformers made them, the first of which found none, and whether there were notes before that.
    pub(crate) made_labels: Option<(Node, bool)>,
    /// Rendered from a chart, so the namespace transformer leaves it alone.
    pub from_helm: bool,
    /// Where it came from.
    pub origin: Option<Arc<Origin>>,
    /// What changed it.
    pub transformations: Vec<Arc<Origin>>,
    /// Vars whose value it gives.
    pub bound_vars: Vec<String>,
    /// Ids of resources whose references to this one were found.
    pub referrers: usize,
    /// Who set what in it, when the build is to be explained.
    pub(crate) trace: Option<Box<Trace>>,
    /// The values that several fields share, as last seen; a scalar's `link` counts from one.
    shared: Vec<Scalar>,
}

impl Resource {
    /// A resource from its tree; takes in what notes of kustomize's own the tree carries.
    pub fn new(node: Node) -> Self {
        let mut resource = Self {
            node,
            id: OnceCell::new(),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            behavior: Behavior::Unspecified,
            is_generated: false,
            needs_hash: false,
            is_tracked: false,
            made_labels: None,
            from_helm: false,
            origin: None,
            transformations: Vec::new(),
            bound_vars: Vec::new(),
            referrers: 0,
            trace: None,
            shared: Vec::new(),
        };
        resource.take_notes();
        resource
    }

    /// Its tree.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Its tree, to be changed; the id is computed anew afterwards.
    pub fn node_mut(&mut self) -> &mut Node {
        self.id = OnceCell::new();
        &mut self.node
    }

    /// Takes the tree out, for a transformation that makes a new one.
    pub fn take_node(&mut self) -> Node {
        self.id = OnceCell::new();
        std::mem::replace(&mut self.node, Node::map())
    }

    /// Takes the tree out for a while; who the resource is stays known meanwhile.
    pub(crate) fn lend_node(&mut self) -> Node {
        self.id();
        std::mem::replace(&mut self.node, Node::map())
    }

    /// Puts a lent tree back.
    pub(crate) fn return_node(&mut self, node: Node, is_changed: bool) {
        self.node = node;
        if is_changed {
            self.id = OnceCell::new();
        }
    }

    /// The link that the next shared value gets.
    pub(crate) fn next_link(&self) -> u32 {
        u32::try_from(self.shared.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Registers shared values under the links from [`Resource::next_link`] on.
    pub(crate) fn share(&mut self, values: impl IntoIterator<Item = Scalar>) {
        self.shared.extend(values);
    }

    /// Gives every field that shares a value what one of them was changed to.
    ///
    /// kustomize puts one and the same node into all fields that get a new label or annotation; whatever changes it later in
    /// one place (a patch, a replacement, another label of that name) changes it in all. People's output depends on it.
    pub(crate) fn settle(&mut self) {
        if self.shared.is_empty() {
            return;
        }
        let slot = |scalar: &Scalar| usize::try_from(scalar.link).ok().and_then(|link| link.checked_sub(1));
        let mut now = self.shared.clone();
        let mut changed = false;
        let before = &self.shared;
        self.node.for_each_scalar(&mut |scalar| {
            let Some((at, known)) = slot(scalar).and_then(|at| Some((at, before.get(at)?))) else { return };
            let differs = known.text != scalar.text || known.tag != scalar.tag || known.plain != scalar.plain;
            if differs && let Some(value) = now.get_mut(at) {
                *value = scalar.clone();
                changed = true;
            }
        });
        if !changed {
            return;
        }
        self.node.for_each_scalar(&mut |scalar| {
            if let Some(value) = slot(scalar).and_then(|at| now.get(at)) {
                scalar.assign(value.clone());
            }
        });
        self.shared = now;
    }

    /// Who it is now.
    pub fn id(&self) -> &ResId {
        self.id.get_or_init(|| ResId {
            gvk: Gvk::parse(self.node.text_at(&["apiVersion"]), self.node.text_at(&["kind"])),
            name: self.node.text_at(&["metadata", "name"]).into(),
            namespace: self.node.text_at(&["metadata", "namespace"]).into(),
        })
    }

    /// Who it was at each earlier moment, oldest first.
    pub fn previous_ids(&self) -> impl DoubleEndedIterator<Item = ResId> + '_ {
        let gvk = &self.id().gvk;
        self.previous.iter().map(|previous| ResId {
            gvk: Gvk { kind: previous.kind.clone(), ..gvk.clone() },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
        })
    }

    /// Who it was first.
    pub fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id().clone())
    }

    /// Remembers who it is now, before that changes.
    pub fn remember(&mut self) {
        let id = self.id();
        let previous =
            Previous { name: id.name.clone(), namespace: id.effective_namespace().into(), kind: id.gvk.kind.clone() };
        self.previous.push(previous);
    }

    /// Notes, when the build is to be explained, that a step has made it what it is.
    pub(crate) fn set_by(&mut self, setter: usize) {
        match &mut self.trace {
            Some(trace) => trace.follow(&self.node, setter),
            None => self.trace = Some(Box::new(Trace::new(&self.node, setter))),
        }
    }

    /// Forgets where it came from: a patch has removed the annotations in which upstream notes that.
    pub(crate) fn forget_origin(&mut self) {
        self.transformations.clear();
        self.origin = None;
    }

    /// Forgets all that kustomize notes in annotations: a patch has removed those.
    pub(crate) fn forget_notes(&mut self) {
        self.previous.clear();
        self.prefixes.clear();
        self.suffixes.clear();
        (self.behavior, self.is_generated, self.needs_hash) = (Behavior::Unspecified, false, false);
        if self.is_tracked {
            self.forget_origin();
        }
    }

    /// Sets `metadata.name`.
    pub fn set_name(&mut self, name: &str) {
        if let Some(metadata) = self.node_mut().map_at_mut(&["metadata"]) {
            set_text(metadata, "name", name);
        }
    }

    /// Sets `metadata.namespace`; an empty one is removed.
    pub fn set_namespace(&mut self, namespace: &str) {
        if let Some(metadata) = self.node_mut().map_at_mut(&["metadata"]) {
            if namespace.is_empty() {
                metadata.remove("namespace");
            } else {
                set_text(metadata, "namespace", namespace);
            }
        }
    }

    /// Sets `kind` and `apiVersion`.
    pub fn set_kind(&mut self, gvk: &Gvk) {
        let api_version = gvk.api_version();
        if let Some(map) = self.node_mut().as_map_mut() {
            set_text(map, "kind", &gvk.kind);
            if !api_version.is_empty() {
                set_text(map, "apiVersion", &api_version);
            }
        }
    }

    /// `metadata.labels` as texts.
    pub fn labels(&self) -> BTreeMap<String, String> {
        texts(self.node.at(&["metadata", "labels"]))
    }

    /// `metadata.annotations` as texts.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        texts(self.node.at(&["metadata", "annotations"]))
    }

    /// One annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.node.at(&["metadata", "annotations"])?.as_map()?.get(key)?.text()
    }

    /// Sets an annotation.
    pub fn annotate(&mut self, key: &str, value: &str) {
        if let Some(annotations) = self.node_mut().map_at_mut(&["metadata", "annotations"]) {
            annotations.set(key, Node::string(value));
        }
    }

    /// Reads the notes that kustomize keeps in annotations, and takes them out of the tree.
    fn take_notes(&mut self) {
        let Some(annotations) = self.node.at(&["metadata", "annotations"]).and_then(Node::as_map) else { return };
        if !annotations.entries.iter().any(|(key, _)| is_note(&key.text)) {
            return;
        }
        let list = |key: &str| -> Vec<String> {
            let text = annotations.get(key).and_then(Node::text).unwrap_or_default();
            if text.is_empty() { Vec::new() } else { text.split(',').map(str::to_owned).collect() }
        };
        let (names, namespaces, kinds) =
            (list(internal::PREVIOUS_NAMES), list(internal::PREVIOUS_NAMESPACES), list(internal::PREVIOUS_KINDS));
        self.needs_hash = annotations.get(internal::NEEDS_HASH).and_then(Node::text) == Some("enabled");
        self.is_generated = annotations.contains(internal::BEHAVIOR);
        self.behavior = Behavior::parse(annotations.get(internal::BEHAVIOR).and_then(Node::text).unwrap_or_default());
        self.previous = names
            .into_iter()
            .zip(namespaces)
            .zip(kinds)
            .map(|((name, namespace), kind)| Previous {
                name: name.into(),
                namespace: namespace.into(),
                kind: kind.into(),
            })
            .collect();
        self.drop_annotations(is_note);
    }

    /// Removes annotations; an emptied map goes too, as it does whenever kustomize writes the map back.
    pub fn drop_annotations(&mut self, unwanted: impl Fn(&str) -> bool) {
        let Some(metadata) =
            self.node_mut().as_map_mut().and_then(|map| map.get_mut("metadata")).and_then(Node::as_map_mut)
        else {
            return;
        };
        let Some(annotations) = metadata.get_mut("annotations").and_then(Node::as_map_mut) else { return };
        annotations.entries.retain(|(key, _)| !unwanted(&key.text));
        if annotations.entries.is_empty() {
            metadata.remove("annotations");
        }
    }

    /// Makes the annotations a map of texts, as kustomize's own bookkeeping in them leaves them: what is no text becomes the
    /// text it was written as, a collection an empty one. False when they are a list, which cannot be one.
    fn texts_of_annotations(&mut self) -> bool {
        let annotations = self.node.as_map_mut().and_then(|map| map.get_mut("metadata")).and_then(Node::as_map_mut);
        match annotations.and_then(|metadata| metadata.get_mut("annotations")) {
            Some(Node::Map(annotations)) => {
                for (_, value) in &mut annotations.entries {
                    if value.as_scalar().is_none_or(|scalar| scalar.tag != Tag::Str) {
                        *value = Node::string(value.text().unwrap_or_default());
                    }
                }
                true
            }
            Some(Node::Seq(_)) => false,
            _ => true,
        }
    }

    /// From now on the build keeps notes on it.
    pub(crate) fn track(&mut self) {
        self.is_tracked = true;
        self.rewrite_annotations();
    }

    /// Makes the annotations anew, as kustomize's own bookkeeping does: as texts that no other field shares.
    pub(crate) fn rewrite_annotations(&mut self) {
        self.texts_of_annotations();
        self.unshare(&["metadata", "annotations"]);
    }

    /// Whether its labels are as transformers made them.
    pub(crate) fn has_made_labels(&self) -> bool {
        let made = self.made_labels.as_ref();
        made.is_some_and(|(made, _)| self.node.at(&["metadata", "labels"]) == Some(made))
    }

    /// Takes the labels for made by transformers still, when a step has only changed texts, or added some if it may.
    pub(crate) fn keep_made_labels(&mut self, may_add: bool) {
        let same_but_text = |one: &Node, other: &Node| match (one, other) {
            (Node::Scalar(one), Node::Scalar(other)) => {
                // Quotes that the first text needed, or not, stay.
                let quotes = |scalar: &Scalar| !scalar.text.is_empty() && !yaml::v3::is_plain_string(&scalar.text);
                (one.tag, one.plain, quotes(one)) == (other.tag, other.plain, quotes(other))
            }
            _ => false,
        };
        let Some(Node::Map(now)) = self.node.at(&["metadata", "labels"]) else { return };
        let Some((Node::Map(made), _)) = &mut self.made_labels else { return };
        let same = (may_add || now.entries.len() == made.entries.len())
            && made.entries.iter().all(|(key, value)| now.get(&key.text).is_some_and(|now| same_but_text(now, value)));
        if same {
            made.clone_from(now);
        } else {
            self.made_labels = None;
        }
    }

    /// Frees the values of a mapping from what they share with other fields.
    pub(crate) fn unshare(&mut self, path: &[&str]) {
        if self.shared.is_empty() {
            return;
        }
        let map = path.iter().try_fold(&mut self.node, |node, key| node.as_map_mut()?.get_mut(key));
        if let Some(map) = map {
            map.for_each_scalar(&mut |scalar| scalar.link = 0);
        }
    }

    /// Whether kustomize would have notes of its own among its annotations now.
    pub(crate) fn has_notes(&self) -> bool {
        self.is_tracked || self.is_generated || self.needs_hash || !self.previous.is_empty()
    }

    /// The last touch before a resource is written: its annotations are texts, and there are none instead of an empty map.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if !self.texts_of_annotations() {
            return Err(self.error("writing", "metadata.annotations is not a mapping"));
        }
        let Some(metadata) = self.node.map_at_mut(&["metadata"]) else {
            return Err(self.error("writing", "metadata is not a mapping"));
        };
        let is_empty = match metadata.get_mut("annotations") {
            Some(Node::Map(annotations)) => annotations.entries.is_empty(),
            annotations => annotations.is_some(),
        };
        if is_empty {
            metadata.remove("annotations");
        }
        Ok(())
    }

    /// Whether prefixes and suffixes agree with another's: one list ends with the other.
    pub fn affixes_agree(&self, other: &Self, allow_empty: bool) -> bool {
        if allow_empty {
            let agree = |a: &[Text], b: &[Text]| a.is_empty() || b.is_empty() || same_ending(a, b);
            agree(&self.prefixes, &other.prefixes) && agree(&self.suffixes, &other.suffixes)
        } else {
            same_ending(&self.prefixes, &other.prefixes) && same_ending(&self.suffixes, &other.suffixes)
        }
    }

    /// Whether it is dropped at the end of the build.
    pub fn is_local(&self) -> bool {
        self.annotation(internal::LOCAL_CONFIG).is_some_and(|value| value != "false")
    }

    /// What `kustomize build` prints for it.
    pub fn to_yaml(&self) -> Result<String, Error> {
        crate::text::emit(&self.node).map_err(|message| {
            let file = self.origin.as_ref().map(|origin| origin.path.as_str()).filter(|path| !path.is_empty());
            let action = file.map_or_else(|| "writing".to_owned(), |file| format!("{file}: writing"));
            self.error(&action, message)
        })
    }

    /// The error of a transformation that failed on this resource.
    pub fn error(&self, action: &str, message: impl Into<String>) -> Error {
        Error::Transform { action: action.to_owned(), resource: self.id().to_string(), message: message.into() }
    }
}

fn is_note(key: &str) -> bool {
    key.starts_with(internal::PREFIX) || internal::LEGACY.contains(&key)
}

fn same_ending(a: &[Text], b: &[Text]) -> bool {
    let shorter = a.len().min(b.len());
    a.iter().rev().take(shorter).eq(b.iter().rev().take(shorter)) && (shorter > 0 || (a.is_empty() && b.is_empty()))
}

/// Sets a text field, keeping how it was written, as kyaml's setter does it. It gives no type: where the field had no
/// quotes, the text decides what it is, and a name such as `12` becomes a number.
pub(crate) fn set_text(map: &mut Map, key: &str, text: &str) {
    match map.get_mut(key) {
        Some(Node::Scalar(scalar)) => scalar.set_untyped(text),
        Some(other) => *other = Node::Scalar(Scalar::open(text)),
        None => map.set(key, Node::Scalar(Scalar::open(text))),
    }
}

fn texts(node: Option<&Node>) -> BTreeMap<String, String> {
    let map = node.and_then(Node::as_map);
    map.into_iter()
        .flat_map(|map| &map.entries)
        .filter_map(|(key, value)| Some((key.text.to_string(), value.text()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(name: &str, annotations: &[(&str, &str)]) -> Resource {
        let mut node = Node::map();
        node.map_at_mut(&[]).unwrap().set("apiVersion", Node::string("v1"));
        node.map_at_mut(&[]).unwrap().set("kind", Node::string("ConfigMap"));
        node.map_at_mut(&["metadata"]).unwrap().set("name", Node::string(name));
        for (key, value) in annotations {
            node.map_at_mut(&["metadata", "annotations"]).unwrap().set(key, Node::string(*value));
        }
        Resource::new(node)
    }

    #[test]
    fn the_id_follows_the_tree() {
        let mut r = resource("a", &[]);
        assert_eq!(&*r.id().name, "a");
        r.remember();
        r.set_name("b");
        assert_eq!(&*r.id().name, "b");
        assert_eq!(&*r.original_id().name, "a");
        assert_eq!(&*r.original_id().namespace, "default");
    }

    #[test]
    fn notes_in_the_input_count_and_go() {
        let r = resource("a", &[(internal::NEEDS_HASH, "enabled"), (internal::PREVIOUS_NAMES, "x,y")]);
        assert!(r.needs_hash);
        assert!(r.node().at(&["metadata", "annotations"]).is_none());
    }

    #[test]
    fn affixes_agree_by_their_endings() {
        let (mut a, mut b) = (resource("a", &[]), resource("b", &[]));
        a.prefixes = vec!["in-".into(), "out-".into()];
        b.prefixes = vec!["out-".into()];
        assert!(a.affixes_agree(&b, false));
        b.prefixes = vec!["in-".into()];
        assert!(!a.affixes_agree(&b, true));
        b.prefixes.clear();
        assert!(a.affixes_agree(&b, true));
    }
}
