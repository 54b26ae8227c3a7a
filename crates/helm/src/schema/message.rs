//! The problems of values as Helm's JSON Schema library words them.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use std::fmt::Write as _;

/// Most problems listed; beyond it the rest is counted.
const MOST_PROBLEMS: usize = 100;
/// Nested alternatives are listed down to this level.
const DEEPEST_ALTERNATIVES: usize = 10;

/// The order in which several types are named.
const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/// All problems, one a line, indented below the alternatives they belong to.
pub(super) fn problems<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> String {
    let mut out = String::new();
    let mut errors = errors;
    let mut listed: Vec<ValidationError<'a>> = errors.by_ref().take(MOST_PROBLEMS).collect();
    leave_types(&mut listed);
    for together in listed.chunk_by(|left, right| {
        missing(left).is_some() && missing(right).is_some() && left.instance_path() == right.instance_path()
    }) {
        match together {
            [only] => write_problem(&mut out, only, 0),
            several => {
                // All that one object lacks is one problem.
                let names: Vec<String> = several.iter().filter_map(missing).collect();
                let place = several.first().map(|error| error.instance_path().as_str()).unwrap_or_default();
                let _ = writeln!(out, "- at {}: missing properties {}", quote(place), names.join(", "));
            }
        }
    }
    let rest = errors.take(10_000).count();
    if rest > 0 {
        let _ = writeln!(out, "- and {rest} more");
    }
    out
}

/// Where the type is wrong, Helm looks no further.
fn leave_types(errors: &mut Vec<ValidationError<'_>>) {
    let wrong: Vec<(String, String)> = errors
        .iter()
        .filter(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }))
        .filter_map(|error| {
            let schema = error.evaluation_path().as_str().strip_suffix("/type")?;
            Some((schema.to_owned(), error.instance_path().as_str().to_owned()))
        })
        .collect();
    let below =
        |path: &str, root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    errors.retain(|error| {
        let (schema, place) = (error.evaluation_path().as_str(), error.instance_path().as_str());
        !wrong.iter().any(|(wrong, at)| {
            below(place, at)
                && schema.strip_prefix(wrong.as_str()).is_some_and(|rest| rest.starts_with('/') && rest != "/type")
        })
    });
}

/// The property whose absence is the problem, quoted.
fn missing(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        ValidationErrorKind::Required { property } => Some(quote(property.as_str().unwrap_or_default())),
        _ => None,
    }
}

fn write_problem(out: &mut String, error: &ValidationError<'_>, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(out, "{indent}- at {}: {}", quote(error.instance_path().as_str()), describe(error));
    if depth >= DEEPEST_ALTERNATIVES {
        return;
    }
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        for alternative in context.iter().flatten() {
            write_problem(out, alternative, depth + 1);
        }
    }
}

fn describe(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let instance = error.instance();
    let length = || match &**instance {
        serde_json::Value::String(text) => text.chars().count(),
        serde_json::Value::Array(items) => items.len(),
        serde_json::Value::Object(fields) => fields.len(),
        _ => 0,
    };
    match error.kind() {
        Kind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(wanted) => wanted.to_string(),
                TypeKind::Multiple(wanted) => {
                    let names: Vec<String> = wanted.iter().map(|name| name.to_string()).collect();
                    let in_order = TYPES.into_iter().filter(|name| names.iter().any(|wanted| wanted == name));
                    in_order.collect::<Vec<_>>().join(" or ")
                }
            };
            format!("got {}, want {wanted}", json_type(instance))
        }
        Kind::Required { property } => format!("missing property {}", quote(property.as_str().unwrap_or_default())),
        Kind::AdditionalProperties { unexpected } => {
            format!("additional properties {} not allowed", join(unexpected))
        }
        Kind::UnevaluatedProperties { unexpected } => {
            format!("unevaluated properties {} not allowed", join(unexpected))
        }
        Kind::Enum { options } => match &**options {
            serde_json::Value::Array(options) if options.iter().all(is_scalar) && !options.is_empty() => {
                let options: Vec<String> = options.iter().map(display).collect();
                match options.as_slice() {
                    [only] => format!("value must be {only}"),
                    _ => format!("value must be one of {}", options.join(", ")),
                }
            }
            _ => "'enum' failed".into(),
        },
        Kind::Constant { expected_value } if is_scalar(expected_value) => {
            format!("value must be {}", display(expected_value))
        }
        Kind::Constant { .. } => "'const' failed".into(),
        Kind::Pattern { pattern } => {
            format!("{} does not match pattern {}", quote(instance.as_str().unwrap_or_default()), quote(pattern))
        }
        Kind::Minimum { limit } => format!("minimum: got {instance}, want {limit}"),
        Kind::Maximum { limit } => format!("maximum: got {instance}, want {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("exclusiveMinimum: got {instance}, want {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("exclusiveMaximum: got {instance}, want {limit}"),
        Kind::MultipleOf { multiple_of, .. } => format!("multipleOf: got {instance}, want {multiple_of}"),
        Kind::MinLength { limit } => format!("minLength: got {}, want {limit}", length()),
        Kind::MaxLength { limit } => format!("maxLength: got {}, want {limit}", length()),
        Kind::MinItems { limit } => format!("minItems: got {}, want {limit}", length()),
        Kind::MaxItems { limit } => format!("maxItems: got {}, want {limit}", length()),
        Kind::MinProperties { limit } => format!("minProperties: got {}, want {limit}", length()),
        Kind::MaxProperties { limit } => format!("maxProperties: got {}, want {limit}", length()),
        Kind::AnyOf { .. } => "'anyOf' failed".into(),
        Kind::OneOfNotValid { .. } => "'oneOf' failed, none matched".into(),
        Kind::OneOfMultipleValid { .. } => "'oneOf' failed, more than one subschema matched".into(),
        Kind::Not { .. } => "'not' failed".into(),
        Kind::FalseSchema => "false schema".into(),
        Kind::Contains => "no items match contains schema".into(),
        Kind::Format { format } => format!("{} is not valid {format}", display(instance)),
        _ => error.to_string(),
    }
}

fn json_type(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "boolean",
        serde_json::Value::Number(_) => "number",
        serde_json::Value::String(_) => "string",
        serde_json::Value::Array(_) => "array",
        serde_json::Value::Object(_) => "object",
    }
}

fn is_scalar(value: &serde_json::Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn display(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => quote(text),
        serde_json::Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

fn join(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// The library quotes with single quotes, escaping those inside.
pub(super) fn quote(text: &str) -> String {
    let escaped = crate::go_text::quote(text);
    let inner = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or_default();
    format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
}
