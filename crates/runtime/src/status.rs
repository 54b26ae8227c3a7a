//! Status patches that carry only what changed.

use common::names::reason::INVALID_OBJECT;
use jiff::Timestamp;
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
    core::error_boundary::InvalidObject,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// The JSON merge patch that turns `old` into `new`, or `None` when they are equal.
///
/// Lists are replaced whole, as a merge patch does.
pub fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for (key, value) in new {
                match old.get(key) {
                    None if value.is_null() => {}
                    None => {
                        patch.insert(key.clone(), value.clone());
                    }
                    Some(old) => {
                        if let Some(change) = merge_patch(old, value) {
                            patch.insert(key.clone(), change);
                        }
                    }
                }
            }
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            if patch.is_empty() { None } else { Some(Value::Object(patch)) }
        }
        (old, new) if old == new => None,
        (_, new) => Some(new.clone()),
    }
}

/// Writes what differs between two forms of an object's status; without a difference nothing is sent.
///
/// Returns the object as the server answered, without managed fields. With `resource_version` the write fails with a conflict when the object
/// has changed since that version.
pub async fn patch_status<K, S>(
    api: &Api<K>,
    name: &str,
    field_manager: &str,
    old: &S,
    new: &S,
    resource_version: Option<&str>,
) -> Result<Option<K>, kube::Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
    S: Serialize,
{
    let old = serde_json::to_value(old).map_err(kube::Error::SerdeError)?;
    let new = serde_json::to_value(new).map_err(kube::Error::SerdeError)?;
    let Some(change) = merge_patch(&old, &new) else { return Ok(None) };
    let mut patch = json!({ "status": change });
    if let (Some(version), Some(patch)) = (resource_version, patch.as_object_mut()) {
        patch.insert("metadata".into(), json!({ "resourceVersion": version }));
    }
    let params = PatchParams { field_manager: Some(field_manager.to_owned()), ..PatchParams::default() };
    crate::patch::status(api, name, &params, &Patch::Merge(patch)).await.map(Some)
}

/// The status patch for an object that cannot be read: stalled, with the reader's own words.
pub(crate) fn invalid_object_status(invalid: &InvalidObject, now: Timestamp) -> Value {
    let message = format!("the stored object cannot be read and is left alone until it is mended: {}", invalid.error);
    let generation = invalid.metadata.generation.unwrap_or_default();
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "reason": INVALID_OBJECT, "message": message,
            "observedGeneration": generation, "lastTransitionTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    };
    json!({ "status": {
        "observedGeneration": generation,
        "conditions": [condition("Stalled", "True"), condition("Ready", "False")],
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_carries_only_what_changed() {
        let old = json!({"a": 1, "b": {"c": 2, "d": 3}, "list": [1, 2], "gone": true});
        let new = json!({"a": 1, "b": {"c": 2, "d": 4}, "list": [1], "new": "x", "none": null});
        assert_eq!(merge_patch(&old, &new), Some(json!({"b": {"d": 4}, "list": [1], "gone": null, "new": "x"})));
    }

    #[test]
    fn equal_states_need_no_patch() {
        let state = json!({"a": [1, {"b": null}]});
        assert_eq!(merge_patch(&state, &state), None);
        assert_eq!(merge_patch(&json!({}), &json!({"a": null})), None);
    }

    #[test]
    fn applying_the_patch_gives_the_new_state() {
        let cases = [
            (json!({}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": 1}}), json!({"a": 1})),
            (json!({"a": 1}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": {"c": 1, "d": 2}}}), json!({"a": {"b": {"c": 1}}})),
        ];
        for (old, new) in cases {
            let mut result = old.clone();
            if let Some(patch) = merge_patch(&old, &new) {
                json_patch::merge(&mut result, &patch);
            }
            assert_eq!(result, new, "from {old}");
        }
    }
}
