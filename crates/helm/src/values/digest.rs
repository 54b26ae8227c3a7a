//! The digest of a release's values, as Flux's helm-controller records it to see changed values.

use super::to_yaml;
use crate::value::{Map, Value};
use sha2::{Digest as _, Sha256};

/// `sha256:` of the values as YAML with keys sorted bytewise at every level; no values at all digest as empty text.
#[must_use]
pub fn config_digest(values: &Map) -> String {
    let text = if values.is_empty() { String::new() } else { sorted_yaml(values) };
    format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
}

/// The values as `goyaml.v2` writes a `MapSlice` sorted bytewise.
fn sorted_yaml(values: &Map) -> String {
    crate::yaml_text::emit_bytewise(&to_yaml(&Value::Map(values.clone())))
}
