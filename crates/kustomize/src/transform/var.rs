//! Vars: `$(NAME)` in configured fields replaced by a field of another resource. Resolved once, at the root.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    error::Error,
    field_spec::{Create, FieldSpec},
    node::{Node, Scalar, Tag},
    res_map::ResMap,
    text,
};

/// The value of a var.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// What a field that is nothing but a reference becomes.
    pub(crate) alone: Scalar,
    /// What stands for a reference within a text.
    pub(crate) within: String,
}

/// Values by name.
pub(crate) type Values = BTreeMap<String, Value>;

impl Value {
    /// The value of a field as Go reads and prints it; `None` when it is a number that Go's `int` cannot hold.
    pub(crate) fn of(scalar: &Scalar) -> Option<Self> {
        let typed = |text: String, tag: Tag| Scalar { text: text.into(), tag, plain: true, link: 0 };
        let tag = match scalar.tag {
            Tag::Open => text::tag_of(&scalar.text),
            tag => tag,
        };
        Some(match tag {
            Tag::Int => {
                let number: i64 = scalar.text.parse().ok()?;
                Self { alone: typed(number.to_string(), Tag::Int), within: number.to_string() }
            }
            Tag::Float => {
                let number: f64 = scalar.text.parse().ok()?;
                Self { alone: typed(number.to_string(), Tag::Float), within: text::float_text(number) }
            }
            Tag::Bool => {
                let text = scalar.text.to_ascii_lowercase();
                Self { alone: typed(text.clone(), Tag::Bool), within: text }
            }
            _ => Self { alone: Scalar::string(&*scalar.text), within: scalar.text.to_string() },
        })
    }
}

/// Replaces every reference in the fields that `specs` name; returns the names that were used.
pub(crate) fn apply(resources: &mut ResMap, values: &Values, specs: &[FieldSpec]) -> Result<BTreeSet<String>, Error> {
    let mut used = BTreeSet::new();
    if values.is_empty() {
        return Ok(used);
    }
    for resource in resources.iter_mut() {
        let gvk = resource.id().gvk.clone();
        for spec in specs {
            let mut visited = false;
            spec.apply(&gvk, resource.node_mut(), Create::Scalar, &mut |node| {
                visited = true;
                field(node, values, &mut used)
            })?;
            // A value that fields share is expanded in one after the other, so that `$$(A)` ends as what A is.
            if visited {
                resource.settle();
            }
        }
    }
    Ok(used)
}

fn field(node: &mut Node, values: &Values, used: &mut BTreeSet<String>) -> Result<(), Error> {
    match node {
        Node::Scalar(scalar) => {
            expand_scalar(scalar, values, used);
            Ok(())
        }
        Node::Map(map) => {
            for (_, value) in &mut map.entries {
                if let Node::Scalar(scalar) = value {
                    expand_scalar(scalar, values, used);
                }
            }
            Ok(())
        }
        Node::Seq(list) => {
            for element in list {
                match element {
                    Node::Scalar(scalar) if matches!(scalar.tag, Tag::Str | Tag::Open) => {
                        expand_scalar(scalar, values, used);
                    }
                    other => {
                        return Err(Error::message(format!(
                            "invalid value type expect a string, found {} '{}': vars can only be used in texts",
                            other.kind(),
                            other.text().unwrap_or_default()
                        )));
                    }
                }
            }
            Ok(())
        }
    }
}

fn expand_scalar(scalar: &mut Scalar, values: &Values, used: &mut BTreeSet<String>) {
    if scalar.tag != Tag::Str && scalar.tag != Tag::Open {
        return;
    }
    if let Some(whole) = scalar.text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'))
        && let Some(value) = values.get(whole)
    {
        used.insert(whole.to_owned());
        // A reference alone keeps the type of what it refers to.
        scalar.assign(value.alone.clone());
        return;
    }
    let expanded = expand(&scalar.text, values, used);
    if *expanded != *scalar.text {
        scalar.text = expanded.into();
    }
}

/// Kubernetes' own expansion: `$(NAME)`, with `$$` for a dollar sign; what is not known stays.
fn expand(text: &str, values: &Values, used: &mut BTreeSet<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match values.get(name) {
                Some(value) => {
                    used.insert(name.to_owned());
                    out.push_str(&value.within);
                }
                None => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand() {
        let values = Values::from([("A".to_owned(), Value::of(&Scalar::string("x")).unwrap())]);
        let cases = [("$(A)", "x"), ("a$(A)b", "axb"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$", "$"), ("$(A", "$(A")];
        for (text, expected) in cases {
            assert_eq!(expand(text, &values, &mut BTreeSet::new()), expected, "{text}");
        }
    }
}
