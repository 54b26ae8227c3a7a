//! What the machine sees: the shared watches, and what was looked up where they cannot see.

use std::collections::HashSet;

use apply::{
    ObjectRef,
    readiness::{Condition, Readiness, Required, Run, Sighting, evaluate},
    watches::Watches,
};

use crate::action::View;

/// The view of one running action.
pub(super) struct WatchView<'a> {
    pub(super) watches: &'a Watches,
    pub(super) gone: &'a HashSet<ObjectRef>,
}

impl View for WatchView<'_> {
    fn readiness(&self, required: &[Required]) -> Readiness {
        evaluate(required, |object| self.watches.sighting(object))
    }

    fn run(&self, required: &Required) -> (Run, String) {
        let applied = &required.applied;
        let seen = match self.watches.sighting(&required.object) {
            Sighting::Seen(seen) if seen.uid == applied.uid && seen.resource_version >= applied.resource_version => {
                seen
            }
            _ => applied.clone(),
        };
        match seen.run {
            // What does not run to an end is waited for until it is current only where it can fail.
            Run::None if seen.condition == Condition::Failed => (Run::Failed, seen.message.into_string()),
            run => (run, seen.message.into_string()),
        }
    }

    fn gone(&self, object: &ObjectRef, uid: &str) -> bool {
        match self.watches.sighting(object) {
            Sighting::Seen(seen) => &*seen.uid != uid || self.gone.contains(object),
            Sighting::Absent | Sighting::Unsynced => self.gone.contains(object),
        }
    }
}
