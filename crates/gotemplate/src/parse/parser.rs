//! The parser: tokens to trees, with Go's messages for what is wrong.

use std::borrow::Cow;
use std::sync::Arc;

use super::lexer::{Item, Lexer, Token};
use super::number;
use super::tree::{
    Branch, Command, List, Literal, Node, Operand, OperandKind, Pipeline, Slots, Source, Special, Tree, Variable,
};
use crate::builtin;
use crate::error::ParseError;
use crate::format::quote::quoted;
use crate::function::FunctionMap;
use crate::stack::StackGuard;
use crate::strconv;

type Parsed<T> = Result<T, ParseError>;

pub(super) fn parse(source: &Arc<Source>, functions: &FunctionMap, stack: StackGuard) -> Parsed<Vec<Arc<Tree>>> {
    let mut parser = Parser {
        source: source.clone(),
        bytes: &source.text,
        lexer: Lexer::new(&source.text),
        functions,
        tokens: [None, None, None],
        peeked: 0,
        scope: Scope::default(),
        trees: Vec::new(),
        stack,
    };
    parser.template()?;
    Ok(parser.trees)
}

/// Parentheses deeper than this are an error in Go; here the native stack may end earlier.
const MAX_PARENTHESES: usize = 10_000;

/// What belongs to the one definition that is being parsed.
#[derive(Default)]
struct Scope {
    /// Names in scope with their slots; none for names that were only assigned to.
    variables: Vec<(Box<str>, Option<Declared>)>,
    slots: usize,
    parentheses: usize,
    range_depth: usize,
    /// Where the action began that is being parsed.
    action: Option<usize>,
    /// Slots declared in parentheses.
    conditional: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Declared {
    slot: usize,
    conditional: bool,
}

impl Scope {
    fn new() -> Self {
        let root = Declared { slot: 0, conditional: false };
        Self { variables: vec![("$".into(), Some(root))], slots: 1, ..Self::default() }
    }

    fn declare(&mut self, name: &str) -> Slots {
        let slot = self.slots;
        self.slots += 1;
        let conditional = self.parentheses > 0;
        if conditional {
            self.conditional.push(slot);
        }
        self.variables.push((name.into(), Some(Declared { slot, conditional })));
        Slots::One(slot)
    }

