//! Constraints: reading `>=1.2, <2 || ~3.1 || 4 - 5` and holding what was read.

use std::fmt;
use std::str::FromStr;

use crate::check::Violation;
use crate::{Error, Version};

/// The longest text taken for constraints, in bytes.
pub const MAXIMUM_CONSTRAINT_LENGTH: usize = 512;
/// The most `||` groups one text may have.
pub const MAXIMUM_CONSTRAINT_GROUPS: usize = 32;

/// Groups of constraints: a version satisfies them when it satisfies every one of some group.
#[derive(Debug, Clone)]
pub struct Constraints {
    groups: Vec<Group>,
    include_prerelease: bool,
}

/// Constraints that must all hold.
#[derive(Debug, Clone)]
struct Group {
    constraints: Vec<Constraint>,
    /// One of them names a pre-release, which lets pre-releases in for the whole group.
    mentions_prerelease: bool,
}

/// One operator with the version it compares to.
#[derive(Debug, Clone)]
pub(crate) struct Constraint {
    pub(crate) operator: Operator,
    /// The operator as written.
    spelling: &'static str,
    /// The version with every wildcard as zero.
    pub(crate) version: Version,
    /// The version as written.
    pub(crate) original: String,
    pub(crate) precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `=` or none: equal, or within the wildcard.
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How many of the numbers were given; the rest is a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precision {
    Nothing,
    Major,
    MajorMinor,
    Full,
}

/// Longer spellings first, so that the first that fits is the right one.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterOrEqual),
    ("=>", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    ("=<", Operator::LessOrEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraints {
    /// Reads constraints.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAXIMUM_CONSTRAINT_LENGTH {
            return Err(Error::ConstraintTooLong);
        }
        let text = rewrite_hyphen_ranges(text);
        if text.split("||").count() > MAXIMUM_CONSTRAINT_GROUPS {
            return Err(Error::TooManyConstraintGroups);
        }
        let groups = text.split("||").map(Group::parse).collect::<Result<_, _>>()?;
        Ok(Self { groups, include_prerelease: false })
    }

    /// These constraints, letting pre-releases in even where none is mentioned.
    pub fn including_prereleases(mut self) -> Self {
        self.include_prerelease = true;
        self
    }

    /// Whether the version satisfies the constraints.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let prereleases = self.include_prerelease || group.mentions_prerelease;
            group.constraints.iter().all(|constraint| constraint.check(version, prereleases).is_ok())
        })
    }

    /// Checks like [`check`](Self::check), telling everything that stood in the way.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<Violation>> {
        let mut violations = Vec::new();
        let mut prerelease_reported = false;
        for group in &self.groups {
            let prereleases = self.include_prerelease || group.mentions_prerelease;
            let mut satisfied = true;
            for constraint in &group.constraints {
                let Err(violation) = constraint.check(version, prereleases) else {
                    continue;
                };
                satisfied = false;
                // That pre-releases are left out is said once, not once per constraint.
                if matches!(violation, Violation::Prerelease { .. })
                    && std::mem::replace(&mut prerelease_reported, true)
                {
                    continue;
                }
                violations.push(violation);
            }
            if satisfied {
                return Ok(());
            }
        }
        Err(violations)
    }
}

impl FromStr for Constraints {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.groups.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" || ")?;
            }
            for (index, constraint) in group.constraints.iter().enumerate() {
                if index > 0 {
                    formatter.write_str(" ")?;
                }
                write!(formatter, "{}{}", constraint.spelling, constraint.original)?;
            }
        }
        Ok(())
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, Error> {
        let improper = || Error::ImproperConstraint { text: text.to_owned() };
        // The grammar of the whole group comes before the meaning of any version in it.
        let mut parts = Vec::new();
        let mut rest = skip_spaces(text);
        loop {
            let (spelling, operator) =
                OPERATORS.into_iter().find(|(spelling, _)| rest.starts_with(spelling)).unwrap_or(("", Operator::Equal));
            let pattern = rest
                .get(spelling.len()..)
                .and_then(|rest| VersionPattern::read(skip_spaces(rest)))
                .ok_or_else(improper)?;
            let after = skip_spaces(pattern.rest);
            let spaced = after.len() < pattern.rest.len();
            parts.push((spelling, operator, pattern));
            rest = match after.strip_prefix(',') {
                Some(after) => skip_spaces(after),
                None if after.is_empty() => break,
                None if spaced => after,
                None => return Err(improper()),
            };
        }
        let constraints = parts
            .into_iter()
            .map(|(spelling, operator, pattern)| Constraint::new(spelling, operator, &pattern))
            .collect::<Result<Vec<_>, _>>()?;
        let mentions_prerelease = constraints.iter().any(|constraint| !constraint.version.prerelease().is_empty());
        Ok(Self { constraints, mentions_prerelease })
    }
}

