//! Provenance of packed charts, as `helm package --sign` makes it: a clear-signed text with the chart's metadata and the
//! digests of its files. Pure: the time is an argument, and nobody is asked.

mod keyring;
mod message;

pub use keyring::{Keyring, KeyringError};
pub use message::MessageError;

use sha2::{Digest as _, Sha256};

/// Why a chart is not proven.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// The file is not a provenance file.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// No key of the keyring has signed it.
    #[error("openpgp: signature made by unknown entity")]
    UnknownSigner,
    /// The signature does not fit the text.
    #[error("openpgp: invalid signature: {0}")]
    BadSignature(String),
    /// The key, or the signature, is past its time.
    #[error("openpgp: {0} expired")]
    Expired(&'static str),
    /// The key was revoked by its owner.
    #[error("openpgp: signature made by revoked key")]
    Revoked,
    /// It is for other files.
    #[error("provenance does not contain a SHA for a file named {0:?}")]
    NoSuchFile(String),
    /// The chart has other bytes.
    #[error("sha256 sum does not match for {file}: {expected:?} != {found:?}")]
    Digest {
        /// The chart's file name.
        file: String,
        /// What was signed.
        expected: String,
        /// What is there.
        found: String,
    },
}

/// Who has signed what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The names of the key's owner.
    pub signed_by: Vec<String>,
    /// The key's fingerprint, in hexadecimal.
    pub fingerprint: String,
    /// The chart's digest.
    pub digest: String,
}

/// Checks that `archive`, called `file`, is what a key of the keyring has signed; `now` is in seconds since 1970.
pub fn verify(
    archive: &[u8],
    file: &str,
    provenance: &[u8],
    keyring: &Keyring,
    now: u64,
) -> Result<Verified, ProvenanceError> {
    let signed = message::Signed::parse(provenance)?;
    let signer = keyring.check(&signed, now)?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(archive)));
    let expected = signed.digest_of(file)?.ok_or_else(|| ProvenanceError::NoSuchFile(file.to_owned()))?;
    if expected != digest {
        return Err(ProvenanceError::Digest { file: file.to_owned(), expected, found: digest });
    }
    Ok(Verified { signed_by: signer.names, fingerprint: signer.fingerprint, digest })
}
