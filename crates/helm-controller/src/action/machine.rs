//! The state machine of one action. Pure: time and sightings come in as arguments, and nothing is done here.

use std::time::Duration;

use apply::{
    ObjectRef,
    readiness::{Readiness, Required, Run, describe},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Action,
    hook::{self, Hook, HookEvent, HookPhase, HookRun},
};

/// A part of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Run the hooks of an event, one after the other.
    Hooks(HookEvent),
    /// Bring the manifest's objects to the cluster and take removed ones away.
    Apply,
    /// Until every applied object is current.
    Wait,
    /// Take the manifest's objects away.
    Delete,
    /// Until every deleted object is gone.
    WaitGone,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Delete a hook's object left over from an earlier run; then [`Machine::hook_cleared`].
    ClearHook(usize),
    /// Record the run in storage, then create the hook's object; then [`Machine::hook_started`].
    StartHook(usize),
    /// The process was killed after a hook was started: look for its object; then [`Machine::hook_started`] or [`Machine::hook_lost`].
    FindHook(usize),
    /// Delete the objects of these hooks, in this order; then [`Machine::hooks_cleaned`].
    CleanHooks(Vec<usize>),
    /// Apply the manifest; then [`Machine::applied`].
    Apply,
    /// Delete the manifest's objects; then [`Machine::deleted`].
    Delete,
    /// Nothing to do before this time, unless a watch wakes us.
    Await {
        /// When waiting ends in failure.
        until: Timestamp,
        /// What is being waited for, for people.
        what: String,
    },
    /// The action is over.
    Done(Result<(), Failure>),
}

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A hook failed or took too long.
    #[error("{} hooks failed: {kind} {name} ({path}): {message}", event.word())]
    Hook {
        /// When it ran.
        event: HookEvent,
        /// Kind of its object.
        kind: String,
        /// Name of its object.
        name: String,
        /// Template it came from.
        path: String,
        /// What went wrong.
        message: String,
    },
    /// The cluster refused the objects.
    #[error("{0}")]
    Refused(String),
    /// An object will not become ready.
    #[error("resource not ready: {0}")]
    NotReady(String),
    /// Objects did not become ready in time.
    #[error("timed out after {after} waiting for resources to become ready: {objects}", after = common::duration::GoDuration::from(*after))]
    Timeout {
        /// How long we waited.
        after: Duration,
        /// What was in the way.
        objects: String,
    },
    /// Objects were not gone in time.
    #[error("timed out after {after} waiting for resources to be deleted: {objects}", after = common::duration::GoDuration::from(*after))]
    NotGone {
        /// How long we waited.
        after: Duration,
        /// What was still there.
        objects: String,
    },
    /// Newer input replaced what was being released.
    #[error("superseded by {0}")]
    Superseded(String),
}

/// What the watches show.
pub trait View {
    /// Whether applied objects are ready.
    fn readiness(&self, required: &[Required]) -> Readiness;
    /// How far a hook's object is, and what it says of itself.
    fn run(&self, required: &Required) -> (Run, String);
    /// Whether a deleted object is gone.
    fn gone(&self, object: &ObjectRef, uid: &str) -> bool;
}

/// Where in a hook we are.
#[derive(Clone, Debug, PartialEq)]
enum HookState {
    /// At its beginning.
    Fresh,
    /// Its old object is being deleted.
    Clearing { going: (ObjectRef, String), until: Timestamp },
    /// Ready to start.
    Cleared,
    /// Running.
    Running { required: Required, until: Timestamp },
    /// All have run (or one failed); objects are to be deleted.
    Cleaning { delete: Vec<usize>, failure: Option<Failure> },
}

/// One action under way.
#[derive(Clone, Debug)]
pub struct Machine {
    action: Action,
    timeout: Duration,
    stages: Vec<Stage>,
    stage: usize,
    /// Hooks of the release, with their runs.
    hooks: Vec<Hook>,
    /// Hooks of the present stage that are yet to run, in order; the first is the present one.
    queue: Vec<usize>,
    queued: bool,
    hook: HookState,
    required: Vec<Required>,
    going: Vec<(ObjectRef, String)>,
    until: Option<Timestamp>,
    outcome: Option<Result<(), Failure>>,
    test_filter: Vec<TestFilter>,
}

/// Which tests run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFilter {
    /// Name of a test.
    pub name: String,
    /// Leave it out, rather than in.
    pub exclude: bool,
}

/// Whether a test hook of this name is wanted.
pub fn test_selected(filters: &[TestFilter], name: &str) -> bool {
    let excluded = filters.iter().any(|filter| filter.exclude && filter.name == name);
    let mut included = filters.iter().filter(|filter| !filter.exclude).peekable();
    !excluded && (included.peek().is_none() || included.any(|filter| filter.name == name))
}

/// A time after `now`.
fn later(now: Timestamp, delay: Duration) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

impl Machine {
    /// An action at its beginning, or taken up again: hooks that are recorded to have run are not run again.
    pub fn new(action: Action, stages: Vec<Stage>, timeout: Duration, hooks: Vec<Hook>) -> Self {
        Self {
            action,
            timeout,
            stages,
            stage: 0,
            hooks,
            queue: Vec::new(),
            queued: false,
            hook: HookState::Fresh,
            required: Vec::new(),
            going: Vec::new(),
            until: None,
            outcome: None,
            test_filter: Vec::new(),
        }
    }

