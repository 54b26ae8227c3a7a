//! A failed reconcile: which condition it becomes, and when to try again.

use std::time::Duration;

use common::names::{condition, reason};
use runtime::{ErrorClass, ReconcileError};

/// When a failure may go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Only by a change of the object or its inputs.
    Stalled,
    /// By itself: tried again with backoff.
    Retry,
    /// When something else has happened, which wakes the object; looked at again after this long in any case.
    Waiting(Duration),
}

/// What went wrong, in the words of a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The condition that becomes True (False for [`condition::SOURCE_VERIFIED`]).
    pub condition: &'static str,
    /// Its reason.
    pub reason: &'static str,
    /// Its message.
    pub message: String,
    /// When to try again.
    pub persistence: Persistence,
}

impl Failure {
    fn new(condition: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        // Whatever a library put into its error: credentials of a URL must not get further than here.
        let message = common::url::mask_text(&message.into());
        Self { condition, reason, message, persistence: Persistence::Retry }
    }

    /// The source could not be fetched.
    pub fn fetch(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(condition::FETCH_FAILED, reason, message)
    }

    /// The artifact could not be built of what was fetched.
    pub fn build(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(condition::BUILD_FAILED, reason, message)
    }

    /// The artifact could not be stored.
    pub fn storage(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(condition::STORAGE_OPERATION_FAILED, reason, message)
    }

    /// An included repository is not there.
    pub fn include(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(condition::INCLUDE_UNAVAILABLE, reason, message)
    }

    /// Verification was asked for and cannot be given.
    pub fn verification(message: impl Into<String>) -> Self {
        Self::new(condition::SOURCE_VERIFIED, reason::VERIFICATION_ERROR, message).stalled()
    }

    /// Nothing but a change helps.
    #[must_use]
    pub fn stalled(mut self) -> Self {
        self.persistence = Persistence::Stalled;
        self
    }

    /// Waits for something else.
    #[must_use]
    pub fn waiting(mut self, delay: Duration) -> Self {
        self.persistence = Persistence::Waiting(delay);
        self
    }
}

/// Why one reconcile ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object has a condition that tells.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The Kubernetes API could not be written.
    #[error("cannot {action}")]
    Kubernetes {
        /// What was being done.
        action: &'static str,
        /// What happened.
        source: kube::Error,
    },
}

impl ReconcileError for Error {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Failure(failure) => match failure.persistence {
                Persistence::Stalled => ErrorClass::Terminal,
                Persistence::Retry => ErrorClass::Transient,
                Persistence::Waiting(delay) => ErrorClass::Waiting(delay),
            },
            Self::Kubernetes { .. } => ErrorClass::Transient,
        }
    }
}
