//! Reading Git repositories: our own smart transports over HTTP and SSH, libgit2 for packs and objects.
//!
//! A controller checks nothing out ([`checkout`] is for the command line). One listing of the remote's references decides what to fetch ([`resolve`]); the pack goes into a
//! bare repository in a temporary directory; its tree is packed into the artifact straight from the object store.
//! Upload-pack is spoken directly instead of through libgit2's transport hooks: those need `unsafe` and a thread per transfer,
//! and could not answer "has anything changed?" with a single request.

pub mod checkout;
pub mod fetch;
mod http;
pub mod known_hosts;
pub mod listing;
pub mod local;
mod packet;
pub mod resolve;
mod session;
mod ssh;
pub mod submodules;
pub mod tree;
pub mod url;

pub use session::Remote;
pub use ssh::{IdentityError, SshAlgorithms, SshAuth, SshIdentities, read_identity};

pub use http_client::HttpAuth;

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The URL is unusable.
    #[error("invalid repository URL '{url}': {reason}")]
    Url {
        /// The URL, masked.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The server wants (other) credentials.
    #[error("authentication required: {0}")]
    Authentication(String),
    /// The credentials are known, and not enough.
    #[error("authorization failed: {0}")]
    Authorization(String),
    /// There is no such repository, or not for us.
    #[error("repository not found: {0}")]
    NotFound(String),
    /// The server is not a Git server that we can talk to.
    #[error("{url} does not answer like a Git server: {reason}")]
    NotGit {
        /// The URL, masked.
        url: String,
        /// What it did.
        reason: String,
    },
    /// The server answers with an error.
    #[error("the Git server answers HTTP status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The server cannot be reached or the connection broke.
    #[error("cannot reach the Git server")]
    Http(#[source] reqwest::Error),
    /// The SSH connection failed.
    #[error("SSH connection failed")]
    Ssh(#[source] russh::Error),
    /// The TCP connection failed.
    #[error("cannot connect to {address}")]
    Connect {
        /// Host and port.
        address: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The server's SSH key is not the known one.
    #[error("{0}")]
    HostKey(String),
    /// The SSH settings are unusable.
    #[error("{0}")]
    SshSettings(String),
    /// A message of the server.
    #[error("remote: {0}")]
    Remote(String),
    /// The server breaks the protocol.
    #[error("the Git server breaks the protocol: {0}")]
    Protocol(String),
    /// The wanted reference does not exist.
    #[error("{0}")]
    Reference(String),
    /// The repository has no commit.
    #[error("git repository is empty")]
    Empty,
    /// A bound was passed.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// An object is missing or damaged.
    #[error("cannot read Git objects: {}", .0.message())]
    Object(#[source] git2::Error),
    /// A file of the temporary repository cannot be written.
    #[error("cannot use the temporary repository")]
    Io(#[from] std::io::Error),
    /// It took too long.
    #[error("timed out after {0}")]
    Timeout(common::duration::GoDuration),
    /// A blocking task ended early.
    #[error("the work was interrupted")]
    Interrupted,
}

impl From<git2::Error> for GitError {
    fn from(error: git2::Error) -> Self {
        Self::Object(error)
    }
}
