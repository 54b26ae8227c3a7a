//! Jobs, by kstatus' rules and by Flux's.

use serde_json::Value;

use crate::field::{conditions, integer, nested, string};
use crate::{Error, StatusResult};

struct Counts {
    parallelism: i64,
    completions: i64,
    succeeded: i64,
    active: i64,
    failed: i64,
}

impl Counts {
    fn of(object: &Value) -> Self {
        let parallelism = integer(object, &["spec", "parallelism"], 1);
        Self {
            parallelism,
            completions: integer(object, &["spec", "completions"], parallelism),
            succeeded: integer(object, &["status", "succeeded"], 0),
            active: integer(object, &["status", "active"], 0),
            failed: integer(object, &["status", "failed"], 0),
        }
    }

    fn progress(&self) -> String {
        let Self { succeeded, active, failed, .. } = self;
        format!("Job in progress. success:{succeeded}, active: {active}, failed: {failed}")
    }
}

/// What the conditions say of a Job that has ended.
fn ended(object: &Value, counts: &Counts) -> Result<Option<StatusResult>, Error> {
    let Counts { completions, succeeded, failed, .. } = counts;
    for condition in conditions(object)?.iter().filter(|condition| condition.status == "True") {
        match condition.type_ {
            "Complete" => {
                let message = format!("Job Completed. succeeded: {succeeded}/{completions}");
                return Ok(Some(StatusResult::current(message)));
            }
            "Failed" => {
                let message = format!("Job Failed. failed: {failed}/{completions}");
                return Ok(Some(StatusResult::failed("JobFailed", message)));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn has_started(object: &Value) -> bool {
    !string(object, &["status", "startTime"], "").is_empty()
}

/// A Job that runs is as its spec asks.
pub(crate) fn for_kstatus(object: &Value) -> Result<StatusResult, Error> {
    let counts = Counts::of(object);
    if let Some(result) = ended(object, &counts)? {
        return Ok(result);
    }
    if !has_started(object) {
        return Ok(StatusResult::in_progress("JobNotStarted", "Job not started"));
    }
    Ok(StatusResult::current(counts.progress()))
}

/// A Job has to end. Upstream asks nothing else of it, neither deletion nor generation.
pub(crate) fn for_flux(object: &Value) -> Result<StatusResult, Error> {
    if matches!(nested(object, &["spec", "suspend"]), Ok(Some(Value::Bool(true)))) {
        return Ok(StatusResult::current("Job is suspended"));
    }
    let counts = Counts::of(object);
    if let Some(result) = ended(object, &counts)? {
        return Ok(result);
    }
    if !has_started(object) {
        let message = format!("Job not started. active: 0/{}", counts.parallelism);
        return Ok(StatusResult::in_progress("JobNotStarted", message));
    }
    Ok(StatusResult::in_progress("JobInProgress", counts.progress()))
}
