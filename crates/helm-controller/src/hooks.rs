//! Hooks of release records and of the action machine, in each other's terms.

use helm::{
    manifest::{Hook as Recorded, HookDeletePolicy, HookEvent as RecordedEvent, HookPhase as RecordedPhase},
    release::Release,
};

use crate::action::{Hook, HookEvent, HookPhase, HookRun};

fn event(recorded: RecordedEvent) -> HookEvent {
    match recorded {
        RecordedEvent::PreInstall => HookEvent::PreInstall,
        RecordedEvent::PostInstall => HookEvent::PostInstall,
        RecordedEvent::PreUpgrade => HookEvent::PreUpgrade,
        RecordedEvent::PostUpgrade => HookEvent::PostUpgrade,
        RecordedEvent::PreRollback => HookEvent::PreRollback,
        RecordedEvent::PostRollback => HookEvent::PostRollback,
        RecordedEvent::PreDelete => HookEvent::PreDelete,
        RecordedEvent::PostDelete => HookEvent::PostDelete,
        RecordedEvent::Test => HookEvent::Test,
    }
}

fn run(hook: &Recorded) -> Option<HookRun> {
    let started = hook.last_run.started_at?.timestamp();
    let phase = match hook.phase()? {
        RecordedPhase::Unknown => HookPhase::Unknown,
        RecordedPhase::Running => HookPhase::Running,
        RecordedPhase::Succeeded => HookPhase::Succeeded,
        RecordedPhase::Failed => HookPhase::Failed,
    };
    Some(HookRun { started, completed: hook.last_run.completed_at.map(helm::release::Time::timestamp), phase })
}

/// The hooks of a record, with the runs that are recorded if `resume`.
pub fn of_release(release: &Release, resume: bool) -> Vec<Hook> {
    release
        .hooks
        .iter()
        .map(|hook| Hook {
            name: hook.name.clone(),
            kind: hook.kind.clone(),
            path: hook.path.clone(),
            events: hook.events.iter().filter_map(|word| RecordedEvent::parse(word)).map(event).collect(),
            weight: hook.weight,
            delete_before_creation: hook.has_delete_policy(HookDeletePolicy::BeforeHookCreation),
            delete_when_succeeded: hook.has_delete_policy(HookDeletePolicy::HookSucceeded),
            delete_when_failed: hook.has_delete_policy(HookDeletePolicy::HookFailed),
            run: if resume { run(hook) } else { None },
        })
        .collect()
}

/// Writes runs into the record.
pub fn record(release: &mut Release, hooks: &[Hook]) {
    for (recorded, hook) in release.hooks.iter_mut().zip(hooks) {
        let Some(run) = &hook.run else { continue };
        recorded.last_run.started_at = Some(run.started.into());
        recorded.last_run.completed_at = run.completed.map(Into::into);
        let phase = match run.phase {
            HookPhase::Unknown => RecordedPhase::Unknown,
            HookPhase::Running => RecordedPhase::Running,
            HookPhase::Succeeded => RecordedPhase::Succeeded,
            HookPhase::Failed => RecordedPhase::Failed,
        };
        phase.as_str().clone_into(&mut recorded.last_run.phase);
    }
}

/// Takes all runs out of a record: a further revision has not run its hooks.
pub fn reset(release: &mut Release) {
    for hook in &mut release.hooks {
        hook.last_run = helm::manifest::HookExecution::default();
    }
}
