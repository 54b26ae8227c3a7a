//! Cutting a text into tokens, in the mode the parser asks for.

/// A condition on a character and on the length of the token with it, in bytes.
pub(crate) type Accept = fn(char, usize) -> bool;

/// What may come next.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    /// A word of accepted characters.
    pub(crate) word: Option<Accept>,
    /// `${`
    pub(crate) open: bool,
    /// `}`
    pub(crate) close: bool,
    /// In words, `$$` stands for a dollar sign.
    pub(crate) escaped_dollar: bool,
    /// In words, `\/` and `\\` stand for what is behind the backslash.
    pub(crate) escaped_slash: bool,
}

impl Mode {
    /// A word and nothing else.
    pub(crate) const fn word(accept: Accept) -> Self {
        Self { word: Some(accept), open: false, close: false, escaped_dollar: false, escaped_slash: false }
    }

    /// `}` and nothing else.
    pub(crate) const CLOSE: Self =
        Self { word: None, open: false, close: true, escaped_dollar: false, escaped_slash: false };
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word, its escapes resolved.
    Word(String),
    /// `${`
    Open,
    /// `}`
    Close,
    /// Nothing more.
    End,
    /// Something else.
    Illegal,
}

/// A place in a text.
pub(crate) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next character. A NUL ends the text, as upstream.
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next().filter(|character| *character != '\0')
    }

    /// The character behind the next one.
    pub(crate) fn peek_second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    fn advance(&mut self, character: char) {
        self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
    }

    fn at_open(&self) -> bool {
        self.rest.starts_with("${")
    }

    /// The character an escape here stands for.
    fn escaped(&self, mode: Mode) -> Option<char> {
        let mut characters = self.rest.chars();
        match (characters.next()?, characters.next()?) {
            ('$', '$') if mode.escaped_dollar => Some('$'),
            ('\\', second @ ('/' | '\\')) if mode.escaped_slash => Some(second),
            _ => None,
        }
    }

    /// The next token.
    pub(crate) fn scan(&mut self, mode: Mode) -> Token {
        let Some(first) = self.peek() else { return Token::End };
        if mode.open && self.at_open() {
            self.rest = self.rest.get(2..).unwrap_or_default();
            return Token::Open;
        }
        if mode.close && first == '}' {
            self.advance(first);
            return Token::Close;
        }
        let Some(accept) = mode.word else { return Token::Illegal };
        let mut word = String::new();
        while let Some(character) = self.peek() {
            if mode.open && self.at_open() {
                break;
            }
            if let Some(escaped) = self.escaped(mode) {
                word.push(escaped);
                self.advance(character);
                self.advance(escaped);
                continue;
            }
            if !accept(character, word.len() + character.len_utf8()) {
                break;
            }
            word.push(character);
            self.advance(character);
        }
        if word.is_empty() { Token::Illegal } else { Token::Word(word) }
    }
}
