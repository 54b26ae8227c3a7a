//! How a case of the chart corpus is read, for the tests that go through it.

use helm::values::{ValuesFile, ValuesOptions};
use serde_json::Value;
use std::path::Path;

/// A list of texts of a case; empty where the case does not have it.
pub(super) fn strings(case: &Value, name: &str) -> Vec<String> {
    case[name].as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// The values files and settings of a case.
pub(super) fn values_options(directory: &Path, case: &Value) -> ValuesOptions {
    ValuesOptions {
        files: strings(case, "values")
            .into_iter()
            .map(|name| ValuesFile { content: fs_err::read(directory.join(&name)).unwrap(), name })
            .collect(),
        set: strings(case, "set"),
        set_string: strings(case, "setString"),
        set_json: strings(case, "setJson"),
        ..ValuesOptions::default()
    }
}
