//! JSON 6902 patches with the leniencies of the Go library that kustomize uses: a `replace` of a missing key adds it,
//! negative indexes count from the end, `test` of a missing path equals null.

use serde_json::Value;

use crate::error::Error;

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    kind: String,
    path: String,
    from: String,
    value: Option<Value>,
}

/// Reads a list of operations from YAML or JSON.
pub(crate) fn parse(text: &str) -> Result<Vec<Operation>, Error> {
    // What starts as a JSON list is JSON and nothing more lenient.
    let value: Value = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| Error::message(error.to_string()))?
    } else {
        crate::text::yaml_to_json(text.as_bytes()).map_err(Error::Message)?
    };
    let Value::Array(list) = value else { return Err(Error::message("a JSON patch is a list of operations")) };
    list.into_iter()
        .map(|item| {
            let Value::Object(fields) = item else {
                return Err(Error::message("each operation of a JSON patch is a mapping with op and path"));
            };
            let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Operation {
                kind: text("op"),
                path: text("path"),
                from: text("from"),
                value: fields.get("value").cloned(),
            })
        })
        .collect()
}

/// Applies all operations in order.
pub(crate) fn apply(document: &mut Value, operations: &[Operation]) -> Result<(), Error> {
    for operation in operations {
        one(document, operation)?;
    }
    Ok(())
}

fn one(document: &mut Value, operation: &Operation) -> Result<(), Error> {
    let path = &operation.path;
    let value = || operation.value.clone().unwrap_or(Value::Null);
    match operation.kind.as_str() {
        "add" => add(document, path, value(), "add"),
        "remove" => remove(document, path, "remove").map(drop),
        "replace" => replace(document, path, value()),
        "move" => {
            let moved = remove(document, &operation.from, "move")?;
            add(document, path, moved, "move")
        }
        "copy" => {
            let copied = get(document, &operation.from)
                .cloned()
                .ok_or_else(|| failed("copy", path, &format!("missing from path: {}", operation.from)))?;
            add(document, path, copied, "copy")
        }
        "test" => {
            parent(document, path, "test")?;
            let found = get(document, path).unwrap_or(&Value::Null);
            let wanted = operation.value.as_ref().unwrap_or(&Value::Null);
            if equal(found, wanted) { Ok(()) } else { Err(Error::message(format!("testing value {path} failed"))) }
        }
        other => Err(Error::message(format!("Unexpected kind: {other}"))),
    }
}

/// Numbers are equal by value, as after a trip through Go's float64.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn failed(operation: &str, path: &str, why: &str) -> Error {
    Error::message(format!("{operation} operation does not apply: doc is missing path: \"{path}\": {why}"))
}

fn tokens(path: &str) -> Option<Vec<String>> {
    let rest = path.strip_prefix('/')?;
    Some(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

/// The container that the last token is in, and the token.
fn parent<'a>(document: &'a mut Value, path: &str, operation: &str) -> Result<(&'a mut Value, String), Error> {
    let missing = || failed(operation, path, "missing value");
    let mut tokens = tokens(path).ok_or_else(missing)?;
    let last = tokens.pop().ok_or_else(missing)?;
    let mut here = document;
    for token in tokens {
        here = match here {
            Value::Object(map) => map.get_mut(&token).ok_or_else(missing)?,
            Value::Array(list) => {
                let at = index(&token, list.len()).ok_or_else(missing)?;
                list.get_mut(at).ok_or_else(missing)?
            }
            _ => return Err(missing()),
        };
    }
    Ok((here, last))
}

fn get<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    tokens(path)?.iter().try_fold(document, |here, token| match here {
        Value::Object(map) => map.get(token),
        Value::Array(list) => list.get(index(token, list.len())?),
        _ => None,
    })
}

/// A list position; negative ones count from the end.
fn index(token: &str, length: usize) -> Option<usize> {
    let number: i64 = token.parse().ok()?;
    if number < 0 {
        usize::try_from(number.unsigned_abs()).ok().and_then(|back| length.checked_sub(back))
    } else {
        usize::try_from(number).ok()
    }
}

