//! The documents of rendered text and of CRD files, read as Kubernetes' decoder reads them.

use crate::yaml_text::{documents as yaml_documents, parse, scalar_text, yaml_kind};
use std::collections::BTreeMap;

/// What the rules look at in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// The heads of all documents that hold something; an error ends them.
pub(super) fn heads(text: &str) -> Vec<Result<Head, String>> {
    if text.trim_start().starts_with('{')
        && let Some(heads) = json_heads(text)
    {
        return heads;
    }
    let mut heads = Vec::new();
    for document in yaml_documents(text.as_bytes()) {
        let head = document.and_then(|document| parse(&document)).and_then(|document| Head::read(&document));
        let failed = head.is_err();
        heads.extend(head.transpose());
        if failed {
            break;
        }
    }
    heads
}

/// A stream of JSON values; `None` when it does not begin with one.
fn json_heads(text: &str) -> Option<Vec<Result<Head, String>>> {
    let mut heads = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>() {
        match value {
            Ok(value) => {
                let head = parse(value.to_string().as_bytes()).and_then(|value| Head::read(&value));
                heads.extend(head.transpose());
            }
            Err(_) if heads.is_empty() => return None,
            Err(error) => {
                heads.push(Err(format!("json: {error}")));
                break;
            }
        }
    }
    Some(heads)
}

impl Head {
    fn read(document: &yaml::Value) -> Result<Option<Self>, String> {
        let fields = match document {
            yaml::Value::Null => return Ok(None),
            yaml::Value::Mapping(fields) => fields,
            other => return Err(mismatch(other, "Go value of type rules.k8sYamlStruct")),
        };
        let mut head = Self {
            api_version: text(fields, "APIVersion", "k8sYamlStruct.APIVersion")?,
            kind: text(fields, "Kind", "k8sYamlStruct.Kind")?,
            ..Self::default()
        };
        match field(fields, "Metadata") {
            None => {}
            Some(yaml::Value::Mapping(metadata)) => {
                head.name = text(metadata, "Name", "k8sYamlMetadata.Metadata.Name")?;
                text(metadata, "Namespace", "k8sYamlMetadata.Metadata.Namespace")?;
            }
            Some(other) => {
                return Err(mismatch(other, "Go struct field k8sYamlStruct.Metadata of type rules.k8sYamlMetadata"));
            }
        }
        Ok(Some(head))
    }
}

/// Whether the first document is a list with an item that has the annotation for the resource policy. Helm looks no
/// further either.
pub(super) fn keeps_items(text: &str) -> bool {
    let Ok(yaml::Value::Mapping(fields)) = parse(text.as_bytes()) else { return false };
    let Some(yaml::Value::Sequence(items)) = field(&fields, "items") else { return false };
    items.iter().any(|item| {
        let yaml::Value::Mapping(item) = item else { return false };
        let Some(yaml::Value::Mapping(metadata)) = field(item, "metadata") else { return false };
        let Some(yaml::Value::Mapping(annotations)) = field(metadata, "annotations") else { return false };
        annotations.contains_key(crate::manifest::annotation::RESOURCE_POLICY)
    })
}

/// A field by name, as Go's JSON decoder finds it: ignoring case; null counts as absent.
fn field<'a>(fields: &'a BTreeMap<String, yaml::Value>, name: &str) -> Option<&'a yaml::Value> {
    fields
        .iter()
        .rfind(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

fn text(fields: &BTreeMap<String, yaml::Value>, name: &str, place: &str) -> Result<String, String> {
    let Some(value) = field(fields, name) else { return Ok(String::new()) };
    scalar_text(value).ok_or_else(|| mismatch(value, &format!("Go struct field {place} of type string")))
}

fn mismatch(found: &yaml::Value, target: &str) -> String {
    let kind = yaml_kind(found);
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into {target}")
}
