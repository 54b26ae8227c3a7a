//! What a text allows: which styles can hold it.

use crate::chars::is_printable;
use crate::scan::Dialect;

/// Facts about a text that decide between the scalar styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Analysis {
    pub(crate) multiline: bool,
    pub(crate) flow_plain_allowed: bool,
    pub(crate) block_plain_allowed: bool,
    pub(crate) single_quoted_allowed: bool,
    pub(crate) block_allowed: bool,
}

/// The five line breaks of YAML 1.1.
pub(crate) fn is_break_char(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl Analysis {
    const EVERYTHING: Self = Self {
        multiline: false,
        flow_plain_allowed: true,
        block_plain_allowed: true,
        single_quoted_allowed: true,
        block_allowed: true,
    };

    pub(crate) fn of(text: &str, dialect: Dialect) -> Self {
        if text.is_empty() {
            return Self { flow_plain_allowed: false, block_allowed: false, ..Self::EVERYTHING };
        }
        if is_simple_word(text.as_bytes()) {
            return Self::EVERYTHING;
        }
        Self::of_any(text, dialect)
    }

    fn of_any(text: &str, dialect: Dialect) -> Self {
        let document_indicator = text.starts_with("---") || text.starts_with("...");
        let mut flow_indicators = document_indicator;
        let mut block_indicators = document_indicator;
        let mut line_breaks = false;
        let mut special_characters = false;
        let mut tab_characters = false;
        let mut leading_space = false;
        let mut leading_break = false;
        let mut trailing_space = false;
        let mut trailing_break = false;
        let mut break_space = false;
        let mut space_break = false;
        let mut previous_space = false;
        let mut previous_break = false;
        let mut preceded_by_whitespace = true;
        let bytes = text.as_bytes();
        for (index, character) in text.char_indices() {
            let next = index + character.len_utf8();
            let last = next == bytes.len();
            let followed_by_whitespace = crate::chars::is_blank_or_end(bytes, next);
            if index == 0 {
                match character {
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                        flow_indicators = true;
                        block_indicators = true;
                    }
                    '?' | ':' => {
                        flow_indicators = true;
                        block_indicators |= followed_by_whitespace;
                    }
                    '-' if followed_by_whitespace => {
                        flow_indicators = true;
                        block_indicators = true;
                    }
                    _ => {}
                }
            } else {
                match character {
                    ',' | '?' | '[' | ']' | '{' | '}' => flow_indicators = true,
                    ':' => {
                        flow_indicators = true;
                        block_indicators |= followed_by_whitespace;
                    }
                    '#' if preceded_by_whitespace => {
                        flow_indicators = true;
                        block_indicators = true;
                    }
                    _ => {}
                }
            }
            if character == '\t' && dialect == Dialect::V3 {
                tab_characters = true;
            } else if !is_printable(character) {
                special_characters = true;
            }
            if character == ' ' {
                leading_space |= index == 0;
                trailing_space |= last;
                break_space |= previous_break;
                previous_space = true;
                previous_break = false;
            } else if is_break_char(character) {
                line_breaks = true;
                leading_break |= index == 0;
                trailing_break |= last;
                space_break |= previous_space;
                previous_space = false;
                previous_break = true;
            } else {
                previous_space = false;
                previous_break = false;
            }
            preceded_by_whitespace = matches!(character, ' ' | '\t') || is_break_char(character);
        }
        let mut analysis = Self { multiline: line_breaks, ..Self::EVERYTHING };
        if leading_space || leading_break || trailing_space || trailing_break || line_breaks {
            analysis.flow_plain_allowed = false;
            analysis.block_plain_allowed = false;
        }
        if trailing_space {
            analysis.block_allowed = false;
        }
        if break_space || tab_characters {
            analysis.flow_plain_allowed = false;
            analysis.block_plain_allowed = false;
            analysis.single_quoted_allowed = false;
        }
        if space_break || special_characters {
            analysis.flow_plain_allowed = false;
            analysis.block_plain_allowed = false;
            analysis.single_quoted_allowed = false;
            analysis.block_allowed = false;
        }
        if flow_indicators {
            analysis.flow_plain_allowed = false;
        }
        if block_indicators {
            analysis.block_plain_allowed = false;
        }
        analysis
    }
}

/// Most texts of manifests: letters, digits and a few characters that mean nothing to YAML.
fn is_simple_word(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_'))
}
