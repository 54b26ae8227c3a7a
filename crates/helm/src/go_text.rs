//! Small pieces of Go's text handling that messages and parsers need: quoting, folding, white space.

use std::fmt::Write as _;

/// Go's `%q` of a string.
#[must_use]
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_print(character) => out.push(character),
            _ => {
                let code = character as u32;
                let _ = match code {
                    0..0x80 => write!(out, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// Go's `unicode.IsSpace`.
#[must_use]
pub(crate) fn is_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}' | '\u{1680}')
        || matches!(character, '\u{2000}'..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// Go's `unicode.IsPrint`, as far as Rust's tables tell: letters, marks, numbers, punctuation, symbols and the space.
#[must_use]
pub(crate) fn is_print(character: char) -> bool {
    // Debug formatting escapes what is not printable (and a few quotes, and combining marks, which are printable).
    match character {
        ' ' | '"' | '\'' | '\\' => true,
        _ if character.is_ascii() => character.is_ascii_graphic(),
        _ if is_space(character) => false,
        _ => {
            let escaped = character.escape_debug();
            escaped.len() == 1 || is_combining(character)
        }
    }
}

/// Marks that Rust's Debug escapes only because they combine with the character before.
fn is_combining(character: char) -> bool {
    // Prefixing a base character shows whether the escape is due to combining: `str` escapes only a leading mark.
    let text: String = ['a', character].iter().collect();
    text.escape_debug().eq(text.chars())
}

/// Go's `strings.TrimSpace`.
#[must_use]
pub(crate) fn trim_space(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Go's `strings.EqualFold` against lower-case ASCII letters.
#[must_use]
pub(crate) fn equal_fold(text: &str, lower: &str) -> bool {
    let mut expected = lower.chars();
    for character in text.chars() {
        let folded = match character {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            other => other.to_ascii_lowercase(),
        };
        if expected.next() != Some(folded) {
            return false;
        }
    }
    expected.next().is_none()
}

/// Go's `path.Clean`.
#[must_use]
pub(crate) fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

/// Go's `path.Base`.
#[must_use]
pub(crate) fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// Go's `filepath.Ext`: from the last dot of the last element.
#[must_use]
pub(crate) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rfind('.').and_then(|dot| name.get(dot..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_follows_go() {
        for (text, expected) in [
            ("a\"b\\", r#""a\"b\\""#),
            ("\u{7}\u{1}\u{7f}", r#""\a\x01\x7f""#),
            ("é日\u{200b}\u{feff}", r#""é日\u200b\ufeff""#),
            ("e\u{301}", "\"e\u{301}\""),
            ("\u{a0}\u{10ffff}", r#""\u00a0\U0010ffff""#),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        for (path, expected) in [
            ("", "."),
            ("a/../..", ".."),
            ("/../a", "/a"),
            ("a//b/./c/..", "a/b"),
            ("../x", "../x"),
            ("a/b/../../c", "c"),
        ] {
            assert_eq!(clean_path(path), expected, "{path}");
        }
    }
}
