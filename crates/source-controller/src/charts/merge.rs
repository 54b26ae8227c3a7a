//! Merging values files into a chart's default values. Pure.

use helm::chart::{Chart, File};
use helm::value::{Map, Value};
use helm::values;

/// Why values files could not be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// No such file.
    #[error("no values file found at path '{0}'")]
    Missing(String),
    /// Not YAML, or not a mapping.
    #[error("unmarshaling values from '{file}' failed: {message}")]
    Unreadable {
        /// The file.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// The merged values cannot be written.
    #[error("cannot write the merged values: {0}")]
    Write(String),
}

/// Merges the files in order; `read` finds one. Gives the values and the files that were there.
pub fn merge(
    files: &[String],
    ignore_missing: bool,
    mut read: impl FnMut(&str) -> Option<Content>,
) -> Result<(Map, Vec<String>), MergeError> {
    let mut merged = Map::new();
    let mut used = Vec::with_capacity(files.len());
    for file in files {
        let map = match read(&clean(file)) {
            None if ignore_missing => continue,
            None => return Err(MergeError::Missing(file.clone())),
            Some(Content::Values(map)) => map,
            Some(Content::Text(text)) => values::flux::read_values(&text)
                .map_err(|message| MergeError::Unreadable { file: file.clone(), message })?,
        };
        values::merge_maps(&mut merged, map);
        used.push(file.clone());
    }
    Ok((merged, used))
}

/// A values file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Its text.
    Text(Vec<u8>),
    /// What was read from it before.
    Values(Map),
}

/// A file of the chart itself; `values.yaml` is its default values.
pub fn from_chart(chart: &Chart, path: &str) -> Option<Content> {
    if path == "values.yaml" {
        return Some(Content::Values(chart.values.clone().unwrap_or_default()));
    }
    chart.files.iter().find(|file| &*file.name == path).map(|file| Content::Text(file.data.to_vec()))
}

/// The path from the root, with `..` held at the root.
pub fn clean(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    elements.join("/")
}

/// Makes the values the chart's defaults. Nothing to do when there are none.
pub fn overwrite_defaults(chart: &mut Chart, merged: Map) -> Result<bool, MergeError> {
    if merged.is_empty() {
        return Ok(false);
    }
    let text = yaml::v2::to_string(&values::to_yaml(&Value::Map(merged.clone())))
        .map_err(|error| MergeError::Write(error.to_string()))?;
    if chart.raw_file("values.yaml").is_some_and(|file| &*file.data == text.as_bytes()) {
        return Ok(false);
    }
    chart.values = Some(merged);
    chart.raw.retain(|file| &*file.name != "values.yaml");
    chart.raw.push(File::new("values.yaml", text.into_bytes()));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_merged_in_order() {
        let read = |path: &str| match path {
            "a.yaml" => Some(Content::Text(b"x: 1\nm: {a: 1, b: [1]}\n".to_vec())),
            "sub/b.yaml" => Some(Content::Text(b"m: {b: [2]}\n".to_vec())),
            "bad.yaml" => Some(Content::Text(b"- not a map\n".to_vec())),
            _ => None,
        };
        let files = |list: &[&str]| list.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
        let (merged, used) = merge(&files(&["a.yaml", "./nope.yaml", "../sub/b.yaml"]), true, read).unwrap();
        assert_eq!(merged.to_json(), serde_json::json!({"x": 1, "m": {"a": 1, "b": [2]}}));
        assert_eq!(used, ["a.yaml", "../sub/b.yaml"]);
        let missing = merge(&files(&["./nope.yaml"]), false, read).unwrap_err();
        assert_eq!(missing.to_string(), "no values file found at path './nope.yaml'");
        let unreadable = merge(&files(&["bad.yaml"]), false, read).unwrap_err().to_string();
        assert!(unreadable.starts_with("unmarshaling values from 'bad.yaml' failed: "), "{unreadable}");
    }
}
