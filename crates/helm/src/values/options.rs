//! Values as a command line gives them: files, then the `--set` family in Helm's order.

use super::graph::{self, MapRef, Node};
use super::{ValuesError, load_values};
use crate::go_text::trim_space;
use crate::strvals::{Mode, parse_into_graph};
use crate::value::{Map, Value};
use std::collections::BTreeMap;

/// A values file and the name to call it by in errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// As the user named it.
    pub name: String,
    /// The content.
    pub content: Vec<u8>,
}

/// Every way Helm's command line takes values; later kinds win over earlier ones.
#[derive(Clone, Debug, Default)]
pub struct ValuesOptions {
    /// `--values`.
    pub files: Vec<ValuesFile>,
    /// `--set-json`.
    pub set_json: Vec<String>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// `--set-file`.
    pub set_file: Vec<String>,
    /// The files that `--set-file` names, read by the caller.
    pub set_file_contents: BTreeMap<String, String>,
    /// `--set-literal`.
    pub set_literal: Vec<String>,
}

impl ValuesOptions {
    /// The values all options together give.
    ///
    /// # Errors
    /// With Helm's wording.
    pub fn merge(&self) -> Result<Map, ValuesError> {
        let mut values = Map::new();
        for file in &self.files {
            let loaded = load_values(&file.content)
                .map_err(|source| ValuesError::File { file: file.name.clone(), source: Box::new(source) })?;
            super::merge_maps(&mut values, loaded);
        }
        let sets = [&self.set_json, &self.set, &self.set_string, &self.set_file, &self.set_literal];
        if sets.iter().all(|set| set.is_empty()) {
            return Ok(values);
        }
        let mut shared = graph::thaw(&values);
        for text in &self.set_json {
            shared = set_json(shared, text)?;
        }
        let read = |name: &str| {
            self.set_file_contents.get(name).cloned().ok_or_else(|| format!("open {name}: no such file or directory"))
        };
        for (flag, texts, mode) in [
            ("--set", &self.set, Mode::Typed),
            ("--set-string", &self.set_string, Mode::String),
            ("--set-file", &self.set_file, Mode::File(&read)),
            ("--set-literal", &self.set_literal, Mode::Literal),
        ] {
            for text in texts {
                parse_into_graph(text, &shared, mode)
                    .map_err(|error| ValuesError::Set { flag, message: error.to_string() })?;
            }
        }
        Ok(graph::freeze(&shared))
    }
}

fn set_json(values: MapRef, text: &str) -> Result<MapRef, ValuesError> {
    let trimmed = trim_space(text);
    if !trimmed.starts_with('{') {
        parse_into_graph(text, &values, Mode::Json)
            .map_err(|_| ValuesError::SetJson { object: false, text: text.to_owned() })?;
        return Ok(values);
    }
    let json: serde_json::Value =
        serde_json::from_str(trimmed).map_err(|_| ValuesError::SetJson { object: true, text: text.to_owned() })?;
    Ok(match Node::thaw(&Value::from_json(&json)) {
        Node::Map(map) => graph::merge(&values, &map),
        _ => values,
    })
}
