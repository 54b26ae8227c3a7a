//! The clear-signed text: the chart's metadata, a line of dots, the digests.

use std::collections::BTreeMap;

use pgp::composed::CleartextSignedMessage;
use serde::Deserialize;

/// Largest provenance file.
const LARGEST: usize = 4 << 20;

/// Why a file is no provenance file.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// No signed text in it.
    #[error("signature block not found")]
    NoSignature,
    /// The text does not have the two parts.
    #[error("message block must have at least two parts")]
    Parts,
    /// The digests cannot be read.
    #[error("the digests of the provenance cannot be read: {0}")]
    Digests(String),
}

/// A signed text that was taken apart.
pub(crate) struct Signed {
    pub(crate) message: CleartextSignedMessage,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sums {
    files: BTreeMap<String, String>,
}

impl Signed {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, MessageError> {
        if text.len() > LARGEST {
            return Err(MessageError::NoSignature);
        }
        let text = std::str::from_utf8(text).map_err(|_| MessageError::NoSignature)?;
        let (message, _) = CleartextSignedMessage::from_string(text).map_err(|_| MessageError::NoSignature)?;
        Ok(Self { message })
    }

    /// The digest that was signed for a file.
    pub(crate) fn digest_of(&self, file: &str) -> Result<Option<String>, MessageError> {
        let text = self.message.signed_text().replace("\r\n", "\n");
        let (_, sums) = text.split_once("\n...\n").ok_or(MessageError::Parts)?;
        let wrong = |error: String| MessageError::Digests(error);
        let value = yaml::v2::unmarshal(sums.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        let sums: Sums = serde_json::from_str(&yaml::v2::to_json(&value)).map_err(|error| wrong(error.to_string()))?;
        Ok(sums.files.get(file).cloned())
    }
}
