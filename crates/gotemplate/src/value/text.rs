//! Go strings: cheap to clone, usually UTF-8, but able to hold any bytes.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// An immutable Go string. Nearly always text; the raw form exists only for bytes that are not UTF-8,
/// so that binary files and strings cut in the middle of a character survive unharmed.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Text(Rc<str>),
    /// Text that belongs to something shared between threads: constants of templates, values of charts.
    Shared(Arc<str>),
    /// Never valid UTF-8.
    Raw(Rc<[u8]>),
}

impl Str {
    /// A string of any bytes.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self(Repr::Text(text.into())),
            Err(error) => Self(Repr::Raw(error.into_bytes().into())),
        }
    }

    /// A string of any bytes, copied.
    #[must_use]
    pub fn copy_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self(Repr::Text(text.into())),
            Err(_) => Self(Repr::Raw(bytes.into())),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(text) => text.as_bytes(),
            Repr::Shared(text) => text.as_bytes(),
            Repr::Raw(bytes) => bytes,
        }
    }

    /// The text, unless the bytes are not UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Shared(text) => Some(text),
            Repr::Raw(_) => None,
        }
    }

    /// The text with every wrong byte replaced by U+FFFD, as Go does when it ranges over a string.
    #[must_use]
    pub fn lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Text(text) => Cow::Borrowed(text),
            Repr::Shared(text) => Cow::Borrowed(text),
            Repr::Raw(bytes) => {
                let mut text = String::with_capacity(bytes.len() + 8);
                for character in crate::utf8::Runes::new(bytes) {
                    text.push(character.character());
                }
                Cow::Owned(text)
            }
        }
    }

    /// The text, wrong bytes replaced, for sharing between threads: not copied if it came from there.
    #[must_use]
    pub fn to_shared(&self) -> Arc<str> {
        match &self.0 {
            Repr::Shared(text) => text.clone(),
            _ => Arc::from(self.lossy()),
        }
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Is this the empty string?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Str {
    fn default() -> Self {
        Self::from("")
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<Rc<str>> for Str {
    fn from(text: Rc<str>) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<Arc<str>> for Str {
    fn from(text: Arc<str>) -> Self {
        Self(Repr::Shared(text))
    }
}

impl From<Cow<'_, str>> for Str {
    fn from(text: Cow<'_, str>) -> Self {
        Self(Repr::Text(text.into()))
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_bytes(bytes)
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), formatter)
    }
}

impl fmt::Display for Str {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.lossy(), formatter)
    }
}
