//! Artifacts on a local directory: written atomically, re-verified only when their file changed, collected when old.
//!
//! Everything here blocks on the file system; callers run it where blocking is allowed.

mod collect;
mod write;

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use artifact::digest::Hasher;
use artifact::source::Source;
use common::digest::Algorithm;
use common::meta::Artifact;
use parking_lot::Mutex;

pub use collect::Retention;
pub use write::StoreError;

/// The artifact storage.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    address: String,
    algorithm: Algorithm,
    retention: Retention,
    /// Files whose digest was computed since we started, with the size and time they had then.
    verified: Mutex<HashMap<String, (String, u64, SystemTime)>>,
}

/// What is in storage of an artifact that a status speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The file with the right digest.
    Present,
    /// No file.
    Missing,
    /// A file with another digest.
    Damaged {
        /// The digest it has.
        actual: String,
    },
}

/// How long a file that nobody finished writing is kept.
const ABANDONED: Duration = Duration::from_secs(3600);

impl Store {
    /// Storage below `root`, served at `address` (`host:port` or a URL).
    pub fn new(root: PathBuf, address: &str, algorithm: Algorithm, retention: Retention) -> Result<Self, StoreError> {
        if Hasher::new(algorithm).is_none() {
            return Err(StoreError::Algorithm { algorithm: algorithm.name() });
        }
        fs_err::create_dir_all(&root)?;
        let address = address.trim_end_matches('/').to_owned();
        let verified = Mutex::new(HashMap::new());
        Ok(Self { inner: Arc::new(Inner { root, address, algorithm, retention, verified }) })
    }

    /// The directory everything is stored in.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Where the artifact's file is.
    pub fn local_path(&self, artifact: &Artifact) -> PathBuf {
        self.inner.root.join(&artifact.path)
    }

    /// The URL a path is served at.
    pub fn url(&self, path: &str) -> String {
        let address = &self.inner.address;
        if address.starts_with("http://") || address.starts_with("https://") {
            format!("{address}/{path}")
        } else {
            format!("http://{address}/{path}")
        }
    }

