//! A finished build explained: for each field of each resource what it is and who set it.

use crate::{id::ResId, node::Node, trace::Marks};

/// Something that sets fields: a file that holds them, or a transformer that a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setter {
    /// The file with the value or with the instruction, seen from the build's root; with its repository when it is remote.
    pub file: String,
    /// The transformer or generator, by kustomize's name; empty for what was read as a resource.
    pub transformer: String,
    /// The kustomization that named the file, where that is another.
    pub configured_in: String,
}

/// A field of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedField {
    /// For people: `spec.containers[name=web].image`.
    pub path: String,
    /// For machines: a JSON pointer.
    pub pointer: String,
    /// Its text; `{}` and `[]` for empty collections.
    pub value: String,
    /// Who set it.
    pub by: Setter,
    /// Who had set it before, oldest first.
    pub before: Vec<Setter>,
}

/// A resource with its fields in the order of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedResource {
    /// Who it is in the output.
    pub id: ResId,
    /// Its fields.
    pub fields: Vec<ExplainedField>,
}

/// The fields of a tree.
pub(crate) fn fields(node: &Node, marks: &Marks, setters: &[Setter]) -> Vec<ExplainedField> {
    let mut walk = Walk { setters, out: Vec::new() };
    walk.step(node, marks, &mut Place::default());
    walk.out
}

#[derive(Clone, Default)]
struct Place {
    path: String,
    pointer: String,
}

impl Place {
    fn key(&self, key: &str) -> Self {
        let is_word = !key.is_empty() && !key.contains(['.', '/', '[', ']', ' ']);
        let path = match (is_word, self.path.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.path),
            (false, _) => format!("{}[{key:?}]", self.path),
        };
        Self { path, pointer: format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1")) }
    }

    fn element(&self, at: usize, element: &Node) -> Self {
        let name = element.text_at(&["name"]);
        let step = if name.is_empty() { at.to_string() } else { format!("name={name}") };
        Self { path: format!("{}[{step}]", self.path), pointer: format!("{}/{at}", self.pointer) }
    }
}

struct Walk<'a> {
    setters: &'a [Setter],
    out: Vec<ExplainedField>,
}

impl Walk<'_> {
    fn step(&mut self, node: &Node, marks: &Marks, place: &mut Place) {
        match node {
            Node::Map(map) if !map.entries.is_empty() => {
                let mut entries: Vec<_> = map.entries.iter().zip(&marks.children).collect();
                entries.sort_by(|((left, _), _), ((right, _), _)| left.text.cmp(&right.text));
                yaml::v2::sort_naturally(&mut entries, |((key, _), _)| &key.text);
                for ((key, value), marks) in entries {
                    self.step(value, marks, &mut place.key(&key.text));
                }
            }
            Node::Seq(list) if !list.is_empty() => {
                for (at, (element, marks)) in list.iter().zip(&marks.children).enumerate() {
                    self.step(element, marks, &mut place.element(at, element));
                }
            }
            Node::Map(_) => self.field("{}", marks, place),
            Node::Seq(_) => self.field("[]", marks, place),
            Node::Scalar(scalar) => self.field(&scalar.text, marks, place),
        }
    }

    fn field(&mut self, value: &str, marks: &Marks, place: &mut Place) {
        let mut setters = marks.by.iter().filter_map(|at| self.setters.get(*at)).cloned();
        let Some(by) = setters.next_back() else { return };
        let Place { path, pointer } = std::mem::take(place);
        self.out.push(ExplainedField { path, pointer, value: value.to_owned(), by, before: setters.collect() });
    }
}
