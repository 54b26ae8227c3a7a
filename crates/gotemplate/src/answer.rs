//! One question about a template as a JSON line, one answer: for putting whole tables of cases to one process.

use serde_json::{Value as Json, json};

use crate::context::Environment;
use crate::execute::Executor;
use crate::function::FunctionMap;
use crate::templates::Templates;
use crate::value::{Str, Value};

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
    let request: Json = serde_json::from_str(line).map_err(|error| format!("unreadable request: {error}"))?;
    let Some(template) = request.get("template").and_then(Json::as_str) else {
        return Err("unreadable request: no template".to_owned());
    };
    let name = request.get("funcs").and_then(Json::as_str).unwrap_or("core");
    let functions = functions(name).ok_or_else(|| format!("unknown functions {name:?}: use core, sprig or helm"))?;
    let mut templates = Templates::new(functions);
    templates.add("t", template.as_bytes()).map_err(|error| error.to_string())?;
    let mut environment = environment();
    environment.limits.stack_bytes = STACK_BYTES - (1 << 20);
    let missing_key = match request.get("missingkey").and_then(Json::as_str) {
        Some("zero") => crate::execute::MissingKey::Zero,
        Some("error") => crate::execute::MissingKey::Error,
        _ => crate::execute::MissingKey::Default,
    };
    let mut executor = Executor::new(templates, environment).with_missing_key(missing_key);
    let data = from_json(request.get("data").unwrap_or(&Json::Null));
    let output = executor.execute("t", data).map_err(|error| error.to_string())?;
    Ok(output.lossy().into_owned())
}

/// JSON as template data: numbers with a fraction or an exponent are `float64`, others `int`.
fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64().unwrap_or(f64::INFINITY)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::map(entries.iter().map(|(key, value)| (Str::from(key.as_str()), from_json(value))))
        }
    }
}
