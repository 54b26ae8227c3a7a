//! Field paths of replacements and vars: `spec.containers.[name=web].env.*.value`, also into text that holds YAML or JSON.

use goregex::Regex;

use crate::{
    error::Error,
    node::{Node, Scalar, is_null_text},
    text,
};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A key, or (when it is a number and a list is met) a position.
    Key(String),
    /// `[key=pattern]`: elements whose field matches; without a key the element itself.
    Match(String, String),
    /// `*`: every element.
    All,
}

/// Splits a path at dots that are neither escaped nor in brackets.
pub(crate) fn parse(path: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    let (mut current, mut bracketed) = (String::new(), false);
    let mut characters = path.chars().peekable();
    let mut push = |text: &mut String| {
        if !text.is_empty() {
            out.push(segment(std::mem::take(text)));
        }
    };
    while let Some(c) = characters.next() {
        match c {
            '\\' if characters.peek() == Some(&'.') => {
                characters.next();
                current.push('.');
            }
            '[' if !bracketed => {
                bracketed = true;
                current.push(c);
            }
            ']' if bracketed => {
                bracketed = false;
                current.push(c);
            }
            '.' if !bracketed => push(&mut current),
            c => current.push(c),
        }
    }
    push(&mut current);
    out
}

fn segment(text: String) -> Segment {
    if text == "*" {
        return Segment::All;
    }
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => match inner.split_once('=') {
            Some((key, value)) => Segment::Match(key.to_owned(), value.to_owned()),
            None => Segment::Key(inner.to_owned()),
        },
        None => Segment::Key(text),
    }
}

/// A step that has been taken: which child of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(String),
    /// A position in a list.
    At(usize),
}

/// The one node at a path, for reading.
pub(crate) fn find<'a>(node: &'a Node, path: &[Segment]) -> Result<Option<&'a Node>, Error> {
    Ok(locate(node, path)?.and_then(|steps| follow(node, &steps)))
}

/// The steps to the one node at a path.
pub(crate) fn locate(node: &Node, path: &[Segment]) -> Result<Option<Vec<Step>>, Error> {
    let mut here = node;
    let mut steps = Vec::with_capacity(path.len());
    for segment in path {
        let step = match (segment, here) {
            (Segment::Key(key), Node::Map(map)) if map.contains(key) => Step::Key(key.clone()),
            (Segment::Key(key), Node::Seq(list)) => match key.parse() {
                Ok(at) if at < list.len() => Step::At(at),
                _ => return Ok(None),
            },
            (Segment::Match(key, value), Node::Seq(list)) => {
                let pattern = compile(value)?;
                match list.iter().position(|element| element_matches(element, key, &pattern)) {
                    Some(at) => Step::At(at),
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let Some(next) = follow(here, std::slice::from_ref(&step)) else { return Ok(None) };
        steps.push(step);
        here = next;
    }
    Ok(Some(steps))
}

/// The node that steps lead to.
pub(crate) fn follow<'a>(node: &'a Node, steps: &[Step]) -> Option<&'a Node> {
    steps.iter().try_fold(node, |node, step| match (step, node) {
        (Step::Key(key), Node::Map(map)) => map.get(key),
        (Step::At(at), Node::Seq(list)) => list.get(*at),
        _ => None,
    })
}

fn compile(pattern: &str) -> Result<Regex, Error> {
    Regex::new(pattern).map_err(|error| Error::message(error.to_string()))
}

fn element_matches(element: &Node, key: &str, pattern: &Regex) -> bool {
    if key.is_empty() {
        return pattern.is_match(text::node_text(element).as_str());
    }
    element.at(&[key]).is_some_and(|field| pattern.is_match(text::node_text(field).as_str()))
}

/// What to make at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Nothing: what is missing is not found.
    Nothing,
    /// An empty scalar.
    Scalar,
    /// An empty mapping.
    Map,
    /// An empty list.
    Seq,
}

impl Make {
    /// What fits the value that is going to be written.
    pub(crate) fn like(value: &Node) -> Self {
        match value {
            Node::Scalar(_) => Self::Scalar,
            Node::Map(_) => Self::Map,
            Node::Seq(_) => Self::Seq,
        }
    }

    fn node(self) -> Node {
        match self {
            Self::Scalar | Self::Nothing => Node::Scalar(Scalar::open("")),
            Self::Map => Node::map(),
            Self::Seq => Node::Seq(Vec::new()),
        }
    }
}

/// Where a visited node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// The resource itself.
    Resource,
    /// A text of the resource that holds YAML or JSON.
    Text,
}

/// What is done to each node; true when it may have changed.
type Change<'a> = &'a mut dyn FnMut(&mut Node, Inside) -> Result<bool, Error>;

/// Runs `change` on every node at a path; returns how many there were.
pub(crate) fn visit(node: &mut Node, path: &[Segment], make: Make, change: Change<'_>) -> Result<usize, Error> {
    step(node, path, make, Inside::Resource, change)
}

