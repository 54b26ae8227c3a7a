//! From template text to trees.

mod lexer;
pub(crate) mod number;
mod parser;
pub(crate) mod show;
pub(crate) mod tree;

use std::sync::Arc;

pub use tree::{Source, Tree};

use crate::error::ParseError;
use crate::function::FunctionMap;
use crate::stack::{self, StackGuard};

/// Parses a text and the templates it defines. The template of the text itself comes last; of a definition that stands
/// twice the non-empty one is kept.
///
/// # Errors
/// As Go's parser, in its words.
pub fn parse(name: &str, text: &[u8], functions: &FunctionMap) -> Result<Vec<Arc<Tree>>, ParseError> {
    parse_within(name, text, functions, StackGuard::new(stack::budget()))
}

/// [`parse`] of a text that is shared instead of copied.
///
/// # Errors
/// As Go's parser, in its words.
pub fn parse_shared(name: &Arc<str>, text: &Arc<[u8]>, functions: &FunctionMap) -> Result<Vec<Arc<Tree>>, ParseError> {
    let source = Arc::new(Source { name: name.clone(), text: text.clone() });
    parser::parse(&source, functions, StackGuard::new(stack::budget()))
}

/// [`parse`] as a part of a recursion that has already used some stack.
pub(crate) fn parse_within(
    name: &str,
    text: &[u8],
    functions: &FunctionMap,
    stack: StackGuard,
) -> Result<Vec<Arc<Tree>>, ParseError> {
    let source = Arc::new(Source { name: name.into(), text: text.into() });
    parser::parse(&source, functions, stack)
}
