//! What holds for objects of every kind.

use serde_json::Value;

use crate::field::{conditions, kind, strict_integer, strict_string};
use crate::{Error, RECONCILING, STALLED, StatusResult};

/// Deletion, generation, and the two standard conditions; `None` when they decide nothing.
pub(crate) fn check(object: &Value) -> Result<Option<StatusResult>, Error> {
    if strict_string(object, &["metadata", "deletionTimestamp"])?.is_some_and(|time| !time.is_empty()) {
        return Ok(Some(StatusResult::terminating()));
    }
    if let Some(result) = check_generation(object)? {
        return Ok(Some(result));
    }
    for condition in conditions(object)? {
        if condition.status != "True" {
            continue;
        }
        if condition.type_ == RECONCILING {
            return Ok(Some(StatusResult::in_progress(condition.reason, condition.message)));
        }
        if condition.type_ == STALLED {
            return Ok(Some(StatusResult::failed(condition.reason, condition.message)));
        }
    }
    Ok(None)
}

fn check_generation(object: &Value) -> Result<Option<StatusResult>, Error> {
    let Some(generation) = strict_integer(object, &["metadata", "generation"])? else {
        return Ok(None);
    };
    match strict_integer(object, &["status", "observedGeneration"])? {
        Some(observed) if observed != generation => {
            let kind = kind(object);
            let message = format!("{kind} generation is {generation}, but latest observed generation is {observed}");
            Ok(Some(StatusResult::in_progress("LatestGenerationNotObserved", message)))
        }
        _ => Ok(None),
    }
}

/// A condition `Ready`; `None` when there is none that says True, False or Unknown.
pub(crate) fn check_ready(object: &Value) -> Result<Option<StatusResult>, Error> {
    for condition in conditions(object)?.iter().filter(|condition| condition.type_ == "Ready") {
        match condition.status {
            "True" => return Ok(Some(StatusResult::current("Resource is Ready"))),
            "False" | "Unknown" => {
                return Ok(Some(StatusResult::in_progress(condition.reason, condition.message)));
            }
            _ => {}
        }
    }
    Ok(None)
}
