//! Content digests as they stand in artifacts: `algorithm:hex`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A digest of known form, such as `sha256:e3b0c442…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    text: String,
    colon: usize,
}

/// Why a text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseDigestError {
    /// Nothing there at all.
    #[error("the digest is empty")]
    Empty,
    /// Not `algorithm:hex` in the characters those may have.
    #[error("{0:?} is not a digest: expected \"<algorithm>:<hex>\"")]
    Malformed(String),
    /// A known algorithm whose value has the wrong length or is not lower-case hex.
    #[error("{text:?} is not a digest: {algorithm} needs {expected} lower-case hex digits")]
    WrongValue {
        /// The whole text.
        text: String,
        /// The algorithm named by it.
        algorithm: Algorithm,
        /// How many hex digits it needs.
        expected: usize,
    },
}

/// The digest algorithms artifacts use; only [`Algorithm::Sha256`] is written unless a flag asks for another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-1, 40 hex digits.
    Sha1,
    /// SHA-256, 64 hex digits.
    #[default]
    Sha256,
    /// SHA-384, 96 hex digits.
    Sha384,
    /// SHA-512, 128 hex digits.
    Sha512,
    /// BLAKE3, 64 hex digits.
    Blake3,
}

impl Algorithm {
    /// The name in front of the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// How many hex digits a value of this algorithm has.
    #[must_use]
    pub const fn hex_length(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 | Self::Blake3 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// The algorithm with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512, Self::Blake3]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `[a-z0-9]+` joined by single `.`, `+`, `_` or `-`.
fn is_algorithm_name(name: &str) -> bool {
    name.split(['.', '+', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

fn is_encoded(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte))
}

impl Digest {
    /// A SHA-256 digest from its 32 bytes.
    #[must_use]
    pub fn sha256(bytes: &[u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self { text, colon: 6 }
    }

    /// Reads the digest of an artifact as consumers do: one without an algorithm is SHA-256.
    ///
    /// # Errors
    /// When the text is empty or not of a digest's form.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseDigestError> {
        if text.is_empty() || text.contains(':') { text.parse() } else { format!("sha256:{text}").parse() }
    }

    /// The name in front of the colon.
    #[must_use]
    pub fn algorithm_name(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The algorithm, when it is one artifacts use.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(self.algorithm_name())
    }

    /// The value behind the colon.
    #[must_use]
    pub fn hex(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ParseDigestError::Empty);
        }
        let malformed = || ParseDigestError::Malformed(text.chars().take(200).collect());
        let (name, value) = text.split_once(':').ok_or_else(malformed)?;
        if !is_algorithm_name(name) || !is_encoded(value) {
            return Err(malformed());
        }
        if let Some(algorithm) = Algorithm::from_name(name) {
            let expected = algorithm.hex_length();
            if value.len() != expected || !value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(ParseDigestError::WrongValue {
                    text: text.chars().take(200).collect(),
                    algorithm,
                    expected,
                });
            }
        }
        Ok(Self { text: text.to_owned(), colon: name.len() })
    }
}

impl TryFrom<String> for Digest {
    type Error = ParseDigestError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.text
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digests() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest: Digest = format!("sha256:{hex}").parse().unwrap();
        assert_eq!((digest.algorithm(), digest.hex()), (Some(Algorithm::Sha256), hex));
        assert_eq!(Digest::parse_lenient(hex), Ok(digest));
        for bad in ["", "sha256", "sha256:", ":ab", "sha256:AB", "sha256:ab", "SHA256:ab", "a..b:cd", "x:a b", "sha1:é"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        }
        assert_eq!("multihash+base58:QmRZ".parse::<Digest>().map(|digest| digest.algorithm()), Ok(None));
        assert_eq!(Digest::sha256(&[0xab; 32]).hex(), "ab".repeat(32));
    }
}
