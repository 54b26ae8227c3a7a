//! From files to a chart: which file is what, subcharts, and the checks Helm makes.

use super::archive::{Budget, load_nested};
use super::decode::DecodeError;
use super::ignore::Rules;
use super::metadata::{Lock, Metadata};
use super::{Chart, ChartError, DEEPEST_SUBCHART, File, LARGEST_FILE};
use crate::go_text::extension;
use crate::values::load_values;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes a chart of files already named relative to the chart's directory.
///
/// # Errors
/// When the chart is not valid.
pub fn load_files(files: Vec<File>) -> Result<Chart, ChartError> {
    load_with(files, &mut Budget::new(), 0)
}

/// Makes a chart of a directory's listing: every regular file below it, by relative path. Applies `.helmignore`.
///
/// # Errors
/// When the chart is not valid or a file is too large.
pub fn load_directory(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Chart, ChartError> {
    let mut files: Vec<(String, Vec<u8>)> = files.into_iter().collect();
    // Helm walks directories in lexical order.
    files.sort_by(|left, right| left.0.split('/').cmp(right.0.split('/')));
    let mut rules = match files.iter().find(|(name, _)| name == ".helmignore") {
        Some((_, data)) => Rules::parse(&String::from_utf8_lossy(data)).map_err(ChartError::Ignore)?,
        None => Rules::default(),
    };
    rules.add_defaults();
    let mut kept = Vec::with_capacity(files.len());
    let mut total = 0_u64;
    for (name, data) in files {
        if rules.ignores_file_or_parent(&name) {
            continue;
        }
        total += data.len() as u64;
        if data.len() > LARGEST_FILE || total > super::LARGEST_CHART {
            return Err(ChartError::FileTooLarge { name });
        }
        kept.push(File::new(name, without_mark(&data)));
    }
    load_files(kept)
}

/// The content without a UTF-8 byte order mark.
pub(super) fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data)
}

pub(super) fn load_with(files: Vec<File>, budget: &mut Budget, depth: usize) -> Result<Chart, ChartError> {
    if depth > DEEPEST_SUBCHART {
        return Err(ChartError::TooDeep);
    }
    let mut chart = Chart { raw: files.clone(), ..Chart::default() };
    let mut metadata: Option<Metadata> = None;
    for file in files.iter().filter(|file| &*file.name == "Chart.yaml") {
        let metadata = metadata.get_or_insert_default();
        read_metadata(file, metadata)?;
        chart.modified = file.modified;
        if metadata.api_version.is_empty() {
            metadata.api_version = "v1".into();
        }
    }
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        match &*file.name {
            "Chart.yaml" => {}
            "Chart.lock" => chart.lock = Some(read_lock(&file)?),
            "values.yaml" => {
                let values = load_values(&file.data).map_err(|error| file_error(&file, error.to_string()))?;
                chart.values = Some(values);
            }
            "values.schema.json" => {
                chart.schema = Some(file.data);
                chart.schema_modified = file.modified;
            }
            "requirements.yaml" => {
                let metadata = metadata.get_or_insert_default();
                read_metadata(&file, metadata)?;
                if metadata.api_version == "v1" {
                    chart.files.push(file);
                }
            }
            "requirements.lock" => {
                chart.lock = Some(read_lock(&file)?);
                if metadata.get_or_insert_default().api_version == "v1" {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name if name.starts_with("charts/") => {
                if extension(name) == ".prov" {
                    chart.files.push(file);
                    continue;
                }
                let below = name.strip_prefix("charts/").unwrap_or(name);
                let first = below.split('/').next().unwrap_or(below);
                let file = File { name: Arc::from(below), ..file.clone() };
                subcharts.entry(first.to_owned()).or_default().push(file);
            }
            _ => chart.files.push(file),
        }
    }
    chart.metadata = metadata.ok_or(ChartError::NoMetadata)?;
    chart.metadata.validate()?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = load_subchart(&name, files, chart.name(), budget, depth)?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

fn load_subchart(
    name: &str,
    files: Vec<File>,
    parent: &str,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, ChartError> {
    let wrap =
        |source| ChartError::Subchart { name: name.to_owned(), parent: parent.to_owned(), source: Box::new(source) };
    if extension(name) == ".tgz" {
        let Some(file) = files.first() else { return Err(wrap(ChartError::NoMetadata)) };
        if &*file.name != name {
            return Err(ChartError::SubchartArchive {
                parent: parent.to_owned(),
                expected: name.to_owned(),
                found: file.name.to_string(),
            });
        }
        if depth >= DEEPEST_SUBCHART {
            return Err(wrap(ChartError::TooDeep));
        }
        return load_nested(&file.data, budget, depth + 1).map_err(wrap);
    }
    let below = files
        .into_iter()
        .filter_map(|file| {
            let (_, rest) = file.name.split_once('/')?;
            Some(File { name: Arc::from(rest), ..file.clone() })
        })
        .collect();
    load_with(below, budget, depth + 1).map_err(wrap)
}

fn file_error(file: &File, message: String) -> ChartError {
    ChartError::File { file: file.name.to_string(), message }
}

fn decoded<T>(file: &File, result: Result<T, DecodeError>) -> Result<T, ChartError> {
    result.map_err(|error| match error {
        DecodeError::Type(message) => file_error(file, message),
        DecodeError::Rule(message) => ChartError::Metadata(message),
    })
}

fn read_metadata(file: &File, metadata: &mut Metadata) -> Result<(), ChartError> {
    let yaml = crate::yaml_text::parse(&file.data).map_err(|error| file_error(file, error))?;
    decoded(file, metadata.read(&yaml))
}

/// The metadata that parsed `Chart.yaml` holds, before any check.
pub(crate) fn metadata_of(yaml: &yaml::Value) -> Result<Metadata, String> {
    let mut metadata = Metadata::default();
    match metadata.read(yaml) {
        Ok(()) => Ok(metadata),
        Err(DecodeError::Type(message) | DecodeError::Rule(message)) => Err(message),
    }
}

fn read_lock(file: &File) -> Result<Lock, ChartError> {
    let yaml = crate::yaml_text::parse(&file.data).map_err(|error| file_error(file, error))?;
    decoded(file, Lock::read(&yaml))
}
