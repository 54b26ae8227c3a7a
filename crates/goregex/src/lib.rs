//! Go (RE2) regular expressions on the regex crate: same syntax accepted, same matches.
