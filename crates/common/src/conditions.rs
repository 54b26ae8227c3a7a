//! Changing lists of conditions: pure, with the time as an argument.

use std::cmp::Ordering;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::names::condition::{FALSE, READY, TRUE, UNKNOWN};

/// The longest message the API server accepts, in characters.
pub const MAX_MESSAGE: usize = 32768;

/// The three statuses of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known yet.
    Unknown,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => TRUE,
            Self::False => FALSE,
            Self::Unknown => UNKNOWN,
        }
    }
}

impl From<bool> for Status {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// What a condition is to say; [`set`] puts it in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// Condition type, from [`crate::names::condition`].
    pub type_: &'a str,
    /// Whether it holds.
    pub status: Status,
    /// Reason, from [`crate::names::reason`].
    pub reason: &'a str,
    /// Message for people.
    pub message: String,
}

impl<'a> Change<'a> {
    /// A change of one condition.
    #[must_use]
    pub fn new(type_: &'a str, status: impl Into<Status>, reason: &'a str, message: impl Into<String>) -> Self {
        Self { type_, status: status.into(), reason, message: message.into() }
    }
}

/// Sets one condition. The transition time changes only with the status; the list stays sorted, Ready first.
///
/// Messages longer than the API server accepts are cut; a status that cannot be stored would hide the error it describes.
pub fn set(conditions: &mut Vec<Condition>, change: Change<'_>, generation: i64, now: Timestamp) {
    let Change { type_, status, reason, message } = change;
    let existing = conditions.iter().position(|condition| condition.type_ == type_);
    let same_status =
        existing.and_then(|index| conditions.get(index)).filter(|existing| existing.status == status.as_str());
    let condition = Condition {
        type_: type_.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.to_owned(),
        message: cut_message(message),
        observed_generation: Some(generation.max(0)),
        last_transition_time: same_status.map_or(Time(now), |existing| existing.last_transition_time.clone()),
    };
    match existing.and_then(|index| conditions.get_mut(index)) {
        Some(slot) => *slot = condition,
        None => conditions.push(condition),
    }
    conditions.sort_by(order);
}

/// Removes a condition; says whether it was there.
pub fn remove(conditions: &mut Vec<Condition>, type_: &str) -> bool {
    let before = conditions.len();
    conditions.retain(|condition| condition.type_ != type_);
    before != conditions.len()
}

/// The condition of this type.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition is there with status True.
#[must_use]
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(|condition| condition.status == TRUE)
}

/// Whether the condition is there with status False.
#[must_use]
pub fn is_false(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_some_and(|condition| condition.status == FALSE)
}

/// Whether the condition is absent or Unknown.
#[must_use]
pub fn is_unknown(conditions: &[Condition], type_: &str) -> bool {
    find(conditions, type_).is_none_or(|condition| condition.status == UNKNOWN)
}

/// The reason of the condition, empty when it is not there.
#[must_use]
pub fn reason<'a>(conditions: &'a [Condition], type_: &str) -> &'a str {
    find(conditions, type_).map_or("", |condition| &condition.reason)
}

/// The message of the condition, empty when it is not there.
#[must_use]
pub fn message<'a>(conditions: &'a [Condition], type_: &str) -> &'a str {
    find(conditions, type_).map_or("", |condition| &condition.message)
}

/// Ready first, the rest by type: the order people see in `kubectl describe`.
fn order(left: &Condition, right: &Condition) -> Ordering {
    let rank = |condition: &Condition| condition.type_ != READY;
    rank(left).cmp(&rank(right)).then_with(|| left.type_.cmp(&right.type_))
}

fn cut_message(message: String) -> String {
    // Counting bytes first keeps the usual short message cheap.
    if message.len() <= MAX_MESSAGE {
        return message;
    }
    match message.char_indices().nth(MAX_MESSAGE - 1) {
        Some((end, _)) if message.chars().nth(MAX_MESSAGE).is_some() => {
            let mut cut = message.get(..end).unwrap_or_default().to_owned();
            cut.push('…');
            cut
        }
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{condition, reason};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn transition_time_follows_the_status_only() {
        let mut list = Vec::new();
        set(&mut list, Change::new(condition::READY, false, reason::PROGRESSING, "a"), 1, at(10));
        set(&mut list, Change::new(condition::READY, false, reason::FAILED, "b"), 2, at(20));
        let ready = find(&list, condition::READY).unwrap();
        assert_eq!((ready.last_transition_time.0, ready.reason.as_str()), (at(10), "Failed"));
        assert_eq!(ready.observed_generation, Some(2));
        set(&mut list, Change::new(condition::READY, true, reason::SUCCEEDED, "c"), 2, at(30));
        assert_eq!(find(&list, condition::READY).unwrap().last_transition_time.0, at(30));
    }

    #[test]
    fn ready_is_first_and_the_rest_sorted() {
        let mut list = Vec::new();
        for type_ in [condition::STALLED, condition::ARTIFACT_IN_STORAGE, condition::READY, condition::RECONCILING] {
            set(&mut list, Change::new(type_, Status::Unknown, reason::PROGRESSING, ""), 1, at(1));
        }
        let types: Vec<_> = list.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!(types, ["Ready", "ArtifactInStorage", "Reconciling", "Stalled"]);
        assert!(remove(&mut list, condition::STALLED) && !remove(&mut list, condition::STALLED));
        assert!(is_unknown(&list, condition::STALLED) && !is_true(&list, condition::READY));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let mut list = Vec::new();
        set(&mut list, Change::new(condition::READY, false, reason::FAILED, "é".repeat(40_000)), 1, at(1));
        assert_eq!(message(&list, condition::READY).chars().count(), MAX_MESSAGE);
        set(&mut list, Change::new(condition::READY, false, reason::FAILED, "é".repeat(MAX_MESSAGE)), 1, at(1));
        assert!(!message(&list, condition::READY).ends_with('…'));
    }
}
