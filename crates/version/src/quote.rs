//! Go's `%q` for error messages.

use std::fmt::Write;

/// `text` as Go's `strconv.Quote` writes it.
pub(crate) fn quoted(text: &str) -> String {
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
            character if is_printable(character) => out.push(character),
            character => {
                let code = u32::from(character);
                // Writing to a String cannot fail.
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

/// Letters, marks, numbers, punctuation, symbols and the ASCII space: what Rust's own escaping leaves alone behind
/// another character (a combining mark is escaped only at the very start).
fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return character == ' ' || character.is_ascii_graphic();
    }
    let mut pair = ['a', character].iter().collect::<String>();
    let plain = pair.len();
    pair = pair.escape_debug().to_string();
    pair.len() == plain
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quotes_like_go() {
        for (text, expected) in [
            ("plain 1.x", r#""plain 1.x""#),
            ("a\"b\\c\n\t\u{7}\u{b}\u{7f}\u{0}", r#""a\"b\\c\n\t\a\v\x7f\x00""#),
            ("é\u{301}☺", "\"é\u{301}☺\""),
            ("\u{a0}\u{200b}\u{e000}\u{10ffff}", r#""\u00a0\u200b\ue000\U0010ffff""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
