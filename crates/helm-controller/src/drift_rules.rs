//! Which fields do not count as drift: the ignore rules of a HelmRelease.

use common::{helm::v2::IgnoreRule, meta::Selector};
use regex::Regex;
use serde_json::Value;

/// The JSON pointers that are ignored on an object.
pub fn pointers(rules: &[IgnoreRule], object: &Value) -> Result<Vec<String>, String> {
    let mut pointers = Vec::new();
    for rule in rules {
        if rule.target.as_ref().map_or(Ok(true), |target| selects(target, object))? {
            pointers.extend(rule.paths.iter().cloned());
        }
    }
    Ok(pointers)
}

/// Whether a selector selects an object. Names are regular expressions that must match as a whole.
pub fn selects(selector: &Selector, object: &Value) -> Result<bool, String> {
    let gvk = apply::Gvk::of(object).map_err(|error| error.to_string())?;
    for (pattern, value) in [
        (&selector.group, gvk.group.as_str()),
        (&selector.version, &gvk.version),
        (&selector.kind, &gvk.kind),
        (&selector.name, apply::object::text(object, "/metadata/name")),
        (&selector.namespace, apply::object::text(object, "/metadata/namespace")),
    ] {
        if pattern.is_empty() {
            continue;
        }
        let regex =
            Regex::new(&format!("^(?:{pattern})$")).map_err(|error| format!("selector {pattern:?}: {error}"))?;
        if !regex.is_match(value) {
            return Ok(false);
        }
    }
    Ok(matches(&selector.label_selector, |key| apply::object::label(object, key))?
        && matches(&selector.annotation_selector, |key| apply::object::annotation(object, key))?)
}

/// Evaluates a label selector in Kubernetes' notation.
fn matches<'a>(selector: &str, value: impl Fn(&str) -> Option<&'a str>) -> Result<bool, String> {
    for requirement in split(selector) {
        let requirement = requirement.trim();
        if requirement.is_empty() {
            continue;
        }
        let holds = if let Some((key, set)) = requirement.split_once(" notin ") {
            value(key.trim()).is_none_or(|value| !members(set).any(|member| member == value))
        } else if let Some((key, set)) = requirement.split_once(" in ") {
            value(key.trim()).is_some_and(|value| members(set).any(|member| member == value))
        } else if let Some((key, wanted)) = requirement.split_once("!=") {
            value(key.trim()) != Some(wanted.trim())
        } else if let Some((key, wanted)) = requirement.split_once("==").or_else(|| requirement.split_once('=')) {
            value(key.trim()) == Some(wanted.trim())
        } else if let Some(key) = requirement.strip_prefix('!') {
            value(key.trim()).is_none()
        } else if requirement.contains(char::is_whitespace) {
            return Err(format!("selector {selector:?} cannot be read"));
        } else {
            value(requirement).is_some()
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Splits at commas outside parentheses.
fn split(selector: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0usize);
    for (index, character) in selector.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(selector.get(start..index).unwrap_or_default());
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(selector.get(start..).unwrap_or_default());
    parts
}

fn members(set: &str) -> impl Iterator<Item = &str> {
    set.trim().trim_start_matches('(').trim_end_matches(')').split(',').map(str::trim)
}

/// Takes what a JSON pointer points at out of an object.
pub fn remove(object: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    match object.pointer_mut(parent) {
        Some(Value::Object(map)) => {
            map.remove(&key);
        }
        Some(Value::Array(items)) => {
            if let Ok(index) = key.parse::<usize>()
                && index < items.len()
            {
                items.remove(index);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "apps",
               "labels": {"tier": "front"}, "annotations": {"note": "x"}}, "spec": {"replicas": 1, "list": [1, 2]}})
    }

    #[test]
    fn selectors() {
        for (selector, expected) in [
            (json!({}), true),
            (json!({"kind": "Deployment"}), true),
            (json!({"kind": "Deploy"}), false),
            (json!({"kind": "Deploy.*", "name": "w[a-z]b"}), true),
            (json!({"group": "apps", "version": "v1", "namespace": "apps"}), true),
            (json!({"labelSelector": "tier=front"}), true),
            (json!({"labelSelector": "tier in (front, back),!absent"}), true),
            (json!({"labelSelector": "tier notin (front)"}), false),
            (json!({"labelSelector": "tier!=back,tier"}), true),
            (json!({"annotationSelector": "note"}), true),
            (json!({"annotationSelector": "other"}), false),
        ] {
            let selector: Selector = serde_json::from_value(selector).unwrap();
            assert_eq!(selects(&selector, &deployment()), Ok(expected), "{selector:?}");
        }
        let bad: Selector = serde_json::from_value(json!({"kind": "("})).unwrap();
        assert!(selects(&bad, &deployment()).is_err());
    }

    #[test]
    fn rules_without_target_are_for_all() {
        let rules: Vec<IgnoreRule> = serde_json::from_value(json!([
            {"paths": ["/spec/replicas"]}, {"paths": ["/spec/x"], "target": {"kind": "Service"}}
        ]))
        .unwrap();
        assert_eq!(pointers(&rules, &deployment()), Ok(vec!["/spec/replicas".to_owned()]));
    }

    #[test]
    fn removal() {
        let mut object = deployment();
        remove(&mut object, "/spec/replicas");
        remove(&mut object, "/spec/list/0");
        remove(&mut object, "/spec/none/x");
        remove(&mut object, "");
        assert_eq!(object["spec"], json!({"list": [2]}));
    }
}
