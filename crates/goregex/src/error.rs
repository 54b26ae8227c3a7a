//! Why a pattern was refused, in Go's words.

/// A pattern that Go refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {kind}: `{expression}`")]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The part of the pattern that is wrong.
    pub expression: String,
}

/// What can be wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// A range that runs backwards, or a class of unknown name.
    #[error("invalid character class range")]
    InvalidCharacterRange,
    /// An escape without meaning.
    #[error("invalid escape sequence")]
    InvalidEscape,
    /// A group name that is not one.
    #[error("invalid named capture")]
    InvalidNamedCapture,
    /// `(?` with something unknown.
    #[error("invalid or unsupported Perl syntax")]
    InvalidPerlSyntax,
    /// `a**`.
    #[error("invalid nested repetition operator")]
    InvalidNestedRepetition,
    /// More than 1000 repetitions, or fewer at most than at least.
    #[error("invalid repeat count")]
    InvalidRepeatCount,
    /// A pattern that is not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// `[a`.
    #[error("missing closing ]")]
    MissingBracket,
    /// `(a`.
    #[error("missing closing )")]
    MissingParenthesis,
    /// `*` with nothing before it.
    #[error("missing argument to repetition operator")]
    MissingRepetitionArgument,
    /// `\` at the end.
    #[error("trailing backslash at end of expression")]
    TrailingBackslash,
    /// `a)`.
    #[error("unexpected )")]
    UnexpectedParenthesis,
    /// Groups within groups, too many.
    #[error("expression nests too deeply")]
    NestsTooDeeply,
    /// The compiled pattern would take too much memory.
    #[error("expression too large")]
    TooLarge,
}

impl ErrorKind {
    pub(crate) fn at(self, expression: &str) -> Error {
        Error { kind: self, expression: expression.to_owned() }
    }
}
