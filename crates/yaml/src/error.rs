//! What can go wrong, in Go's words.

use std::borrow::Cow;
use std::fmt;

/// Why a document could not be read or written; prints what the Go library prints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not YAML, or refers to what is not there. Line 0 means that Go names no line.
    #[error("yaml: {}{problem}", Place(*line))]
    Syntax {
        /// The line as Go reports it (for parser errors one less than an editor shows).
        line: u32,
        /// libyaml's or go-yaml's description.
        problem: Cow<'static, str>,
    },
    /// The document was read but some parts of it were refused (strict mode, unmatched types), all of them listed.
    #[error("yaml: unmarshal errors:\n  {}", problems.join("\n  "))]
    Unmarshal {
        /// One text per problem, each beginning with its line.
        problems: Vec<String>,
    },
    /// The YAML has no JSON form, e.g. `.inf` or a null key.
    #[error("{problem}")]
    Json {
        /// Go's description.
        problem: String,
    },
    /// A YAML problem met while `sigs.k8s.io/yaml` unmarshals.
    #[error("error converting YAML to JSON: {0}")]
    Converting(Box<Self>),
    /// The value cannot be written.
    #[error("yaml: {problem}")]
    Emit {
        /// Description of the problem.
        problem: Cow<'static, str>,
    },
}

impl Error {
    pub(crate) fn syntax(line: u32, problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Syntax { line, problem: problem.into() }
    }

    pub(crate) fn emit(problem: impl Into<Cow<'static, str>>) -> Self {
        Self::Emit { problem: problem.into() }
    }

    /// The same error as `sigs.k8s.io/yaml.Unmarshal` words it.
    #[must_use]
    pub fn converting(self) -> Self {
        Self::Converting(Box::new(self))
    }
}

struct Place(u32);

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(formatter, "line {}: ", self.0) }
    }
}
