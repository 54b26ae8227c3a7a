//! The parser: tokens to trees, with Go's messages for what is wrong.

mod actions;
mod expressions;
mod scope;

use std::borrow::Cow;
use std::sync::Arc;

use super::lexer::{Item, Lexer, Token};
use super::tree::{Source, Tree};
use crate::error::ParseError;
use crate::format::quote::quoted;
use crate::function::FunctionMap;
use crate::stack::StackGuard;
use scope::Scope;

type Parsed<T> = Result<T, ParseError>;

pub(super) fn parse(source: &Arc<Source>, functions: &FunctionMap, stack: StackGuard) -> Parsed<Vec<Arc<Tree>>> {
    let mut parser = Parser {
        source: source.clone(),
        bytes: &source.text,
        lexer: Lexer::new(&source.text),
        functions,
        tokens: [Item::NONE; 3],
        peeked: 0,
        scope: Scope::default(),
        trees: Vec::new(),
        stack,
    };
    parser.template()?;
    Ok(parser.trees)
}

struct Parser<'a> {
    source: Arc<Source>,
    /// The source's text.
    bytes: &'a [u8],
    lexer: Lexer<'a>,
    functions: &'a FunctionMap,
    tokens: [Item; 3],
    peeked: usize,
    scope: Scope,
    trees: Vec<Arc<Tree>>,
    stack: StackGuard,
}

impl<'a> Parser<'a> {
    // Tokens, with up to three of them read ahead.

    fn next(&mut self) -> Item {
        if self.peeked > 0 {
            self.peeked -= 1;
        } else {
            self.tokens[0] = self.lexer.next_item();
        }
        self.tokens.get(self.peeked).copied().unwrap_or(Item::NONE)
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn backup_two(&mut self, first: Item) {
        self.tokens[1] = first;
        self.peeked = 2;
    }

    fn backup_three(&mut self, first: Item, second: Item) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.peeked = 3;
    }

    fn peek(&mut self) -> Item {
        let item = self.next();
        self.backup();
        item
    }

    fn next_non_space(&mut self) -> Item {
        loop {
            let item = self.next();
            if item.token != Token::Space {
                return item;
            }
        }
    }

    fn peek_non_space(&mut self) -> Item {
        let item = self.next_non_space();
        self.backup();
        item
    }

    fn text(&self, item: &Item) -> Cow<'a, str> {
        // Nearly always it is UTF-8, which is quicker to see than to walk through.
        let raw = self.raw(item);
        std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed)
    }

    fn raw(&self, item: &Item) -> &'a [u8] {
        self.bytes.get(item.start..item.end).unwrap_or_default()
    }

    fn line(&self, item: &Item) -> usize {
        self.source.position(item.start).0
    }

    // Errors.

    fn error<T>(&self, message: impl AsRef<str>) -> Parsed<T> {
        let line = self.line(&self.tokens[0]);
        Err(ParseError { message: format!("template: {}:{line}: {}", self.source.name, message.as_ref()) })
    }

    fn show(&self, item: &Item) -> String {
        let text = self.raw(item);
        match item.token {
            Token::End => "EOF".to_owned(),
            Token::Error => self.lexer.failure().to_owned(),
            token if token.is_keyword() => format!("<{}>", String::from_utf8_lossy(text)),
            _ if text.len() > 10 => {
                let start: Vec<u8> =
                    crate::utf8::Runes::new(text).take(10).flat_map(|rune| rune.bytes.iter().copied()).collect();
                format!("{}...", quoted(&start))
            }
            _ => quoted(text),
        }
    }

    fn unexpected<T>(&self, item: &Item, context: &str) -> Parsed<T> {
        let shown = self.show(item);
        if item.token == Token::Error {
            let mut extra = String::new();
            // Lines are counted only for messages: counting them at every action would take quadratic time.
            let line = self.scope.action.map(|start| self.source.position(start).0);
            if let Some(line) = line.filter(|line| *line != self.line(item)) {
                let prefix = if shown.ends_with(" action") { "" } else { " in action" };
                extra = format!("{prefix} started at {}:{line}", self.source.name);
            }
            return self.error(format!("{shown}{extra}"));
        }
        self.error(format!("unexpected {shown} in {context}"))
    }

    fn expect(&mut self, token: Token, context: &str) -> Parsed<Item> {
        let item = self.next_non_space();
        if item.token == token { Ok(item) } else { self.unexpected(&item, context) }
    }

    fn check_depth(&self) -> Parsed<()> {
        if self.stack.is_exhausted() { self.error("max expression depth exceeded") } else { Ok(()) }
    }
}
