//! Go `text/template`, `fmt` verbs and sprig.

pub mod context;
pub mod error;
pub mod format;
pub mod function;
pub mod utf8;
pub mod value;