    /// Runs only some tests.
    pub fn with_test_filter(mut self, filter: Vec<TestFilter>) -> Self {
        self.test_filter = filter;
        self
    }

    /// What is being done.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The hooks with their runs, to be recorded with the release.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// How the action ended, if it has.
    pub fn result(&self) -> Option<&Result<(), Failure>> {
        self.outcome.as_ref()
    }

    /// The stage reached.
    pub fn stage(&self) -> Option<Stage> {
        self.stages.get(self.stage).copied()
    }

    /// What must become ready.
    pub fn required(&self) -> &[Required] {
        &self.required
    }

    /// Objects whose progress is waited for at present.
    pub fn awaited(&self) -> impl Iterator<Item = &Required> {
        let applied = if self.stage() == Some(Stage::Wait) { self.required.as_slice() } else { &[] };
        let hook = match &self.hook {
            HookState::Running { required, .. } => Some(required),
            _ => None,
        };
        applied.iter().chain(hook)
    }

    /// Objects that were deleted and are waited for.
    pub fn going(&self) -> impl Iterator<Item = &(ObjectRef, String)> {
        let clearing = match &self.hook {
            HookState::Clearing { going, .. } => Some(going),
            _ => None,
        };
        self.going.iter().chain(clearing)
    }

    /// Gives up: the next step is the end.
    pub fn fail(&mut self, failure: Failure) {
        self.outcome = Some(Err(failure));
    }

