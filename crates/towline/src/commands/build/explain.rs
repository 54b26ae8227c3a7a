//! How `towline build --explain` shows who set what.

use kustomize::{ExplainedField, ExplainedResource, Setter};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// For whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A longer value is cut.
const VALUE_WIDTH: usize = 40;

/// The explanation of a build.
pub(super) fn text(resources: &[ExplainedResource], format: Format) -> Result<String> {
    match format {
        Format::Text => Ok(resources.iter().map(for_people).collect::<Vec<_>>().join("\n")),
        Format::Json => {
            let list: Vec<Value> = resources.iter().map(for_programs).collect();
            let text = serde_json::to_string_pretty(&list).map_err(|error| Error::Encode(error.to_string()))?;
            Ok(text + "\n")
        }
    }
}

fn for_people(resource: &ExplainedResource) -> String {
    let id = &resource.id;
    let namespace = if id.namespace.is_empty() { String::new() } else { format!(" in namespace {}", id.namespace) };
    let mut text = format!("{} {} ({}){namespace}\n", id.gvk.kind, id.name, id.gvk.api_version());
    let values: Vec<String> = resource.fields.iter().map(|field| shortened(&field.value)).collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let paths = width(&mut resource.fields.iter().map(|field| field.path.chars().count()));
    let widest = width(&mut values.iter().map(|value| value.chars().count()));
    for (field, value) in resource.fields.iter().zip(&values) {
        text.push_str(&format!("  {:<paths$}  {value:<widest$}  {}\n", field.path, setters(field)));
    }
    text
}

fn setters(field: &ExplainedField) -> String {
    let mut text = named(&field.by);
    if !field.before.is_empty() {
        let before: Vec<String> = field.before.iter().rev().map(named).collect();
        text.push_str(&format!("; before {}", before.join(", ")));
    }
    text
}

fn named(setter: &Setter) -> String {
    if setter.transformer.is_empty() {
        setter.file.clone()
    } else {
        format!("{} ({})", setter.file, setter.transformer)
    }
}

/// One line of a value.
fn shortened(value: &str) -> String {
    let line = value.replace('\n', "\u{21b5}");
    if line.chars().count() <= VALUE_WIDTH {
        return line;
    }
    line.chars().take(VALUE_WIDTH - 1).chain(['\u{2026}']).collect()
}

fn for_programs(resource: &ExplainedResource) -> Value {
    let id = &resource.id;
    let fields: Vec<Value> = resource
        .fields
        .iter()
        .map(|field| {
            json!({
                "path": field.path,
                "pointer": field.pointer,
                "value": field.value,
                "by": setter(&field.by),
                "before": field.before.iter().map(setter).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "apiVersion": id.gvk.api_version(),
        "kind": id.gvk.kind.as_str(),
        "name": id.name.as_str(),
        "namespace": id.namespace.as_str(),
        "fields": fields,
    })
}

fn setter(setter: &Setter) -> Value {
    let mut value = json!({ "file": setter.file });
    for (key, text) in [("transformer", &setter.transformer), ("configuredIn", &setter.configured_in)] {
        if !text.is_empty() {
            value[key] = Value::from(text.as_str());
        }
    }
    value
}
