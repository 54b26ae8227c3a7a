//! Public keys, and whether one of them has made a signature.

use pgp::composed::{Deserializable as _, SignedPublicKey};
use pgp::packet::{PacketTrait as _, Signature};
use pgp::types::{KeyDetails, VerifyingKey};

use crate::ProvenanceError;
use crate::message::Signed;

/// Most keys of a keyring, and its largest size.
const MOST: usize = 10_000;
const LARGEST: usize = 64 << 20;

/// Why a keyring cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Not a keyring.
    #[error("the keyring has no OpenPGP public keys that can be read: {0}")]
    Unreadable(String),
    /// The form of newer GnuPG, which is not OpenPGP.
    #[error("the keyring is a GnuPG keybox: export the keys with `gpg --export > pubring.gpg`")]
    Keybox,
}

/// Public keys that are trusted.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// Who has signed.
pub(crate) struct Signer {
    pub(crate) names: Vec<String>,
    pub(crate) fingerprint: String,
}

impl Keyring {
    /// Reads a keyring, in binary form or in ASCII armor.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(KeyringError::Keybox);
        }
        if bytes.is_empty() || bytes.len() > LARGEST {
            return Err(KeyringError::Unreadable("it is empty or too large".to_owned()));
        }
        let unreadable = |error: pgp::errors::Error| KeyringError::Unreadable(error.to_string());
        let (found, _) = SignedPublicKey::from_reader_many(bytes).map_err(unreadable)?;
        // A key of a kind that is not known takes no other one with it.
        let keys: Vec<SignedPublicKey> = found.take(MOST).filter_map(Result::ok).collect();
        if keys.is_empty() {
            return Err(KeyringError::Unreadable("no key is of a known form".to_owned()));
        }
        Ok(Self { keys })
    }

    /// The key that has signed, if it may sign and still counts.
    pub(crate) fn check(&self, signed: &Signed, now: u64) -> Result<Signer, ProvenanceError> {
        let text = signed.message.signed_text();
        let mut outcome = ProvenanceError::UnknownSigner;
        for signature in signed.message.signatures() {
            for certificate in &self.keys {
                match judge(certificate, signature, text.as_bytes(), now) {
                    Ok(Some(signer)) => return Ok(signer),
                    Ok(None) => {}
                    Err(error) => outcome = error,
                }
            }
        }
        Err(outcome)
    }
}

/// Whether a key of this certificate is the issuer, and the signature good.
fn judge(
    certificate: &SignedPublicKey,
    signature: &Signature,
    text: &[u8],
    now: u64,
) -> Result<Option<Signer>, ProvenanceError> {
    let primary = &certificate.primary_key;
    // The signatures by which the owner says what a key is for, the latest of which counts.
    let own: Vec<&Signature> = certificate
        .details
        .users
        .iter()
        .flat_map(|user| {
            user.signatures.iter().filter(|own| own.verify_certification(primary, user.id.tag(), &user.id).is_ok())
        })
        .chain(certificate.details.direct_signatures.iter().filter(|own| own.verify_key(primary).is_ok()))
        .collect();
    let is_issuer = is_by(signature, primary);
    let checked = if is_issuer {
        check(signature, primary, text, latest(&own), now)
    } else {
        let Some(subkey) = certificate.public_subkeys.iter().find(|subkey| is_by(signature, &subkey.key)) else {
            return Ok(None);
        };
        // A subkey says itself that it belongs to the key, or anybody could adopt another's.
        if subkey.verify_bindings(primary).is_err() {
            return Err(ProvenanceError::UnknownSigner);
        }
        if subkey.signatures.iter().any(is_revocation) {
            return Err(ProvenanceError::Revoked);
        }
        let bindings: Vec<&Signature> = subkey.signatures.iter().collect();
        check_expiry(primary, latest(&own), now)?;
        check(signature, &subkey.key, text, latest(&bindings), now)
    };
    if certificate.details.revocation_signatures.iter().any(|revocation| revocation.verify_key(primary).is_ok()) {
        return Err(ProvenanceError::Revoked);
    }
    checked?;
    let names =
        certificate.details.users.iter().map(|user| String::from_utf8_lossy(user.id.id()).into_owned()).collect();
    Ok(Some(Signer { names, fingerprint: primary.fingerprint().to_string().to_uppercase() }))
}

fn is_revocation(signature: &Signature) -> bool {
    use pgp::packet::SignatureType::{CertRevocation, KeyRevocation, SubkeyRevocation};
    matches!(signature.typ(), Some(KeyRevocation | SubkeyRevocation | CertRevocation))
}

fn latest<'a>(signatures: &[&'a Signature]) -> Option<&'a Signature> {
    let mut found: Vec<&Signature> = signatures.iter().copied().filter(|one| !is_revocation(one)).collect();
    found.sort_by_key(|one| one.created());
    found.pop()
}

fn is_by<K: KeyDetails>(signature: &Signature, key: &K) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    if fingerprints.is_empty() {
        return signature.issuer_key_id().contains(&&key.legacy_key_id());
    }
    fingerprints.contains(&&key.fingerprint())
}

/// Checks the signature, what the key is for, and the times.
fn check<K: VerifyingKey>(
    signature: &Signature,
    key: &K,
    text: &[u8],
    own: Option<&Signature>,
    now: u64,
) -> Result<(), ProvenanceError> {
    signature.verify(key, text).map_err(|error| ProvenanceError::BadSignature(error.to_string()))?;
    // A key without word of its owner, or for other uses, signs nothing.
    let Some(own) = own else { return Err(ProvenanceError::UnknownSigner) };
    let flags = own.key_flags();
    let says_nothing = !(flags.sign() || flags.certify() || flags.encrypt_comms() || flags.encrypt_storage());
    if !flags.sign() && !says_nothing {
        return Err(ProvenanceError::UnknownSigner);
    }
    check_expiry(key, Some(own), now)?;
    let created = signature.created().map_or(0, |time| u64::from(time.as_secs()));
    let lifetime = signature.signature_expiration_time().map_or(0, |time| u64::from(time.as_secs()));
    if lifetime > 0 && now > created.saturating_add(lifetime) {
        return Err(ProvenanceError::Expired("signature"));
    }
    Ok(())
}

fn check_expiry<K: KeyDetails>(key: &K, own: Option<&Signature>, now: u64) -> Result<(), ProvenanceError> {
    let created = u64::from(key.created_at().as_secs());
    let lifetime = own.and_then(Signature::key_expiration_time).map_or(0, |time| u64::from(time.as_secs()));
    if lifetime > 0 && now > created.saturating_add(lifetime) {
        return Err(ProvenanceError::Expired("key"));
    }
    Ok(())
}