    /// Whether the status's artifact is here and whole. A file is read again only when its size or time changed since it was
    /// verified last, and once after each start.
    pub fn presence(&self, artifact: &Artifact) -> std::io::Result<Presence> {
        // The path is from a status, which others may write: it must name an artifact's place, nothing else.
        if Source::from_path(&artifact.path).is_err()
            || artifact.path.split('/').any(|element| element.starts_with('.'))
        {
            return Ok(Presence::Missing);
        }
        let path = self.local_path(artifact);
        let metadata = match fs_err::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(Presence::Missing),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Presence::Missing),
            Err(error) => return Err(error),
        };
        let (size, modified) = (metadata.len(), metadata.modified()?);
        let known = self.inner.verified.lock().get(&artifact.path).cloned();
        let actual = match known {
            Some((digest, known_size, known_modified)) if (known_size, known_modified) == (size, modified) => digest,
            _ => {
                let algorithm = artifact.digest().ok().and_then(|digest| digest.algorithm()).unwrap_or_default();
                let digest = hash_file(&path, algorithm)?;
                self.remember(&artifact.path, &digest, size, modified);
                digest
            }
        };
        if actual == artifact.digest { Ok(Presence::Present) } else { Ok(Presence::Damaged { actual }) }
    }

    /// The digest of a stored file by our algorithm, computed only if it is not known.
    fn digest_of(&self, path: &str) -> std::io::Result<String> {
        let place = self.inner.root.join(path);
        let metadata = fs_err::symlink_metadata(&place)?;
        let (size, modified) = (metadata.len(), metadata.modified()?);
        let known = self.inner.verified.lock().get(path).cloned();
        match known {
            Some((digest, known_size, known_modified)) if (known_size, known_modified) == (size, modified) => {
                Ok(digest)
            }
            _ => hash_file(&place, self.inner.algorithm),
        }
    }

    fn remember(&self, path: &str, digest: &str, size: u64, modified: SystemTime) {
        self.inner.verified.lock().insert(path.to_owned(), (digest.to_owned(), size, modified));
    }

    /// Removes an artifact's file.
    pub fn remove(&self, artifact: &Artifact) -> std::io::Result<()> {
        self.inner.verified.lock().remove(&artifact.path);
        match fs_err::remove_file(self.local_path(artifact)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Points `name` beside the artifact to it; gives the link's URL.
    pub fn link(&self, artifact: &Artifact, name: &str) -> std::io::Result<String> {
        let (directory, file) = artifact.path.rsplit_once('/').unwrap_or(("", &artifact.path));
        let place = self.inner.root.join(directory);
        let url = self.url(&format!("{directory}/{name}"));
        if fs_err::read_link(place.join(name)).is_ok_and(|target| target == Path::new(file)) {
            return Ok(url);
        }
        // A link cannot be replaced in place: it is made under another name and moved over.
        let temporary = place.join(format!(".link-{name}"));
        let _ = fs_err::remove_file(&temporary);
        fs_err::os::unix::fs::symlink(file, &temporary)?;
        fs_err::rename(&temporary, place.join(name))?;
        Ok(url)
    }
}

fn hash_file(path: &Path, algorithm: Algorithm) -> std::io::Result<String> {
    let unsupported = || std::io::Error::new(std::io::ErrorKind::Unsupported, "digest algorithm is not supported");
    let mut hasher = Hasher::new(algorithm).ok_or_else(unsupported)?;
    let mut file = fs_err::File::open(path)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.update(chunk);
    }
    Ok(hasher.finish())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use artifact::source::SourceKind;

    pub(crate) fn store(directory: &Path) -> Store {
        let retention = Retention { ttl: Duration::from_secs(60), records: 2 };
        Store::new(directory.join("data"), "files.example.", Algorithm::Sha256, retention).unwrap()
    }

    pub(crate) fn write(store: &Store, file: &str, content: &[u8]) -> Artifact {
        let source = Source::new(SourceKind::HelmChart, "apps", "web");
        let now = jiff::Timestamp::from_second(1_700_000_000).unwrap();
        store.write(&source, file, "1.0.0", now, |target| target.write_all(content).map_err(StoreError::from)).unwrap()
    }

    #[test]
    fn artifacts_are_verified_and_damage_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let artifact = write(&store, "web-1.0.0.tgz", b"content");
        assert_eq!(artifact.url, "http://files.example./helmchart/apps/web/web-1.0.0.tgz");
        assert_eq!(artifact.size, Some(7));
        assert_eq!(store.presence(&artifact).unwrap(), Presence::Present);
        // A process that starts anew knows nothing yet.
        let restarted = self::store(directory.path());
        assert_eq!(restarted.presence(&artifact).unwrap(), Presence::Present);
        fs_err::write(store.local_path(&artifact), "damaged").unwrap();
        assert!(matches!(store.presence(&artifact).unwrap(), Presence::Damaged { .. }));
        store.remove(&artifact).unwrap();
        store.remove(&artifact).unwrap();
        assert_eq!(store.presence(&artifact).unwrap(), Presence::Missing);
        for path in ["../../etc/passwd", "/etc/passwd", "helmchart/a/../b", "helmchart/apps/web/.tmp"] {
            let elsewhere = Artifact { path: path.to_owned(), ..artifact.clone() };
            assert_eq!(store.presence(&elsewhere).unwrap(), Presence::Missing, "{path}");
        }
    }

    #[test]
    fn other_content_of_the_same_name_gets_a_name_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let first = write(&store, "web-1.0.0.tgz", b"one");
        let again = write(&store, "web-1.0.0.tgz", b"one");
        let other = write(&store, "web-1.0.0.tgz", b"two");
        assert_eq!(first.path, again.path);
        assert_eq!(other.path, format!("helmchart/apps/web/web-1.0.0-{}.tgz", &other.digest[7..19]));
        assert_eq!(store.presence(&first).unwrap(), Presence::Present);
        assert_eq!(store.presence(&other).unwrap(), Presence::Present);
    }

    #[test]
    fn the_link_follows_the_latest() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let first = write(&store, "web-1.0.0.tgz", b"one");
        let second = write(&store, "web-2.0.0.tgz", b"two");
        for artifact in [&first, &second, &second] {
            let url = store.link(artifact, "latest.tar.gz").unwrap();
            assert_eq!(url, "http://files.example./helmchart/apps/web/latest.tar.gz");
        }
        let link = store.local_path(&second).with_file_name("latest.tar.gz");
        assert_eq!(fs_err::read(link).unwrap(), b"two");
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let source = Source::new(SourceKind::HelmChart, "apps", "web");
        let outcome = store.write(&source, "web.tgz", "1", jiff::Timestamp::UNIX_EPOCH, |target| {
            target.write_all(b"half").map_err(StoreError::from)?;
            Err(StoreError::Algorithm { algorithm: "x" })
        });
        assert!(outcome.is_err());
        let left = fs_err::read_dir(store.root().join(source.directory())).unwrap().count();
        assert_eq!(left, 0);
        for bad in ["", ".hidden", "a/b", "..", "a\\b"] {
            assert!(store.write(&source, bad, "1", jiff::Timestamp::UNIX_EPOCH, |_| Ok::<(), StoreError>(())).is_err());
        }
    }
}
