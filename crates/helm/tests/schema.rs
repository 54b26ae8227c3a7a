//! Random schemas and values: whether Helm takes the values, and what it says when it does not.
//!
//! Needs Go; bounded here, longer with `TOWLINE_FUZZ_CASES=100000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod differ;

use differ::differ;
use helm::chart::{File, load_files};
use helm::schema::validate_values;
use helm::value::Map;
use helm::values::load_values;
use proptest::prelude::*;
use serde_json::{Value, json};

const DRAFTS: [&str; 6] = [
    "",
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "list", "d e"]).prop_map(ToOwned::to_owned)
}

fn scalar() -> BoxedStrategy<Value> {
    prop_oneof![
        1 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        3 => (-3i64..6).prop_map(Value::from),
        1 => prop::sample::select(vec![1.5, -0.25, 2.0, 1e21, 0.1]).prop_map(Value::from),
        1 => prop::sample::select(vec![9_007_199_254_740_993_i64, i64::MAX, 1_000_000]).prop_map(Value::from),
        3 => prop::sample::select(vec!["", "a", "ab", "abc", "é", "1", "a b", "it's", "x\"y", "😀😀", "2024-02-29", "10.0.0.1"])
            .prop_map(Value::from),
    ]
    .boxed()
}

fn instance() -> BoxedStrategy<Value> {
    scalar()
        .prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
        .boxed()
}

fn table() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(key(), instance(), 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// Options that differ: old drafts demand it, which we do not check. To Helm a number and its text are the same there.
fn different(mut options: Vec<Value>) -> Value {
    let mut seen = std::collections::BTreeSet::new();
    options.retain(|option| seen.insert(option.to_string().replace(".0", "").replace('"', "")));
    options.into()
}

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// One keyword without schemas in it.
fn assertion() -> BoxedStrategy<(String, Value)> {
    let named = |name: &'static str, value: BoxedStrategy<Value>| value.prop_map(move |value| (name.to_owned(), value));
    let small = || (0u32..4).prop_map(Value::from).boxed();
    let bound = || prop_oneof![(-2i64..5).prop_map(Value::from), Just(json!(1.5))].boxed();
    prop_oneof![
        6 => named("type", prop::sample::select(TYPES.to_vec()).prop_map(Value::from).boxed()),
        1 => named("type", prop::sample::subsequence(TYPES.to_vec(), 2..4).prop_map(Value::from).boxed()),
        2 => named("enum", prop::collection::vec(scalar(), 1..4).prop_map(different).boxed()),
        1 => named("enum", prop::collection::vec(instance(), 1..3).prop_map(different).boxed()),
        2 => named("const", instance()),
        1 => named("minimum", bound()),
        1 => named("maximum", bound()),
        1 => named("multipleOf", prop::sample::select(vec![json!(1), json!(2), json!(0.5), json!(3)]).boxed()),
        1 => named("minLength", small()),
        1 => named("maxLength", small()),
        1 => named("pattern", prop::sample::select(vec![
            "^a", "b$", "^[a-z]+$", "\\d", "(?i)A", "^.{2}$", "it's", "^[\\w-.]*$", "\\Aa", "[[:alpha:]]", "\\pL", "^\\S+$",
        ]).prop_map(Value::from).boxed()),
        1 => named("minItems", small()),
        1 => named("maxItems", small()),
        1 => named("uniqueItems", any::<bool>().prop_map(Value::from).boxed()),
        1 => named("minProperties", small()),
        1 => named("maxProperties", small()),
        3 => named("required", prop::collection::btree_set(key(), 1..3).prop_map(|keys| keys.into_iter().collect::<Vec<_>>().into()).boxed()),
        1 => named("format", prop::sample::select(vec!["date", "ipv4", "unknown", "email", "date-time"]).prop_map(Value::from).boxed()),
    ]
    .boxed()
}

fn schema(references: &'static [&'static str]) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        9 => prop::collection::vec(assertion(), 0..3).prop_map(|all| Value::Object(all.into_iter().collect())),
    ];
    // Alone: beside `$ref`, old drafts ignore every keyword, and Helm's library only those of draft 4.
    let leaf = match references {
        [] => leaf.boxed(),
        references => prop_oneof![
            5 => leaf,
            1 => prop::sample::select(references).prop_map(|target| json!({ "$ref": target })),
        ]
        .boxed(),
    };
    leaf.prop_recursive(3, 20, 4, |inner| {
        let named =
            |name: &'static str, value: BoxedStrategy<Value>| value.prop_map(move |value| (name.to_owned(), value));
        let list = || prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from).boxed();
        let map = || {
            prop::collection::btree_map(key(), inner.clone(), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
                .boxed()
        };
        let patterns = prop::collection::btree_map(prop::sample::select(vec!["^a", "b", "s$"]), inner.clone(), 1..3)
            .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
            .boxed();
        let dependent = (key(), key()).prop_map(|(key, needed)| json!({ key: [needed] })).boxed();
        let applicator = prop_oneof![
            6 => named("properties", map()),
            2 => named("additionalProperties", inner.clone().boxed()),
            1 => named("patternProperties", patterns),
            1 => named("propertyNames", inner.clone().boxed()),
            2 => named("items", inner.clone().boxed()),
            1 => named("items", list()),
            1 => named("additionalItems", inner.clone().boxed()),
            1 => named("prefixItems", list()),
            1 => named("contains", inner.clone().boxed()),
            1 => named("allOf", list()),
            2 => named("anyOf", list()),
            2 => named("oneOf", list()),
            1 => named("not", inner.clone().boxed()),
            1 => named("if", inner.clone().boxed()),
            1 => named("then", inner.clone().boxed()),
            1 => named("else", inner.clone().boxed()),
            1 => named("dependencies", dependent.clone()),
            1 => named("dependencies", map()),
            1 => named("dependentRequired", dependent),
            1 => named("dependentSchemas", map()),
            1 => named("unevaluatedProperties", inner.clone().boxed()),
            1 => named("unevaluatedItems", inner.clone().boxed()),
        ];
        (prop::collection::vec(assertion(), 0..3), prop::collection::vec(applicator, 0..3))
            .prop_map(|(assertions, applicators)| Value::Object(assertions.into_iter().chain(applicators).collect()))
    })
    .boxed()
}

