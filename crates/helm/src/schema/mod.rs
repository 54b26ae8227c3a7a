//! Checking values against the charts' `values.schema.json`.
//!
//! One difference from Helm is meant: references to files and web addresses are refused instead of fetched.

mod bounds;
mod message;
mod pattern;

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
pub(crate) type CompiledSchema = OnceLock<Result<Arc<Compiled>, String>>;

/// A schema ready for use.
#[derive(Debug)]
pub(crate) struct Compiled {
    validator: Validator,
    /// The schema itself if it can make more work than its size says.
    multiplies: Option<(serde_json::Value, Draft)>,
}

/// Where the schema counts as lying; references are relative to it.
const BASE: &str = "file:///values.schema.json";

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

pub(crate) fn validate_one(schema: &[u8], compiled: &CompiledSchema, values: &Map) -> Result<(), String> {
    let compiled = compiled.get_or_init(|| prepare(schema).map(Arc::new)).as_ref().map_err(Clone::clone)?;
    let values = values.to_json();
    if let Some((schema, draft)) = &compiled.multiplies {
        bounds::check_steps(schema, *draft, &values)?;
    }
    if compiled.validator.is_valid(&values) {
        return Ok(());
    }
    Err(message::problems(compiled.validator.iter_errors(&values)))
}

/// Compiles a schema.
///
/// # Errors
/// When it is not JSON, not a schema, or refers to something outside itself.
pub fn compile(schema: &[u8]) -> Result<Validator, String> {
    prepare(schema).map(|compiled| compiled.validator)
}

fn prepare(schema: &[u8]) -> Result<Compiled, String> {
    let mut schema: serde_json::Value = serde_json::from_slice(schema).map_err(|error| json_error(&error))?;
    bounds::check_in_place(&schema)?;
    let declared = schema.get("$schema").and_then(serde_json::Value::as_str);
    let draft = declared.map_or(Draft::Draft202012, |uri| match uri.trim_end_matches('#') {
        "http://json-schema.org/draft-04/schema" | "https://json-schema.org/draft-04/schema" => Draft::Draft4,
        "http://json-schema.org/draft-06/schema" | "https://json-schema.org/draft-06/schema" => Draft::Draft6,
        "http://json-schema.org/draft-07/schema" | "https://json-schema.org/draft-07/schema" => Draft::Draft7,
        "https://json-schema.org/draft/2019-09/schema" => Draft::Draft201909,
        _ => Draft::Draft202012,
    });
    let unusable = |reason: String| format!("cannot use values.schema.json: {reason}");
    pattern::rename(&mut schema).map_err(unusable)?;
    let validator = jsonschema::options()
        .with_keyword(pattern::KEYWORD, pattern::check)
        .with_draft(draft)
        .with_base_uri(BASE)
        .with_retriever(NoRetriever)
        .with_pattern_options(PatternOptions::regex())
        .should_ignore_unknown_formats(true)
        .build(&schema)
        .map_err(|error| unusable(error.to_string()))?;
    let multiplies = bounds::can_multiply(&schema).then_some((schema, draft));
    Ok(Compiled { validator, multiplies })
}

