//! Packing a chart as Helm's `package` lays it out; the same chart always gives the same bytes.

use super::{Chart, ChartError, DEEPEST_SUBCHART};
use crate::chart::metadata::Metadata;
use std::collections::BTreeMap;

/// The chart as a gzipped tar archive: `Chart.yaml` written anew from the metadata, everything else as it is.
///
/// # Errors
/// When the schema is not JSON or the archive cannot be written.
pub fn package(chart: &Chart) -> Result<Vec<u8>, ChartError> {
    let fail = |message: String| ChartError::Package { name: chart.name().to_owned(), message };
    let mut entries = BTreeMap::new();
    collect(chart, chart.name(), &mut entries, 0)?;
    let mut sorted: Vec<(&String, &Vec<u8>)> = entries.iter().collect();
    sorted.sort_by(|left, right| archive::compare_paths(left.0, right.0));
    let mut writer = archive::Writer::new(Vec::new()).map_err(|error| fail(error.to_string()))?;
    for (path, data) in sorted {
        writer.file(path, false, data).map_err(|error| fail(error.to_string()))?;
    }
    writer.finish().map_err(|error| fail(error.to_string()))
}

/// `Chart.yaml` for the metadata, as Helm writes it.
#[must_use]
pub fn metadata_yaml(metadata: &Metadata) -> String {
    let mut json = String::new();
    if metadata.api_version == "v1" {
        // Version 1 charts keep their dependencies in requirements.yaml.
        Metadata { dependencies: Vec::new(), ..metadata.clone() }.write_json(&mut json);
    } else {
        metadata.write_json(&mut json);
    }
    json_as_yaml(&json)
}

pub(super) fn json_as_yaml(json: &str) -> String {
    // JSON is YAML, and reading it back keeps every string a string.
    crate::yaml_text::parse(json.as_bytes()).map(|value| crate::yaml_text::emit(&value)).unwrap_or_default()
}

fn collect(chart: &Chart, base: &str, entries: &mut BTreeMap<String, Vec<u8>>, depth: usize) -> Result<(), ChartError> {
    if depth > DEEPEST_SUBCHART {
        return Err(ChartError::TooDeep);
    }
    let mut add = |name: &str, data: &[u8]| {
        entries.insert(format!("{base}/{name}"), data.to_vec());
    };
    add("Chart.yaml", metadata_yaml(&chart.metadata).as_bytes());
    if chart.metadata.api_version == "v2"
        && let Some(lock) = &chart.lock
    {
        let mut json = String::new();
        lock.write_json(&mut json);
        add("Chart.lock", json_as_yaml(&json).as_bytes());
    }
    if let Some(values) = chart.raw_file("values.yaml") {
        add("values.yaml", &values.data);
    }
    if let Some(schema) = &chart.schema {
        if serde_json::from_slice::<serde::de::IgnoredAny>(schema).is_err() {
            return Err(ChartError::Package {
                name: chart.name().to_owned(),
                message: "values.schema.json is not valid JSON".into(),
            });
        }
        add("values.schema.json", schema);
    }
    for file in chart.templates.iter().chain(&chart.files) {
        add(&file.name, &file.data);
    }
    for dependency in &chart.dependencies {
        collect(dependency, &format!("{base}/charts/{}", dependency.name()), entries, depth + 1)?;
    }
    Ok(())
}