fn add(document: &mut Value, path: &str, value: Value, operation: &str) -> Result<(), Error> {
    let (container, token) = parent(document, path, operation)?;
    match container {
        Value::Object(map) => {
            map.insert(token, value);
            Ok(())
        }
        Value::Array(list) => {
            let at = match token.as_str() {
                "-" => Some(list.len()),
                // Insertion counts negative positions from behind the last element.
                token => index(token, list.len() + 1),
            };
            match at {
                Some(at) if at <= list.len() => {
                    list.insert(at, value);
                    Ok(())
                }
                _ => Err(failed(operation, path, &format!("Unable to access invalid index: {token}"))),
            }
        }
        _ => Err(failed(operation, path, "not a collection")),
    }
}

fn remove(document: &mut Value, path: &str, operation: &str) -> Result<Value, Error> {
    let (container, token) = parent(document, path, operation)?;
    let removed = match container {
        Value::Object(map) => map.remove(&token),
        Value::Array(list) => index(&token, list.len()).filter(|at| *at < list.len()).map(|at| list.remove(at)),
        _ => None,
    };
    removed.ok_or_else(|| {
        Error::message(format!(
            "{operation} operation does not apply: Unable to remove nonexistent key: {token}: missing value"
        ))
    })
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), Error> {
    let (container, token) = parent(document, path, "replace")?;
    match container {
        Value::Object(map) => {
            map.insert(token, value);
            Ok(())
        }
        Value::Array(list) => {
            let slot = index(&token, list.len()).and_then(|at| list.get_mut(at));
            let slot = slot.ok_or_else(|| failed("replace", path, "missing key"))?;
            *slot = value;
            Ok(())
        }
        _ => Err(failed("replace", path, "not a collection")),
    }
}

/// A value after a trip through Go's JSON decoder, which makes every number a float64.
pub(crate) fn through_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(rounded) = number.as_f64().and_then(whole) {
                *number = rounded;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(through_floats),
        Value::Object(map) => map.values_mut().for_each(through_floats),
        _ => {}
    }
}

/// The integer that Go's JSON encoder writes for a float, where it writes an integer and that fits: the shortest digits
/// that mean the float, and zeros.
fn whole(float: f64) -> Option<serde_json::Number> {
    // 2^64; up to 1e21 Go writes digits, but beyond 64 bits they are read back as a float anyway.
    const LIMIT: f64 = 18_446_744_073_709_551_616.0;
    if float.fract() != 0.0 || float.abs() >= LIMIT {
        return None;
    }
    let digits = float.to_string();
    digits.parse::<i64>().map(Into::into).or_else(|_| digits.parse::<u64>().map(Into::into)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(document: Value, patch: &str) -> Result<Value, Error> {
        let mut document = document;
        apply(&mut document, &parse(patch)?)?;
        Ok(document)
    }

    #[test]
    fn operations_with_gos_leniencies() {
        let cases = [
            (json!({"a": [1, 2]}), r#"[{"op":"add","path":"/a/-","value":3}]"#, json!({"a": [1, 2, 3]})),
            (json!({"a": [1, 2]}), r#"[{"op":"remove","path":"/a/-1"}]"#, json!({"a": [1]})),
            (json!({"a": [1, 2]}), r#"[{"op":"add","path":"/a/-1","value":3}]"#, json!({"a": [1, 2, 3]})),
            (json!({}), r#"[{"op":"replace","path":"/x","value":1}]"#, json!({"x": 1})),
            (json!({"a~/b": 1}), r#"[{"op":"remove","path":"/a~0~1b"}]"#, json!({})),
            (json!({}), r#"[{"op":"test","path":"/x","value":null}]"#, json!({})),
            (json!({"a": {"b": 1}}), r#"[{"op":"move","from":"/a/b","path":"/c"}]"#, json!({"a": {}, "c": 1})),
        ];
        for (document, patch, expected) in cases {
            assert_eq!(run(document, patch).unwrap(), expected, "{patch}");
        }
    }

    #[test]
    fn failures() {
        for patch in [
            r#"[{"op":"remove","path":"/x"}]"#,
            r#"[{"op":"add","path":"/x/y","value":1}]"#,
            r#"[{"op":"replace","path":"","value":1}]"#,
            r#"[{"op":"shout","path":"/x"}]"#,
            r#"[{"op":"add","path":"/list/9","value":1}]"#,
        ] {
            assert!(run(json!({"list": []}), patch).is_err(), "{patch}");
        }
    }

    #[test]
    fn big_integers_lose_digits_as_in_go() {
        let mut value = json!({"n": 123_456_789_012_345_679_i64});
        through_floats(&mut value);
        assert_eq!(value, json!({"n": 123_456_789_012_345_680_i64}));
    }
}