fn json_error(error: &serde_json::Error) -> String {
    if error.is_eof() { "unexpected EOF".to_owned() } else { error.to_string() }
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

    /// As Helm answered.
    #[test]
    fn patterns_are_those_of_go() {
        let draft = |number: &str, pattern: &str| {
            format!(
                r#"{{"$schema":"http://json-schema.org/draft-{number}/schema#","properties":{{"a":{{"pattern":"{pattern}"}}}}}}"#
            )
        };
        for number in ["04", "07"] {
            assert_eq!(check(&draft(number, "(?i)^A$"), r#"{"a":"a"}"#), "ok");
            assert_eq!(check(&draft(number, r"\\Aa\\z"), r#"{"a":"a"}"#), "ok");
            assert_eq!(check(&draft(number, r"^[\\w-.]*$"), r#"{"a":"a-b.c"}"#), "ok");
            let problem = "- at '/a': 'b' does not match pattern '(?i)^A$'\n";
            assert_eq!(check(&draft(number, "(?i)^A$"), r#"{"a":"b"}"#), problem);
            let problem = check(&draft(number, "(?=a)"), "{}");
            assert!(
                problem
                    .contains("'(?=a)' is not valid regex: error parsing regexp: invalid or unsupported Perl syntax"),
                "{problem}"
            );
        }
        // Neither a property of that name nor data is one.
        let schema = r#"{"properties":{"pattern":{"type":"string"},"a":{"const":{"pattern":"("}}}}"#;
        assert_eq!(check(schema, r#"{"pattern":"x","a":{"pattern":"("}}"#), "ok");
        assert_eq!(
            check(r#"{"properties":{"a":{"type":["object","integer","number"]}}}"#, r#"{"a":null}"#),
            "- at '/a': got null, want number or integer or object\n"
        );
        assert_eq!(check(r#"{"properties":{"a":{"enum":[null]}}}"#, r#"{"a":1}"#), "- at '/a': value must be <nil>\n");
    }

    /// As Helm answered.
    #[test]
    fn a_wrong_type_is_the_only_problem_of_a_value() {
        let only = "- at '/a': got number, want string\n";
        for rest in [r#""enum":["x"]"#, r#""const":"x""#, r#""oneOf":[false]"#] {
            let schema = format!(r#"{{"properties":{{"a":{{"type":"string",{rest}}}}}}}"#);
            assert_eq!(check(&schema, r#"{"a":1}"#), only, "{rest}");
        }
        let schema = r#"{"type":"array","additionalProperties":false}"#;
        assert_eq!(check(schema, r#"{"a":1}"#), "- at '': got object, want array\n");
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

    #[test]
    fn circles_are_found_by_whatever_name() {
        for schema in [
            r##"{"$anchor":"a","allOf":[{"$ref":"#a"}]}"##,
            r#"{"$id":"http://example.com/s","allOf":[{"$ref":"s"}]}"#,
            r##"{"$dynamicAnchor":"n","allOf":[{"$dynamicRef":"#n"}]}"##,
            r##"{"allOf":[{"$ref":"#/definitions/a%20b"}],"definitions":{"a b":{"$ref":"#/definitions/a%20b"}}}"##,
            r##"{"$schema":"https://json-schema.org/draft/2019-09/schema","allOf":[{"$recursiveRef":"#"}]}"##,
        ] {
            assert!(check(schema, r#"{"a":1}"#).contains("circle"), "{schema}");
        }
        let tree = r##"{"$dynamicAnchor":"n","properties":{"child":{"$dynamicRef":"#n"}},"maxProperties":1}"##;
        assert_eq!(check(tree, r#"{"child":{"child":{}}}"#), "ok");
    }

    /// Each level of the values is checked twice as often as the one above it.
    #[test]
    fn steps_are_bounded() {
        let nested = |depth: usize| format!("{}{{\"x\":1,\"y\":2}}{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let doubling = r##"{"$ref":"#/d/a","d":{"a":{"maxProperties":1,
            "additionalProperties":{"allOf":[{"$ref":"#/d/a"},{"$ref":"#/d/a"}]}}}}"##;
        assert!(check(doubling, &nested(60)).contains("steps"));
        assert!(check(doubling, &nested(3)).contains("maxProperties"));
        let unevaluated = (0..60)
            .fold("true".to_owned(), |inner, _| format!(r#"{{"unevaluatedProperties":false,"allOf":[{inner}]}}"#));
        assert!(check(&unevaluated, &nested(1)).contains("steps"));
    }

    #[test]
    fn deep_values_are_refused_by_recursive_schemas() {
        let recursive = r##"{"type":"object","additionalProperties":{"$ref":"#"}}"##;
        let deep = |depth: usize| {
            let innermost = Map::new();
            (0..depth).fold(innermost, |map, _| [(Arc::from("a"), Value::Map(map))].into_iter().collect())
        };
        let run = |depth| validate_one(recursive.as_bytes(), &CompiledSchema::new(), &deep(depth));
        assert_eq!(run(100), Ok(()));
        assert!(run(900).unwrap_err().contains("deep"));
    }
}
