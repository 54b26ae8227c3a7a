//! Errors of parsing and executing templates, in Go's words.

use crate::function::FunctionError;

/// A template could not be parsed. The text is Go's, such as `template: t:1: unexpected EOF`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    pub(crate) message: String,
}

/// A template could not be executed. The text is Go's, such as
/// `template: t:1:2: executing "t" at <.a.b>: can't evaluate field b in type int`.
#[derive(Debug, thiserror::Error)]
#[error("{prefix}{cause}")]
pub struct ExecuteError {
    /// Everything before the cause: position, template and node, ending in `: `.
    pub(crate) prefix: String,
    /// The failure itself.
    pub(crate) cause: FunctionError,
}

impl ExecuteError {
    /// Position, template and node of the failure, ending in `: `; empty where Go names none.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What failed.
    #[must_use]
    pub fn cause(&self) -> &FunctionError {
        &self.cause
    }

    /// The innermost failure of type `T`, through every nested template.
    #[must_use]
    pub fn find<T: std::error::Error + 'static>(&self) -> Option<&T> {
        match &self.cause {
            FunctionError::Custom(error) => error.downcast_ref(),
            FunctionError::Template(error) => error.find(),
            FunctionError::Message(_) => None,
        }
    }
}
