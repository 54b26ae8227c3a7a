//! Shell patterns as Go's `path.Match` reads them, except that `*` also matches slashes.

/// How much may still be compared.
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) const fn new(work: u64) -> Self {
        Self(work)
    }

    fn spend(&mut self) -> Result<(), Failure> {
        self.0 = self.0.checked_sub(1).ok_or(Failure::TooMuchWork)?;
        Ok(())
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A bracket without its end, or the like; found only when matching gets there.
    BadPattern,
    /// The budget is spent.
    TooMuchWork,
}

/// Whether the pattern matches the whole name.
pub(crate) fn matches(mut pattern: &[u8], mut name: &[u8], budget: &mut Budget) -> Result<bool, Failure> {
    'pieces: while !pattern.is_empty() {
        let (star, piece, rest) = next_piece(pattern);
        pattern = rest;
        if star && piece.is_empty() {
            return Ok(true);
        }
        let is_last = pattern.is_empty();
        // Behind a star the piece may begin anywhere; the last one must also end where the name does.
        let starts = if star { name.len() } else { 0 };
        for start in 0..=starts {
            let from = name.get(start..).unwrap_or_default();
            if let Some(behind) = match_piece(piece, from, budget)?
                && (behind.is_empty() || !is_last)
            {
                name = behind;
                continue 'pieces;
            }
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Splits stars and the piece without stars behind them off the pattern.
fn next_piece(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = pattern.get(stars..).unwrap_or_default();
    let mut in_brackets = false;
    let mut index = 0;
    while let Some(byte) = pattern.get(index) {
        match byte {
            b'\\' if index + 1 < pattern.len() => index += 1,
            b'[' => in_brackets = true,
            b']' => in_brackets = false,
            b'*' if !in_brackets => break,
            _ => {}
        }
        index += 1;
    }
    let (piece, rest) = pattern.split_at(index.min(pattern.len()));
    (stars > 0, piece, rest)
}

/// What is left of the name behind a piece without stars; `None` when it does not begin with it.
fn match_piece<'n>(mut piece: &[u8], mut name: &'n [u8], budget: &mut Budget) -> Result<Option<&'n [u8]>, Failure> {
    while let Some((operator, behind)) = piece.split_first() {
        budget.spend()?;
        let Some((byte, after)) = name.split_first() else { return Ok(None) };
        match operator {
            b'[' => {
                let (character, length) = decode(name);
                name = name.get(length..).unwrap_or_default();
                let (is_in, rest) = match_brackets(behind, character, budget)?;
                piece = rest;
                if !is_in {
                    return Ok(None);
                }
            }
            b'?' => {
                name = name.get(decode(name).1..).unwrap_or_default();
                piece = behind;
            }
            b'\\' => {
                let (escaped, rest) = behind.split_first().ok_or(Failure::BadPattern)?;
                if escaped != byte {
                    return Ok(None);
                }
                (piece, name) = (rest, after);
            }
            _ if operator == byte => (piece, name) = (behind, after),
            _ => return Ok(None),
        }
    }
    Ok(Some(name))
}

/// Whether a character is in the brackets whose inside begins here, and what is behind them.
fn match_brackets<'p>(mut inside: &'p [u8], character: char, budget: &mut Budget) -> Result<(bool, &'p [u8]), Failure> {
    let negated = inside.first() == Some(&b'^');
    if negated {
        inside = inside.get(1..).unwrap_or_default();
    }
    let (mut is_in, mut is_first) = (false, true);
    loop {
        budget.spend()?;
        if !is_first && inside.first() == Some(&b']') {
            return Ok((is_in != negated, inside.get(1..).unwrap_or_default()));
        }
        let (low, behind) = bracket_character(inside)?;
        let (high, behind) = match behind.split_first() {
            Some((b'-', behind)) => bracket_character(behind)?,
            _ => (low, behind),
        };
        is_in |= (low..=high).contains(&character);
        (inside, is_first) = (behind, false);
    }
}

/// One character in brackets; there must be something behind it.
fn bracket_character(inside: &[u8]) -> Result<(char, &[u8]), Failure> {
    let inside = match inside.split_first() {
        None | Some((b'-' | b']', _)) => return Err(Failure::BadPattern),
        Some((b'\\', behind)) => behind,
        Some(_) => inside,
    };
    let (character, length) = decode(inside);
    let behind = inside.get(length..).unwrap_or_default();
    if behind.is_empty() || (character == char::REPLACEMENT_CHARACTER && length == 1) {
        return Err(Failure::BadPattern);
    }
    Ok((character, behind))
}

/// The first character and its length; the replacement character and one for what is none.
fn decode(bytes: &[u8]) -> (char, usize) {
    let head = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default(),
    };
    valid.chars().next().map_or((char::REPLACEMENT_CHARACTER, 1), |character| (character, character.len_utf8()))
}
