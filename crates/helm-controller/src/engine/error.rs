//! What keeps a release from going on, and whether trying again helps.

use std::time::Duration;

use runtime::{ErrorClass, ReconcileError};

use crate::storage::StorageError;

/// Why a reconcile ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Storage could not be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The cluster could not be used.
    #[error(transparent)]
    Cluster(#[from] apply::Error),
    /// A request about the object itself failed.
    #[error("cannot {what}: {source}")]
    Object {
        /// What was tried.
        what: &'static str,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// What is written in the status; tried again with backoff.
    #[error("{0}")]
    Failed(String),
    /// What is written in the status; only a change helps.
    #[error("{0}")]
    Terminal(String),
    /// Something else has to happen first.
    #[error("{message}")]
    Waiting {
        /// What is waited for.
        message: String,
        /// Look again after this long at the latest.
        delay: Duration,
    },
}

impl EngineError {
    /// Wraps an error of a request about the object.
    pub fn object(what: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Object { what, source: Box::new(source) }
    }
}

impl ReconcileError for EngineError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Storage(_) | Self::Cluster(_) | Self::Object { .. } | Self::Failed(_) => ErrorClass::Transient,
            Self::Terminal(_) => ErrorClass::Terminal,
            Self::Waiting { delay, .. } => ErrorClass::Waiting(*delay),
        }
    }
}
