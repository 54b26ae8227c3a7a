//! Revisions of artifacts: `main@sha1:<hex>`, `sha256:<hex>`, a chart's version, and the form older releases wrote.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Digest};

/// A revision as an artifact carries it. Any text can be one; what is known of its form is read on demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(String);

impl Revision {
    /// The revision of a Git reference: `<name>@sha1:<hex>`, or `sha1:<hex>` when only a commit was asked for.
    #[must_use]
    pub fn git(name: Option<&str>, commit: &str) -> Self {
        match name {
            Some(name) if !name.is_empty() => Self(format!("{name}@sha1:{commit}")),
            _ => Self(format!("sha1:{commit}")),
        }
    }

    /// A revision that is only a digest.
    #[must_use]
    pub fn of_digest(digest: &Digest) -> Self {
        Self(digest.to_string())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name in front of the digest: a branch, tag, or full reference; empty for a bare digest.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.0.rsplit_once('@') {
            Some((name, digest)) if digest.contains(':') => name,
            _ if self.digest().is_some() => "",
            _ => &self.0,
        }
    }

    /// The digest behind the `@`, or the whole text when it is one.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.0.rsplit_once('@').map_or(self.0.as_str(), |(_, digest)| digest).parse().ok()
    }

    /// The commit or content hash without its algorithm.
    #[must_use]
    pub fn hash(&self) -> Option<String> {
        self.digest().map(|digest| digest.hex().to_owned())
    }

    /// The same revision in today's form when it was written as `<name>/<hash>`, `HEAD/<hash>` or a bare hash.
    #[must_use]
    pub fn from_legacy(self) -> Self {
        if self.0.is_empty() || self.0.contains(':') {
            return self;
        }
        let (name, hash) = self.0.rsplit_once('/').map_or(("HEAD", self.0.as_str()), |(name, hash)| (name, hash));
        let Some(algorithm) = hash_algorithm(hash) else {
            return self;
        };
        if name == "HEAD" || name.is_empty() {
            return Self(format!("{algorithm}:{hash}"));
        }
        Self(format!("{name}@{algorithm}:{hash}"))
    }
}

/// Which algorithm a bare hex hash belongs to, told by its length.
fn hash_algorithm(hash: &str) -> Option<Algorithm> {
    if !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match hash.len() {
        40 => Some(Algorithm::Sha1),
        64 => Some(Algorithm::Sha256),
        _ => None,
    }
}

impl From<String> for Revision {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Revision {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "5394cb7f48332b2de7c17dd8b8384bbc84b7e738";
    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn converts_the_old_form() {
        let table = [
            (format!("main/{SHA1}"), format!("main@sha1:{SHA1}")),
            (format!("feature/x/{SHA1}"), format!("feature/x@sha1:{SHA1}")),
            (format!("HEAD/{SHA1}"), format!("sha1:{SHA1}")),
            (SHA1.to_owned(), format!("sha1:{SHA1}")),
            (SHA256.to_owned(), format!("sha256:{SHA256}")),
            (format!("main@sha1:{SHA1}"), format!("main@sha1:{SHA1}")),
            ("1.2.3".to_owned(), "1.2.3".to_owned()),
            ("main/abc".to_owned(), "main/abc".to_owned()),
            (String::new(), String::new()),
        ];
        for (old, new) in table {
            assert_eq!(Revision::from(old).from_legacy().as_str(), new);
        }
    }

    #[test]
    fn tells_name_and_hash_apart() {
        let table = [
            (format!("main@sha1:{SHA1}"), "main", Some(SHA1)),
            (format!("refs/heads/a@b@sha1:{SHA1}"), "refs/heads/a@b", Some(SHA1)),
            (format!("sha256:{SHA256}"), "", Some(SHA256)),
            ("6.5.4+abc".to_owned(), "6.5.4+abc", None),
        ];
        for (text, name, hash) in table {
            let revision = Revision::from(text);
            assert_eq!((revision.name(), revision.hash().as_deref()), (name, hash));
        }
        assert_eq!(Revision::git(Some("main"), SHA1).as_str(), format!("main@sha1:{SHA1}"));
        assert_eq!(Revision::git(None, SHA1).as_str(), format!("sha1:{SHA1}"));
    }
}
