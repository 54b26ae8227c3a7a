//! Whether one version satisfies one constraint, and if not, why.

use crate::Version;
use crate::constraint::{Constraint, Operator, Precision};
use crate::version::compare_prereleases;

/// Why a version does not satisfy a constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A pre-release, where none is asked for.
    #[error("\"{version}\" is a prerelease version and the constraint is only looking for release versions")]
    Prerelease {
        /// The version.
        version: String,
    },
    /// The comparison failed.
    #[error("\"{version}\" {relation} \"{constraint}\"{hint}")]
    Mismatch {
        /// The version.
        version: String,
        /// How it stands to the constraint.
        relation: &'static str,
        /// The version in the constraint, as written.
        constraint: String,
        /// What would have matched, where that is not plain.
        hint: &'static str,
    },
}

/// A failed comparison, before it is put into words.
struct Mismatch(&'static str, &'static str);

impl Constraint {
    pub(crate) fn check(&self, version: &Version, prereleases: bool) -> Result<(), Violation> {
        if !prereleases && !version.prerelease().is_empty() {
            return Err(Violation::Prerelease { version: version.to_string() });
        }
        let outcome = match self.operator {
            Operator::Equal => self.check_equal(version),
            Operator::NotEqual => self.check_not_equal(version),
            Operator::Greater => self.check_greater(version),
            Operator::GreaterOrEqual => holds(*version >= self.version, "is less than"),
            Operator::Less => holds(*version < self.version, "is greater than or equal to"),
            Operator::LessOrEqual => self.check_less_or_equal(version),
            Operator::Tilde => self.check_tilde(version),
            Operator::Caret => self.check_caret(version),
        };
        outcome.map_err(|Mismatch(relation, hint)| Violation::Mismatch {
            version: version.to_string(),
            relation,
            constraint: self.original.clone(),
            hint,
        })
    }

    fn check_equal(&self, version: &Version) -> Result<(), Mismatch> {
        if self.precision == Precision::Full {
            holds(*version == self.version, "is not equal to")
        } else {
            self.check_tilde(version)
        }
    }

    fn check_not_equal(&self, version: &Version) -> Result<(), Mismatch> {
        let same_major = version.major() == self.version.major();
        let same_minor = version.minor() == self.version.minor();
        let different = match self.precision {
            Precision::Major => !same_major,
            Precision::MajorMinor => {
                !same_major
                    || !same_minor
                    || compare_prereleases(version.prerelease(), self.version.prerelease()).is_ne()
            }
            // A lone wildcard is compared as 0.0.0.
            Precision::Nothing | Precision::Full => *version != self.version,
        };
        holds(different, "is equal to")
    }

    fn check_greater(&self, version: &Version) -> Result<(), Mismatch> {
        let major = version.major().cmp(&self.version.major());
        let greater = match self.precision {
            // `>11` starts at 12, `>11.1` at 11.2.
            Precision::Major => major.is_gt(),
            Precision::MajorMinor => major.then(version.minor().cmp(&self.version.minor())).is_gt(),
            Precision::Nothing | Precision::Full => *version > self.version,
        };
        holds(greater, "is less than or equal to")
    }

    fn check_less_or_equal(&self, version: &Version) -> Result<(), Mismatch> {
        let major = version.major().cmp(&self.version.major());
        let within = match self.precision {
            Precision::Full => *version <= self.version,
            Precision::Major => major.is_le(),
            Precision::MajorMinor | Precision::Nothing => {
                major.then(version.minor().cmp(&self.version.minor())).is_le()
            }
        };
        holds(within, "is greater than")
    }

    fn check_tilde(&self, version: &Version) -> Result<(), Mismatch> {
        holds(*version >= self.version, "is less than")?;
        let zero = (self.version.major(), self.version.minor(), self.version.patch()) == (0, 0, 0);
        // `~0.0.0` and `~*` mean any version.
        if zero && matches!(self.precision, Precision::Full | Precision::Nothing) {
            return Ok(());
        }
        holds(version.major() == self.version.major(), "does not have same major version as")?;
        holds(
            version.minor() == self.version.minor() || self.precision == Precision::Major,
            "does not have same major and minor version as",
        )
    }

    fn check_caret(&self, version: &Version) -> Result<(), Mismatch> {
        const MINOR: &str = "does not have same minor version as";
        holds(*version >= self.version, "is less than")?;
        holds(version.major() == self.version.major(), "does not have same major version as")?;
        if self.version.major() > 0 || self.precision == Precision::Major {
            return Ok(());
        }
        let same_minor = version.minor() == self.version.minor();
        if self.version.minor() > 0 || self.precision == Precision::MajorMinor {
            return holds_or(
                same_minor,
                MINOR,
                ". Expected minor versions to match when constraint major version is 0",
            );
        }
        holds(same_minor, MINOR)?;
        holds_or(
            version.patch() == self.version.patch(),
            "does not equal",
            ". Expect version and constraint to equal when major and minor versions are 0",
        )
    }
}

fn holds(condition: bool, relation: &'static str) -> Result<(), Mismatch> {
    holds_or(condition, relation, "")
}

fn holds_or(condition: bool, relation: &'static str, hint: &'static str) -> Result<(), Mismatch> {
    if condition { Ok(()) } else { Err(Mismatch(relation, hint)) }
}
