//! `oci://registry/path/name[:tag][@digest]`.

/// A repository in a registry, perhaps with a tag or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Host and port.
    pub registry: String,
    /// The repository's path.
    pub repository: String,
    /// The tag.
    pub tag: Option<String>,
    /// The digest, with its algorithm.
    pub digest: Option<String>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Only a host or only a path.
    #[error("invalid reference: missing registry or repository")]
    Incomplete,
    /// A part that is not allowed.
    #[error("invalid reference: invalid {part} {text:?}")]
    Invalid {
        /// Which part.
        part: &'static str,
        /// What it is.
        text: String,
    },
}

/// Longest repository path and longest tag.
const LONGEST: usize = 255;

impl Reference {
    /// Reads a reference, with or without `oci://`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let (registry, path) = text.split_once('/').ok_or(ReferenceError::Incomplete)?;
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => (path, Some(digest.to_owned())),
            None => (path, None),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if registry.is_empty() || repository.is_empty() {
            return Err(ReferenceError::Incomplete);
        }
        let invalid = |part: &'static str, text: &str| ReferenceError::Invalid { part, text: text.to_owned() };
        if !is_registry(registry) {
            return Err(invalid("registry", &common::url::mask_text(&format!("oci://{registry}"))));
        }
        if repository.len() > LONGEST || !repository.split('/').all(is_component) {
            return Err(invalid("repository", repository));
        }
        if let Some(tag) = tag.as_ref().filter(|tag| !is_tag(tag)) {
            return Err(invalid("tag", tag));
        }
        if let Some(digest) = digest.as_ref().filter(|digest| !is_digest(digest)) {
            return Err(invalid("digest", digest));
        }
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), tag, digest })
    }

    /// The same repository with this tag.
    #[must_use]
    pub fn with_tag(&self, tag: &str) -> Self {
        Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

fn is_registry(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']' | b'_'))
}

/// Lower-case letters and digits, separated by `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<u8>| byte.is_some_and(is_plain);
    ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let lower_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(lower_hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let with_digest = format!("oci://h/x@{digest}");
        let both = format!("h:5000/a/b:1.0@{digest}");
        for (text, registry, repository, tag, wanted) in [
            ("oci://example.com/charts/web", "example.com", "charts/web", None, None),
            ("oci://localhost:5000/web:1.2.3_x", "localhost:5000", "web", Some("1.2.3_x"), None),
            (with_digest.as_str(), "h", "x", None, Some(digest.as_str())),
            (both.as_str(), "h:5000", "a/b", Some("1.0"), Some(digest.as_str())),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!((reference.registry.as_str(), reference.repository.as_str()), (registry, repository), "{text}");
            assert_eq!((reference.tag.as_deref(), reference.digest.as_deref()), (tag, wanted), "{text}");
            assert_eq!(format!("oci://{reference}").trim_start_matches("oci://"), text.trim_start_matches("oci://"));
        }
    }

    #[test]
    fn bad_references_are_refused() {
        for text in [
            "oci://bad",
            "oci:///x",
            "oci://h/",
            "oci://h/UPPER",
            "oci://h/a//b",
            "oci://h/../b",
            "oci://h/a:b/c",
            "oci://h/a:",
            "oci://h/a@sha256:12",
            "oci://user:secret@h/a",
        ] {
            let error = Reference::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
