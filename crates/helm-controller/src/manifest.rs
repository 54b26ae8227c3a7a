//! Manifest text to objects and back.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yaml::v2::{Numbers, Options, TreeBuilder};

/// Begins the line that says which template a document is from.
const SOURCE_PREFIX: &str = "# Source: ";

/// A document of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Template it came from; empty when unknown.
    pub path: String,
    /// The object.
    pub object: Value,
}

/// A manifest that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ManifestError {
    /// Template, or the document's number.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

/// Reads one YAML document as the API machinery does.
pub fn parse_document(text: &str) -> Result<Value, String> {
    let options = Options { numbers: Numbers::Json, ..Options::default() };
    let mut builder = TreeBuilder::<Value, Map<String, Value>>::default();
    yaml::v2::parse_with(text.as_bytes(), options, &mut builder).map_err(|error| error.converting().to_string())
}

/// Reads a stored manifest: documents with a `# Source:` line each. Lists are taken apart, empty documents left out.
pub fn parse(manifest: &str) -> Result<Vec<Document>, ManifestError> {
    let mut documents = Vec::new();
    for (number, text) in helm::manifest::split_manifests(manifest).into_iter().enumerate() {
        let path = source_of(text).map_or_else(|| format!("document {}", number + 1), str::to_owned);
        let object = parse_document(text).map_err(|problem| ManifestError { path: path.clone(), problem })?;
        flatten(&path, object, &mut documents)?;
    }
    Ok(documents)
}

/// Takes lists apart and leaves empty documents out.
pub fn flatten(path: &str, object: Value, documents: &mut Vec<Document>) -> Result<(), ManifestError> {
    match object {
        Value::Null => Ok(()),
        Value::Object(map) if map.is_empty() => Ok(()),
        Value::Object(mut map) => {
            let is_list = map.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
            if is_list && let Some(Value::Array(items)) = map.get_mut("items").map(Value::take) {
                documents.extend(items.into_iter().map(|object| Document { path: path.to_owned(), object }));
                return Ok(());
            }
            documents.push(Document { path: path.to_owned(), object: Value::Object(map) });
            Ok(())
        }
        _ => Err(ManifestError { path: path.to_owned(), problem: "a Kubernetes object must be a map".to_owned() }),
    }
}

fn source_of(document: &str) -> Option<&str> {
    document.lines().take(3).find_map(|line| line.strip_prefix(SOURCE_PREFIX)).map(str::trim)
}

/// Writes an object with sorted keys, as the YAML library of Kubernetes does.
pub fn to_yaml(object: &Value) -> String {
    yaml::v2::to_string(&to_yaml_value(object)).unwrap_or_default()
}

/// Writes documents in the form manifests are stored in.
pub fn to_text<'a>(documents: impl IntoIterator<Item = &'a Document>) -> String {
    let mut text = String::new();
    for Document { path, object } in documents {
        text.push_str("---\n");
        text.push_str(SOURCE_PREFIX);
        text.push_str(path);
        text.push('\n');
        text.push_str(&to_yaml(object));
    }
    text
}

fn to_yaml_value(value: &Value) -> yaml::Value {
    match value {
        Value::Null => yaml::Value::Null,
        Value::Bool(value) => yaml::Value::Bool(*value),
        Value::Number(number) => {
            if let Some(number) = number.as_i64() {
                yaml::Value::Int(number)
            } else if let Some(number) = number.as_u64() {
                yaml::Value::Uint(number)
            } else {
                yaml::Value::Float(number.as_f64().unwrap_or_default())
            }
        }
        Value::String(text) => yaml::Value::String(text.clone()),
        Value::Array(items) => yaml::Value::Sequence(items.iter().map(to_yaml_value).collect()),
        Value::Object(map) => yaml::Value::Mapping(
            map.iter().map(|(key, value)| (key.clone(), to_yaml_value(value))).collect::<BTreeMap<_, _>>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stored_manifests_are_read_with_their_sources() {
        let text = "---\n# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n\
                    ---\n# Source: web/templates/b.yaml\n# only a comment\n\
                    ---\n# Source: web/templates/c.yaml\napiVersion: v1\nkind: List\nitems:\n- {kind: A}\n- {kind: B}\n";
        let documents = parse(text).unwrap();
        let seen: Vec<_> = documents
            .iter()
            .map(|document| (document.path.as_str(), document.object["kind"].as_str().unwrap()))
            .collect();
        assert_eq!(
            seen,
            [("web/templates/a.yaml", "ConfigMap"), ("web/templates/c.yaml", "A"), ("web/templates/c.yaml", "B")]
        );
    }

    #[test]
    fn numbers_keep_their_kind() {
        let object = parse_document("a: 1\nb: 1.5\nc: 2.0\nd: \"1\"\ne: 9007199254740993\n").unwrap();
        assert_eq!(object, json!({"a": 1, "b": 1.5, "c": 2, "d": "1", "e": 9_007_199_254_740_993_i64}));
        assert_eq!(to_yaml(&object), "a: 1\nb: 1.5\nc: 2\nd: \"1\"\ne: 9007199254740993\n");
    }

    #[test]
    fn a_document_that_is_no_map_is_named() {
        let error = parse("---\n# Source: web/templates/a.yaml\njust text\n").unwrap_err();
        assert_eq!(error.to_string(), "web/templates/a.yaml: a Kubernetes object must be a map");
        assert!(parse("---\n# Source: web/templates/a.yaml\na: [\n").is_err());
    }

    #[test]
    fn text_round_trips() {
        let documents = vec![Document {
            path: "web/templates/a.yaml".into(),
            object: json!({"kind": "A", "metadata": {"name": "x"}}),
        }];
        assert_eq!(parse(&to_text(&documents)).unwrap(), documents);
    }
}