    fn resolve(&self, name: &str) -> Slots {
        let mut slots = Vec::new();
        for (_, declared) in self.variables.iter().rev().filter(|variable| &*variable.0 == name) {
            if let Some(declared) = declared {
                slots.push(declared.slot);
                if !declared.conditional {
                    break;
                }
            }
        }
        match slots.as_slice() {
            [] => Slots::None,
            [slot] => Slots::One(*slot),
            _ => Slots::Many(slots.into()),
        }
    }
}

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

struct Parser<'a> {
    source: Arc<Source>,
    /// The source's text.
    bytes: &'a [u8],
    lexer: Lexer<'a>,
    functions: &'a FunctionMap,
    tokens: [Option<Item>; 3],
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
            self.tokens[0] = Some(self.lexer.next_item());
        }
        self.tokens.get(self.peeked).cloned().flatten().unwrap_or(Item {
            token: Token::End,
            start: 0,
            end: 0,
            message: None,
        })
    }

    fn backup(&mut self) {
        self.peeked += 1;
    }

    fn backup_two(&mut self, first: Item) {
        self.tokens[1] = Some(first);
        self.peeked = 2;
    }

    fn backup_three(&mut self, first: Item, second: Item) {
        self.tokens[1] = Some(second);
        self.tokens[2] = Some(first);
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
        String::from_utf8_lossy(self.raw(item))
    }

    fn raw(&self, item: &Item) -> &'a [u8] {
        self.bytes.get(item.start..item.end).unwrap_or_default()
    }

    fn line(&self, item: &Item) -> usize {
        self.source.position(item.start).0
    }

    // Errors.

    fn error<T>(&self, message: impl AsRef<str>) -> Parsed<T> {
        let line = self.tokens[0].as_ref().map_or(1, |item| self.line(item));
        Err(ParseError { message: format!("template: {}:{line}: {}", self.source.name, message.as_ref()) })
    }

    fn show(&self, item: &Item) -> String {
        let text = self.raw(item);
        match item.token {
            Token::End => "EOF".to_owned(),
            Token::Error => item.message.as_deref().unwrap_or_default().to_owned(),
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

    // Templates and definitions.

    fn template(&mut self) -> Parsed<()> {
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

    fn unquoted(&self, item: &Item) -> Parsed<Vec<u8>> {
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
        let clause = self.tokens[0].clone();
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

    // Pipelines.

    fn pipeline(&mut self, context: &str, end: Token) -> Parsed<Pipeline> {
        self.check_depth()?;
        let position = self.peek_non_space().start;
        let mut pipeline = Pipeline { position, declarations: Vec::new(), assign: false, commands: Vec::new() };
        let first_variable = self.scope.variables.len();
        self.declarations(&mut pipeline, context)?;
        loop {
            let item = self.next_non_space();
            match item.token {
                token if token == end => break,
                Token::Bool
                | Token::CharacterConstant
                | Token::Complex
                | Token::Dot
                | Token::Field
                | Token::Identifier
                | Token::Number
                | Token::KeywordNil
                | Token::RawString
                | Token::String
                | Token::Variable
                | Token::LeftParenthesis => {
                    self.backup();
                    let command = self.command()?;
                    pipeline.commands.push(command);
                }
                Token::KeywordBreak | Token::KeywordContinue if self.functions.get(&self.text(&item)).is_some() => {
                    self.backup();
                    let command = self.command()?;
                    pipeline.commands.push(command);
                }
                _ => return self.unexpected(&item, context),
            }
        }
        if pipeline.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        let constant = |command: &Command| {
            matches!(
                command.operands.first().map(|operand| &operand.kind),
                Some(
                    OperandKind::Bool(_)
                        | OperandKind::Dot
                        | OperandKind::Nil
                        | OperandKind::Number(_)
                        | OperandKind::String { .. }
                )
            )
        };
        if let Some(index) = pipeline.commands.iter().skip(1).position(constant) {
            return self.error(format!("non executable command in pipeline stage {}", index + 2));
        }
        pipeline.commands.shrink_to_fit();
        self.declare(&mut pipeline, first_variable);
        Ok(pipeline)
    }

    fn declarations(&mut self, pipeline: &mut Pipeline, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_non_space();
            if variable.token != Token::Variable {
                return Ok(());
            }
            self.next_non_space();
            let after = self.peek();
            let next = self.peek_non_space();
            let name: Box<str> = self.text(&variable).into();
            if matches!(next.token, Token::Assign | Token::Declare) {
                self.next_non_space();
                pipeline.assign = next.token == Token::Assign;
                self.announce(pipeline, name);
                return Ok(());
            }
            if next.token == Token::Character && self.raw(&next) == b"," {
                self.next_non_space();
                self.announce(pipeline, name);
                if context == "range" && pipeline.declarations.len() < 2 {
                    match self.peek_non_space().token {
                        Token::Variable | Token::RightDelimiter | Token::RightParenthesis => continue,
                        _ => return self.error("range can only initialize variables"),
                    }
                }
                return self.error(format!("too many declarations in {context}"));
            }
            if after.token == Token::Space {
                self.backup_three(variable, after);
            } else {
                self.backup_two(variable);
            }
            return Ok(());
        }
    }

    /// The name may be used from here on, but has no slot of its own before the pipeline has been evaluated:
    /// in `$x := $x` the second one is the outer variable.
    fn announce(&mut self, pipeline: &mut Pipeline, name: Box<str>) {
        self.scope.variables.push((name.clone(), None));
        pipeline.declarations.push(Variable { name, slots: Slots::None });
    }

    /// Gives the variables of a complete pipeline their slots.
    fn declare(&mut self, pipeline: &mut Pipeline, first: usize) {
        if !pipeline.assign {
            self.scope.variables.drain(first..first + pipeline.declarations.len());
        }
        for variable in &mut pipeline.declarations {
            variable.slots =
                if pipeline.assign { self.scope.resolve(&variable.name) } else { self.scope.declare(&variable.name) };
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let position = self.peek_non_space().start;
        let mut operands = Vec::new();
        loop {
            self.peek_non_space();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            let item = self.next();
            match item.token {
                Token::Space => {}
                Token::RightDelimiter | Token::RightParenthesis => {
                    self.backup();
                    break;
                }
                Token::Pipe => break,
                _ => return self.unexpected(&item, "operand"),
            }
        }
        if operands.is_empty() {
            return self.error("empty command");
        }
        operands.shrink_to_fit();
        Ok(Command { position, operands })
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut operand) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.token != Token::Field {
            return Ok(Some(operand));
        }
        let mut fields: Vec<Box<str>> = Vec::new();
        while self.peek().token == Token::Field {
            let item = self.next();
            fields.push(field_name(&self.text(&item)));
        }
        let position = first.start;
        operand = match operand.kind {
            OperandKind::Field(before) => {
                let fields = before.into_iter().chain(fields).collect();
                Operand { position, kind: OperandKind::Field(fields) }
            }
            OperandKind::Variable { variable, .. } => {
                Operand { position, kind: OperandKind::Variable { variable, fields: fields.into() } }
            }
            OperandKind::Bool(_)
            | OperandKind::String { .. }
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                return self.error(format!("unexpected . after term {}", quoted(operand.to_string().as_bytes())));
            }
            _ => Operand { position, kind: OperandKind::Chain { operand: Box::new(operand), fields: fields.into() } },
        };
        Ok(Some(operand))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let item = self.next_non_space();
        let kind = match item.token {
            Token::Identifier | Token::KeywordBreak | Token::KeywordContinue => {
                let name = self.text(&item);
                let Some(function) = self.functions.get(&name).or_else(|| builtin::find(&name)) else {
                    if item.token != Token::Identifier {
                        self.backup();
                        return Ok(None);
                    }
                    return self.error(format!("function {} not defined", quoted(name.as_bytes())));
                };
                OperandKind::Function { function, special: special(function.name, self.functions) }
            }
            Token::Dot => OperandKind::Dot,
            Token::KeywordNil => OperandKind::Nil,
            Token::Variable => {
                let name = self.text(&item);
                if !self.scope.variables.iter().any(|variable| *variable.0 == *name) {
                    return self.error(format!("undefined variable {}", quoted(name.as_bytes())));
                }
                let slots = self.scope.resolve(&name);
                let variable = Variable { name: name.into(), slots };
                OperandKind::Variable { variable, fields: Box::default() }
            }
            Token::Field => OperandKind::Field(Box::new([field_name(&self.text(&item))])),
            Token::Bool => OperandKind::Bool(self.raw(&item) == b"true"),
            Token::CharacterConstant => self.number(&item, number::Literal::Character)?,
            Token::Complex => self.number(&item, number::Literal::Complex)?,
            Token::Number => self.number(&item, number::Literal::Number)?,
            Token::LeftParenthesis => {
                if self.scope.parentheses >= MAX_PARENTHESES {
                    return self.error("max expression depth exceeded");
                }
                self.scope.parentheses += 1;
                let pipeline = self.pipeline("parenthesized pipeline", Token::RightParenthesis)?;
                self.scope.parentheses -= 1;
                let position = pipeline.position;
                return Ok(Some(Operand { position, kind: OperandKind::Pipeline(Box::new(pipeline)) }));
            }
            Token::String | Token::RawString => {
                let bytes = self.unquoted(&item)?;
                let value = match String::from_utf8(bytes) {
                    Ok(text) => Literal::Text(text.into()),
                    Err(error) => Literal::Raw(error.into_bytes().into()),
                };
                OperandKind::String { quoted: self.text(&item).into(), value }
            }
            _ => {
                self.backup();
                return Ok(None);
            }
        };
        Ok(Some(Operand { position: item.start, kind }))
    }

    fn number(&self, item: &Item, literal: number::Literal) -> Parsed<OperandKind> {
        match number::parse(&self.text(item), literal) {
            Ok(number) => Ok(OperandKind::Number(Box::new(number))),
            Err(message) => self.error(message),
        }
    }
}

fn field_name(text: &str) -> Box<str> {
    text.strip_prefix('.').unwrap_or(text).into()
}

/// Builtins that the executor treats in its own way, unless a function map replaces them.
fn special(name: &str, functions: &FunctionMap) -> Special {
    if functions.get(name).is_some() {
        return Special::Ordinary;
    }
    match name {
        "and" => Special::And,
        "or" => Special::Or,
        "call" => Special::Call,
        "len" => Special::Len,
        "slice" => Special::Slice,
        _ => Special::Ordinary,
    }
}
