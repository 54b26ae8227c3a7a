//! Trees written straight as YAML or JSON. What is out of the ordinary (keys that are no texts or come twice, timestamps,
//! numbers that JSON writes otherwise) is left to the way through the YAML crate's own trees, which also finds the words
//! for errors.

use yaml::v2::{Emitter, Flavor, sort_naturally};
use yaml::v3::{Meaning, meaning, plain_tag};

use crate::node::{Map, Node, Scalar, Tag};

/// Deepest tree walked here.
const MAX_DEPTH: usize = 900;

/// What `kustomize build` prints for a tree; `None` when that takes the long way.
pub(super) fn yaml(node: &Node) -> Option<String> {
    let mut emitter = Emitter::new(Flavor::Sigs);
    write(&mut emitter, node, 0)?;
    Some(emitter.finish())
}

fn write(emitter: &mut Emitter, node: &Node, depth: usize) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    match node {
        Node::Map(map) => {
            let mut entries = entries(map)?;
            sort_naturally(&mut entries, |(key, _)| key);
            emitter.begin_mapping(entries.len()).ok()?;
            for (key, value) in entries {
                emitter.key(key).ok()?;
                write(emitter, value, depth + 1)?;
            }
            emitter.end();
            Some(())
        }
        Node::Seq(list) => {
            emitter.begin_sequence(list.len()).ok()?;
            for element in list {
                write(emitter, element, depth + 1)?;
            }
            emitter.end();
            Some(())
        }
        Node::Scalar(scalar) => match means(scalar)? {
            Meaning::Text => emitter.string(&scalar.text),
            Meaning::Null => emitter.null(),
            Meaning::Bool(value) => emitter.boolean(value),
            Meaning::Int(value) => emitter.int(value),
            Meaning::Uint(value) => emitter.uint(value),
            Meaning::Float(value) => emitter.float(value),
            Meaning::Other => return None,
        }
        .ok(),
    }
}

/// A tree as JSON; `None` when that takes the long way.
pub(super) fn json(node: &Node) -> Option<serde_json::Value> {
    to_json(node, 0)
}

fn to_json(node: &Node, depth: usize) -> Option<serde_json::Value> {
    use serde_json::Value;
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match node {
        Node::Map(map) => Value::Object(
            entries(map)?
                .into_iter()
                .map(|(key, value)| Some((key.to_owned(), to_json(value, depth + 1)?)))
                .collect::<Option<_>>()?,
        ),
        Node::Seq(list) => Value::Array(list.iter().map(|element| to_json(element, depth + 1)).collect::<Option<_>>()?),
        Node::Scalar(scalar) => match means(scalar)? {
            Meaning::Text => Value::String(scalar.text.to_string()),
            Meaning::Null => Value::Null,
            Meaning::Bool(value) => Value::Bool(value),
            Meaning::Int(value) => Value::from(value),
            Meaning::Uint(value) => Value::from(value),
            Meaning::Float(_) | Meaning::Other => return None,
        },
    })
}

fn means(scalar: &Scalar) -> Option<Meaning> {
    if scalar.tag == Tag::Str {
        return Some(Meaning::Text);
    }
    match meaning(scalar.tag.short(), &scalar.text, !scalar.plain).ok()? {
        Meaning::Float(value) if !value.is_finite() => None,
        meaning => Some(meaning),
    }
}

/// The entries sorted bytewise by key; `None` when keys are no texts or come twice.
fn entries(map: &Map) -> Option<Vec<(&str, &Node)>> {
    let is_text = |key: &Scalar| match key.tag {
        Tag::Str => true,
        Tag::Open => !key.plain || (key.text != "<<" && plain_tag(&key.text) == "!!str"),
        _ => false,
    };
    let mut entries = Vec::with_capacity(map.entries.len());
    for (key, value) in &map.entries {
        if !is_text(key) {
            return None;
        }
        entries.push((key.text.as_str(), value));
    }
    entries.sort_unstable_by_key(|(key, _)| *key);
    let is_twice = entries.windows(2).any(|pair| matches!(pair, [(left, _), (right, _)] if left == right));
    if is_twice { None } else { Some(entries) }
}

#[cfg(test)]
mod tests {
    use super::super::{parse_document, to_value};
    use super::*;

    #[test]
    fn both_ways_write_the_same() {
        let texts = [
            "b: 1.0\na: yes\nc: [1, -0x1F, 0o17, 1e3, .5, ~, null, true, 'true', \"x\\ty\", 18446744073709551615]\n",
            "a10: x\na2: y\na01: z\nA: {}\n_: []\n'1': q\n",
            "text: |\n  a\n  b\nfolded: >-\n  c\n  d\nempty: ''\nnone:\nbool: !!str true\n",
            "a: 0.1\nb: 1e400\nc: 12345678901234567890123\nd: !!int 3\ne: !!float 3\n",
        ];
        for text in texts {
            let node = parse_document(text).unwrap().unwrap();
            let value = to_value(&node).unwrap();
            assert_eq!(yaml(&node).unwrap(), yaml::v2::to_string(&value).unwrap(), "{text}");
            if let Some(json) = json(&node) {
                let long: serde_json::Value = serde_json::from_str(&yaml::v2::to_json(&value)).unwrap();
                assert_eq!(json, long, "{text}");
            }
        }
    }

    #[test]
    fn the_extraordinary_takes_the_long_way() {
        for text in ["1: a\n", "a: b\na: c\n", "a: 2001-01-01\n", "a: .inf\n", "? [x]\n: y\n", "~: a\n", "a: !!int x\n"]
        {
            let node = parse_document(text).unwrap().unwrap();
            assert_eq!(yaml(&node), None, "{text}");
        }
    }
}
