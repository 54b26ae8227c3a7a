//! Checking values against the charts' `values.schema.json`.
//!
//! One difference from Helm is meant: references to files and web addresses are refused instead of fetched.

mod message;

use crate::chart::Chart;
use crate::value::{Map, Value};
use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use std::sync::{Arc, OnceLock};

/// The values do not fit the schema; the first line is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{details}")]
pub struct SchemaError {
    /// One block for each chart: its name, then its problems.
    pub details: String,
}

/// A compiled schema, or why it cannot be compiled; made once for each chart.
pub(crate) type CompiledSchema = OnceLock<Result<Arc<Validator>, String>>;

/// Checks the coalesced values of a chart and of all its subcharts.
///
/// # Errors
/// With every problem found.
pub fn validate_values(chart: &Chart, values: &Map) -> Result<(), SchemaError> {
    let mut details = String::new();
    validate_into(chart, values, &mut details);
    if details.is_empty() { Ok(()) } else { Err(SchemaError { details }) }
}

fn validate_into(chart: &Chart, values: &Map, details: &mut String) {
    if let Some(schema) = &chart.schema
        && let Err(problems) = validate_one(schema, &chart.prepared.schema, values)
    {
        details.push_str(&format!("{}:\n{problems}", chart.name()));
    }
    for subchart in &chart.dependencies {
        match values.get(subchart.name()) {
            None | Some(Value::Null) => {}
            Some(Value::Map(values)) => validate_into(subchart, values, details),
            Some(other) => details.push_str(&format!(
                "{}:\ninvalid type for values: expected object (map), got {}\n",
                subchart.name(),
                other.go_type()
            )),
        }
    }
}

fn validate_one(schema: &[u8], compiled: &CompiledSchema, values: &Map) -> Result<(), String> {
    let validator = compiled.get_or_init(|| compile(schema).map(Arc::new)).as_ref().map_err(Clone::clone)?;
    let values = values.to_json();
    if validator.is_valid(&values) {
        return Ok(());
    }
    Err(message::problems(validator.iter_errors(&values)))
}

/// Compiles a schema.
///
/// # Errors
/// When it is not JSON, not a schema, or refers to something outside itself.
pub fn compile(schema: &[u8]) -> Result<Validator, String> {
    let schema: serde_json::Value = serde_json::from_slice(schema).map_err(|error| error.to_string())?;
    check_bounded(&schema)?;
    let declared = schema.get("$schema").and_then(serde_json::Value::as_str);
    let draft = declared.map_or(Draft::Draft202012, |uri| match uri.trim_end_matches('#') {
        "http://json-schema.org/draft-04/schema" | "https://json-schema.org/draft-04/schema" => Draft::Draft4,
        "http://json-schema.org/draft-06/schema" | "https://json-schema.org/draft-06/schema" => Draft::Draft6,
        "http://json-schema.org/draft-07/schema" | "https://json-schema.org/draft-07/schema" => Draft::Draft7,
        "https://json-schema.org/draft/2019-09/schema" => Draft::Draft201909,
        _ => Draft::Draft202012,
    });
    jsonschema::options()
        .with_draft(draft)
        .with_base_uri("file:///values.schema.json")
        .with_retriever(NoRetriever)
        .with_pattern_options(PatternOptions::regex())
        .should_ignore_unknown_formats(true)
        .build(&schema)
        .map_err(|error| format!("cannot use values.schema.json: {error}"))
}

/// Refuses to fetch; an unresolved `urn:` accepts anything, as in Helm.
struct NoRetriever;

impl Retrieve for NoRetriever {
    fn retrieve(&self, uri: &Uri<String>) -> Result<serde_json::Value, Box<dyn std::error::Error + Send + Sync>> {
        if uri.as_str().starts_with("urn:") {
            return Ok(serde_json::Value::Bool(true));
        }
        Err(format!("references outside the schema are not followed: {uri}; put the schema into the file").into())
    }
}

/// Most references one schema may follow without going deeper into the values; beyond it is a loop or a bomb.
const MOST_IN_PLACE_STEPS: u32 = 100_000;

/// Refuses schemas whose references go round in circles or multiply without end at one and the same value.
fn check_bounded(schema: &serde_json::Value) -> Result<(), String> {
    let mut steps = 0;
    check_nodes(schema, schema, &mut steps)
}

fn check_nodes(root: &serde_json::Value, node: &serde_json::Value, steps: &mut u32) -> Result<(), String> {
    match node {
        serde_json::Value::Object(fields) => {
            if fields.contains_key("$ref") {
                let mut cost = 0;
                follow(root, node, 0, &mut cost)?;
                *steps = steps.saturating_add(1);
            }
            fields.values().try_for_each(|child| check_nodes(root, child, steps))
        }
        serde_json::Value::Array(items) => items.iter().try_for_each(|child| check_nodes(root, child, steps)),
        _ => Ok(()),
    }
}

