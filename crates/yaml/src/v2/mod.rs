//! `sigs.k8s.io/yaml` 1.6 over goyaml v2: how Helm and the Kubernetes API machinery read and write YAML.
//!
//! Reading goes YAML → JSON → Go values: keys become strings, and (as `encoding/json` does without a target type) every
//! number becomes a float unless [`Numbers`] says otherwise. Writing goes the other way round.

mod build;
mod builder;
mod documents;
mod emitter;
mod json;
mod sort;
mod tape;
mod text;

pub use builder::{Builder, Numbers, Options, TreeBuilder};
pub use documents::split_documents;
pub use emitter::{Emitter, Flavor};
pub use json::{to_json, write_json, write_json_string};
pub use sort::{compare_keys, sort_naturally};

pub(crate) use sort::{compare, sort_by};

pub(crate) use build::excessive_aliasing;
pub(crate) use text::{decode_base64, go_string};

use crate::scan::Dialect;
use crate::{Error, Value};

/// Reads the first document as `yaml.Unmarshal(text, &interface{})` does: all numbers are floats, the last of equal keys wins.
pub fn unmarshal(text: &[u8]) -> Result<Value, Error> {
    parse(text, Options::default()).map_err(wrap)
}

/// Reads the first document strictly as `yaml.UnmarshalStrict` does: equal keys are an error.
pub fn unmarshal_strict(text: &[u8]) -> Result<Value, Error> {
    parse(text, Options { strict: true, ..Options::default() }).map_err(wrap)
}

/// [`unmarshal`] into values of your own.
pub fn unmarshal_with<B: Builder>(text: &[u8], options: Options, builder: &mut B) -> Result<B::Value, Error> {
    parse_with(text, options, builder).map_err(wrap)
}

fn wrap(error: Error) -> Error {
    error.converting()
}

/// Reads the first document as `yaml.YAMLToJSON` does; errors are not wrapped.
pub fn parse(text: &[u8], options: Options) -> Result<Value, Error> {
    parse_with(text, options, &mut TreeBuilder::<Value>::default())
}

/// [`parse`] into values of your own.
pub fn parse_with<B: Builder>(text: &[u8], options: Options, builder: &mut B) -> Result<B::Value, Error> {
    build::parse_with(text, options, builder)
}

/// `yaml.YAMLToJSON`: the first document as compact JSON with sorted keys, integers kept.
pub fn yaml_to_json(text: &[u8]) -> Result<String, Error> {
    parse(text, Options { numbers: Numbers::Yaml, ..Options::default() }).map(|value| to_json(&value))
}

/// `yaml.Marshal`: block style, keys sorted naturally, numbers as JSON has them.
pub fn to_string(value: &Value) -> Result<String, Error> {
    let mut emitter = Emitter::new(Flavor::Sigs);
    emitter.value(value)?;
    Ok(emitter.finish())
}

/// goyaml v2's own `Marshal` of maps whose keys were sorted bytewise: the text under helm-controller's values digest.
pub fn to_string_bytewise(value: &Value) -> Result<String, Error> {
    let mut emitter = Emitter::new(Flavor::Bytewise);
    emitter.value(value)?;
    Ok(emitter.finish())
}

/// Does this text, written plain, read back as this same text (no number, boolean, null, date or base 60 number)?
#[must_use]
pub fn is_plain_string(text: &str) -> bool {
    crate::resolve::resolve_plain(Dialect::V2, text) == crate::resolve::Resolved::String
        && !crate::resolve::is_base60(text)
        || text == "<<"
}

/// The value of an untagged plain scalar.
#[must_use]
pub fn resolve_plain(text: &str) -> Value {
    build::plain_value(text)
}
