//! Pipelines, commands and operands: what stands within actions.

use super::{Parsed, Parser};
use crate::builtin;
use crate::format::quote::quoted;
use crate::function::FunctionMap;
use crate::parse::lexer::{Item, Token};
use crate::parse::number;
use crate::parse::tree::{Command, Literal, Operand, OperandKind, Pipeline, Slots, Special, Variable};

/// Parentheses deeper than this are an error in Go; here the native stack may end earlier.
const MAX_PARENTHESES: usize = 10_000;

impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: Token) -> Parsed<Pipeline> {
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