/// A whole schema file. Its references lead in no circle: we refuse those anywhere, Helm where it comes to them.
fn file() -> impl Strategy<Value = Value> {
    (
        schema(&["#/definitions/x", "#/definitions/y"]),
        schema(&["#/definitions/y"]),
        schema(&[]),
        prop::sample::select(DRAFTS.to_vec()),
    )
        .prop_map(|(root, x, y, draft)| {
            let Value::Object(mut root) = root else { return root };
            root.insert("definitions".into(), json!({ "x": x, "y": y }));
            if !draft.is_empty() {
                root.insert("$schema".into(), draft.into());
            }
            Value::Object(root)
        })
}

fn ours(schema: &Value, values: &Map) -> Result<String, String> {
    let files = vec![
        File::new("Chart.yaml", b"apiVersion: v2\nname: demo\nversion: 1.0.0\n".as_slice()),
        File::new("values.schema.json", schema.to_string().as_bytes()),
    ];
    let chart = load_files(files).unwrap();
    match validate_values(&chart, values) {
        Ok(()) => Ok("true".to_owned()),
        Err(error) => Err(error.details.strip_prefix("demo:\n").unwrap_or(&error.details).to_owned()),
    }
}

/// The words are Helm's for most problems, not for all: what is compared is whether there are any.
#[test]
fn verdicts_agree() {
    differ(
        2000,
        (file(), table()),
        |(schema, values)| json!({"op": "schema", "schema": schema.to_string(), "values": values.to_string()}),
        |(schema, values)| ours(schema, &load_values(values.to_string().as_bytes()).unwrap()),
        false,
    );
}
