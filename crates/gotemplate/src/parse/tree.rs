//! Parsed templates. Everything is resolved that can be: functions to their definitions, variables to slots.

use std::sync::Arc;

use crate::function::Function;

/// A parsed template.
#[derive(Debug)]
pub struct Tree {
    /// The template's name.
    pub name: Arc<str>,
    /// What it was parsed from.
    pub source: Arc<Source>,
    pub(crate) root: List,
    /// The number of variables it declares.
    pub(crate) slots: usize,
}

/// The text a template was parsed from, for error positions.
#[derive(Debug)]
pub struct Source {
    /// The name given for the text, such as a file's.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<[u8]>,
}

impl Source {
    /// Line (from 1) and column in bytes (from 0) of an offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rposition(|byte| *byte == b'\n').map_or(offset, |newline| offset - newline - 1);
        (line, column)
    }
}

/// A sequence of nodes.
#[derive(Debug, Default)]
pub(crate) struct List {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    /// A stretch of the source.
    Text {
        start: usize,
        end: usize,
    },
    Action {
        position: usize,
        pipeline: Pipeline,
    },
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template {
        position: usize,
        name: Arc<str>,
        pipeline: Option<Pipeline>,
    },
    Break {
        position: usize,
    },
    Continue {
        position: usize,
    },
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipeline: Pipeline,
    pub(crate) list: List,
    pub(crate) otherwise: Option<List>,
    /// Variables in the body that may stay undeclared when an iteration begins: those declared in parentheses.
    pub(crate) conditional: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) position: usize,
    pub(crate) declarations: Vec<Variable>,
    /// `=` rather than `:=`.
    pub(crate) assign: bool,
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) position: usize,
    pub(crate) operands: Vec<Operand>,
}

/// A variable by name, resolved to the slots of the declarations that may be meant, the innermost first.
/// More than one only when the inner one stands in parentheses and so may never be reached.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: Box<str>,
    pub(crate) slots: Slots,
}

#[derive(Debug, Clone)]
pub(crate) enum Slots {
    None,
    One(usize),
    Many(Box<[usize]>),
}

impl Slots {
    pub(crate) fn as_slice(&self) -> &[usize] {
        match self {
            Self::None => &[],
            Self::One(slot) => std::slice::from_ref(slot),
            Self::Many(slots) => slots,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) position: usize,
    pub(crate) kind: OperandKind,
}

#[derive(Debug)]
pub(crate) enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Number(Box<Number>),
    String { quoted: Box<str>, value: Literal },
    Field(Box<[Box<str>]>),
    Variable { variable: Variable, fields: Box<[Box<str>]> },
    Function { function: &'static Function, special: Special },
    Chain { operand: Box<Operand>, fields: Box<[Box<str>]> },
    Pipeline(Box<Pipeline>),
}

/// Builtin functions that the executor itself knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Ordinary,
    And,
    Or,
    Call,
    Len,
    Slice,
}

/// A string constant.
#[derive(Debug)]
pub(crate) enum Literal {
    Text(Arc<str>),
    Raw(Box<[u8]>),
}

/// A number constant: every type it can be.
#[derive(Debug, Default)]
pub(crate) struct Number {
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

impl List {
    /// Nothing but white space: such a definition does not replace another.
    pub(crate) fn is_empty(&self, source: &Source) -> bool {
        self.nodes.iter().all(|node| match node {
            Node::Text { start, end } => {
                String::from_utf8_lossy(source.text.get(*start..*end).unwrap_or_default()).trim().is_empty()
            }
            _ => false,
        })
    }
}
