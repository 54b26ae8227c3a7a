//! Errors of parsing and executing templates, in Go's words.

use std::fmt;

use crate::format::quote::quoted;
use crate::function::FunctionError;

/// A template could not be parsed. The text is Go's, such as `template: t:1: unexpected EOF`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    pub(crate) message: String,
}

/// Where in a template execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the text the template was parsed from, such as a file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 0.
    pub column: usize,
    /// The name of the template.
    pub template: String,
    /// The failing node as text, not quoted.
    pub node: String,
}

/// A template could not be executed. The text is Go's, such as
/// `template: t:1:2: executing "t" at <.a.b>: can't evaluate field b in type int`.
#[derive(Debug)]
pub struct ExecuteError {
    pub(crate) location: Option<Location>,
    pub(crate) calling: Option<Box<str>>,
    pub(crate) cause: FunctionError,
}

impl ExecuteError {
    pub(crate) fn message(message: String) -> Box<Self> {
        Box::new(Self { location: None, calling: None, cause: FunctionError::Message(message) })
    }

    /// Where it failed; none when no template was found at all.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.location.as_ref()
    }

    /// The name of the function that failed, if one did (`error calling NAME`).
    #[must_use]
    pub fn calling(&self) -> Option<&str> {
        self.calling.as_deref()
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

impl std::error::Error for ExecuteError {}

impl fmt::Display for ExecuteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            let Location { file, line, column, template, node } = location;
            let template = quoted(template.as_bytes());
            write!(formatter, "template: {file}:{line}:{column}: executing {template} at <{node}>: ")?;
        }
        if let Some(name) = &self.calling {
            write!(formatter, "error calling {name}: ")?;
        }
        write!(formatter, "{}", self.cause)
    }
}
