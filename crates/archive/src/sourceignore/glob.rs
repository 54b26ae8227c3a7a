//! File-name globs with the grammar of Go's `filepath.Match`.

/// A parsed glob. One that is malformed never matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glob {
    /// No special characters at all: compared as it stands.
    Literal(Vec<u8>),
    /// Chunks, each of which may be preceded by a star.
    Chunks(Vec<Chunk>),
    /// Malformed.
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    star: bool,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    AnyCharacter,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    pub(super) fn parse(pattern: &[u8]) -> Self {
        if !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\')) {
            return Self::Literal(pattern.to_vec());
        }
        let mut chunks = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let stars = rest.iter().take_while(|byte| **byte == b'*').count();
            let after = rest.get(stars..).unwrap_or_default();
            let (chunk, next) = after.split_at(chunk_length(after));
            let Some(tokens) = tokens(chunk) else { return Self::Never };
            chunks.push(Chunk { star: stars > 0, tokens });
            rest = next;
        }
        Self::Chunks(chunks)
    }

    /// Whether the glob matches all of `name`.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        let chunks = match self {
            Self::Literal(text) => return text == name,
            Self::Never => return false,
            Self::Chunks(chunks) => chunks,
        };
        let mut name = name;
        for (index, chunk) in chunks.iter().enumerate() {
            let is_last = index + 1 == chunks.len();
            if chunk.star && chunk.tokens.is_empty() {
                return !name.contains(&b'/');
            }
            let Some(rest) = find(chunk, name, is_last) else { return false };
            name = rest;
        }
        name.is_empty()
    }
}

/// What remains of `name` after the chunk matched at its first possible place; the last chunk must use the name up.
fn find<'name>(chunk: &Chunk, name: &'name [u8], is_last: bool) -> Option<&'name [u8]> {
    let accept = |rest: &&[u8]| !is_last || rest.is_empty();
    if let Some(rest) = prefix(&chunk.tokens, name).filter(accept) {
        return Some(rest);
    }
    if !chunk.star {
        return None;
    }
    (0..name.len())
        .take_while(|index| name.get(*index) != Some(&b'/'))
        .filter_map(|index| prefix(&chunk.tokens, name.get(index + 1..)?))
        .find(accept)
}

/// What remains of `name` when the tokens match its beginning.
fn prefix<'name>(tokens: &[Token], mut name: &'name [u8]) -> Option<&'name [u8]> {
    for token in tokens {
        let (first, after_byte) = name.split_first()?;
        name = match token {
            Token::Byte(byte) => (byte == first).then_some(after_byte)?,
            Token::AnyCharacter if *first == b'/' => return None,
            Token::AnyCharacter => decode(name).1,
            Token::Class { negated, ranges } => {
                let (character, rest) = decode(name);
                let inside = ranges.iter().any(|(low, high)| *low <= character && character <= *high);
                (inside != *negated).then_some(rest)?
            }
        };
    }
    Some(name)
}

/// Length of the text up to the next star that is not inside brackets or escaped.
fn chunk_length(text: &[u8]) -> usize {
    let mut in_brackets = false;
    let mut bytes = text.iter().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b'*' if !in_brackets => return index,
            _ => {}
        }
    }
    text.len()
}

fn tokens(mut chunk: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    while let Some((first, rest)) = chunk.split_first() {
        let (token, rest) = match first {
            b'?' => (Token::AnyCharacter, rest),
            b'[' => class(rest)?,
            b'\\' => {
                let (escaped, rest) = rest.split_first()?;
                (Token::Byte(*escaped), rest)
            }
            byte => (Token::Byte(*byte), rest),
        };
        tokens.push(token);
        chunk = rest;
    }
    Some(tokens)
}

fn class(text: &[u8]) -> Option<(Token, &[u8])> {
    let (negated, mut rest) = text.strip_prefix(b"^").map_or((false, text), |rest| (true, rest));
    let mut ranges = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(b"]")
            && !ranges.is_empty()
        {
            return Some((Token::Class { negated, ranges }, after));
        }
        let (low, after) = class_character(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(after) => class_character(after)?,
            None => (low, after),
        };
        ranges.push((low, high));
        rest = after;
    }
}

/// One possibly escaped character of a class; something must follow it, if only the closing bracket.
fn class_character(text: &[u8]) -> Option<(char, &[u8])> {
    let text = match text.first()? {
        b'-' | b']' => return None,
        b'\\' => text.get(1..)?,
        _ => text,
    };
    text.first()?;
    let (character, rest) = decode(text);
    let is_invalid = character == char::REPLACEMENT_CHARACTER && text.len() - rest.len() == 1;
    (!is_invalid && !rest.is_empty()).then_some((character, rest))
}

/// The first character of a text that is not empty; an invalid byte is the replacement character, one byte long.
fn decode(text: &[u8]) -> (char, &[u8]) {
    let head = text.get(..text.len().min(4)).unwrap_or_default();
    let first = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    match first {
        Some(character) => (character, text.get(character.len_utf8()..).unwrap_or_default()),
        None => (char::REPLACEMENT_CHARACTER, text.get(1..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_go() {
        // Asked of Go 1.26's filepath.Match.
        let table = [
            ("abc", "abc", true),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[b-d]", "abc", true),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a?b", "aäb", true),
            ("a[^a]b", "aäb", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("[\\]a]", "]", true),
            ("[x\\-]", "-", true),
            ("[x\\-]", "z", false),
            ("[]a]", "]", false),
            ("[-x]", "x", false),
            ("[a-b-d]", "a", false),
            ("[", "a", false),
            ("[^bc", "a", false),
            ("a[", "a", false),
            ("*x", "xxx", true),
            ("[a-", "a", false),
            ("\\", "\\", false),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(Glob::parse(pattern.as_bytes()).matches(name.as_bytes()), expected, "{pattern} ~ {name}");
        }
    }
}
