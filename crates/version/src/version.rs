//! One version: reading, writing, ordering, stepping.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The longest text taken for a version, in bytes.
pub const MAXIMUM_VERSION_LENGTH: usize = 256;

/// A semantic version that remembers how it was written.
///
/// Equality and order follow precedence: build metadata and the original spelling do not count.
#[derive(Debug, Clone)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: String,
    metadata: String,
    original: String,
}

impl Version {
    /// Puts a version together from its parts, which are not checked.
    pub fn new(major: u64, minor: u64, patch: u64, prerelease: impl Into<String>, metadata: impl Into<String>) -> Self {
        let mut version = Self {
            major,
            minor,
            patch,
            prerelease: prerelease.into(),
            metadata: metadata.into(),
            original: String::new(),
        };
        version.original = version.to_string();
        version
    }

    /// Reads a version leniently: a `v` in front, one or two numbers only, and leading zeros are all fine.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAXIMUM_VERSION_LENGTH {
            return Err(Error::VersionTooLong);
        }
        let rest = text.strip_prefix('v').unwrap_or(text);
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => (rest, Some(metadata)),
            None => (rest, None),
        };
        let (numbers, prerelease) = match rest.split_once('-') {
            Some((numbers, prerelease)) => (numbers, Some(prerelease)),
            None => (rest, None),
        };
        let mut segments = [""; 3];
        for (index, segment) in numbers.split('.').enumerate() {
            match segments.get_mut(index) {
                Some(slot) if is_number(segment) => *slot = segment,
                _ => return Err(Error::InvalidVersion),
            }
        }
        // The shape as a whole comes first: a bad tail is "invalid", whatever the numbers are.
        if !prerelease.into_iter().chain(metadata).all(is_dotted_identifiers) {
            return Err(Error::InvalidVersion);
        }
        let mut parsed = [0; 3];
        for (number, segment) in parsed.iter_mut().zip(segments) {
            if !segment.is_empty() {
                *number = segment.parse().map_err(|_| Error::SegmentOutOfRange { segment: segment.to_owned() })?;
            }
        }
        let prerelease = prerelease.unwrap_or_default();
        if !prerelease.is_empty() {
            validate_prerelease(prerelease)?;
        }
        let [major, minor, patch] = parsed;
        Ok(Self {
            major,
            minor,
            patch,
            prerelease: prerelease.to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// Reads a version as Flux reads tags and chart versions: to the letter, but for a `v` in front.
    pub fn parse_prefixed(text: &str) -> Option<Self> {
        Self::parse_strict(text.strip_prefix('v').unwrap_or(text)).ok()?;
        Self::parse(text).ok()
    }

    /// Reads a version that must follow the semver specification to the letter.
    pub fn parse_strict(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyVersion);
        }
        if text.len() > MAXIMUM_VERSION_LENGTH {
            return Err(Error::VersionTooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Error::InvalidVersion);
        };
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => {
                validate_metadata(metadata)?;
                (rest, metadata)
            }
            None => (rest, ""),
        };
        let (patch, prerelease) = match rest.split_once('-') {
            Some((patch, prerelease)) => {
                validate_prerelease(prerelease)?;
                (patch, prerelease)
            }
            None => (rest, ""),
        };
        for segment in [major, minor, patch] {
            if !segment.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Error::InvalidCharacters);
            }
            if segment.len() > 1 && segment.starts_with('0') {
                return Err(Error::SegmentStartsWithZero);
            }
        }
        let number = |segment: &str| segment.parse().map_err(|_| Error::InvalidNumber { segment: segment.to_owned() });
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// What follows the `-`, or nothing.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// What follows the `+`, or nothing.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text this version was read from.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The next major version.
    pub fn increment_major(&self) -> Result<Self, Error> {
        let major = next(self.major, "major")?;
        Ok(self.stepped(major, 0, 0))
    }

    /// The next minor version.
    pub fn increment_minor(&self) -> Result<Self, Error> {
        let minor = next(self.minor, "minor")?;
        Ok(self.stepped(self.major, minor, 0))
    }

    /// The next patch version; of a pre-release, its release.
    pub fn increment_patch(&self) -> Result<Self, Error> {
        let patch = if self.prerelease.is_empty() { next(self.patch, "patch")? } else { self.patch };
        Ok(self.stepped(self.major, self.minor, patch))
    }

    /// This version with another pre-release.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, Error> {
        if !prerelease.is_empty() {
            validate_prerelease(prerelease)?;
        }
        let mut version = Self { prerelease: prerelease.to_owned(), ..self.clone() };
        version.rewrite_original(self);
        Ok(version)
    }

    /// This version with other build metadata.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, Error> {
        if !metadata.is_empty() {
            validate_metadata(metadata)?;
        }
        let mut version = Self { metadata: metadata.to_owned(), ..self.clone() };
        version.rewrite_original(self);
        Ok(version)
    }

    fn stepped(&self, major: u64, minor: u64, patch: u64) -> Self {
        let mut version = Self::new(major, minor, patch, "", "");
        version.rewrite_original(self);
        version
    }

    /// A derived version is spelled canonically but keeps the `v` of the version it came from.
    fn rewrite_original(&mut self, source: &Self) {
        let prefix = if source.original.starts_with('v') { "v" } else { "" };
        self.original = format!("{prefix}{self}");
    }
}

fn next(number: u64, part: &'static str) -> Result<u64, Error> {
    number.checked_add(1).ok_or(Error::IncrementOverflow { part })
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_dotted_identifiers(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

fn validate_prerelease(text: &str) -> Result<(), Error> {
    for part in text.split('.') {
        if !is_identifier(part) {
            return Err(Error::InvalidPrerelease);
        }
        if part.len() > 1 && part.starts_with('0') && is_number(part) {
            return Err(Error::SegmentStartsWithZero);
        }
    }
    Ok(())
}

fn validate_metadata(text: &str) -> Result<(), Error> {
    if is_dotted_identifiers(text) { Ok(()) } else { Err(Error::InvalidMetadata) }
}

/// Precedence of two pre-releases, part by part; a missing part is lower than any.
pub(crate) fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => compare_prerelease_parts(left.unwrap_or_default(), right.unwrap_or_default()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_prerelease_parts(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    if left.is_empty() {
        return Ordering::Less;
    }
    if right.is_empty() {
        return Ordering::Greater;
    }
    // Digits too many for 64 bits count as text, as in the original.
    let number = |part: &str| is_number(part).then(|| part.parse::<u64>().ok()).flatten();
    match (number(left), number(right)) {
        (Some(left), Some(right)) if left > right => Ordering::Greater,
        (Some(_), Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(formatter, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(formatter, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}
