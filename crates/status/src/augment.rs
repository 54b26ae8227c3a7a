//! Writing the computed conditions onto the object.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::field::nested;
use crate::{Error, compute_at};

fn wrong(path: &str, expected: &'static str) -> Error {
    Error::WrongType { path: path.to_owned(), found: "something else", expected }
}

/// Computes the status and adds the conditions that say so, in the form of the API machinery.
///
/// # Errors
/// When a field the rules read has the wrong type.
pub fn augment(object: &mut Value, now: Timestamp) -> Result<(), Error> {
    let result = compute_at(object, now)?;
    let mut conditions = match nested(object, &["status", "conditions"])? {
        None => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(_) => return Err(wrong("status.conditions", "a list")),
    };
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for computed in result.conditions {
        let mut present = false;
        for condition in &mut conditions {
            let condition = condition.as_object_mut().ok_or_else(|| wrong("status.conditions[]", "a map"))?;
            let type_ = condition
                .get("type")
                .and_then(Value::as_str)
                .ok_or_else(|| wrong("status.conditions[].type", "a string"))?;
            if type_ != computed.type_ {
                continue;
            }
            let status = condition
                .get("status")
                .and_then(Value::as_str)
                .ok_or_else(|| wrong("status.conditions[].status", "a string"))?;
            if status != computed.status {
                condition.insert("lastTransitionTime".to_owned(), json!(time));
            }
            condition.insert("status".to_owned(), json!(computed.status));
            condition.insert("lastUpdateTime".to_owned(), json!(time));
            condition.insert("reason".to_owned(), json!(computed.reason));
            condition.insert("message".to_owned(), json!(computed.message));
            present = true;
        }
        if !present {
            conditions.push(json!({
                "lastTransitionTime": time,
                "lastUpdateTime": time,
                "message": computed.message,
                "reason": computed.reason,
                "status": computed.status,
                "type": computed.type_,
            }));
        }
    }
    let object = object.as_object_mut().ok_or_else(|| wrong("", "a map"))?;
    let status = object.entry("status").or_insert_with(|| Value::Object(Map::new()));
    if status.is_null() {
        *status = Value::Object(Map::new());
    }
    let status = status.as_object_mut().ok_or_else(|| wrong("status", "a map"))?;
    status.insert("conditions".to_owned(), Value::Array(conditions));
    Ok(())
}
