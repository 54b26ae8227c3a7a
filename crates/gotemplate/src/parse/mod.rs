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

/// Native stack that parsing may use; reaching it is Go's error about the expression depth.
const STACK_BYTES: usize = 768 * 1024;

/// Parses a text and the templates it defines. The template of the text itself comes last; of a definition that stands
/// twice the non-empty one is kept.
///
/// # Errors
/// As Go's parser, in its words.
pub fn parse(name: &str, text: &[u8], functions: &FunctionMap) -> Result<Vec<Arc<Tree>>, ParseError> {
    let source = Arc::new(Source { name: name.into(), text: text.into() });
    parser::parse(&source, functions, STACK_BYTES)
}
