//! Field managers: what an object's former managers own becomes ours, so that what we no longer apply goes away.
//!
//! A server-side apply removes a field only when its manager alone owns it. An object that something else brought to the
//! cluster before us (Helm's command line, or client-side apply under our own name) has another entry for the same fields,
//! and they would stay for ever. The entries are merged as client-go's `csaupgrade` does it.

use json_patch::{Patch, PatchOperation, ReplaceOperation, jsonptr::PointerBuf};
use serde_json::{Map, Value};

use crate::object::text;

const APPLY: &str = "Apply";
const UPDATE: &str = "Update";
/// In a set of fields: the field itself is a member, not only fields below it.
const SELF: &str = ".";

/// The patch that hands to `manager` what former managers of an object own, or nothing if it has none. `object` is the answer
/// to an apply of `manager`.
pub(crate) fn take_over(object: &Value, manager: &str, former: fn(&str) -> bool) -> Option<Patch> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let version = text(object, "/metadata/resourceVersion");
    let is_ours = |entry: &Value| {
        text(entry, "/manager") == manager
            && text(entry, "/operation") == APPLY
            && text(entry, "/subresource").is_empty()
    };
    let is_former = |entry: &Value| {
        let name = text(entry, "/manager");
        text(entry, "/subresource").is_empty()
            && match text(entry, "/operation") {
                UPDATE => name == manager || former(name),
                APPLY => name != manager && former(name),
                _ => false,
            }
    };
    if version.is_empty() || !entries.iter().any(is_former) {
        return None;
    }
    let mut ours = entries.iter().find(|entry| is_ours(entry))?.clone();
    let mut fields = ours.get("fieldsV1")?.as_object()?.clone();
    for entry in entries.iter().filter(|entry| is_former(entry)) {
        // Field names of another version cannot be compared; as for client-go, that entry just ends.
        if text(entry, "/apiVersion") == text(&ours, "/apiVersion")
            && let Some(more) = entry.get("fieldsV1").and_then(Value::as_object)
        {
            fields = union(fields, more);
        }
    }
    ours.as_object_mut()?.insert("fieldsV1".to_owned(), Value::Object(fields));
    let entries = entries
        .iter()
        .filter(|entry| !is_former(entry))
        .map(|entry| if is_ours(entry) { ours.clone() } else { entry.clone() })
        .collect();
    let replace = |path: [&str; 2], value| {
        PatchOperation::Replace(ReplaceOperation { path: PointerBuf::from_tokens(path), value })
    };
    Some(Patch(vec![
        replace(["metadata", "managedFields"], Value::Array(entries)),
        // What has changed in between is a conflict.
        replace(["metadata", "resourceVersion"], Value::String(version.to_owned())),
    ]))
}

/// The union of two sets of fields. An empty set stands for its field, a set with members only for them unless it says so.
fn union(mut left: Map<String, Value>, right: &Map<String, Value>) -> Map<String, Value> {
    for (name, right) in right {
        let merged = match (left.remove(name), right) {
            (Some(Value::Object(left)), Value::Object(right)) if left.is_empty() != right.is_empty() => {
                let mut members = if left.is_empty() { right.clone() } else { left };
                members.insert(SELF.to_owned(), Value::Object(Map::new()));
                Value::Object(members)
            }
            (Some(Value::Object(left)), Value::Object(right)) => Value::Object(union(left, right)),
            (Some(left), _) => left,
            (None, right) => right.clone(),
        };
        left.insert(name.clone(), merged);
    }
    left
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn object(entries: &Value) -> Value {
        json!({"metadata": {"name": "a", "resourceVersion": "7", "managedFields": entries}})
    }

    fn helm(name: &str) -> bool {
        name == "helm"
    }

    #[test]
    fn what_former_managers_own_becomes_ours_and_others_stay() {
        let data = |names: &[&str]| {
            let fields: Map<String, Value> = names.iter().map(|name| (format!("f:{name}"), json!({}))).collect();
            json!({"f:data": fields})
        };
        let mut status = entry("helm", UPDATE, &json!({"f:status": {}}));
        status["subresource"] = json!("status");
        let mut old_version = entry("helm", UPDATE, &data(&["z"]));
        old_version["apiVersion"] = json!("v1beta1");
        let edit = entry("kubectl-edit", UPDATE, &data(&["e"]));
        let before = object(&json!([
            entry("we", APPLY, &data(&["a"])),
            entry("helm", UPDATE, &data(&["a", "b"])),
            entry("helm", APPLY, &data(&["c"])),
            entry("we", UPDATE, &data(&["d"])),
            old_version,
            edit,
            status,
        ]));
        let mut after = before.clone();
        json_patch::patch(&mut after, &take_over(&before, "we", helm).unwrap()).unwrap();
        assert_eq!(after, object(&json!([entry("we", APPLY, &data(&["a", "b", "c", "d"])), edit, status])));
        assert_eq!(take_over(&after, "we", helm), None, "once is enough");
    }

    #[test]
    fn nothing_is_done_without_former_managers_or_an_entry_of_our_own() {
        for entries in [
            json!([]),
            json!([entry("we", APPLY, &json!({}))]),
            json!([entry("other", UPDATE, &json!({}))]),
            json!([entry("helm", UPDATE, &json!({}))]),
            json!("junk"),
        ] {
            assert_eq!(take_over(&object(&entries), "we", helm), None);
        }
    }

    #[test]
    fn a_field_that_one_side_holds_as_a_whole_is_in_the_union_with_its_members() {
        let of = |value: Value| value.as_object().unwrap().clone();
        for (left, right, expected) in [
            (json!({"f:a": {}}), json!({"f:b": {}}), json!({"f:a": {}, "f:b": {}})),
            (json!({"f:a": {}}), json!({"f:a": {"f:b": {}}}), json!({"f:a": {".": {}, "f:b": {}}})),
            (json!({"f:a": {"f:b": {}}}), json!({"f:a": {}}), json!({"f:a": {".": {}, "f:b": {}}})),
            (
                json!({"f:a": {"k:{\"name\":\"x\"}": {".": {}, "f:b": {}}}}),
                json!({"f:a": {"k:{\"name\":\"x\"}": {".": {}, "f:c": {}}, "v:\"y\"": {}}}),
                json!({"f:a": {"k:{\"name\":\"x\"}": {".": {}, "f:b": {}, "f:c": {}}, "v:\"y\"": {}}}),
            ),
        ] {
            assert_eq!(union(of(left), &of(right)), of(expected));
        }
    }
}
