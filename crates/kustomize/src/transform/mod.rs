//! The built-in transformers, each one pass over the resources.

pub(crate) mod affix;
pub(crate) mod hash;
pub(crate) mod image;
pub(crate) mod json_patch;
pub(crate) mod metadata;
pub(crate) mod name_reference;
pub(crate) mod namespace;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod replacement;
pub(crate) mod replica;
pub(crate) mod value_add;
pub(crate) mod var;
