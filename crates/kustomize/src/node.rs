//! The tree of one resource: what kustomize edits. Comments, styles of collections and anchors never reach the output, so
//! they are not kept; of a scalar the text, its tag and whether it was plain are, because replacements and labels change
//! the text alone and the old tag then decides what the new text means.

/// A text of a tree or an id: short ones are held in place, long ones are shared by their copies.
pub type Text = smol_str::SmolStr;

use crate::hint::Hints;

/// A YAML value being edited.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A mapping, in order; keys may repeat until output refuses them.
    Map(Map),
    /// A list.
    Seq(Vec<Self>),
    /// Anything else.
    Scalar(Scalar),
}

/// The type of a scalar, as resolved when it was read or as set by whoever wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Not fixed: the text decides.
    Open,
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
}

impl Tag {
    /// The short tag; empty when the text decides.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Str => "!!str",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Bool => "!!bool",
            Self::Null => "!!null",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
        }
    }
}

/// A scalar's text and type.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// The text, unescaped.
    pub text: Text,
    /// The type.
    pub tag: Tag,
    /// Written without quotes.
    pub plain: bool,
    /// Not zero: one value that stands in several fields of a resource, so that a change of one changes all
    /// ([`crate::resource::Resource::settle`]).
    pub link: u32,
}

impl Scalar {
    /// A string.
    pub fn string(text: impl Into<Text>) -> Self {
        Self { text: text.into(), tag: Tag::Str, plain: true, link: 0 }
    }

    /// A value whose type its text decides.
    pub fn open(text: impl Into<Text>) -> Self {
        Self { text: text.into(), tag: Tag::Open, plain: true, link: 0 }
    }

    /// Takes another's value; which fields share it stays as it is.
    pub fn assign(&mut self, other: Self) {
        *self = Self { link: self.link, ..other };
    }

    /// Takes a text without a type: its quotes stay, and if it has none the text decides.
    pub fn set_untyped(&mut self, text: impl Into<Text>) {
        self.text = text.into();
        self.tag = Tag::Open;
    }

    /// Whether this is a null (of any spelling). What a text without a type means is only decided when it is written.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }
}

/// Plain texts that YAML reads as null.
pub(crate) fn is_null_text(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// A mapping in document order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// Keys and values.
    pub entries: Vec<(Scalar, Node)>,
    /// How fields merge, where comments say it.
    pub(crate) hints: Hints,
}

impl Map {
    /// The value of the first entry with this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _)| &*name.text == key).map(|(_, value)| value)
    }

    /// The value of the first entry with this key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries.iter_mut().find(|(name, _)| &*name.text == key).map(|(_, value)| value)
    }

    /// Sets a key's value, in place or at the end.
    pub fn set(&mut self, key: &str, value: Node) {
        match self.get_mut(key) {
            Some(slot) => *slot = value,
            // No tag and no style: a key such as `1` is resolved like any other when it is written.
            None => self.entries.push((Scalar::open(key), value)),
        }
    }

    /// Removes every entry with this key; returns the first one's value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let mut removed = None;
        self.entries.retain_mut(|(name, value)| {
            if &*name.text != key {
                return true;
            }
            if removed.is_none() {
                removed = Some(std::mem::replace(value, Node::null()));
            }
            false
        });
        removed
    }

    /// Whether a key is present.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

impl Node {
    /// An explicit null.
    pub fn null() -> Self {
        Self::Scalar(Scalar { text: Text::new_static("null"), tag: Tag::Null, plain: true, link: 0 })
    }

    /// A string.
    pub fn string(text: impl Into<Text>) -> Self {
        Self::Scalar(Scalar::string(text))
    }

    /// An empty mapping.
    pub fn map() -> Self {
        Self::Map(Map::default())
    }

    /// The mapping, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The mapping, to be changed.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The list, if it is one.
    pub fn as_seq(&self) -> Option<&[Self]> {
        if let Self::Seq(list) = self { Some(list) } else { None }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| &*scalar.text)
    }

    /// Whether this is a null.
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.as_map()?.get(key))
    }

    /// The text at a path of keys; empty when there is none or it is null.
    pub fn text_at(&self, path: &[&str]) -> &str {
        self.at(path).filter(|node| !node.is_null()).and_then(Self::text).unwrap_or_default()
    }

    /// The mapping at a path of keys, made where it is missing or null; `None` when something else is in the way.
    pub fn map_at_mut(&mut self, path: &[&str]) -> Option<&mut Map> {
        let mut map = self.as_map_mut()?;
        for key in path {
            if map.get(key).is_none_or(Self::is_null) {
                map.set(key, Self::map());
            }
            map = map.get_mut(key)?.as_map_mut()?;
        }
        Some(map)
    }

    /// What kind of node this is, in YAML's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Map(_) => "MappingNode",
            Self::Seq(_) => "SequenceNode",
            Self::Scalar(_) => "ScalarNode",
        }
    }

    /// A copy that shares no value with the fields of the resource it comes from.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = self.clone();
        copy.for_each_scalar(&mut |scalar| scalar.link = 0);
        copy
    }

    /// Whether it holds more than `limit` values and lists and mappings.
    pub(crate) fn is_larger_than(&self, limit: usize) -> bool {
        fn count(node: &Node, left: &mut usize) -> bool {
            let Some(fewer) = left.checked_sub(1) else { return true };
            *left = fewer;
            match node {
                Node::Map(map) => map.entries.iter().any(|(_, value)| count(value, left)),
                Node::Seq(list) => list.iter().any(|element| count(element, left)),
                Node::Scalar(_) => false,
            }
        }
        count(self, &mut { limit })
    }

    /// Runs `change` on every value (keys are left out).
    pub fn for_each_scalar(&mut self, change: &mut dyn FnMut(&mut Scalar)) {
        match self {
            Self::Map(map) => map.entries.iter_mut().for_each(|(_, value)| value.for_each_scalar(change)),
            Self::Seq(list) => list.iter_mut().for_each(|element| element.for_each_scalar(change)),
            Self::Scalar(scalar) => change(scalar),
        }
    }

    /// An empty mapping or list, or a null or empty text.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Map(map) => map.entries.is_empty(),
            Self::Seq(list) => list.is_empty(),
            Self::Scalar(scalar) => scalar.is_null() || scalar.text.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_made_where_they_are_missing_or_null() {
        let mut node = Node::map();
        node.map_at_mut(&["metadata"]).unwrap().set("labels", Node::null());
        node.map_at_mut(&["metadata", "labels"]).unwrap().set("a", Node::string("b"));
        assert_eq!(node.text_at(&["metadata", "labels", "a"]), "b");
        assert!(node.map_at_mut(&["metadata", "labels", "a", "c"]).is_none(), "a text is in the way");
    }

    #[test]
    fn removing_takes_every_entry_of_a_key() {
        let mut map = Map::default();
        map.entries.push((Scalar::open("a"), Node::string("1")));
        map.entries.push((Scalar::open("a"), Node::string("2")));
        assert_eq!(map.remove("a"), Some(Node::string("1")));
        assert!(!map.contains("a"));
    }
}
