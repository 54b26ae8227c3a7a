//! Everything that can go wrong in a build, each naming the file, field or resource it is about.

use thiserror::Error;

/// Why a build failed.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{0}")]
    Read(String),
    /// No kustomization file in a directory.
    #[error("unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{0}'")]
    NoKustomization(String),
    /// More than one kustomization file in a directory.
    #[error("Found multiple kustomization files under: {0}\n")]
    ManyKustomizations(String),
    /// A kustomization file is not what it should be.
    #[error("{path}: {message}")]
    Kustomization {
        /// The file.
        path: String,
        /// What is wrong, and how to mend it.
        message: String,
    },
    /// A file outside the root was named.
    #[error("security; file '{path}' is not in or below '{root}'")]
    OutsideRoot {
        /// The file.
        path: String,
        /// The directory of the kustomization that names it.
        root: String,
    },
    /// Directories refer to each other in a circle.
    #[error("cycle detected: candidate root '{candidate}' contains visited root '{visited}'")]
    Cycle {
        /// The directory named last.
        candidate: String,
        /// The one on the chain already.
        visited: String,
    },
    /// Something that a build may not do here.
    #[error("{0}")]
    Refused(String),
    /// YAML that cannot be parsed.
    #[error("{path}: {message}")]
    Yaml {
        /// The file, or what the text is.
        path: String,
        /// The parser's words, with the line.
        message: String,
    },
    /// A document that is no Kubernetes object.
    #[error("{path}: {message}")]
    NotAResource {
        /// The file, or what the text is.
        path: String,
        /// What is missing.
        message: String,
    },
    /// The same id twice.
    #[error("may not add resource with an already registered id: {0}")]
    DuplicateId(String),
    /// A node of another kind than a path or merge needs.
    #[error("wrong node kind: expected {expected} but got {found}{}", considering(path))]
    WrongNode {
        /// What was needed.
        expected: &'static str,
        /// What was found.
        found: &'static str,
        /// Where, when that is not said elsewhere.
        path: String,
    },
    /// A path goes on below a scalar.
    #[error("expected sequence or mapping node")]
    ExpectedCollection,
    /// A transformation failed on a resource.
    #[error("{action} of {resource}: {message}")]
    Transform {
        /// What was being done.
        action: String,
        /// The resource's id.
        resource: String,
        /// What is wrong.
        message: String,
    },
    /// Anything that upstream's words say best.
    #[error("{0}")]
    Message(String),
    /// An error, and what was being done.
    #[error("{context}: {source}")]
    Context {
        /// What was being done.
        context: String,
        /// What went wrong.
        source: Box<Self>,
    },
}

fn considering(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(": considering field '{path}'") }
}

impl Error {
    /// An error in upstream's words.
    pub fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }

    /// Adds what was being done.
    #[must_use]
    pub fn context(self, context: impl Into<String>) -> Self {
        Self::Context { context: context.into(), source: Box::new(self) }
    }
}

/// Adds context to a result's error.
pub(crate) trait Context<T> {
    /// Says what was being done when the error came.
    fn context(self, context: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Context<T> for Result<T, Error> {
    fn context(self, context: impl FnOnce() -> String) -> Self {
        self.map_err(|error| error.context(context()))
    }
}
