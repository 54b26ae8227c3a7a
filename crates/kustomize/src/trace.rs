//! Who set what: beside each tree of a build that is to be explained, a tree of marks that follows every change.
//!
//! Transformers know nothing of this. After each step the tree is held against what it was, and what differs was set by that
//! step; a build that is not to be explained has no marks and pays nothing.

use parking_lot::Mutex;

use crate::{
    explain::Setter,
    node::{Map, Node, Text},
};

/// Keys by which elements of a list are recognised after a change, most telling first.
const IDENTITIES: [&str; 9] =
    ["name", "mountPath", "devicePath", "containerPort", "port", "key", "ip", "topologyKey", "type"];

/// Everything that has set something in a build, told apart by position.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Setter>>);

impl Ledger {
    /// The number of a setter.
    pub(crate) fn number(&self, setter: Setter) -> usize {
        let mut setters = self.0.lock();
        match setters.iter().position(|known| *known == setter) {
            Some(at) => at,
            None => {
                setters.push(setter);
                setters.len() - 1
            }
        }
    }

    pub(crate) fn into_setters(self) -> Vec<Setter> {
        self.0.into_inner()
    }
}

/// A tree as it was after the last step, and who had set what in it.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    seen: Node,
    marks: Marks,
}

/// Who has set a node, first to last, and its children's marks in the order of the children.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub(crate) by: Vec<usize>,
    pub(crate) children: Vec<Self>,
}

impl Trace {
    /// A new tree, all of which one step has made.
    pub(crate) fn new(node: &Node, by: usize) -> Self {
        Self { seen: node.clone(), marks: fresh(node, by) }
    }

    /// Notes that a step has turned the tree into this one.
    pub(crate) fn follow(&mut self, node: &Node, by: usize) {
        let marks = std::mem::replace(&mut self.marks, Marks { by: Vec::new(), children: Vec::new() });
        self.marks = updated(marks, &self.seen, node, by);
        self.seen = node.clone();
    }

    /// Who made the tree first.
    pub(crate) fn maker(&self) -> Option<usize> {
        self.marks.by.first().copied()
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Who has set the value below a field's key last.
    pub(crate) fn last(&self, field: &str, key: &str) -> Option<usize> {
        let (at, _, below) = child(&self.seen, field)?;
        let (inner, _, _) = child(below, key)?;
        self.marks.children.get(at)?.children.get(inner)?.by.last().copied()
    }

    /// Says of the value below a field's key that another has set it, in place of the last one.
    pub(crate) fn correct(&mut self, field: &str, key: &str, by: usize) {
        let Some((at, _, below)) = child(&self.seen, field) else { return };
        let Some((inner, _, _)) = child(below, key) else { return };
        let marks = self.marks.children.get_mut(at).and_then(|marks| marks.children.get_mut(inner));
        if let Some(last) = marks.and_then(|marks| marks.by.last_mut()) {
            *last = by;
        }
    }
}

/// The entry of a mapping with this key, and where it is.
fn child<'a>(node: &'a Node, key: &str) -> Option<(usize, &'a Text, &'a Node)> {
    let entries = node.as_map()?.entries.iter().enumerate();
    entries.map(|(at, (name, value))| (at, &name.text, value)).find(|(_, name, _)| name.as_str() == key)
}

fn fresh(node: &Node, by: usize) -> Marks {
    let children = match node {
        Node::Map(map) => map.entries.iter().map(|(_, value)| fresh(value, by)).collect(),
        Node::Seq(list) => list.iter().map(|element| fresh(element, by)).collect(),
        Node::Scalar(_) => Vec::new(),
    };
    Marks { by: vec![by], children }
}

fn updated(marks: Marks, old: &Node, new: &Node, by: usize) -> Marks {
    match (old, new) {
        (Node::Map(old), Node::Map(new)) => Marks { by: marks.by, children: updated_map(marks.children, old, new, by) },
        (Node::Seq(old), Node::Seq(new)) => {
            Marks { by: marks.by, children: updated_list(marks.children, old, new, by) }
        }
        (Node::Scalar(old), Node::Scalar(new)) if old.text == new.text => marks,
        (Node::Scalar(_), Node::Scalar(_)) => {
            let mut marks = marks;
            marks.by.push(by);
            marks
        }
        (_, new) => fresh(new, by),
    }
}

fn updated_map(marks: Vec<Marks>, old: &Map, new: &Map, by: usize) -> Vec<Marks> {
    let mut known: std::collections::HashMap<&Text, (&Node, Marks)> =
        old.entries.iter().zip(marks).map(|((key, value), marks)| (&key.text, (value, marks))).collect();
    let follow = |(key, value): &(crate::node::Scalar, Node)| match known.remove(&key.text) {
        Some((before, marks)) => updated(marks, before, value, by),
        None => fresh(value, by),
    };
    new.entries.iter().map(follow).collect()
}

