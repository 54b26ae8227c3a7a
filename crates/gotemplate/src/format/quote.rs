//! Go string and character literals, as `strconv.Quote` and its relatives write them.

use std::io::Write as _;

use crate::utf8::Runes;

/// Which characters a literal may hold unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Every printable character.
    Printable,
    /// ASCII only.
    Ascii,
}

/// Appends a double-quoted Go string literal.
pub fn append_string(output: &mut Vec<u8>, bytes: &[u8], charset: Charset) {
    output.push(b'"');
    for rune in Runes::new(bytes) {
        match rune.bytes {
            [byte] if rune.is_invalid() => {
                let _ = write!(output, "\\x{byte:02x}");
            }
            _ => append_escaped(output, rune.character(), '"', charset),
        }
    }
    output.push(b'"');
}

/// Appends a single-quoted Go character literal.
pub fn append_character(output: &mut Vec<u8>, character: char, charset: Charset) {
    output.push(b'\'');
    append_escaped(output, character, '\'', charset);
    output.push(b'\'');
}

/// The double-quoted Go string literal, as `%q` and sprig's `quote` write it.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    let mut output = Vec::with_capacity(bytes.len() + 2);
    append_string(&mut output, bytes, Charset::Printable);
    String::from_utf8_lossy(&output).into_owned()
}

/// Can the bytes be written between back quotes, on one line?
#[must_use]
pub fn can_backquote(bytes: &[u8]) -> bool {
    Runes::new(bytes).all(|rune| {
        !rune.is_invalid()
            && match rune.character() {
                '\u{FEFF}' | '`' | '\u{7F}' => false,
                '\t' => true,
                character => character >= ' ',
            }
    })
}

fn append_escaped(output: &mut Vec<u8>, character: char, quote: char, charset: Charset) {
    if character == quote || character == '\\' {
        output.push(b'\\');
        output.push(character as u8);
        return;
    }
    if (charset == Charset::Printable || character.is_ascii()) && is_printable(character) {
        output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let short = match character {
        '\u{07}' => b'a',
        '\u{08}' => b'b',
        '\u{0C}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{0B}' => b'v',
        _ => {
            let code = u32::from(character);
            let _ = match code {
                0..0x20 | 0x7F => write!(output, "\\x{code:02x}"),
                0x20..0x1_0000 => write!(output, "\\u{code:04x}"),
                _ => write!(output, "\\U{code:08x}"),
            };
            return;
        }
    };
    output.extend_from_slice(&[b'\\', short]);
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
#[must_use]
pub fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return (' '..='~').contains(&character);
    }
    // The standard library knows printable characters only as those which it leaves alone when it escapes a string;
    // behind another character marks are left alone too.
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let width = character.encode_utf8(buffer.get_mut(1..).unwrap_or_default()).len();
    let Ok(text) = std::str::from_utf8(buffer.get(..=width).unwrap_or_default()) else { return false };
    crate::unicode::is_known(character) && text.escape_debug().nth(1) == Some(character)
}
