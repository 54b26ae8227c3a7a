//! Patterns. Helm matches them as Go's regular expressions; the schema library takes ECMAScript's, in which `(?i)` and
//! `\A` are mistakes and `\s` and look-ahead are something else.

use super::message::quote;
use goregex::Regex;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// What stands in the place of `pattern` in a prepared schema.
pub(super) const KEYWORD: &str = "x-go-pattern";

/// What holds data and no schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Puts every pattern under [`KEYWORD`].
///
/// # Errors
/// When one is none, be it in a part of the schema that nothing refers to.
pub(super) fn rename(schema: &mut Value) -> Result<(), String> {
    match schema {
        Value::Object(fields) => {
            // A property of that name has a schema as its value.
            if let Some(Value::String(pattern)) = fields.get("pattern") {
                compile(pattern)?;
                if let Some(pattern) = fields.remove("pattern") {
                    fields.insert(KEYWORD.to_owned(), pattern);
                }
            }
            let mut schemas = fields.iter_mut().filter(|field| !DATA.contains(&field.0.as_str()));
            schemas.try_for_each(|field| rename(field.1))
        }
        Value::Array(items) => items.iter_mut().try_for_each(rename),
        _ => Ok(()),
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("{} is not valid regex: {error}", quote(pattern)))
}

/// Makes the check of one pattern.
pub(super) fn check<'a>(
    _: &'a Map<String, Value>,
    pattern: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let pattern = pattern.as_str().unwrap_or_default();
    match compile(pattern) {
        Ok(regex) => Ok(Box::new(Pattern { regex, text: quote(pattern) })),
        Err(problem) => Err(ValidationError::custom(problem)),
    }
}

struct Pattern {
    regex: Regex,
    text: String,
}

impl<'i> Keyword<'i> for Pattern {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match instance {
            Value::String(text) if !self.regex.is_match(text.as_str()) => {
                Err(ValidationError::custom(format!("{} does not match pattern {}", quote(text), self.text)))
            }
            _ => Ok(()),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance.as_str().is_none_or(|text| self.regex.is_match(text))
    }
}
