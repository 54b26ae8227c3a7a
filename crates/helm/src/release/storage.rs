//! How a record is kept in a Secret: name, type, labels, and the packing of its JSON.

use super::{Release, decode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

/// The type of Helm's Secrets.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// The labels that belong to Helm.
pub const SYSTEM_LABELS: [&str; 6] = ["name", "owner", "status", "version", "createdAt", "modifiedAt"];
/// More than any record can unpack to: Secrets hold at most 1 MiB.
const LARGEST_RECORD: u64 = 256 << 20;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The text is not base64.
    #[error("the release record is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The bytes are not gzip.
    #[error("the release record cannot be unpacked")]
    Gzip(#[source] std::io::Error),
    /// The record unpacks to more than any real one.
    #[error("the release record is larger than {LARGEST_RECORD} bytes")]
    TooLarge,
    /// The JSON is not a release.
    #[error("the release record is not valid")]
    Json(#[source] serde_json::Error),
}

/// The name of the Secret of a revision.
#[must_use]
pub fn secret_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The labels of the Secret of a release: the user's and Helm's own. `stamp` is the `createdAt` or `modifiedAt` label
/// with its time in seconds.
#[must_use]
pub fn secret_labels(release: &Release, stamp: (&str, i64)) -> BTreeMap<String, String> {
    let mut labels = release.labels.clone();
    labels.insert(stamp.0.to_owned(), stamp.1.to_string());
    labels.insert("name".into(), release.name.clone());
    labels.insert("owner".into(), "helm".into());
    labels.insert("status".into(), release.info.status.clone());
    labels.insert("version".into(), release.version.to_string());
    labels
}

/// The labels of a record's Secret that are the user's.
#[must_use]
pub fn user_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter(|(key, _)| !SYSTEM_LABELS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The content of the Secret's `release` key, before Kubernetes' own base64.
#[must_use]
pub fn encode_release(release: &Release) -> String {
    let mut json = String::new();
    release.write_json(&mut json);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let _ = encoder.write_all(json.as_bytes());
    STANDARD.encode(encoder.finish().unwrap_or_default())
}

/// Reads the content of the Secret's `release` key.
///
/// # Errors
/// When it is damaged.
pub fn decode_release(text: &[u8]) -> Result<Release, DecodeError> {
    let packed = STANDARD.decode(text.trim_ascii()).map_err(DecodeError::Base64)?;
    if packed.len() <= 3 || !packed.starts_with(&[0x1f, 0x8b, 0x08]) {
        return decode::from_json(&packed).map_err(DecodeError::Json);
    }
    let mut json = Vec::new();
    MultiGzDecoder::new(packed.as_slice())
        .take(LARGEST_RECORD + 1)
        .read_to_end(&mut json)
        .map_err(DecodeError::Gzip)?;
    if json.len() as u64 > LARGEST_RECORD {
        return Err(DecodeError::TooLarge);
    }
    decode::from_json(&json).map_err(DecodeError::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(json: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(json).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_record_may_be_several_gzip_members_as_go_reads_them() {
        let members =
            [br#"{"name":"web","#.as_slice(), br#""version":3,"#, br#""namespace":"apps"}"#].map(member).concat();
        let release = decode_release(STANDARD.encode(members).as_bytes()).unwrap();
        assert_eq!((release.name.as_str(), release.version, release.namespace.as_str()), ("web", 3, "apps"));
    }
}
