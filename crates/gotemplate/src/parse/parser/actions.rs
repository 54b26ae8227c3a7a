//! Templates, definitions and actions: what stands between texts.

use std::sync::Arc;

use super::scope::Scope;
use super::{Parsed, Parser};
use crate::format::quote::quoted;
use crate::parse::lexer::{Item, Token};
use crate::parse::tree::{Branch, List, Node, Tree};
use crate::strconv;

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    End,
    Else,
}

impl Ending {
    const fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

enum Parsing {
    Node(Node),
    Ending(Ending),
}

impl Parser<'_> {
    // Templates and definitions.

    pub(super) fn template(&mut self) -> Parsed<()> {
        self.scope = Scope::new();
        let mut root = List::default();
        loop {
            let item = self.peek();
            match item.token {
                Token::End => break,
                Token::LeftDelimiter => {
                    let delimiter = self.next();
                    if self.next_non_space().token == Token::KeywordDefine {
                        self.definition()?;
                        continue;
                    }
                    self.backup_two(delimiter);
                }
                _ => {}
            }
            match self.text_or_action()? {
                Parsing::Node(node) => root.nodes.push(node),
                Parsing::Ending(ending) => return self.error(format!("unexpected {}", ending.text())),
            }
        }
        root.nodes.shrink_to_fit();
        let name = self.source.name.clone();
        self.add(&name, root)
    }

    /// Adds what has just been parsed; an empty definition does not replace another.
    fn add(&mut self, name: &Arc<str>, root: List) -> Parsed<()> {
        let tree = Arc::new(Tree { name: name.clone(), source: self.source.clone(), slots: self.scope.slots, root });
        let Some(existing) = self.trees.iter_mut().find(|existing| existing.name == *name) else {
            self.trees.push(tree);
            return Ok(());
        };
        if existing.root.is_empty(&self.source) {
            *existing = tree;
        } else if !tree.root.is_empty(&self.source) {
            return self.error(format!("template: multiple definition of template {}", quoted(name.as_bytes())));
        }
        Ok(())
    }

    pub(super) fn unquoted(&self, item: &Item) -> Parsed<Vec<u8>> {
        match strconv::unquote(self.raw(item)) {
            Some(bytes) => Ok(bytes),
            None => self.error("invalid syntax"),
        }
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let name = self.next_non_space();
        if !matches!(name.token, Token::String | Token::RawString) {
            return self.unexpected(&name, CONTEXT);
        }
        let name = self.unquoted(&name)?;
        self.expect(Token::RightDelimiter, CONTEXT)?;
        let (root, ending) = self.item_list()?;
        if ending != Ending::End {
            return self.error(format!("unexpected {} in {CONTEXT}", ending.text()));
        }
        self.add(&String::from_utf8_lossy(&name).into(), root)?;
        self.scope = outer;
        Ok(())
    }

    fn item_list(&mut self) -> Parsed<(List, Ending)> {
        self.check_depth()?;
        let mut list = List::default();
        while self.peek_non_space().token != Token::End {
            match self.text_or_action()? {
                Parsing::Node(node) => list.nodes.push(node),
                Parsing::Ending(ending) => {
                    // Most lists are short: room for more would be most of a tree.
                    list.nodes.shrink_to_fit();
                    return Ok((list, ending));
                }
            }
        }
        self.error("unexpected EOF")
    }

