//! Why a version or a constraint was refused, in the words of the original library.

use crate::quote::quoted;
use crate::{MAXIMUM_CONSTRAINT_GROUPS, MAXIMUM_CONSTRAINT_LENGTH, MAXIMUM_VERSION_LENGTH};

/// Everything that can be wrong with a version or a constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a version at all.
    #[error("invalid semantic version")]
    InvalidVersion,
    /// The empty text, where a strict version is wanted.
    #[error("version string empty")]
    EmptyVersion,
    /// A strict version whose number has something other than digits.
    #[error("invalid characters in version")]
    InvalidCharacters,
    /// A number with a leading zero where that is forbidden.
    #[error("version segment starts with 0")]
    SegmentStartsWithZero,
    /// Build metadata outside its alphabet, or with an empty part.
    #[error("invalid metadata string")]
    InvalidMetadata,
    /// A pre-release outside its alphabet, or with an empty part.
    #[error("invalid prerelease string")]
    InvalidPrerelease,
    /// Longer than any version may be.
    #[error("version string is too long (max {MAXIMUM_VERSION_LENGTH} bytes)")]
    VersionTooLong,
    /// A number of a lenient version that does not fit 64 bits.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{segment}\": value out of range")]
    SegmentOutOfRange {
        /// The digits.
        segment: String,
    },
    /// A number of a strict version that is empty or does not fit 64 bits.
    #[error("strconv.ParseUint: parsing \"{segment}\": {}", if segment.is_empty() { "invalid syntax" } else { "value out of range" })]
    InvalidNumber {
        /// The digits.
        segment: String,
    },
    /// The next version would need a number above 64 bits.
    #[error("{part} version increment would overflow uint64")]
    IncrementOverflow {
        /// `major`, `minor` or `patch`.
        part: &'static str,
    },
    /// Text that does not follow the constraint grammar.
    #[error("improper constraint: {}", quoted(text))]
    ImproperConstraint {
        /// The `||` group at fault.
        text: String,
    },
    /// The grammar is right but the version in it is not.
    #[error("constraint parser error")]
    ConstraintVersion,
    /// Longer than any constraint may be.
    #[error("constraint string is too long (max {MAXIMUM_CONSTRAINT_LENGTH} bytes)")]
    ConstraintTooLong,
    /// More `||` groups than are allowed.
    #[error("too many constraint groups (max {MAXIMUM_CONSTRAINT_GROUPS})")]
    TooManyConstraintGroups,
}
