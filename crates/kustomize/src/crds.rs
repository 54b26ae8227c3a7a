//! `crds`: OpenAPI definitions of custom kinds, scanned for the extensions that say where names and labels are.

use serde_json::{Map, Value};

use crate::{
    config::{Config, NameReference},
    error::Error,
    field_spec::FieldSpec,
    id::Gvk,
    text,
};

/// Deepest nesting of definitions followed.
const MAX_DEPTH: usize = 32;

/// The field specs that a file of definitions asks for.
pub(crate) fn config_from(bytes: &[u8], path: &str) -> Result<Config, Error> {
    let document = text::yaml_to_json(bytes).map_err(|message| Error::Yaml { path: path.to_owned(), message })?;
    let mut config = Config::default();
    let Some(definitions) = document.as_object() else { return Ok(config) };
    for (name, definition) in definitions {
        let Some(schema) = schema_of(definition) else { continue };
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties else { continue };
        if !["kind", "apiVersion", "metadata"].iter().all(|key| properties.contains_key(*key)) {
            continue;
        }
        let gvk = kind_of(name, schema);
        scan(definitions, schema, &gvk, &mut Vec::new(), &mut config, 0);
    }
    Ok(config)
}

fn schema_of(definition: &Value) -> Option<&Map<String, Value>> {
    definition.get("Schema").or(Some(definition)).and_then(Value::as_object)
}

/// From the extension, or the last part of the definition's name.
fn kind_of(name: &str, schema: &Map<String, Value>) -> Gvk {
    let listed = schema.get("x-kubernetes-group-version-kind").and_then(Value::as_array).and_then(|list| list.first());
    if let Some(listed) = listed {
        let part = |key: &str| listed.get(key).and_then(Value::as_str).unwrap_or_default();
        return Gvk { group: part("group").into(), version: part("version").into(), kind: part("kind").into() };
    }
    let kind = name.rsplit(['.', '/']).next().unwrap_or_default();
    Gvk { kind: kind.into(), ..Gvk::default() }
}

/// The definition that a reference names: by its whole text, as these files do, or by the last part of a pointer.
fn referred<'a>(definitions: &'a Map<String, Value>, reference: &str) -> Option<&'a Map<String, Value>> {
    let last = reference.rsplit('/').next().unwrap_or_default();
    definitions.get(reference).or_else(|| definitions.get(last)).and_then(schema_of)
}

fn scan(
    definitions: &Map<String, Value>,
    schema: &Map<String, Value>,
    gvk: &Gvk,
    path: &mut Vec<String>,
    config: &mut Config,
    depth: usize,
) {
    if depth > MAX_DEPTH {
        return;
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.replace('/', "\\/"));
        let spec = |path: &[String]| FieldSpec { gvk: gvk.clone(), path: path.join("/").into(), create: false };
        let text = |key: &str| property.get(key).and_then(Value::as_str);
        if property.get("x-kubernetes-annotation").is_some() {
            config.common_annotations.push(spec(path));
        }
        if property.get("x-kubernetes-label-selector").is_some() {
            config.common_labels.push(spec(path));
        }
        if property.get("x-kubernetes-identity").is_some() {
            config.name_prefix.push(spec(path));
        }
        if let (Some(api_version), Some(kind)) =
            (text("x-kubernetes-object-ref-api-version"), text("x-kubernetes-object-ref-kind"))
        {
            let mut field = spec(path);
            if let Some(key) = text("x-kubernetes-object-ref-name-key") {
                field.path = format!("{}/{key}", field.path).into();
            } else {
                field.path = format!("{}/name", field.path).into();
            }
            config
                .name_references
                .push(NameReference { target: Gvk::parse(api_version, kind), referrers: vec![field] });
        }
        let below = match text("$ref") {
            Some(name) => referred(definitions, name),
            None => property.as_object(),
        };
        if let Some(below) = below {
            scan(definitions, below, gvk, path, config, depth + 1);
        }
        if let Some(items) = property.get("items") {
            let below = match items.get("$ref").and_then(Value::as_str) {
                Some(name) => referred(definitions, name),
                None => items.as_object(),
            };
            if let Some(below) = below {
                scan(definitions, below, gvk, path, config, depth + 1);
            }
        }
        path.pop();
    }
}
