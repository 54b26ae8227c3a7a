//! Go's `unicode` package: classes of characters and simple (one to one) case mapping.

use std::sync::LazyLock;

use goregex::Regex;

/// A class of characters outside ASCII; rare enough that a regular expression is fast enough.
struct Class(LazyLock<Option<Regex>>);

impl Class {
    fn contains(&self, character: char) -> bool {
        let mut buffer = [0; 4];
        let text: &str = character.encode_utf8(&mut buffer);
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

static LETTERS: Class = Class(LazyLock::new(|| Regex::new(r"\pL").ok()));
static NUMBERS: Class = Class(LazyLock::new(|| Regex::new(r"\pN").ok()));
static DIGITS: Class = Class(LazyLock::new(|| Regex::new(r"\p{Nd}").ok()));
static PUNCTUATION: Class = Class(LazyLock::new(|| Regex::new(r"\pP").ok()));
static UPPER: Class = Class(LazyLock::new(|| Regex::new(r"\p{Lu}").ok()));
static LOWER: Class = Class(LazyLock::new(|| Regex::new(r"\p{Ll}").ok()));
static TITLE: Class = Class(LazyLock::new(|| Regex::new(r"\p{Lt}").ok()));

/// `unicode.IsLetter`.
pub(super) fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { LETTERS.contains(character) }
}

/// `unicode.IsNumber`.
pub(super) fn is_number(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { NUMBERS.contains(character) }
}

/// `unicode.IsDigit`.
pub(super) fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { DIGITS.contains(character) }
}

/// `unicode.IsPunct`.
pub(super) fn is_punctuation(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_punctuation() && !"$+<=>^`|~".contains(character)
    } else {
        PUNCTUATION.contains(character)
    }
}

/// `unicode.IsUpper`.
pub(super) fn is_upper(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_uppercase() } else { UPPER.contains(character) }
}

/// `unicode.IsLower`.
pub(super) fn is_lower(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_lowercase() } else { LOWER.contains(character) }
}

/// `unicode.IsTitle`.
pub(super) fn is_title(character: char) -> bool {
    !character.is_ascii() && TITLE.contains(character)
}

/// `unicode.IsSpace`.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace()
}

/// `unicode.ToUpper`: one character for one.
pub(super) fn to_upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => match character {
            // Greek letters with iota subscript, whose full mapping is two letters.
            '\u{1F80}'..='\u{1F87}' | '\u{1F90}'..='\u{1F97}' | '\u{1FA0}'..='\u{1FA7}' => shifted(character, 8),
            '\u{1FB3}' | '\u{1FC3}' | '\u{1FF3}' => shifted(character, 9),
            _ => character,
        },
    }
}

/// `unicode.ToLower`: one character for one.
pub(super) fn to_lower(character: char) -> char {
    let mut mapped = character.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(lower), None) => lower,
        // The only letter whose full mapping is longer.
        _ if character == '\u{130}' => 'i',
        _ => character,
    }
}

/// `unicode.ToTitle`: upper case but for digraphs and Georgian.
pub(super) fn to_title(character: char) -> char {
    match character {
        '\u{1C4}'..='\u{1C6}' => '\u{1C5}',
        '\u{1C7}'..='\u{1C9}' => '\u{1C8}',
        '\u{1CA}'..='\u{1CC}' => '\u{1CB}',
        '\u{1F1}'..='\u{1F3}' => '\u{1F2}',
        '\u{10D0}'..='\u{10FA}' | '\u{10FD}'..='\u{10FF}' => character,
        _ => to_upper(character),
    }
}

fn shifted(character: char, distance: u32) -> char {
    char::from_u32(u32::from(character) + distance).unwrap_or(character)
}
