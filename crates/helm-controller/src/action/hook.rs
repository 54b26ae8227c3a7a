//! Hooks of a release: which run at an event, in which order, and what becomes of their objects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A moment in an action at which hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookEvent {
    /// Before an install.
    PreInstall,
    /// After an install.
    PostInstall,
    /// Before an upgrade.
    PreUpgrade,
    /// After an upgrade.
    PostUpgrade,
    /// Before a rollback.
    PreRollback,
    /// After a rollback.
    PostRollback,
    /// Before an uninstall.
    PreDelete,
    /// After an uninstall.
    PostDelete,
    /// The release's tests.
    Test,
}

impl HookEvent {
    /// The word in the annotation and in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::Test => "test",
        }
    }
}

/// How a hook's last run went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HookPhase {
    /// It has not run.
    Unknown,
    /// It was started.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
}

/// A hook's last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRun {
    /// When it was started.
    pub started: Timestamp,
    /// When its end was seen.
    pub completed: Option<Timestamp>,
    /// How it went.
    pub phase: HookPhase,
}

/// What the machine knows of one hook; its position in the release's list names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// `metadata.name`.
    pub name: String,
    /// Kind, for messages and because definitions are never deleted.
    pub kind: String,
    /// Template it came from.
    pub path: String,
    /// When it runs.
    pub events: Vec<HookEvent>,
    /// Order among hooks of one event.
    pub weight: i64,
    /// Its object is deleted before it is created again.
    pub delete_before_creation: bool,
    /// Its object is deleted when all hooks of the event succeeded.
    pub delete_when_succeeded: bool,
    /// Its object is deleted when it failed.
    pub delete_when_failed: bool,
    /// Its last run in this release.
    pub run: Option<HookRun>,
}

impl Hook {
    /// Whether hooks of this kind may be deleted at all: deleting a definition would delete every object of its kind.
    pub fn may_be_deleted(&self) -> bool {
        self.kind != "CustomResourceDefinition"
    }
}

/// Positions of the hooks that run at an event, in the order they run. `selected` leaves tests out.
pub fn at(hooks: &[Hook], event: HookEvent, selected: impl Fn(&Hook) -> bool) -> Vec<usize> {
    let mut chosen: Vec<_> =
        hooks.iter().enumerate().filter(|(_, hook)| hook.events.contains(&event) && selected(hook)).collect();
    chosen.sort_by(|(_, a), (_, b)| a.weight.cmp(&b.weight).then_with(|| a.name.cmp(&b.name)));
    chosen.into_iter().map(|(index, _)| index).collect()
}
