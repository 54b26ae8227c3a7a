//! The built-in transformers, each one pass over the resources.

pub mod affix;
pub mod hash;
pub mod image;
pub mod json_patch;
pub mod metadata;
pub mod name_reference;
pub mod namespace;
pub mod patch;
pub mod path;
pub mod replacement;
pub mod replica;
pub mod value_add;
pub mod var;
