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

/// The one node at a path, for reading.
pub(crate) fn find<'a>(node: &'a Node, path: &[Segment]) -> Result<Option<&'a Node>, Error> {
    let Some((first, rest)) = path.split_first() else { return Ok(Some(node)) };
    match (first, node) {
        (Segment::Key(key), Node::Map(map)) => map.get(key).map_or(Ok(None), |child| find(child, rest)),
        (Segment::Key(key), Node::Seq(list)) => {
            let at: Option<usize> = key.parse().ok();
            at.and_then(|at| list.get(at)).map_or(Ok(None), |child| find(child, rest))
        }
        (Segment::Match(key, value), Node::Seq(list)) => {
            let pattern = compile(value)?;
            let element = list.iter().find(|element| element_matches(element, key, &pattern));
            element.map_or(Ok(None), |element| find(element, rest))
        }
        _ => Ok(None),
    }
}

fn compile(pattern: &str) -> Result<Regex, Error> {
    Regex::new(pattern).map_err(|error| Error::message(error.to_string()))
}

fn element_matches(element: &Node, key: &str, pattern: &Regex) -> bool {
    if key.is_empty() {
        return element.as_scalar().is_some_and(|scalar| pattern.is_match(&*scalar.text));
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

/// Runs `change` on every node at a path; returns how many there were.
pub(crate) fn visit(
    node: &mut Node,
    path: &[Segment],
    make: Make,
    change: &mut dyn FnMut(&mut Node) -> Result<(), Error>,
) -> Result<usize, Error> {
    let Some((first, rest)) = path.split_first() else {
        change(node)?;
        return Ok(1);
    };
    // What the next step needs, when this one has to make something.
    let next = || match rest.first() {
        None => make.node(),
        Some(Segment::Match(..)) => Node::Seq(Vec::new()),
        Some(Segment::Key(key)) if key.parse::<usize>().is_ok() => Node::Seq(Vec::new()),
        Some(_) => Node::map(),
    };
    if make != Make::Nothing && node.is_null() {
        *node = match first {
            Segment::Match(..) | Segment::All => Node::Seq(Vec::new()),
            Segment::Key(_) => Node::map(),
        };
    }
    match (first, node) {
        (Segment::Key(key), Node::Map(map)) => {
            if !map.contains(key) {
                if make == Make::Nothing {
                    return Ok(0);
                }
                map.set(key, next());
            }
            map.get_mut(key).map_or(Ok(0), |child| visit(child, rest, make, change))
        }
        (Segment::Key(key), Node::Seq(list)) => {
            let Ok(at) = key.parse::<usize>() else { return Ok(0) };
            if at == list.len() && make != Make::Nothing {
                list.push(next());
            }
            match list.get_mut(at) {
                Some(child) => visit(child, rest, make, change),
                None if make != Make::Nothing => {
                    Err(Error::message(format!("index {at} specified but only {} elements found", list.len())))
                }
                None => Ok(0),
            }
        }
        (Segment::Match(key, value), Node::Seq(list)) => {
            let pattern = compile(value)?;
            let mut count = 0;
            for element in list.iter_mut().filter(|element| element_matches(element, key, &pattern)) {
                count += visit(element, rest, make, change)?;
            }
            if count > 0 || make == Make::Nothing {
                return Ok(count);
            }
            let mut made = if key.is_empty() { Node::string(value.as_str()) } else { Node::map() };
            if let Some(map) = made.as_map_mut() {
                map.set(key, Node::string(value.as_str()));
            }
            let count = visit(&mut made, rest, make, change)?;
            list.push(made);
            Ok(count)
        }
        (Segment::All, Node::Seq(list)) => list.iter_mut().map(|element| visit(element, rest, make, change)).sum(),
        (Segment::All, Node::Map(map)) => {
            map.entries.iter_mut().map(|(_, value)| visit(value, rest, make, change)).sum()
        }
        (_, Node::Scalar(scalar)) => inside(scalar, path, make, change),
        (Segment::Match(..), Node::Map(_)) => {
            Err(Error::message("wrong node kind: expected SequenceNode but got MappingNode"))
        }
    }
}

/// Goes on inside a text that is itself YAML or JSON, and writes it back in its own form.
fn inside(
    scalar: &mut Scalar,
    path: &[Segment],
    make: Make,
    change: &mut dyn FnMut(&mut Node) -> Result<(), Error>,
) -> Result<usize, Error> {
    if is_null_text(&scalar.text) {
        return Ok(0);
    }
    let Ok(Some(mut inner)) = text::parse_document(&scalar.text) else { return Ok(0) };
    if inner.as_scalar().is_some() {
        return Ok(0);
    }
    let count = visit(&mut inner, path, make, change)?;
    if count == 0 {
        return Ok(0);
    }
    let trimmed = scalar.text.trim_start();
    let written = if trimmed.starts_with(['{', '[']) {
        let value = text::to_json(&inner).map_err(Error::Message)?;
        if scalar.text.contains('\n') && scalar.text.contains("  ") {
            serde_json::to_string_pretty(&value).unwrap_or_default()
        } else {
            value.to_string()
        }
    } else {
        text::node_text(&inner)
    };
    scalar.text = written.into();
    Ok(count)
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
        let count = visit(&mut node, &parse("data.c.a.b"), Make::Nothing, &mut |node| {
            *node = Node::string("x");
            Ok(())
        });
        assert_eq!(count.unwrap(), 1);
        assert_eq!(node.text_at(&["data", "c"]), "{\"a\":{\"b\":\"x\"}}");
    }

    #[test]
    fn missing_steps_are_made() {
        let mut node = text::parse_document("spec: {}\n").unwrap().unwrap();
        visit(&mut node, &parse("spec.list.[name=a].value"), Make::Scalar, &mut |node| {
            *node = Node::string("v");
            Ok(())
        })
        .unwrap();
        assert_eq!(text::emit(&node).unwrap(), "spec:\n  list:\n  - name: a\n    value: v\n");
    }
}
