//! Selectors: which resources a patch or replacement is about.

use goregex::Regex;

use crate::{
    error::Error,
    id::{Gvk, ResId},
    kustomization::Selector,
    resource::Resource,
};

/// A selector ready to be held against resources.
#[derive(Debug)]
pub(crate) struct CompiledSelector {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// One condition of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Missing(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Greater(String, i64),
    Less(String, i64),
}

/// What a text must be: most selectors name one thing, and comparing costs less than compiling a pattern.
#[derive(Debug)]
enum Pattern {
    Text(String),
    Regex(Regex),
}

/// A whole-text pattern; an empty one matches anything.
fn pattern(text: &str) -> Result<Option<Pattern>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')) {
        return Ok(Some(Pattern::Text(text.to_owned())));
    }
    let compiled = Regex::new(&format!("^(?:{text})$")).map_err(|error| Error::message(error.to_string()))?;
    Ok(Some(Pattern::Regex(compiled)))
}

fn matches(pattern: Option<&Pattern>, text: &str) -> bool {
    match pattern {
        None => true,
        Some(Pattern::Text(wanted)) => wanted == text,
        Some(Pattern::Regex(regex)) => regex.is_match(text),
    }
}

impl CompiledSelector {
    /// Compiles a selector; its patterns are anchored at both ends.
    pub(crate) fn new(selector: &Selector) -> Result<Self, Error> {
        Ok(Self {
            group: pattern(&selector.group)?,
            version: pattern(&selector.version)?,
            kind: pattern(&selector.kind)?,
            name: pattern(&selector.name)?,
            namespace: pattern(&selector.namespace)?,
            labels: requirements(&selector.label_selector)?,
            annotations: requirements(&selector.annotation_selector)?,
        })
    }

    /// Whether a patch with this target changes a resource: kind as it is now, name and namespace as they are or were first.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        let current = resource.id();
        if !self.matches_gvk(&current.gvk) {
            return false;
        }
        let original = resource.original_id();
        let named = |id: &ResId| self.matches_name(&id.name) && self.matches_namespace(id.effective_namespace());
        (named(&original) || named(current)) && self.matches_labels(resource) && self.matches_annotations(resource)
    }

    /// Whether the kind matches.
    pub(crate) fn matches_gvk(&self, gvk: &Gvk) -> bool {
        matches(self.group.as_ref(), &gvk.group)
            && matches(self.version.as_ref(), &gvk.version)
            && matches(self.kind.as_ref(), &gvk.kind)
    }

    /// Whether the name matches.
    pub(crate) fn matches_name(&self, name: &str) -> bool {
        matches(self.name.as_ref(), name)
    }

    /// Whether the namespace matches.
    pub(crate) fn matches_namespace(&self, namespace: &str) -> bool {
        matches(self.namespace.as_ref(), namespace)
    }

    /// Whether the labels match.
    pub(crate) fn matches_labels(&self, resource: &Resource) -> bool {
        self.labels.is_empty() || holds(&self.labels, &resource.labels())
    }

    /// Whether the annotations match.
    pub(crate) fn matches_annotations(&self, resource: &Resource) -> bool {
        self.annotations.is_empty() || holds(&self.annotations, &resource.annotations())
    }
}

fn holds(requirements: &[Requirement], labels: &std::collections::BTreeMap<String, String>) -> bool {
    let number = |key: &str| labels.get(key).and_then(|value| value.parse::<i64>().ok());
    requirements.iter().all(|requirement| match requirement {
        Requirement::Exists(key) => labels.contains_key(key),
        Requirement::Missing(key) => !labels.contains_key(key),
        Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
        Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
        Requirement::Greater(key, bound) => number(key).is_some_and(|value| value > *bound),
        Requirement::Less(key, bound) => number(key).is_some_and(|value| value < *bound),
    })
}

/// Parses a Kubernetes selector expression: `a=b,c in (x,y),!d`.
fn requirements(text: &str) -> Result<Vec<Requirement>, Error> {
    let mut out = Vec::new();
    for part in split_outside_parentheses(text) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        out.push(
            requirement(part)
                .ok_or_else(|| Error::message(format!("unable to parse requirement: '{part}' in selector '{text}'")))?,
        );
    }
    Ok(out)
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut out, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                out.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

fn requirement(text: &str) -> Option<Requirement> {
    if let Some(key) = text.strip_prefix('!') {
        return key_of(key).map(Requirement::Missing);
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = text.split_once(operator) {
            let (key, values) = (key_of(key)?, vec![value_of(value)?]);
            return Some(if negated { Requirement::NotIn(key, values) } else { Requirement::In(key, values) });
        }
    }
    for (operator, greater) in [(">", true), ("<", false)] {
        if let Some((key, bound)) = text.split_once(operator) {
            let (key, bound) = (key_of(key)?, bound.trim().parse().ok()?);
            return Some(if greater { Requirement::Greater(key, bound) } else { Requirement::Less(key, bound) });
        }
    }
    if let Some((head, list)) = text.split_once('(') {
        let values: Option<Vec<String>> = list.trim().strip_suffix(')')?.split(',').map(value_of).collect();
        let mut words = head.split_whitespace();
        let (key, operator) = (key_of(words.next()?)?, words.next()?);
        return match (operator, words.next()) {
            ("in", None) => Some(Requirement::In(key, values?)),
            ("notin", None) => Some(Requirement::NotIn(key, values?)),
            _ => None,
        };
    }
    key_of(text).map(Requirement::Exists)
}

fn is_label_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

fn key_of(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.chars().all(|c| is_label_character(c) || c == '/')).then(|| text.to_owned())
}

fn value_of(text: &str) -> Option<String> {
    let text = text.trim();
    text.chars().all(is_label_character).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selector_expressions() {
        let labels = [("app", "web"), ("tier", "front"), ("n", "5")]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let cases = [
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app in (api, web)", true),
            ("app notin (web)", false),
            ("!missing", true),
            ("missing", false),
            ("n>4,n<6", true),
            ("tier", true),
            ("", true),
        ];
        for (text, expected) in cases {
            assert_eq!(holds(&requirements(text).unwrap(), &labels), expected, "{text}");
        }
        assert!(requirements("a b").is_err());
        assert!(requirements("a in b").is_err());
    }
}