fn step(node: &mut Node, path: &[Segment], make: Make, place: Inside, change: Change<'_>) -> Result<usize, Error> {
    let Some((first, rest)) = path.split_first() else {
        change(node, place)?;
        return Ok(1);
    };
    // What the next step needs, when this one has to make something.
    let next = || match rest.first() {
        None => make.node(),
        Some(Segment::Match(..)) => Node::Seq(Vec::new()),
        Some(Segment::Key(key)) if key.parse::<usize>().is_ok() => Node::Seq(Vec::new()),
        Some(_) => Node::map(),
    };
    match (first, node) {
        (Segment::Key(key), Node::Map(map)) => {
            if key.parse::<usize>().is_ok() {
                return Err(expected("SequenceNode", "MappingNode"));
            }
            if !map.contains(key) {
                if make == Make::Nothing {
                    return Ok(0);
                }
                map.set(key, next());
            }
            map.get_mut(key).map_or(Ok(0), |child| step(child, rest, make, place, change))
        }
        (Segment::Key(key), Node::Seq(list)) => {
            let Ok(at) = key.parse::<usize>() else { return Err(expected("MappingNode", "SequenceNode")) };
            if at == list.len() && make != Make::Nothing {
                list.push(next());
            }
            let length = list.len();
            match list.get_mut(at) {
                Some(child) => step(child, rest, make, place, change),
                None if make != Make::Nothing => {
                    Err(Error::message(format!("index {at} specified but only {length} elements found")))
                }
                None => Ok(0),
            }
        }
        (Segment::Match(key, value), Node::Seq(list)) => {
            let pattern = compile(value)?;
            let mut count = 0;
            for element in list.iter_mut().filter(|element| element_matches(element, key, &pattern)) {
                count += step(element, rest, make, place, change)?;
            }
            if count > 0 || make == Make::Nothing {
                return Ok(count);
            }
            let mut made = if key.is_empty() { Node::Scalar(Scalar::open(value.as_str())) } else { Node::map() };
            if let Some(map) = made.as_map_mut() {
                // Its text decides what it is: a port stays a number.
                map.set(key, Node::Scalar(Scalar::open(value.as_str())));
            }
            let count = step(&mut made, rest, make, place, change)?;
            list.push(made);
            Ok(count)
        }
        (Segment::All, Node::Seq(list)) => {
            list.iter_mut().map(|element| step(element, rest, make, place, change)).sum()
        }
        (Segment::Match(..) | Segment::All, Node::Map(_)) => Err(expected("SequenceNode", "MappingNode")),
        (first, Node::Scalar(scalar)) => match inside(scalar, path, make, change)? {
            Some(count) => Ok(count),
            // A null that was spelt out is passed over, and nothing is made in its place; one that was left blank is not.
            None if scalar.is_null() && !scalar.text.is_empty() => Ok(usize::from(make != Make::Nothing)),
            None => Err(match first {
                Segment::Key(_) => expected("MappingNode", "ScalarNode"),
                Segment::Match(..) | Segment::All => expected("SequenceNode", "ScalarNode"),
            }),
        },
    }
}

fn expected(expected: &'static str, found: &'static str) -> Error {
    Error::WrongNode { expected, found, path: String::new() }
}

/// Goes on inside a text that is itself YAML or JSON, and writes it back in its own form; `None` when it is neither.
fn inside(scalar: &mut Scalar, path: &[Segment], make: Make, change: Change<'_>) -> Result<Option<usize>, Error> {
    if scalar.is_null() || is_null_text(&scalar.text) {
        return Ok(None);
    }
    let Ok(Some(mut document)) = yaml::v3::parse(scalar.text.as_bytes()) else { return Ok(None) };
    let Ok(Some(before)) = text::parse_document(&scalar.text) else { return Ok(None) };
    if before.as_scalar().is_some() {
        return Ok(None);
    }
    let mut after = before.clone();
    let mut changed = false;
    let count = step(&mut after, path, make, Inside::Text, &mut |node, place| {
        changed |= change(node, place)?;
        Ok(true)
    })?;
    if !changed {
        return Ok(Some(count));
    }
    let written = if scalar.text.trim_start().starts_with(['{', '[']) {
        let pretty = scalar.text.contains('\n') && scalar.text.contains("  ");
        match text::to_go_json(&after, pretty) {
            Ok(written) => written,
            // A text where a number was, for example: upstream then leaves all as it is.
            Err(_) => return Ok(Some(count)),
        }
    } else {
        text::graft(&mut document, &before, &after);
        let written = yaml::v3::encode(&document, yaml::v3::EncodeOptions::KYAML);
        written.map_err(|error| Error::message(error.to_string()))?.trim().to_owned()
    };
    scalar.text = written.into();
    Ok(Some(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_outside_brackets_and_escapes() {
        let key = |text: &str| Segment::Key(text.to_owned());
        assert_eq!(
            parse("spec.[name=a.b].x\\.y.*.0"),
            [key("spec"), Segment::Match("name".into(), "a.b".into()), key("x.y"), Segment::All, key("0")]
        );
    }

    #[test]
    fn text_that_holds_json_is_edited() {
        let mut node = text::parse_document("data:\n  c: '{\"a\":{\"b\":1}}'\n").unwrap().unwrap();
        let count = visit(&mut node, &parse("data.c.a.b"), Make::Nothing, &mut |node, _| {
            *node = Node::string("x");
            Ok(true)
        });
        assert_eq!(count.unwrap(), 1);
        assert_eq!(node.text_at(&["data", "c"]), "{\"a\":{\"b\":\"x\"}}");
    }

    #[test]
    fn missing_steps_are_made() {
        let mut node = text::parse_document("spec: {}\n").unwrap().unwrap();
        visit(&mut node, &parse("spec.list.[name=a].value"), Make::Scalar, &mut |node, _| {
            *node = Node::string("v");
            Ok(true)
        })
        .unwrap();
        assert_eq!(text::emit(&node).unwrap(), "spec:\n  list:\n  - name: a\n    value: v\n");
    }
}