    /// What to do now.
    pub fn step(&mut self, now: Timestamp, view: &impl View) -> Step {
        loop {
            if let Some(outcome) = &self.outcome {
                return Step::Done(outcome.clone());
            }
            let step = match self.stage() {
                None => {
                    self.outcome = Some(Ok(()));
                    None
                }
                Some(Stage::Hooks(event)) => self.hook_step(event, now, view),
                Some(Stage::Apply) => Some(Step::Apply),
                Some(Stage::Delete) => Some(Step::Delete),
                Some(Stage::Wait) => self.wait_step(now, view),
                Some(Stage::WaitGone) => self.gone_step(now, view),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn next_stage(&mut self) {
        self.stage += 1;
        self.queued = false;
        self.queue.clear();
        self.hook = HookState::Fresh;
        self.until = None;
    }

    fn wait_step(&mut self, now: Timestamp, view: &impl View) -> Option<Step> {
        let until = *self.until.get_or_insert_with(|| later(now, self.timeout));
        match view.readiness(&self.required) {
            Readiness::Ready => {
                self.next_stage();
                None
            }
            Readiness::Failed(objects) => {
                self.fail(Failure::NotReady(describe(&objects)));
                None
            }
            Readiness::Waiting(objects) if now >= until => {
                self.fail(Failure::Timeout { after: self.timeout, objects: describe(&objects) });
                None
            }
            Readiness::Waiting(objects) => Some(Step::Await { until, what: describe(&objects) }),
        }
    }

    fn gone_step(&mut self, now: Timestamp, view: &impl View) -> Option<Step> {
        let until = *self.until.get_or_insert_with(|| later(now, self.timeout));
        self.going.retain(|(object, uid)| !view.gone(object, uid));
        if self.going.is_empty() {
            self.next_stage();
            return None;
        }
        let objects = self.going.iter().take(5).map(|(object, _)| object.to_string()).collect::<Vec<_>>().join(", ");
        if now >= until {
            self.fail(Failure::NotGone { after: self.timeout, objects });
            return None;
        }
        Some(Step::Await { until, what: format!("{objects} to be deleted") })
    }

    fn hook_step(&mut self, event: HookEvent, now: Timestamp, view: &impl View) -> Option<Step> {
        if !self.queued {
            self.queued = true;
            let filters = &self.test_filter;
            self.queue =
                hook::at(&self.hooks, event, |hook| event != HookEvent::Test || test_selected(filters, &hook.name));
        }
        if let HookState::Cleaning { delete, failure } = &self.hook {
            if !delete.is_empty() {
                return Some(Step::CleanHooks(delete.clone()));
            }
            match failure.clone() {
                Some(failure) => self.fail(failure),
                None => self.next_stage(),
            }
            return None;
        }
        let Some(&index) = self.queue.first() else {
            // Every hook of the event succeeded: delete in reverse order.
            let delete = hook::at(&self.hooks, event, |hook| {
                hook.delete_when_succeeded && hook.may_be_deleted() && self.ran(hook)
            });
            self.hook = HookState::Cleaning { delete: delete.into_iter().rev().collect(), failure: None };
            return None;
        };
        let Some(hook) = self.hooks.get(index) else {
            self.queue.remove(0);
            return None;
        };
        match &self.hook {
            HookState::Fresh => match hook.run.as_ref().map(|run| run.phase) {
                Some(HookPhase::Succeeded) => {
                    self.queue.remove(0);
                    None
                }
                Some(HookPhase::Failed) => {
                    self.hook_failed(index, event, "it failed before the controller was restarted".to_owned());
                    None
                }
                Some(HookPhase::Running) => Some(Step::FindHook(index)),
                Some(HookPhase::Unknown) | None if hook.delete_before_creation && hook.may_be_deleted() => {
                    Some(Step::ClearHook(index))
                }
                Some(HookPhase::Unknown) | None => Some(Step::StartHook(index)),
            },
            HookState::Clearing { going: (object, uid), until } => {
                if view.gone(object, uid) {
                    self.hook = HookState::Cleared;
                    return None;
                }
                if now >= *until {
                    let message = format!(
                        "the object of an earlier run was not deleted within {}",
                        common::duration::GoDuration::from(self.timeout)
                    );
                    self.hook_failed(index, event, message);
                    return None;
                }
                Some(Step::Await { until: *until, what: format!("{object} of an earlier run to be deleted") })
            }
            HookState::Cleared => Some(Step::StartHook(index)),
            HookState::Running { required, until } => {
                let (run, message) = view.run(required);
                match run {
                    Run::Succeeded | Run::None => {
                        self.set_run(index, HookPhase::Succeeded, now);
                        self.queue.remove(0);
                        self.hook = HookState::Fresh;
                        None
                    }
                    Run::Failed => {
                        self.set_run(index, HookPhase::Failed, now);
                        self.hook_failed(index, event, message);
                        None
                    }
                    Run::Running if now >= *until => {
                        let message = format!(
                            "timed out after {} waiting for it to complete{}",
                            common::duration::GoDuration::from(self.timeout),
                            if message.is_empty() { String::new() } else { format!(": {message}") }
                        );
                        self.set_run(index, HookPhase::Failed, now);
                        self.hook_failed(index, event, message);
                        None
                    }
                    Run::Running => {
                        Some(Step::Await { until: *until, what: format!("{} hook {}", event.word(), required.object) })
                    }
                }
            }
            HookState::Cleaning { .. } => None,
        }
    }

    fn ran(&self, hook: &Hook) -> bool {
        hook.run.as_ref().is_some_and(|run| run.phase == HookPhase::Succeeded)
    }

    fn set_run(&mut self, index: usize, phase: HookPhase, now: Timestamp) {
        if let Some(run) = self.hooks.get_mut(index).and_then(|hook| hook.run.as_mut()) {
            run.phase = phase;
            run.completed = Some(now);
        }
    }

    fn hook_failed(&mut self, index: usize, event: HookEvent, message: String) {
        let Some(failed) = self.hooks.get(index) else { return };
        let failure = Failure::Hook {
            event,
            kind: failed.kind.clone(),
            name: failed.name.clone(),
            path: failed.path.clone(),
            message,
        };
        let mut delete = Vec::new();
        if failed.delete_when_failed && failed.may_be_deleted() {
            delete.push(index);
        }
        delete.extend(hook::at(&self.hooks, event, |hook| {
            hook.delete_when_succeeded && hook.may_be_deleted() && self.ran(hook)
        }));
        self.hook = HookState::Cleaning { delete, failure: Some(failure) };
    }

    /// The deletion of a hook's old object was asked for; `going` if something holds it.
    pub fn hook_cleared(&mut self, going: Option<(ObjectRef, String)>, now: Timestamp) {
        self.hook = match going {
            None => HookState::Cleared,
            Some(going) => HookState::Clearing { going, until: later(now, self.timeout) },
        };
    }

    /// The run of a hook is about to be recorded, before its object is created.
    pub fn hook_starting(&mut self, index: usize, now: Timestamp) {
        if let Some(hook) = self.hooks.get_mut(index) {
            hook.run = Some(HookRun { started: now, completed: None, phase: HookPhase::Running });
        }
    }

    /// A hook's object exists.
    pub fn hook_started(&mut self, required: Required, now: Timestamp) {
        self.hook = HookState::Running { required, until: later(now, self.timeout) };
    }

    /// A hook that was recorded as started has no object: it is begun again.
    pub fn hook_lost(&mut self, index: usize) {
        if let Some(hook) = self.hooks.get_mut(index) {
            hook.run = None;
        }
        self.hook = HookState::Fresh;
    }

    /// A hook's object could not be created.
    pub fn hook_refused(&mut self, index: usize, message: String, now: Timestamp) {
        let Some(Stage::Hooks(event)) = self.stage() else { return };
        self.set_run(index, HookPhase::Failed, now);
        self.hook_failed(index, event, message);
    }

    /// The objects of finished hooks were deleted.
    pub fn hooks_cleaned(&mut self) {
        if let HookState::Cleaning { delete, .. } = &mut self.hook {
            delete.clear();
        }
    }

    /// The manifest was applied; these objects must become ready.
    pub fn applied(&mut self, required: Vec<Required>) {
        self.required = required;
        self.next_stage();
    }

    /// The manifest's objects were asked to go; these are still there.
    pub fn deleted(&mut self, going: Vec<(ObjectRef, String)>) {
        self.going = going;
        self.next_stage();
    }
}

#[cfg(test)]
mod tests;
