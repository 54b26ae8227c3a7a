//! The variables and directories of the user's machine that decide where things are.

use std::path::PathBuf;

/// A variable, where it is set to something.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok().filter(|value| !value.is_empty())
}

/// The user's home directory.
pub(super) fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

/// A directory given by a variable, or else one below another.
pub(super) fn directory(name: &str, below: &str) -> Option<PathBuf> {
    variable(name).map(PathBuf::from).or_else(|| Some(home()?.join(below)))
}

/// Where GnuPG kept public keys before its keybox, and where Helm looks for them.
pub(crate) fn default_keyring() -> Option<PathBuf> {
    directory("GNUPGHOME", ".gnupg").map(|directory| directory.join("pubring.gpg"))
}
