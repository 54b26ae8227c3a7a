//! Reading expressions.

use crate::scan::{Accept, Mode, Scanner, Token};
use crate::{Error, MAX_DEPTH};

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Text as it stands.
    Text(String),
    /// An expression.
    Expression(Expression),
}

/// `${name operator arguments}`
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) variable: String,
    /// As written; empty for `${name}`.
    pub(crate) operator: String,
    pub(crate) arguments: Vec<Node>,
}

fn any(_: char, _: usize) -> bool {
    true
}
fn name(character: char, _: usize) -> bool {
    character.is_alphanumeric() || character == '_'
}
fn not_closing(character: char, _: usize) -> bool {
    character != '}'
}
fn not_slash(character: char, _: usize) -> bool {
    character != '/'
}
fn not_colon_or_closing(character: char, _: usize) -> bool {
    character != ':' && character != '}'
}
fn colons(character: char, _: usize) -> bool {
    character == ':'
}
fn slashes(character: char, _: usize) -> bool {
    character == '/'
}
fn one_colon(character: char, length: usize) -> bool {
    character == ':' && length == 1
}
fn one_equals(character: char, length: usize) -> bool {
    character == '=' && length == 1
}
fn one_hash(character: char, length: usize) -> bool {
    character == '#' && length == 1
}
fn hashes(character: char, length: usize) -> bool {
    character == '#' && length < 3
}
fn percents(character: char, length: usize) -> bool {
    character == '%' && length < 3
}
fn casing(character: char, length: usize) -> bool {
    (character == ',' || character == '^') && length < 3
}
fn default_operator(character: char, length: usize) -> bool {
    matches!((length, character), (1, ':') | (2, '=' | '-' | '?' | '+'))
}
fn replace_operator(character: char, length: usize) -> bool {
    matches!((length, character), (1, '/') | (2, '/' | '#' | '%'))
}

/// Reads a whole text.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Error> {
    let mut parser = Parser { scanner: Scanner::new(text), depth: 0 };
    let mode = Mode { open: true, escaped_dollar: true, ..Mode::word(any) };
    let mut nodes = Vec::new();
    loop {
        match parser.scanner.scan(mode) {
            Token::Word(text) => nodes.push(Node::Text(text)),
            Token::Open => nodes.push(parser.expression()?),
            Token::End => return Ok(nodes),
            Token::Close | Token::Illegal => return Err(Error::BadSubstitution),
        }
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
}

impl Parser<'_> {
    /// What is behind `${`, up to and with its `}`.
    fn expression(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let expression = self.expression_inside()?;
        self.depth -= 1;
        Ok(Node::Expression(expression))
    }

    fn expression_inside(&mut self) -> Result<Expression, Error> {
        if self.scanner.peek() == Some('#') {
            let operator = self.word(one_hash)?;
            let variable = self.word(name)?;
            return self.closed(Expression { variable, operator, arguments: Vec::new() });
        }
        let Token::Word(variable) = self.scanner.scan(Mode::word(name)) else {
            return Err(Error::VariableName);
        };
        match self.scanner.peek() {
            Some(':') => match self.scanner.peek_second() {
                Some('=' | '-' | '?' | '+') => self.default(variable, default_operator),
                // Upstream steps back by the width of the wrong character here, and then finds no colon.
                None => Err(Error::BadSubstitution),
                Some(next) if next.len_utf8() > 1 => Err(Error::BadSubstitution),
                _ => self.substring(variable),
            },
            Some('=') => self.default(variable, one_equals),
            Some(',' | '^') => {
                let operator = self.word(casing)?;
                self.closed(Expression { variable, operator, arguments: Vec::new() })
            }
            Some('/') => self.replace(variable),
            Some('#') => self.remove(variable, hashes),
            Some('%') => self.remove(variable, percents),
            _ => match self.scanner.scan(Mode::CLOSE) {
                Token::Close => Ok(Expression { variable, operator: String::new(), arguments: Vec::new() }),
                _ => Err(Error::MissingClosingBrace),
            },
        }
    }

    fn word(&mut self, accept: Accept) -> Result<String, Error> {
        match self.scanner.scan(Mode::word(accept)) {
            Token::Word(word) => Ok(word),
            _ => Err(Error::BadSubstitution),
        }
    }

    fn closed(&mut self, expression: Expression) -> Result<Expression, Error> {
        match self.scanner.scan(Mode::CLOSE) {
            Token::Close => Ok(expression),
            _ => Err(Error::BadSubstitution),
        }
    }

    /// One argument: a word up to the next expression or the end, or one expression.
    fn argument(&mut self, mode: Mode) -> Result<Node, Error> {
        match self.scanner.scan(Mode { open: true, ..mode }) {
            Token::Open => self.expression(),
            Token::Word(text) => Ok(Node::Text(text)),
            _ => Err(Error::Argument),
        }
    }

    /// `:=`, `:-`, `:?`, `:+`, `=`: as many arguments as there are up to the brace.
    fn default(&mut self, variable: String, operator: Accept) -> Result<Expression, Error> {
        let Token::Word(operator) = self.scanner.scan(Mode::word(operator)) else {
            return Err(Error::Default);
        };
        let mut arguments = Vec::new();
        while self.scanner.peek() != Some('}') {
            arguments.push(self.argument(Mode::word(not_closing))?);
        }
        self.closed(Expression { variable, operator, arguments })
    }

    /// `:n` and `:n:length`.
    fn substring(&mut self, variable: String) -> Result<Expression, Error> {
        let operator = self.word(one_colon)?;
        let mut arguments = vec![self.argument(Mode::word(not_colon_or_closing))?];
        match self.scanner.scan(Mode { close: true, ..Mode::word(colons) }) {
            Token::Close => return Ok(Expression { variable, operator, arguments }),
            Token::Word(_) => {}
            _ => return Err(Error::BadSubstitution),
        }
        arguments.push(self.argument(Mode::word(not_closing))?);
        self.closed(Expression { variable, operator, arguments })
    }

    /// `#`, `##`, `%`, `%%`.
    fn remove(&mut self, variable: String, operator: Accept) -> Result<Expression, Error> {
        let operator = self.word(operator)?;
        let arguments = vec![self.argument(Mode::word(not_closing))?];
        self.closed(Expression { variable, operator, arguments })
    }

    /// `/`, `//`, `/#`, `/%`.
    fn replace(&mut self, variable: String) -> Result<Expression, Error> {
        let operator = self.word(replace_operator)?;
        let escaped = |accept| Mode { escaped_dollar: true, escaped_slash: true, ..Mode::word(accept) };
        let mut arguments = vec![self.argument(escaped(not_slash))?];
        self.word(slashes)?;
        if self.scanner.peek() != Some('}') {
            arguments.push(self.argument(escaped(not_closing))?);
        }
        self.closed(Expression { variable, operator, arguments })
    }
}
