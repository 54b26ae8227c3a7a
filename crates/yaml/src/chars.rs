//! Character classes of the YAML 1.1 grammar as libyaml tests them, on UTF-8 bytes.

/// Byte at `index`, or 0 at and after the end (0 cannot occur in valid input).
#[inline]
pub(crate) fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

/// Length in bytes of the line break at `index` when `\r\n` counts as one; 0 when there is none.
#[inline]
pub(crate) fn break_width(bytes: &[u8], index: usize) -> usize {
    match at(bytes, index) {
        b'\n' => 1,
        b'\r' => 1 + usize::from(at(bytes, index + 1) == b'\n'),
        0xC2 if at(bytes, index + 1) == 0x85 => 2,
        0xE2 if at(bytes, index + 1) == 0x80 && matches!(at(bytes, index + 2), 0xA8 | 0xA9) => 3,
        _ => 0,
    }
}

#[inline]
pub(crate) fn is_break(bytes: &[u8], index: usize) -> bool {
    match at(bytes, index) {
        b'\n' | b'\r' => true,
        0xC2 | 0xE2 => break_width(bytes, index) > 0,
        _ => false,
    }
}

#[inline]
pub(crate) fn is_blank_byte(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Space, tab, line break or end.
#[inline]
pub(crate) fn is_blank_or_end(bytes: &[u8], index: usize) -> bool {
    match at(bytes, index) {
        0 | b' ' | b'\t' | b'\n' | b'\r' => true,
        0xC2 | 0xE2 => break_width(bytes, index) > 0,
        _ => false,
    }
}

/// Line break or end.
#[inline]
pub(crate) fn is_break_or_end(bytes: &[u8], index: usize) -> bool {
    at(bytes, index) == 0 || is_break(bytes, index)
}

/// Characters of anchors, tag handles and directive names.
#[inline]
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What the emitters of both libraries write as is: no tab, no control character, no byte order mark, nothing above U+FFFF.
#[inline]
pub(crate) fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

/// Number of characters in valid UTF-8.
#[inline]
pub(crate) fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}
