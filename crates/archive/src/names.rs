//! Judging and cleaning the names found in archives.

use crate::policy::BackslashPolicy;

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name is empty.
    #[error("the name is empty")]
    Empty,
    /// The name starts at a root (`/etc`, `C:\`).
    #[error("the name is an absolute path")]
    Absolute,
    /// The name has a `..` element.
    #[error("the name has a '..' element, which could leave the target directory")]
    Parent,
    /// The name has a backslash.
    #[error("the name has a backslash")]
    Backslash,
    /// The name has a NUL or other control character.
    #[error("the name has a control character")]
    Control,
    /// The name is not UTF-8.
    #[error("the name is not UTF-8")]
    Encoding,
    /// The name is longer than any file system takes.
    #[error("the name is longer than 4096 bytes")]
    TooLong,
}

/// The cleaned relative name with `/` between elements, `.` for the root itself.
pub(crate) fn clean(raw: &[u8], backslash: BackslashPolicy) -> Result<String, NameError> {
    if raw.len() > 4096 {
        return Err(NameError::TooLong);
    }
    let text = std::str::from_utf8(raw).map_err(|_| NameError::Encoding)?;
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.chars().any(|character| character.is_ascii_control()) {
        return Err(NameError::Control);
    }
    let separators: &[char] = match backslash {
        BackslashPolicy::Reject if text.contains('\\') => return Err(NameError::Backslash),
        BackslashPolicy::Reject => &['/'],
        BackslashPolicy::Separator => &['/', '\\'],
    };
    if text.starts_with(separators) || has_drive(text) {
        return Err(NameError::Absolute);
    }
    let mut cleaned = String::with_capacity(text.len());
    for element in text.split(separators) {
        match element {
            "" | "." => {}
            ".." => return Err(NameError::Parent),
            element => {
                if !cleaned.is_empty() {
                    cleaned.push('/');
                }
                cleaned.push_str(element);
            }
        }
    }
    Ok(if cleaned.is_empty() { ".".to_owned() } else { cleaned })
}

/// Whether the name starts with a Windows drive (`c:/`, `c:\`).
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_or_refused() {
        use BackslashPolicy::{Reject, Separator};
        let table: [(&str, BackslashPolicy, Result<&str, NameError>); 17] = [
            ("a", Reject, Ok("a")),
            ("./a/b/", Reject, Ok("a/b")),
            ("a//b", Reject, Ok("a/b")),
            (".", Reject, Ok(".")),
            ("./", Reject, Ok(".")),
            ("..a/b..", Reject, Ok("..a/b..")),
            ("", Reject, Err(NameError::Empty)),
            ("/etc/passwd", Reject, Err(NameError::Absolute)),
            ("../a", Reject, Err(NameError::Parent)),
            ("a/../../b", Reject, Err(NameError::Parent)),
            ("a/..", Reject, Err(NameError::Parent)),
            ("a\\..\\b", Reject, Err(NameError::Backslash)),
            ("a\\b", Separator, Ok("a/b")),
            ("a\\..\\b", Separator, Err(NameError::Parent)),
            ("\\\\host\\share", Separator, Err(NameError::Absolute)),
            ("C:/windows", Separator, Err(NameError::Absolute)),
            ("a\u{0}b", Reject, Err(NameError::Control)),
        ];
        for (raw, policy, expected) in table {
            assert_eq!(clean(raw.as_bytes(), policy), expected.map(str::to_owned), "{raw:?}");
        }
        assert_eq!(clean(b"a\xff", Reject), Err(NameError::Encoding));
    }
}
