//! Go `text/template`, `fmt` verbs and sprig.

mod answer;
mod builtin;
pub mod context;
pub mod data;
pub mod error;
mod execute;
pub mod format;
pub mod function;
mod parse;
pub mod stack;
pub mod strconv;
mod templates;
mod unicode;
pub mod utf8;
pub mod value;

pub use answer::answer;
pub use execute::{Executor, MissingKey};
pub use parse::{Source, Tree, parse, parse_shared};
pub use templates::Templates;
pub mod sprig;
