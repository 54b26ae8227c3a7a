//! A value that must not be seen: it prints as asterisks and cannot be serialised.

use std::fmt;

/// What stands in for a secret wherever one would be printed.
pub const REDACTED: &str = "*****";

/// A secret value. It has no `Serialize`, and neither `Debug` nor `Display` shows it; [`Secret::expose`] is the only way in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the place that sends or checks it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// A secret made from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Secret<U> {
        Secret(f(self.0))
    }
}

impl Secret<String> {
    /// The text with this secret masked, for messages of libraries that may repeat what they were given.
    #[must_use]
    pub fn mask_in(&self, text: &str) -> String {
        // Very short secrets would mask half the message and hide nothing.
        if self.0.len() < 3 { text.to_owned() } else { text.replace(&self.0, REDACTED) }
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)), "***** ***** Some(\n    *****,\n)");
        assert_eq!(secret.mask_in("bad password hunter2"), "bad password *****");
        assert_eq!(secret.expose(), "hunter2");
    }
}
