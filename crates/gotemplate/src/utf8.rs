//! Reading bytes as Go reads strings: character by character, each wrong byte counting as one U+FFFD.

/// One character of a Go string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rune<'a> {
    /// The bytes it was read from.
    pub bytes: &'a [u8],
    character: Option<char>,
}

impl Rune<'_> {
    /// The character, U+FFFD for a wrong byte.
    #[must_use]
    pub fn character(&self) -> char {
        self.character.unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// Whether the bytes are not UTF-8 here.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.character.is_none()
    }
}

/// The characters of a Go string.
#[derive(Clone, Debug)]
pub struct Runes<'a> {
    rest: &'a [u8],
}

impl<'a> Runes<'a> {
    /// The characters of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Runes<'a> {
    type Item = Rune<'a>;

    fn next(&mut self) -> Option<Rune<'a>> {
        let first = *self.rest.first()?;
        if first.is_ascii() {
            let (bytes, rest) = self.rest.split_at(1);
            self.rest = rest;
            return Some(Rune { bytes, character: Some(char::from(first)) });
        }
        let width = match first {
            0xC2..0xE0 => 2,
            0xE0..0xF0 => 3,
            0xF0..0xF5 => 4,
            _ => 0,
        };
        let character = self
            .rest
            .get(..width)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .and_then(|text| text.chars().next());
        let (bytes, rest) = self.rest.split_at(if character.is_some() { width } else { 1 });
        self.rest = rest;
        Some(Rune { bytes, character })
    }
}

/// May the character be part of a name in a template: a letter or decimal digit in Go's sense, or an underscore?
#[must_use]
pub fn is_identifier_character(character: char) -> bool {
    character == '_' || crate::unicode::is_letter_or_digit(character)
}
