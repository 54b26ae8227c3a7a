//! Field specs: which field of which kinds a transformer changes (`spec/template/spec/containers[]/image`).

use std::borrow::Cow;

use crate::{
    error::Error,
    id::{Gvk, ResId},
    node::{Node, Scalar, Text},
};

/// A field of some kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    /// The kinds; empty parts match all.
    pub gvk: Gvk,
    /// Keys separated by `/`; `\/` is a slash in a key, `[]` behind a key expects a list and makes none.
    pub path: Text,
    /// Make what is missing on the way.
    pub create: bool,
}

/// What to make where a path ends and nothing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// Nothing, whatever the spec says.
    Nothing,
    /// An empty text, to be set.
    Scalar,
    /// A mapping.
    Map,
}

impl FieldSpec {
    /// A spec from its parts, for tables.
    pub(crate) fn new(group: &str, version: &str, kind: &str, path: &str, create: bool) -> Self {
        let gvk = Gvk { group: group.into(), version: version.into(), kind: kind.into() };
        Self { gvk, path: path.into(), create }
    }

    /// A spec of the built-in tables, made without copying anything.
    pub(crate) const fn fixed(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        path: &'static str,
        create: bool,
    ) -> Self {
        Self { gvk: Gvk::fixed(group, version, kind), path: Text::new_static(path), create }
    }

    /// Whether two specs are of the same field of the same kinds (they may differ in `create`).
    pub(crate) fn same_field(&self, other: &Self) -> bool {
        self.gvk == other.gvk && self.path == other.path
    }

    /// Says which field of which resource an error is about.
    fn considering(&self, gvk: &Gvk, root: &Node, error: Error) -> Error {
        let text = |key: &str| root.text_at(&["metadata", key]).into();
        let id = ResId { gvk: gvk.clone(), name: text("name"), namespace: text("namespace") };
        error.context(format!("considering field '{}' of object {id}", self.path))
    }

    /// Runs `change` on every node the path leads to in a resource of kind `gvk`.
    pub(crate) fn apply(
        &self,
        gvk: &Gvk,
        root: &mut Node,
        create: Create,
        change: &mut dyn FnMut(&mut Node) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !gvk.is_selected(&self.gvk) {
            return Ok(());
        }
        self.apply_to_any(gvk, root, create, change)
    }

    /// The same whatever kinds the spec is for; `gvk` is for messages.
    pub(crate) fn apply_to_any(
        &self,
        gvk: &Gvk,
        root: &mut Node,
        create: Create,
        change: &mut dyn FnMut(&mut Node) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut walk = Walk { spec: self, create, change };
        walk.step(root, Some(self.path.strip_prefix('/').unwrap_or(&self.path)))
            .map_err(|error| self.considering(gvk, root, error))
    }
}

/// The first key of a path with `\/` unescaped, and what is left behind it. Runs for every field of every resource, so it
/// allocates for escaped keys alone.
fn split_first(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let (mut is_escaped, mut has_escapes) = (false, false);
    for (at, byte) in path.bytes().enumerate() {
        if byte == b'/' && !is_escaped {
            let (before, after) = (path.get(..at).unwrap_or_default(), path.get(at + 1..).unwrap_or_default());
            return (unescaped(before, has_escapes), Some(after));
        }
        is_escaped = byte == b'\\';
        has_escapes |= is_escaped;
    }
    (unescaped(path, has_escapes), None)
}

fn unescaped(key: &str, has_escapes: bool) -> Cow<'_, str> {
    if has_escapes { Cow::Owned(key.replace("\\/", "/")) } else { Cow::Borrowed(key) }
}

struct Walk<'a> {
    spec: &'a FieldSpec,
    create: Create,
    change: &'a mut dyn FnMut(&mut Node) -> Result<(), Error>,
}

impl Walk<'_> {
    fn step(&mut self, node: &mut Node, path: Option<&str>) -> Result<(), Error> {
        let Some(path) = path else { return (self.change)(node) };
        match node {
            Node::Seq(list) => list.iter_mut().try_for_each(|element| self.step(element, Some(path))),
            Node::Map(map) => {
                let (first, rest) = split_first(path);
                // The brackets of `list[]` only say that the list is not made; a mapping in its place is walked as one.
                let (key, must_be_list) = match first.strip_suffix("[]") {
                    Some(key) => (key, true),
                    None => (&*first, false),
                };
                if key.is_empty() {
                    return Err(Error::message("cannot set or create an empty field name"));
                }
                let creates = self.spec.create && !must_be_list && self.create != Create::Nothing;
                let missing = map.get(key).is_none_or(Node::is_null);
                if missing {
                    if must_be_list && map.contains(key) {
                        // A list that was left blank is written as an empty one.
                        map.set(key, Node::Seq(Vec::new()));
                        return Ok(());
                    }
                    if rest.is_none()
                        && self.create != Create::Map
                        && let Some(null) = map.get_mut(key)
                    {
                        // A null at the end of the path is a value with the text of how it was spelt.
                        return (self.change)(null);
                    }
                    if !creates {
                        // A null on the way that is not to be created stays as it is.
                        return Ok(());
                    }
                    let made = match (rest.is_none(), self.create) {
                        (true, Create::Scalar) => Node::Scalar(Scalar::open("")),
                        _ => Node::map(),
                    };
                    map.set(key, made);
                }
                let Some(child) = map.get_mut(key) else { return Ok(()) };
                self.step(child, rest)
            }
            Node::Scalar(scalar) if scalar.is_null() => Ok(()),
            Node::Scalar(_) => Err(Error::ExpectedCollection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Vec<String> {
        let mut rest = Some(path);
        std::iter::from_fn(|| {
            let (first, after) = split_first(rest?);
            rest = after;
            Some(first.into_owned())
        })
        .collect()
    }

    #[test]
    fn paths_split_at_unescaped_slashes() {
        assert_eq!(segments("metadata/annotations/a.b\\/c"), ["metadata", "annotations", "a.b/c"]);
        assert_eq!(segments("a\\/b\\/c/d"), ["a/b/c", "d"]);
        assert_eq!(segments("metadata"), ["metadata"]);
        assert_eq!(segments("a//b/"), ["a", "", "b", ""]);
    }
}
