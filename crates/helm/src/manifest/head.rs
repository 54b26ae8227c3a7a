//! The few fields of a manifest that Helm reads to sort it.

use super::outline;
use std::collections::BTreeMap;

/// The head of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestHead {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

impl ManifestHead {
    /// Reads the head of a manifest.
    ///
    /// # Errors
    /// With Go's wording, when the text is not YAML or a field has the wrong type.
    pub fn parse(manifest: &str) -> Result<Self, String> {
        // Most documents are known to be good without making values of all they hold; the others, and every error, are
        // the parser's.
        if let Some(text) = outline::head_text(manifest)
            && let Ok(head) = Self::parse_whole(&text)
        {
            return Ok(head);
        }
        Self::parse_whole(manifest)
    }

    /// Reads the head of a text by parsing all of it.
    pub(super) fn parse_whole(manifest: &str) -> Result<Self, String> {
        let mut head = Self::default();
        let parsed = crate::yaml_text::parse(manifest.as_bytes())?;
        let fields = match &parsed {
            yaml::Value::Null => return Ok(head),
            yaml::Value::Mapping(fields) => fields,
            other => return Err(mismatch(other, "Go value of type util.SimpleHead")),
        };
        head.api_version = string(field(fields, "apiVersion"), "apiVersion", "string")?;
        head.kind = string(field(fields, "kind"), "kind", "string")?;
        match field(fields, "metadata") {
            None => {}
            Some(yaml::Value::Mapping(metadata)) => {
                head.name = string(field(metadata, "name"), "metadata.name", "string")?;
                match field(metadata, "annotations") {
                    None => {}
                    Some(yaml::Value::Mapping(annotations)) => {
                        for (key, value) in annotations {
                            let text = string(Some(value), "metadata.annotations", "string")?;
                            head.annotations.insert(key.clone(), text);
                        }
                    }
                    Some(other) => {
                        return Err(mismatch(other, "Go struct field .metadata.annotations of type map[string]string"));
                    }
                }
            }
            Some(other) => {
                return Err(mismatch(
                    other,
                    "Go struct field SimpleHead.metadata of type struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }",
                ));
            }
        }
        Ok(head)
    }
}

/// A field by name, as Go's JSON decoder finds it: exactly, else ignoring case; null counts as absent.
fn field<'a>(fields: &'a BTreeMap<String, yaml::Value>, name: &str) -> Option<&'a yaml::Value> {
    fields
        .get(name)
        .or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
        .filter(|value| !value.is_null())
}

fn string(value: Option<&yaml::Value>, name: &str, wanted: &str) -> Result<String, String> {
    match value {
        None | Some(yaml::Value::Null) => Ok(String::new()),
        Some(value) => crate::yaml_text::scalar_text(value).ok_or_else(|| {
            // The struct of the metadata has no name.
            let owner = if name.contains('.') { "" } else { "SimpleHead" };
            mismatch(value, &format!("Go struct field {owner}.{name} of type {wanted}"))
        }),
    }
}

fn mismatch(found: &yaml::Value, target: &str) -> String {
    let kind = crate::yaml_text::yaml_kind(found);
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into {target}")
}