    fn text_or_action(&mut self) -> Parsed<Parsing> {
        let item = self.next_non_space();
        match item.token {
            Token::Text => Ok(Parsing::Node(Node::Text { start: item.start, end: item.end })),
            Token::LeftDelimiter => {
                self.scope.action = Some(item.start);
                let parsing = self.action()?;
                self.scope.action = None;
                Ok(parsing)
            }
            _ => self.unexpected(&item, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Parsing> {
        let item = self.next_non_space();
        let node = match item.token {
            Token::KeywordBlock => self.block()?,
            Token::KeywordBreak if self.functions.get("break").is_none() => {
                self.jump("{{break}}")?;
                Node::Break { position: item.start }
            }
            Token::KeywordContinue if self.functions.get("continue").is_none() => {
                self.jump("{{continue}}")?;
                Node::Continue { position: item.start }
            }
            Token::KeywordElse => {
                if !matches!(self.peek_non_space().token, Token::KeywordIf | Token::KeywordWith) {
                    self.expect(Token::RightDelimiter, "else")?;
                }
                return Ok(Parsing::Ending(Ending::Else));
            }
            Token::KeywordEnd => {
                self.expect(Token::RightDelimiter, "end")?;
                return Ok(Parsing::Ending(Ending::End));
            }
            Token::KeywordIf => Node::If(Box::new(self.control("if")?)),
            Token::KeywordRange => Node::Range(Box::new(self.control("range")?)),
            Token::KeywordTemplate => self.template_call()?,
            Token::KeywordWith => Node::With(Box::new(self.control("with")?)),
            _ => {
                self.backup();
                let position = self.peek().start;
                Node::Action { position, pipeline: self.pipeline("command", Token::RightDelimiter)? }
            }
        };
        Ok(Parsing::Node(node))
    }

    fn jump(&mut self, context: &str) -> Parsed<()> {
        let item = self.next_non_space();
        if item.token != Token::RightDelimiter {
            return self.unexpected(&item, context);
        }
        if self.scope.range_depth == 0 {
            return self.error(format!("{context} outside {{{{range}}}}"));
        }
        Ok(())
    }

    fn control(&mut self, context: &str) -> Parsed<Branch> {
        let visible = self.scope.variables.len();
        let pipeline = self.pipeline(context, Token::RightDelimiter)?;
        let conditional_before = self.scope.conditional.len();
        let is_range = context == "range";
        self.scope.range_depth += usize::from(is_range);
        let before_list = self.scope.variables.len();
        let (list, ending) = self.item_list()?;
        self.scope.range_depth -= usize::from(is_range);
        // Go's parser still knows the body's variables in the else clause, but there they never have a value.
        for variable in self.scope.variables.iter_mut().skip(before_list) {
            variable.1 = None;
        }
        let conditional = self.scope.conditional.get(conditional_before..).unwrap_or_default().to_vec();
        let mut otherwise = None;
        if ending == Ending::Else {
            let next = self.peek().token;
            otherwise = Some(if context == "if" && next == Token::KeywordIf {
                self.next();
                List { nodes: vec![Node::If(Box::new(self.control("if")?))] }
            } else if context == "with" && next == Token::KeywordWith {
                self.next();
                List { nodes: vec![Node::With(Box::new(self.control("with")?))] }
            } else {
                let (list, ending) = self.item_list()?;
                if ending != Ending::End {
                    return self.error(format!("expected end; found {}", ending.text()));
                }
                list
            });
        }
        self.scope.variables.truncate(visible);
        Ok(Branch { pipeline, list, otherwise, conditional })
    }

    fn template_name(&mut self, item: &Item, context: &str) -> Parsed<Arc<str>> {
        if !matches!(item.token, Token::String | Token::RawString) {
            return self.unexpected(item, context);
        }
        Ok(String::from_utf8_lossy(&self.unquoted(item)?).into())
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, CONTEXT)?;
        let pipeline = self.pipeline(CONTEXT, Token::RightDelimiter)?;
        let clause = self.tokens[0];
        let outer = std::mem::replace(&mut self.scope, Scope::new());
        let (root, ending) = self.item_list()?;
        if ending != Ending::End {
            // Go reports this at the clause: the body has a parser of its own.
            self.tokens[0] = clause;
            return self.error(format!("unexpected {} in {CONTEXT}", ending.text()));
        }
        self.add(&name, root)?;
        self.scope = outer;
        Ok(Node::Template { position: item.start, name, pipeline: Some(pipeline) })
    }

    fn template_call(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let item = self.next_non_space();
        let name = self.template_name(&item, CONTEXT)?;
        let mut pipeline = None;
        if self.next_non_space().token != Token::RightDelimiter {
            self.backup();
            pipeline = Some(self.pipeline(CONTEXT, Token::RightDelimiter)?);
        }
        Ok(Node::Template { position: item.start, name, pipeline })
    }
}