fn updated_list(marks: Vec<Marks>, old: &[Node], new: &[Node], by: usize) -> Vec<Marks> {
    let mut known: Vec<Option<(&Node, Marks)>> = old.iter().zip(marks).map(Some).collect();
    let same_length = old.len() == new.len();
    let mut out: Vec<Option<Marks>> = new
        .iter()
        .enumerate()
        .map(|(at, element)| {
            let found = position(&known, at, |before| is_same(before, element))?;
            // Keys may have changed places, and their marks with them.
            let (before, marks) = known.get_mut(found)?.take()?;
            Some(updated(marks, before, element, by))
        })
        .collect();
    for (at, (element, slot)) in new.iter().zip(&mut out).enumerate() {
        if slot.is_some() {
            continue;
        }
        let recognised = position(&known, at, |before| is_alike(before, element)).or(same_length.then_some(at));
        let before = recognised.and_then(|found| known.get_mut(found)).and_then(Option::take);
        *slot = Some(match before {
            Some((before, marks)) => updated(marks, before, element, by),
            None => fresh(element, by),
        });
    }
    out.into_iter().flatten().collect()
}

/// The first element not taken yet that fits, the one in the same place before others.
fn position(known: &[Option<(&Node, Marks)>], at: usize, fits: impl Fn(&Node) -> bool) -> Option<usize> {
    let fits = |slot: &Option<(&Node, Marks)>| slot.as_ref().is_some_and(|(before, _)| fits(before));
    if known.get(at).is_some_and(&fits) { Some(at) } else { known.iter().position(fits) }
}

/// Whether two trees say the same, however they are written.
pub(crate) fn is_same(left: &Node, right: &Node) -> bool {
    match (left, right) {
        (Node::Map(left), Node::Map(right)) => {
            left.entries.len() == right.entries.len()
                && left
                    .entries
                    .iter()
                    .all(|(key, value)| right.get(&key.text).is_some_and(|other| is_same(value, other)))
        }
        (Node::Seq(left), Node::Seq(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Node::Scalar(left), Node::Scalar(right)) => left.text == right.text,
        _ => false,
    }
}

/// Whether two elements are one and the same thing before and after a change.
fn is_alike(left: &Node, right: &Node) -> bool {
    let identity = IDENTITIES.iter().find(|key| !left.text_at(&[key]).is_empty() && !right.text_at(&[key]).is_empty());
    identity.is_some_and(|key| left.text_at(&[key]) == right.text_at(&[key]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::parse_document;

    fn node(text: &str) -> Node {
        parse_document(text).unwrap().unwrap()
    }

    /// The last setter of each scalar, in the order of the tree.
    fn last(marks: &Marks, node: &Node, out: &mut Vec<usize>) {
        let children: Vec<&Node> = match node {
            Node::Map(map) => map.entries.iter().map(|(_, value)| value).collect(),
            Node::Seq(list) => list.iter().collect(),
            Node::Scalar(_) => {
                out.extend(marks.by.last());
                Vec::new()
            }
        };
        assert_eq!(children.len(), marks.children.len());
        children.into_iter().zip(&marks.children).for_each(|(node, marks)| last(marks, node, out));
    }

    #[test]
    fn each_field_is_its_last_setters() {
        let cases: &[(&str, &str, &[usize])] = &[
            ("a: 1\nb: 2\n", "a: 1\nb: 3\nc: 4\n", &[0, 1, 1]),
            ("b: 2\na: 1\n", "a: 1\nb: 2\n", &[0, 0]),
            ("l: [{name: x, v: 1}]\n", "l: [{name: y, v: 2}, {name: x, v: 3}]\n", &[1, 1, 0, 1]),
            ("l: [a, b]\n", "l: [z, a, b]\n", &[1, 0, 0]),
            ("l: [a, b]\n", "l: [a, c]\n", &[0, 1]),
            ("l: [{name: x, v: 1}]\nm: 1\n", "l: [{v: 1, name: x}]\nm: 2\n", &[0, 0, 1]),
            ("a: {b: c}\n", "a: x\n", &[1]),
            ("a: '1'\n", "a: 1\n", &[0]),
        ];
        for (before, after, expected) in cases {
            let mut trace = Trace::new(&node(before), 0);
            trace.follow(&node(after), 1);
            let mut found = Vec::new();
            last(trace.marks(), &node(after), &mut found);
            assert_eq!(found, *expected, "{before} {after}");
        }
    }

    #[test]
    fn earlier_setters_are_kept() {
        let mut trace = Trace::new(&node("a: 1\n"), 0);
        trace.follow(&node("a: 2\n"), 1);
        trace.follow(&node("a: 3\n"), 2);
        assert_eq!((trace.marks().children[0].by.as_slice(), trace.maker()), ([0, 1, 2].as_slice(), Some(0)));
    }
}
