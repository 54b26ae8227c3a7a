//! Writing an artifact: into a temporary file beside it, hashed on the way, renamed at the end.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use artifact::digest::Hasher;
use artifact::source::Source;
use common::meta::Artifact;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Store;

/// Why an artifact could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file would have a name that is not a plain file name.
    #[error("{name:?} cannot be the name of an artifact's file")]
    Name {
        /// The name.
        name: String,
    },
    /// The digest algorithm is not built in.
    #[error("digest algorithm {algorithm} is not supported; use sha1, sha256, sha384 or sha512")]
    Algorithm {
        /// The algorithm.
        algorithm: &'static str,
    },
}

/// Counts and hashes what passes through.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Store {
    /// Stores what `produce` writes as `file` of the source. Until that is complete, nothing of it can be seen.
    pub fn write<E>(
        &self,
        source: &Source,
        file: &str,
        revision: &str,
        now: Timestamp,
        produce: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<Artifact, E>
    where
        E: From<StoreError>,
    {
        let is_plain = !file.is_empty()
            && file.len() <= 255
            && !file.starts_with('.')
            && !file.contains(['/', '\\'])
            && !file.chars().any(char::is_control);
        if !is_plain {
            return Err(StoreError::Name { name: file.to_owned() }.into());
        }
        let io = |error: io::Error| E::from(StoreError::Io(error));
        let algorithm = self.inner.algorithm;
        let hasher =
            Hasher::new(algorithm).ok_or(StoreError::Algorithm { algorithm: algorithm.name() }).map_err(E::from)?;
        let place = self.inner.root.join(source.directory());
        fs_err::create_dir_all(&place).map_err(io)?;
        let temporary = tempfile::Builder::new().prefix(".write-").tempfile_in(&place).map_err(io)?;
        let mut target = Hashing { inner: BufWriter::with_capacity(64 << 10, temporary), hasher, size: 0 };
        produce(&mut target)?;
        let Hashing { inner, hasher, size } = target;
        let temporary = inner.into_inner().map_err(|error| io(error.into_error()))?;
        let written = temporary.as_file();
        written.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        let modified = written.metadata().and_then(|metadata| metadata.modified()).map_err(io)?;
        let digest = hasher.finish();
        let path = self.free_path(&place, &source.directory(), file, &digest).map_err(io)?;
        temporary.persist(self.inner.root.join(&path)).map_err(|error| io(error.error))?;
        self.remember(&path, &digest, size, modified);
        Ok(Artifact {
            url: self.url(&path),
            path,
            revision: revision.to_owned(),
            digest,
            last_update_time: Time(now),
            size: i64::try_from(size).ok(),
            metadata: BTreeMap::new(),
        })
    }

    /// The artifact's path: under its usual name, unless that is taken by other content (the same commit with other ignore
    /// rules, say), which somebody may just be fetching by the status we are about to replace.
    fn free_path(&self, place: &Path, directory: &str, file: &str, digest: &str) -> io::Result<String> {
        let usual = format!("{directory}/{file}");
        if !place.join(file).is_file() || self.digest_of(&usual)? == digest {
            return Ok(usual);
        }
        let (stem, extension) = [".tar.gz", ".tgz", ".yaml"]
            .into_iter()
            .find_map(|extension| Some((file.strip_suffix(extension)?, extension)))
            .unwrap_or((file, ""));
        let value = digest.split_once(':').map_or(digest, |(_, value)| value);
        Ok(format!("{directory}/{stem}-{}{extension}", value.get(..12).unwrap_or(value)))
    }
}
