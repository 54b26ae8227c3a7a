//! What the scanner gives: tokens and their places.

use std::borrow::Cow;

/// Which library's small differences apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

/// A place in the text; lines and columns count from 0, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) offset: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// How a scalar is, or is to be, written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScalarStyle {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind<'a> {
    StreamStart,
    StreamEnd,
    VersionDirective { major: u32, minor: u32 },
    TagDirective { handle: Cow<'a, str>, prefix: Cow<'a, str> },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag { handle: Cow<'a, str>, suffix: Cow<'a, str> },
    Scalar { value: Cow<'a, str>, style: ScalarStyle },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    pub(crate) start: Mark,
    /// Line on which the token ends.
    pub(crate) end_line: u32,
}

/// What the search for comments has to know about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recent {
    BlockEntry,
    BlockSequenceStart,
    FlowEntry,
    Value,
    Other,
}

impl Recent {
    pub(super) fn of(token: &Token<'_>) -> (Self, Mark) {
        let kind = match token.kind {
            TokenKind::BlockEntry => Self::BlockEntry,
            TokenKind::BlockSequenceStart => Self::BlockSequenceStart,
            TokenKind::FlowEntry => Self::FlowEntry,
            TokenKind::Value => Self::Value,
            _ => Self::Other,
        };
        (kind, token.start)
    }
}
