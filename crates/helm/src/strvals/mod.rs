//! The `--set` language: `name=value,outer.inner=value,list[0]=value,list={a,b}`, as Helm's strvals package reads it.

mod parser;

use crate::value::Map;
use crate::values::graph::{self, MapRef};

/// How the text after `=` becomes a value.
#[derive(Clone, Copy)]
pub enum Mode<'a> {
    /// `--set`: booleans, null, integers, otherwise strings.
    Typed,
    /// `--set-string`: always a string.
    String,
    /// `--set-json`: a JSON value.
    Json,
    /// `--set-literal`: everything after the first `=`, as it stands.
    Literal,
    /// `--set-file`: the content of the file named by the value, read by the caller's function.
    File(&'a dyn Fn(&str) -> Result<String, String>),
}

/// Why a `--set` text was refused; the wording is Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StrvalsError(pub(crate) String);

/// Reads `text` into `values`; what is there already is changed or replaced.
///
/// # Errors
/// With Helm's wording, when the text does not follow the language or exceeds its limits.
pub fn parse_into(text: &str, values: &mut Map, mode: Mode<'_>) -> Result<(), StrvalsError> {
    let shared = graph::thaw(values);
    let result = parse_into_graph(text, &shared, mode);
    *values = graph::freeze(&shared);
    result
}

/// As [`parse_into`], writing through shared maps and lists as Go does.
pub(crate) fn parse_into_graph(text: &str, values: &MapRef, mode: Mode<'_>) -> Result<(), StrvalsError> {
    parser::Parser::new(text, mode).parse(values)
}

/// Reads `text` into a new map.
///
/// # Errors
/// As [`parse_into`].
pub fn parse(text: &str, mode: Mode<'_>) -> Result<Map, StrvalsError> {
    let mut values = Map::new();
    parse_into(text, &mut values, mode)?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go_json;
    use crate::value::Value;

    fn show(text: &str, mode: Mode<'_>) -> String {
        match parse(text, mode) {
            Ok(map) => go_json::encode(&Value::Map(map)),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn typed_values() {
        for (text, expected) in [
            (
                "a=1,b=true,c=null,d=x,e=0,f=01,g=-5,h=+5,i=1.5,j=TRUE",
                r#"{"a":1,"b":true,"c":null,"d":"x","e":0,"f":"01","g":-5,"h":5,"i":"1.5","j":true}"#,
            ),
            ("a.b.c=1", r#"{"a":{"b":{"c":1}}}"#),
            ("a[0]=1,a[2].x=y", r#"{"a":[1,null,{"x":"y"}]}"#),
            ("a={x,1,}", r#"{"a":["x",1,""]}"#),
            ("a={x},b=1", r#"{"a":["x"],"b":1}"#),
            (r"a\.b=c\,d", r#"{"a.b":"c,d"}"#),
            ("a=", r#"{"a":""}"#),
            ("a[0", "{}"),
            ("a[0]", r#"{"a":[]}"#),
            ("", "{}"),
            ("a", "error: key \"a\" has no value"),
            ("a,", "error: key \"a\" has no value (cannot end with ,)"),
            ("a[x]=1", "error: error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("a[-1]=1", "error: negative -1 index not allowed"),
            ("a[65537]=1", "error: index of 65537 is greater than maximum supported index of 65536"),
            (
                "a[99999999999999999999]=1",
                "error: error parsing index: strconv.Atoi: parsing \"99999999999999999999\": value out of range",
            ),
            (
                "a=1,a.b=2",
                "error: unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}",
            ),
            ("a={x", "error: list must terminate with '}'"),
        ] {
            assert_eq!(show(text, Mode::Typed), expected, "{text}");
        }
    }

    #[test]
    fn other_modes() {
        assert_eq!(show("a=1,b=true", Mode::String), r#"{"a":"1","b":"true"}"#);
        assert_eq!(show("a=1,b={x},c", Mode::Literal), r#"{"a":"1,b={x},c"}"#);
        assert_eq!(
            show(r#"a={"x":[1,2]},b= "y" ,c=,d=1e3"#, Mode::Json),
            r#"{"a":{"x":[1,2]},"b":"y","c":null,"d":1000}"#
        );
        for (text, expected) in [
            ("=1.", "unexpected EOF"),
            ("a=-7.x", "invalid character 'x' after decimal point in numeric literal"),
            ("a=1e,b=1", "invalid character ',' in exponent of numeric literal"),
            ("a=1e+", "unexpected EOF"),
        ] {
            assert_eq!(show(text, Mode::Json), format!("error: {expected}"), "{text}");
        }
        let read = |name: &str| if name == "f" { Ok("content".to_owned()) } else { Err("no such file".to_owned()) };
        assert_eq!(show("a=f", Mode::File(&read)), r#"{"a":"content"}"#);
        assert_eq!(show("a=g", Mode::File(&read)), "error: no such file");
    }

    #[test]
    fn hostile_text_is_bounded() {
        assert!(parse(&("a".to_owned() + &"[0]".repeat(100_000) + "=1"), Mode::Typed).is_err());
        assert!(parse(&("a".to_owned() + &"[0].a".repeat(100_000) + "=1"), Mode::Typed).is_err());
        assert!(parse(&("a".to_owned() + &".a".repeat(100_000) + "=1"), Mode::Typed).is_err());
        let many: Vec<String> = (0..10_000).map(|n| format!("a{n}[65536]=1")).collect();
        assert!(parse(&many.join(","), Mode::Typed).is_err());
        assert!(parse("a[99999999]=1", Mode::Typed).is_err());
        assert!(parse(&("a=".to_owned() + &"[".repeat(100_000)), Mode::Json).is_err());
    }
}
