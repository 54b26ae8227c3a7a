//! Rules about `values.yaml` and the schema.

use super::{ChartFiles, Findings, LintOptions, Severity};
use crate::chart::Chart;
use crate::schema::{CompiledSchema, validate_one};
use crate::value::{Map, Value};
use crate::values::computed_values;
use crate::yaml_text::{json_kind, parse_values};

const FILE: &str = "values.yaml";

pub(super) fn check(files: &ChartFiles, overrides: &Map, options: &LintOptions, findings: &mut Findings) {
    if files.directories.contains(FILE) {
        let place = format!("{}/{FILE}", files.directory);
        return findings.error(FILE, format!("unable to parse YAML: read {place}: is a directory"));
    }
    let Some(text) = files.files.get(FILE) else {
        return findings.add(Severity::Info, FILE, "file does not exist");
    };
    // Only the first document counts here, as in Helm.
    let values = match parse_values(text) {
        Ok(Value::Map(values)) => values,
        Ok(Value::Null) => Map::new(),
        Ok(other) => {
            let kind = json_kind(&other);
            let problem = format!("json: cannot unmarshal {kind} into Go value of type common.Values");
            let message = format!("error unmarshaling JSON: while decoding JSON: {problem}");
            return findings.error(FILE, format!("unable to parse YAML: {message}"));
        }
        Err(error) => return findings.error(FILE, format!("unable to parse YAML: {error}")),
    };
    let Some(schema) = files.files.get("values.schema.json") else { return };
    if options.skip_schema_validation {
        return;
    }
    let bare = Chart { values: Some(values), ..Chart::default() };
    let checked = computed_values(&bare, overrides)
        .map_err(|error| error.to_string())
        .and_then(|(values, _)| validate_one(schema, &CompiledSchema::new(), &values));
    if let Err(problems) = checked {
        findings.error(FILE, problems);
    }
}