impl Constraint {
    fn new(spelling: &'static str, operator: Operator, pattern: &VersionPattern<'_>) -> Result<Self, Error> {
        let VersionPattern { text, major, minor, patch, prerelease, .. } = *pattern;
        let wildcard = |part: Option<&str>| matches!(part, None | Some("x" | "X" | "*"));
        let (precision, version) = if wildcard(Some(major)) {
            (Precision::Nothing, format!("0.0.0{prerelease}"))
        } else if wildcard(minor) {
            (Precision::Major, format!("{major}.0.0{prerelease}"))
        } else if wildcard(patch) {
            let minor = minor.unwrap_or_default();
            (Precision::MajorMinor, format!("{major}.{minor}.0{prerelease}"))
        } else {
            (Precision::Full, text.to_owned())
        };
        let version = Version::parse(&version).map_err(|_| Error::ConstraintVersion)?;
        Ok(Self { operator, spelling, version, original: text.to_owned(), precision })
    }
}

/// A version in a constraint, wildcards allowed, taken apart but not yet understood.
#[derive(Clone, Copy)]
struct VersionPattern<'a> {
    /// All of it.
    text: &'a str,
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    /// With its `-`.
    prerelease: &'a str,
    /// What follows the pattern.
    rest: &'a str,
}

impl<'a> VersionPattern<'a> {
    /// The longest version pattern at the start of `input`.
    fn read(input: &'a str) -> Option<Self> {
        let rest = input.strip_prefix('v').unwrap_or(input);
        let (major, mut rest) = split_while(rest, is_number_or_wildcard)?;
        let mut numbers = [None, None];
        for number in &mut numbers {
            let next = rest.strip_prefix('.').and_then(|rest| split_while(rest, is_number_or_wildcard));
            let Some((segment, after)) = next else { break };
            *number = Some(segment);
            rest = after;
        }
        let [minor, patch] = numbers;
        let (prerelease, rest) = split_identifiers(rest, '-');
        let (_metadata, rest) = split_identifiers(rest, '+');
        let text = input.get(..input.len() - rest.len())?;
        Some(Self { text, major, minor, patch, prerelease, rest })
    }
}

/// `|` is in the original's character class by mistake; such a version is refused later, with another message.
fn is_number_or_wildcard(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}

fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Splits off the longest non-empty run of bytes that satisfy `accept`, which must take ASCII only.
fn split_while(text: &str, accept: fn(u8) -> bool) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !accept(byte)).unwrap_or(text.len());
    if end == 0 { None } else { text.split_at_checked(end) }
}

/// Splits off `marker` and the dotted identifiers behind it.
fn split_identifiers(text: &str, marker: char) -> (&str, &str) {
    let Some((_, mut rest)) = text.strip_prefix(marker).and_then(|rest| split_while(rest, is_identifier_byte)) else {
        return ("", text);
    };
    while let Some((_, after)) = rest.strip_prefix('.').and_then(|rest| split_while(rest, is_identifier_byte)) {
        rest = after;
    }
    text.split_at_checked(text.len() - rest.len()).unwrap_or(("", text))
}

/// Go's `\s`, which has no vertical tab.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0c' | '\r')
}

fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Turns each `1.2 - 3` into `>= 1.2, <= 3 `.
///
/// Ranges are found in the text as given, but each replaces the first place where its text stands at that moment, as
/// in the original.
fn rewrite_hyphen_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if let Some((low, high, after)) = read_hyphen_range(rest) {
            let found = rest.get(..rest.len() - after.len()).unwrap_or_default();
            out = out.replacen(found, &format!(">= {low}, <= {high} "), 1);
            position = text.len() - after.len();
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    out
}

fn read_hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let low = VersionPattern::read(skip_spaces(text))?;
    let dash = low.rest.trim_start_matches(is_space).strip_prefix('-')?;
    let right = skip_spaces(dash);
    if !low.rest.starts_with(is_space) || right.len() == dash.len() {
        return None;
    }
    let high = VersionPattern::read(right)?;
    Some((low.text, high.text, skip_spaces(high.rest)))
}
