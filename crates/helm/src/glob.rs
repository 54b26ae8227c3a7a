//! Go's `filepath.Match`: `*`, `?`, classes and escapes, none of which crosses a `/`.

/// A pattern; it is read while matching, as Go reads it, so errors show only when matching gets that far.
#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    pattern: Vec<char>,
}

/// The pattern is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PatternError;

impl PathPattern {
    /// A pattern; nothing is checked yet.
    #[must_use]
    pub(crate) fn new(pattern: &str) -> Self {
        Self { pattern: pattern.chars().collect() }
    }

    /// Whether the whole name matches.
    ///
    /// # Errors
    /// When the part of the pattern that had to be read is malformed.
    pub(crate) fn matches(&self, name: &str) -> Result<bool, PatternError> {
        let name: Vec<char> = name.chars().collect();
        matches(&self.pattern, &name)
    }
}

/// Splits off leading stars and the text up to the next star outside of a class.
fn scan_chunk(mut pattern: &[char]) -> (bool, &[char], &[char]) {
    let mut star = false;
    while let Some(('*', rest)) = pattern.split_first() {
        star = true;
        pattern = rest;
    }
    let mut in_range = false;
    let mut position = 0;
    while let Some(character) = pattern.get(position) {
        match character {
            '\\' if position + 1 < pattern.len() => position += 1,
            '[' => in_range = true,
            ']' => in_range = false,
            '*' if !in_range => break,
            _ => {}
        }
        position += 1;
    }
    let (chunk, rest) = pattern.split_at(position.min(pattern.len()));
    (star, chunk, rest)
}

fn matches(mut pattern: &[char], mut name: &[char]) -> Result<bool, PatternError> {
    'pattern: while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        if let Some(after) = match_chunk(chunk, name)?
            && (after.is_empty() || !pattern.is_empty())
        {
            name = after;
            continue;
        }
        if star {
            let mut skipped = 0;
            while name.get(skipped).is_some_and(|character| *character != '/') {
                let candidate = name.get(skipped + 1..).unwrap_or_default();
                if let Some(after) = match_chunk(chunk, candidate)?
                    && (!pattern.is_empty() || after.is_empty())
                {
                    name = after;
                    continue 'pattern;
                }
                skipped += 1;
            }
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Matches a chunk without stars at the start of the name and gives what is left of it.
fn match_chunk<'n>(mut chunk: &[char], mut name: &'n [char]) -> Result<Option<&'n [char]>, PatternError> {
    let mut failed = false;
    while let Some((first, rest)) = chunk.split_first() {
        if !failed && name.is_empty() {
            failed = true;
        }
        match first {
            '[' => {
                let mut character = '\0';
                if !failed && let Some((next, tail)) = name.split_first() {
                    character = *next;
                    name = tail;
                }
                chunk = rest;
                let negated = chunk.first() == Some(&'^');
                if negated {
                    chunk = chunk.get(1..).unwrap_or_default();
                }
                let mut matched = false;
                let mut ranges = 0;
                loop {
                    if chunk.first() == Some(&']') && ranges > 0 {
                        chunk = chunk.get(1..).unwrap_or_default();
                        break;
                    }
                    let (low, after) = class_character(chunk)?;
                    let mut high = low;
                    chunk = after;
                    if chunk.first() == Some(&'-') {
                        (high, chunk) = class_character(chunk.get(1..).unwrap_or_default())?;
                    }
                    matched |= low <= character && character <= high;
                    ranges += 1;
                }
                if matched == negated {
                    failed = true;
                }
            }
            '?' => {
                if !failed {
                    if name.first() == Some(&'/') {
                        failed = true;
                    }
                    name = name.get(1..).unwrap_or_default();
                }
                chunk = rest;
            }
            _ => {
                let (wanted, rest) =
                    if *first == '\\' { rest.split_first().ok_or(PatternError)? } else { (first, rest) };
                if !failed {
                    if name.first() != Some(wanted) {
                        failed = true;
                    }
                    name = name.get(1..).unwrap_or_default();
                }
                chunk = rest;
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// One possibly escaped character of a class.
fn class_character(chunk: &[char]) -> Result<(char, &[char]), PatternError> {
    let (first, rest) = match chunk.split_first() {
        None | Some(('-' | ']', _)) => return Err(PatternError),
        Some(('\\', rest)) => rest.split_first().ok_or(PatternError)?,
        Some(split) => split,
    };
    // A class must be closed, so there must be more.
    if rest.is_empty() { Err(PatternError) } else { Ok((*first, rest)) }
}
