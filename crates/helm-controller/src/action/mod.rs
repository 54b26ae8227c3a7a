//! Actions on a release (install, upgrade, rollback, uninstall, test) as a state machine that never waits.
//!
//! [`machine::Machine`] says what to do next; somebody else does it and reports back. Everything the machine needs to go
//! on after the process was killed is in the release record: which hooks ran, and what the manifest is. What is only in
//! memory (which objects are ready, since when we wait) is learnt again by applying again, which changes nothing.

pub mod hook;
pub mod machine;

pub use hook::{Hook, HookEvent, HookPhase, HookRun};
pub use machine::{Failure, Machine, Stage, Step, View};

use serde::{Deserialize, Serialize};

/// What is being done to a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The first revision.
    Install,
    /// A further revision.
    Upgrade,
    /// A further revision with the content of an earlier one.
    Rollback,
    /// Taking the release away.
    Uninstall,
    /// Running the release's tests.
    Test,
}

impl Action {
    /// The word in messages and status fields.
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
            Self::Test => "test",
        }
    }

    /// The stages of the action, in order.
    pub fn stages(self, hooks: bool, wait: bool) -> Vec<Stage> {
        let all = match self {
            Self::Install => {
                [Stage::Hooks(HookEvent::PreInstall), Stage::Apply, Stage::Wait, Stage::Hooks(HookEvent::PostInstall)]
                    .to_vec()
            }
            Self::Upgrade => {
                [Stage::Hooks(HookEvent::PreUpgrade), Stage::Apply, Stage::Wait, Stage::Hooks(HookEvent::PostUpgrade)]
                    .to_vec()
            }
            Self::Rollback => {
                [Stage::Hooks(HookEvent::PreRollback), Stage::Apply, Stage::Wait, Stage::Hooks(HookEvent::PostRollback)]
                    .to_vec()
            }
            Self::Uninstall => [
                Stage::Hooks(HookEvent::PreDelete),
                Stage::Delete,
                Stage::WaitGone,
                Stage::Hooks(HookEvent::PostDelete),
            ]
            .to_vec(),
            Self::Test => [Stage::Hooks(HookEvent::Test)].to_vec(),
        };
        all.into_iter()
            .filter(|stage| match stage {
                Stage::Hooks(_) => hooks || self == Self::Test,
                Stage::Wait | Stage::WaitGone => wait,
                Stage::Apply | Stage::Delete => true,
            })
            .collect()
    }
}
