//! What can go wrong, with the exit code scripts rely on: 1 failed, 2 wrong usage, 3 not done in time.

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// No configuration of a cluster.
    #[error("reading the kubeconfig")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// The client could not be made.
    #[error("connecting to the cluster")]
    Client(#[source] Box<kube::Error>),
    /// The API server refused or could not be reached.
    #[error("{action}")]
    Kubernetes {
        /// What was being done.
        action: String,
        /// What came back.
        #[source]
        source: Box<kube::Error>,
    },
    /// Nothing by that name.
    #[error("{what} not found in namespace {namespace}")]
    NotFound {
        /// Kind and name.
        what: String,
        /// Where it was looked for.
        namespace: String,
    },
    /// Some objects did not become ready; each was reported already.
    #[error("{failed} of {total} not ready")]
    NotReady {
        /// How many failed.
        failed: usize,
        /// Of how many.
        total: usize,
    },
    /// Some objects were not ready in time; each was reported already.
    #[error("{waiting} of {total} not ready within {limit}; is their controller running?")]
    Timeout {
        /// How many were still waited for.
        waiting: usize,
        /// Of how many.
        total: usize,
        /// How long was waited.
        limit: String,
    },
    /// An object could not be written out.
    #[error("writing {0}")]
    Encode(String),
    /// A file could not be read or written; the error names it.
    #[error(transparent)]
    File(std::io::Error),
    /// A chart or its values are wrong; the text is Helm's.
    #[error("{0}")]
    Chart(String),
    /// A kustomization cannot be built; the text names the file, field or resource.
    #[error("{0}")]
    Build(String),
    /// Standard output is closed.
    #[error("writing the output")]
    Output(#[source] std::io::Error),
    /// The process could not start its event loop.
    #[error("starting the event loop")]
    Runtime(#[source] std::io::Error),
}

impl Error {
    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Timeout { .. } => 3,
            Self::Kubeconfig(_)
            | Self::Client(_)
            | Self::Kubernetes { .. }
            | Self::NotFound { .. }
            | Self::NotReady { .. }
            | Self::Encode(_)
            | Self::File(_)
            | Self::Chart(_)
            | Self::Build(_)
            | Self::Output(_)
            | Self::Runtime(_) => 1,
        }
    }
}

/// The results of this crate.
pub(crate) type Result<T> = std::result::Result<T, Error>;
