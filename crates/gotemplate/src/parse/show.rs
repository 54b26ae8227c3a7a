//! Nodes as text, in Go's normal form, for error messages.

use std::fmt::{self, Display, Formatter, Write as _};

use super::tree::{Command, Operand, OperandKind, Pipeline, Variable};
use crate::format::quote::quoted;

impl Display for Pipeline {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, variable) in self.declarations.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            variable.fmt(formatter)?;
        }
        if !self.declarations.is_empty() {
            formatter.write_str(if self.assign { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" | ")?;
            }
            command.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            if index > 0 {
                formatter.write_char(' ')?;
            }
            if let OperandKind::Pipeline(pipeline) = &operand.kind {
                write!(formatter, "({pipeline})")?;
            } else {
                operand.fmt(formatter)?;
            }
        }
        Ok(())
    }
}

impl Display for Variable {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

fn write_fields(formatter: &mut Formatter<'_>, fields: &[Box<str>]) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(formatter, ".{field}"))
}

impl Display for Operand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Dot => formatter.write_char('.'),
            OperandKind::Nil => formatter.write_str("nil"),
            OperandKind::Bool(value) => value.fmt(formatter),
            OperandKind::Number(number) => formatter.write_str(&number.text),
            OperandKind::String { quoted, .. } => formatter.write_str(quoted),
            OperandKind::Field(fields) => write_fields(formatter, fields),
            OperandKind::Variable { variable, fields } => {
                variable.fmt(formatter)?;
                write_fields(formatter, fields)
            }
            OperandKind::Function { function, .. } => formatter.write_str(function.name),
            OperandKind::Chain { operand, fields } => {
                if let OperandKind::Pipeline(pipeline) = &operand.kind {
                    write!(formatter, "({pipeline})")?;
                } else {
                    operand.fmt(formatter)?;
                }
                write_fields(formatter, fields)
            }
            OperandKind::Pipeline(pipeline) => pipeline.fmt(formatter),
        }
    }
}

/// A `{{template}}` action as text.
pub(crate) fn template(name: &str, pipeline: Option<&Pipeline>) -> String {
    let mut text = format!("{{{{template {}", quoted(name.as_bytes()));
    if let Some(pipeline) = pipeline {
        let _ = write!(text, " {pipeline}");
    }
    text.push_str("}}");
    text
}
