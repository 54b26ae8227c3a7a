//! Hash suffixes of generated ConfigMaps and Secrets.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{error::Error, node::Node, res_map::ResMap, resource::Resource, text};

/// Appends its hash to the name of every resource that wants one.
pub(crate) fn apply(resources: &mut ResMap) -> Result<(), Error> {
    for resource in resources.iter_mut().filter(|resource| resource.needs_hash) {
        let hash = hash(resource)?;
        let name = format!("{}-{hash}", resource.id().name);
        resource.remember();
        resource.set_name(&name);
    }
    Ok(())
}

/// Ten characters that stand for the content.
///
/// The encoded name is always empty and data that is missing is an empty text: an accident of the first releases that
/// has become what everybody's names depend on.
pub(crate) fn hash(resource: &Resource) -> Result<String, Error> {
    let node = resource.node();
    let field = |key: &str| -> Result<Option<Value>, Error> {
        node.at(&[key])
            .filter(|node| !node.is_null())
            .map(|node| text::to_json(node).map_err(|message| resource.error("hashing", message)))
            .transpose()
    };
    let none = || Value::String(String::new());
    let mut encoded = Map::new();
    encoded.insert("kind".into(), node.text_at(&["kind"]).into());
    encoded.insert("name".into(), none());
    match node.text_at(&["kind"]) {
        "ConfigMap" => {
            encoded.insert("data".into(), field("data")?.unwrap_or_else(none));
            if let Some(binary) = field("binaryData")? {
                encoded.insert("binaryData".into(), binary);
            }
        }
        "Secret" => {
            encoded.insert("type".into(), node.text_at(&["type"]).into());
            encoded.insert("data".into(), field("data")?.unwrap_or_else(none));
            if let Some(texts) = field("stringData")? {
                encoded.insert("stringData".into(), texts);
            }
        }
        _ => return Ok(shorten(&other_kind(node))),
    }
    Ok(shorten(&go_json(&Value::Object(encoded))))
}

/// Other kinds get a hash only through plugins, and upstream's depends on line numbers; this one on the content.
fn other_kind(node: &Node) -> String {
    text::to_json(node).map(|value| go_json(&value)).unwrap_or_default()
}

/// JSON as Go writes it: keys sorted, and characters that HTML knows escaped.
fn go_json(value: &Value) -> String {
    text::go_escaped(&value.to_string())
}

/// The first ten hexadecimal digits, with those that could spell words replaced.
fn shorten(text: &str) -> String {
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    digest
        .chars()
        .take(10)
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_config_map_has_the_hash_everybody_knows() {
        assert_eq!(shorten(r#"{"data":"","kind":"ConfigMap","name":""}"#), "6ct58987ht");
        let node = text::parse_document("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n").unwrap().unwrap();
        assert_eq!(hash(&Resource::new(node)).unwrap(), "6ct58987ht");
    }
}
