//! How a HelmRelease's values come together: references in order, then the inline values, by Flux's rules.

use super::graph::{self, MapRef};
use crate::strvals::{Mode, StrvalsError, parse_into_graph};
use crate::value::{Map, Value};

/// One resolved entry of `spec.valuesFrom`: the content of its key, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesSource<'a> {
    /// The content.
    pub data: &'a [u8],
    /// The path one value goes to; `None` when the content is a YAML map of values.
    pub target_path: Option<&'a str>,
    /// With a target path: take the content as it stands instead of by `--set` rules.
    pub literal: bool,
}

/// Why a reference's content could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The content is not a YAML map.
    #[error("{0}")]
    Read(String),
    /// The content could not be set at the target path.
    #[error("{0}")]
    Merge(#[from] StrvalsError),
}

/// Combines the sources in order with the inline values.
///
/// A target path beats the inline values where its parent map was theirs to begin with; where an earlier source had
/// already made that map, the inline value wins. Flux does so because Go maps are shared, and releases depend on it.
///
/// # Errors
/// The index of the failing source, and why it failed.
pub fn compose<'a>(
    sources: impl IntoIterator<Item = ValuesSource<'a>>,
    inline: &Map,
) -> Result<Map, (usize, SourceError)> {
    let inline = graph::thaw(inline);
    let mut result = MapRef::default();
    for (index, source) in sources.into_iter().enumerate() {
        result = match source.target_path {
            Some(path) => {
                let merged = graph::merge(&result, &inline);
                set_at(&merged, path, &source).map_err(|error| (index, error.into()))?;
                merged
            }
            None => {
                let values = read_values(source.data).map_err(|error| (index, SourceError::Read(error)))?;
                graph::merge(&result, &graph::thaw(&values))
            }
        };
    }
    Ok(graph::freeze(&graph::merge(&result, &inline)))
}

fn set_at(values: &MapRef, path: &str, source: &ValuesSource<'_>) -> Result<(), StrvalsError> {
    let text = String::from_utf8_lossy(source.data);
    if source.literal {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            if matches!(character, '\\' | ',' | '[' | ']' | '{' | '}') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        return parse_into_graph(&format!("{path}={escaped}"), values, Mode::String);
    }
    let quoted = |quote: char| text.starts_with(quote) && text.ends_with(quote);
    if quoted('\'') || quoted('"') {
        let text = text.trim_matches(['\'', '"']);
        return parse_into_graph(&format!("{path}={text}"), values, Mode::String);
    }
    parse_into_graph(&format!("{path}={text}"), values, Mode::Typed)
}

/// Helm's `ReadValues`: the first YAML document, which must be a map or empty.
///
/// # Errors
/// With Go's wording.
pub fn read_values(data: &[u8]) -> Result<Map, String> {
    match crate::yaml_text::parse_values(data)? {
        Value::Null => Ok(Map::new()),
        Value::Map(map) => Ok(map),
        other => Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type common.Values",
            crate::yaml_text::json_kind(&other)
        )),
    }
}

/// The values of a whole tree, for callers that hold JSON (the `spec.values` of a HelmRelease).
#[must_use]
pub fn inline_values(json: &serde_json::Value) -> Map {
    match Value::from_json(json) {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go_json;

    fn run(sources: &[(&str, Option<&str>, bool)], inline: &str) -> String {
        let inline = inline_values(&serde_json::from_str(inline).unwrap());
        let sources = sources.iter().map(|(data, target_path, literal)| ValuesSource {
            data: data.as_bytes(),
            target_path: *target_path,
            literal: *literal,
        });
        match compose(sources, &inline) {
            Ok(values) => go_json::encode(&Value::Map(values)),
            Err((index, error)) => format!("source {index}: {error}"),
        }
    }

    #[test]
    fn later_wins_and_inline_is_last() {
        assert_eq!(
            run(&[("a: 1\nb: {x: 1}\n", None, false), ("b: {z: 2}\nc: [1]", None, false)], r#"{"c":[2],"b":{"x":3}}"#),
            r#"{"a":1,"b":{"x":3,"z":2},"c":[2]}"#
        );
    }

    #[test]
    fn a_target_path_beats_inline_values_unless_a_source_made_the_map() {
        assert_eq!(run(&[("new", Some("a.b"), false)], r#"{"a":{"b":"inline"}}"#), r#"{"a":{"b":"new"}}"#);
        assert_eq!(
            run(&[("a: {c: 1}", None, false), ("new", Some("a.b"), false)], r#"{"a":{"b":"inline"}}"#),
            r#"{"a":{"b":"inline","c":1}}"#
        );
        assert_eq!(run(&[("new", Some("top"), false)], r#"{"top":"inline"}"#), r#"{"top":"inline"}"#);
        assert_eq!(run(&[("new", Some("hosts[0]"), false)], r#"{"hosts":["a","b"]}"#), r#"{"hosts":["new","b"]}"#);
        assert_eq!(run(&[("new", Some("hosts[2]"), false)], r#"{"hosts":["a","b"]}"#), r#"{"hosts":["a","b"]}"#);
    }

    #[test]
    fn target_path_typing() {
        assert_eq!(run(&[("1", Some("a"), false), ("'1'", Some("b"), false)], "{}"), r#"{"a":1,"b":"1"}"#);
        assert_eq!(run(&[("x,y=1", Some("a"), false)], "{}"), r#"{"a":"x","y":1}"#);
        assert_eq!(run(&[(r"x,{y}\", Some(r"a\.b"), true)], "{}"), r#"{"a.b":"x,{y}\\"}"#);
        assert!(run(&[("x", Some("a[b]"), false)], "{}").starts_with("source 0: error parsing index"));
        assert!(run(&[("- x", None, false)], "{}").starts_with("source 0: error unmarshaling JSON"));
    }
}