/// Walks what applies to the same value as `node` and counts it.
fn follow(root: &serde_json::Value, node: &serde_json::Value, depth: u32, cost: &mut u32) -> Result<(), String> {
    *cost += 1;
    if depth > 200 || *cost > MOST_IN_PLACE_STEPS {
        return Err("values.schema.json: references lead in a circle or multiply without end".into());
    }
    let serde_json::Value::Object(fields) = node else { return Ok(()) };
    if let Some(reference) = fields.get("$ref").and_then(serde_json::Value::as_str)
        && let Some(target) = resolve_local(root, reference)
    {
        follow(root, target, depth + 1, cost)?;
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        if let Some(serde_json::Value::Array(items)) = fields.get(keyword) {
            for item in items {
                follow(root, item, depth + 1, cost)?;
            }
        }
    }
    for keyword in ["not", "if", "then", "else"] {
        if let Some(inner) = fields.get(keyword) {
            follow(root, inner, depth + 1, cost)?;
        }
    }
    Ok(())
}

fn resolve_local<'a>(root: &'a serde_json::Value, reference: &str) -> Option<&'a serde_json::Value> {
    let pointer = reference.strip_prefix('#')?;
    root.pointer(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, values: &str) -> String {
        let values = Value::from_json(&serde_json::from_str(values).unwrap());
        let Value::Map(values) = values else { panic!("values must be a map") };
        match validate_one(schema.as_bytes(), &CompiledSchema::new(), &values) {
            Ok(()) => "ok".into(),
            Err(problems) => problems,
        }
    }

    #[test]
    fn problems_are_worded_as_helm_words_them() {
        let schema = r#"{"type":"object","required":["name"],"additionalProperties":false,"properties":{
            "name":{"type":"string","minLength":2},"count":{"type":"integer","minimum":1},
            "kind":{"enum":["a","b"]},"either":{"oneOf":[{"type":"string"},{"type":"integer"}]},
            "ip":{"type":["string","null"],"pattern":"^[0-9.]+$"}}}"#;
        assert_eq!(check(schema, r#"{"name":"ab","count":2}"#), "ok");
        assert_eq!(check(schema, r#"{"count":2}"#), "- at '': missing property 'name'\n");
        assert_eq!(check(schema, r#"{"name":5}"#), "- at '/name': got number, want string\n");
        assert_eq!(check(schema, r#"{"name":"ab","x":1}"#), "- at '': additional properties 'x' not allowed\n");
        assert_eq!(check(schema, r#"{"name":"ab","count":0}"#), "- at '/count': minimum: got 0, want 1\n");
        assert_eq!(check(schema, r#"{"name":"ab","kind":"c"}"#), "- at '/kind': value must be one of 'a', 'b'\n");
        assert_eq!(check(schema, r#"{"name":"ab","ip":"x"}"#), "- at '/ip': 'x' does not match pattern '^[0-9.]+$'\n");
        assert_eq!(check(schema, r#"{"name":"ab","ip":1}"#), "- at '/ip': got number, want null or string\n");
        assert_eq!(
            check(schema, r#"{"name":"ab","either":true}"#),
            "- at '/either': 'oneOf' failed, none matched\n  - at '/either': got boolean, want string\n  - at '/either': got boolean, want integer\n"
        );
    }

    #[test]
    fn whole_floats_are_integers_in_every_draft() {
        for draft in ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"] {
            let schema = format!(r#"{{"$schema":"{draft}","properties":{{"n":{{"type":"integer"}}}}}}"#);
            assert_eq!(check(&schema, r#"{"n":3.0}"#), "ok");
        }
    }

    #[test]
    fn nothing_is_fetched_and_nothing_loops() {
        for reference in ["http://127.0.0.1:1/x.json", "file:///etc/passwd", "other.json"] {
            let problems = check(&format!(r#"{{"$ref":"{reference}"}}"#), "{}");
            assert!(problems.contains("cannot use values.schema.json"), "{problems}");
        }
        assert_eq!(check(r#"{"properties":{"a":{"$ref":"urn:example:x"}}}"#, r#"{"a":1}"#), "ok");
        for schema in [
            r##"{"$ref":"#"}"##,
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}"##,
            r##"{"allOf":[{"$ref":"#"}]}"##,
        ] {
            assert!(check(schema, r#"{"a":1}"#).contains("circle"), "{schema}");
        }
        let recursive = r##"{"type":"object","additionalProperties":{"$ref":"#"}}"##;
        assert_eq!(check(recursive, r#"{"a":{"b":{"c":{}}}}"#), "ok");
        assert!(check("{", "{}").contains("EOF"));
        let mut bomb = r##"{"allOf":[{"$ref":"#/d/0"},{"$ref":"#/d/0"}],"d":{"##.to_owned();
        for level in 0..40 {
            let next = level + 1;
            bomb.push_str(&format!(r##""{level}":{{"allOf":[{{"$ref":"#/d/{next}"}},{{"$ref":"#/d/{next}"}}]}},"##));
        }
        bomb.push_str(r#""40":true}}"#);
        assert!(check(&bomb, "{}").contains("circle"), "bomb");
    }
}
