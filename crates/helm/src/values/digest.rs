//! The digest of a release's values, as Flux's helm-controller records it to see changed values.

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
    crate::yaml_text::emit_bytewise(&with_integers(&Value::Map(values.clone())))
}

/// The YAML value in which every float that an integer of 64 bits stands for is that integer.
fn with_integers(value: &Value) -> yaml::Value {
    match value {
        Value::Float(number) => integer(*number),
        Value::List(items) => yaml::Value::Sequence(items.iter().map(with_integers).collect()),
        Value::Map(map) => {
            yaml::Value::Mapping(map.iter().map(|(key, value)| (key.to_string(), with_integers(value))).collect())
        }
        scalar => super::to_yaml(scalar),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
fn integer(number: f64) -> yaml::Value {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() != 0.0 {
        yaml::Value::Float(number)
    } else if (-TWO_TO_63..TWO_TO_63).contains(&number) {
        yaml::Value::Int(number as i64)
    } else if (TWO_TO_63..2.0 * TWO_TO_63).contains(&number) {
        yaml::Value::Uint(number as u64)
    } else {
        yaml::Value::Float(number)
    }
}
