//! Why an object could not be brought to the cluster.

/// A failure of one object or of the connection to the cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest is not a usable object.
    #[error("{object}: invalid object: {problem}")]
    InvalidObject {
        /// What is known of its name.
        object: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The cluster serves no such kind.
    #[error(
        "{object}: the cluster has no kind \"{kind}\" in version \"{api_version}\"; \
         install its CustomResourceDefinition first, or use a version the cluster serves"
    )]
    UnknownKind {
        /// The object.
        object: String,
        /// Its `apiVersion`.
        api_version: String,
        /// Its kind.
        kind: String,
    },
    /// The API server refused a request.
    #[error("{object}: cannot {verb}: {message}")]
    Refused {
        /// The object.
        object: String,
        /// What was asked for.
        verb: &'static str,
        /// HTTP status.
        code: u16,
        /// Kubernetes reason, such as `Forbidden`.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// The API server could not be reached or gave no usable answer.
    #[error("{object}: cannot {verb}: {source}")]
    Transport {
        /// The object.
        object: String,
        /// What was asked for.
        verb: &'static str,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// Discovery of the kinds the cluster serves failed.
    #[error("cannot list the kinds the cluster serves: {0}")]
    Discovery(#[source] Box<kube::Error>),
    /// A kubeconfig cannot be used.
    #[error("the kubeconfig is not usable: {0}")]
    Kubeconfig(String),
    /// No client could be built.
    #[error("cannot build a client for the cluster: {0}")]
    Client(#[source] Box<kube::Error>),
}

/// What to do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The same request will fail again.
    Terminal,
    /// Worth trying again by itself: the server is away, busy or not done yet.
    Transient,
}

impl Error {
    /// Wraps a client error with the object and verb it belongs to.
    pub(crate) fn request(object: impl Into<String>, verb: &'static str, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused {
                object: object.into(),
                verb,
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
            other => Self::Transport { object: object.into(), verb, source: Box::new(other) },
        }
    }

    /// Whether trying again can help.
    pub fn class(&self) -> ErrorClass {
        match self {
            // The server reports a manifest that does not fit the schema as its own failure; it is not.
            Self::Refused { code: 500, message, .. } if message.starts_with("failed to create typed patch object") => {
                ErrorClass::Terminal
            }
            Self::Refused { code: 429 | 500 | 502 | 503 | 504, .. } => ErrorClass::Transient,
            Self::Refused { code: 409, reason, .. } if reason == "Conflict" && !self.is_field_conflict() => {
                ErrorClass::Transient
            }
            Self::Refused { .. } => ErrorClass::Terminal,
            Self::Transport { .. } | Self::Discovery(_) => ErrorClass::Transient,
            Self::InvalidObject { .. } | Self::UnknownKind { .. } | Self::Kubeconfig(_) | Self::Client(_) => {
                ErrorClass::Terminal
            }
        }
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// Whether the object is there already.
    pub fn is_already_exists(&self) -> bool {
        matches!(self, Self::Refused { code: 409, reason, .. } if reason == "AlreadyExists")
    }

    /// Whether another field manager owns a field we want to set.
    pub fn is_field_conflict(&self) -> bool {
        matches!(self, Self::Refused { code: 409, message, .. } if message.contains("conflict with \"") || message.contains("conflicts with \""))
    }

    /// Whether the request names a namespace that does not exist.
    pub fn is_namespace_missing(&self) -> bool {
        matches!(self, Self::Refused { code: 404, message, .. } if message.starts_with("namespaces \""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, reason: &str, message: &str) -> Error {
        Error::Refused { object: "Pod/a/b".into(), verb: "apply", code, reason: reason.into(), message: message.into() }
    }

    #[test]
    fn classes() {
        for (error, class) in [
            (refused(503, "ServiceUnavailable", ""), ErrorClass::Transient),
            (refused(500, "InternalError", "failed calling webhook"), ErrorClass::Transient),
            (
                refused(
                    500,
                    "",
                    "failed to create typed patch object (a/b; v1, Kind=ConfigMap): .data.x: expected string",
                ),
                ErrorClass::Terminal,
            ),
            (refused(409, "Conflict", "the object has been modified"), ErrorClass::Transient),
            (
                refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.a"),
                ErrorClass::Terminal,
            ),
            (refused(422, "Invalid", "spec.selector: field is immutable"), ErrorClass::Terminal),
            (refused(403, "Forbidden", "cannot patch"), ErrorClass::Terminal),
        ] {
            assert_eq!(error.class(), class, "{error}");
        }
        assert!(refused(404, "NotFound", "namespaces \"x\" not found").is_namespace_missing());
    }
}
