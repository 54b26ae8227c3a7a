//! One question about a template as a JSON line, one answer: for putting whole tables of cases to one process.

use std::collections::HashMap;

use serde_json::json;
use serde_json::value::RawValue;

use crate::context::Environment;
use crate::data::read_json;
use crate::execute::Executor;
use crate::function::FunctionMap;
use crate::templates::Templates;
use crate::value::Value;

/// Native stack for one answer, so that deep but finite templates work wherever the caller runs.
const STACK_BYTES: usize = 256 << 20;

/// Answers `{"template", "data", "funcs"}` with `{"expected"}` or `{"error": true, "error_text"}`. `functions` gives the
/// function map for the request's `funcs`, `environment` clock and limits.
#[must_use]
pub fn answer(
    line: &str,
    functions: impl Fn(&str) -> Option<FunctionMap> + Sync,
    environment: impl Fn() -> Environment + Sync,
) -> String {
    let result = crate::stack::with_stack(STACK_BYTES, || render(line, &functions, &environment));
    let answer = match result.map_err(|error| error.to_string()).and_then(|result| result) {
        Ok(text) => json!({ "expected": text }),
        Err(message) => json!({ "error": true, "error_text": message }),
    };
    answer.to_string()
}

fn render(
    line: &str,
    functions: &impl Fn(&str) -> Option<FunctionMap>,
    environment: &impl Fn() -> Environment,
) -> Result<String, String> {
    // The data stays text: numbers are read as Go reads them.
    let request: HashMap<String, &RawValue> =
        serde_json::from_str(line).map_err(|error| format!("unreadable request: {error}"))?;
    let field = |name: &str| -> Result<Option<String>, String> {
        let Some(raw) = request.get(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|error| format!("unreadable request: {name}: {error}"))
    };
    let template = field("template")?.ok_or("unreadable request: no template")?;
    let name = field("funcs")?.unwrap_or_else(|| "core".to_owned());
    let name = name.as_str();
    let functions = functions(name).ok_or_else(|| format!("unknown functions {name:?}: use core, sprig or helm"))?;
    let mut templates = Templates::new(functions);
    templates.add("t", template.as_bytes()).map_err(|error| error.to_string())?;
    let mut environment = environment();
    environment.limits.stack_bytes = crate::stack::budget();
    let missing_key = match field("missingkey")?.as_deref() {
        Some("zero") => crate::execute::MissingKey::Zero,
        Some("error") => crate::execute::MissingKey::Error,
        _ => crate::execute::MissingKey::Default,
    };
    let mut executor = Executor::new(templates, environment).with_missing_key(missing_key);
    let data = match request.get("data") {
        Some(data) => read_json::read_document(data.get().as_bytes(), read_json::Numbers::IntOrFloat)?.value,
        None => Value::Nil,
    };
    let output = executor.execute("t", data).map_err(|error| error.to_string())?;
    Ok(output.lossy().into_owned())
}
