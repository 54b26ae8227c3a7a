//! Random calls of every deterministic sprig function, answered by sprig in Go and by this crate.
//!
//! `TOWLINE_DIFFERENTIAL_CASES` sets how many, `TOWLINE_DIFFERENTIAL_FUNCTION` picks one function.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod sprig_values;

use gotemplate::context::{Context, Environment};
use gotemplate::function::Function;
use gotemplate::value::types::{BOOL, FLOAT64, INT, STRING};
use gotemplate::value::{Kind, Type, Value};
use proptest::prelude::*;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;
use sprig_values::{parse, write, write_sorted};

const BATCH: usize = 500;
/// 2024-02-29T12:34:56Z.
const NOW: i64 = 1_709_210_096;

/// Random by nature, or dependent on the present time, or slow on purpose: these have tests of their own.
const EXCLUDED: [&str; 32] = [
    "randAlphaNum",
    "randAlpha",
    "randNumeric",
    "randAscii",
    "randBytes",
    "randInt",
    "shuffle",
    "uuidv4",
    "now",
    "ago",
    "bcrypt",
    "htpasswd",
    "genPrivateKey",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "buildCustomCert",
    "encryptAES",
    "derivePassword",
    "getHostByName",
    "date",
    "dateInZone",
    "date_in_zone",
    "htmlDate",
    "htmlDateInZone",
    "durationRound",
    "hello",
    "decryptAES",
    "repeat_",
];

fn interesting_text() -> BoxedStrategy<String> {
    let fixed = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
    prop_oneof![
        3 => "[a-cA-C0-9_ .,-]{0,10}",
        2 => "[a-z]{1,3}([ _-][A-Za-z0-9]{1,4}){0,3}",
        1 => "[A-Z]{1,4}[a-z]{0,3}[0-9]{0,2}[A-Za-z]{0,4}",
        1 => "[a-zA-Zß é\u{fc}ǆΩa\u{301}漢İſ\u{a0}\n\t_-]{0,8}",
        1 => "[ -~\n]{0,12}",
        2 => fixed(&["", "a", "b", "x", "string", "int", "map", "0x10", "010", "08", "1.9", "1.0", "-5", "+7", "1e3", "1_000", "0b11", "inf",
                     "nan", "9223372036854775808", "0x1p-2", "true", "nil", "1.00.0", "1e400", "0x_1", " 1"]),
        1 => fixed(&["1.2.3", "v1.2", "^1.2", ">=1.0-0 <2", "1.x", "1.2.3-rc.1", "~1 || 3", "01.2", "1.2.3+meta"]),
        1 => fixed(&["a(x*)b", "[a-c]+", "^a", "(?i)B", "[", "a*", "(", "\\d+", "b?", "$1W", "${1}", "$0-"]),
        1 => fixed(&["/a/b/../c.txt", "a//b/", "../..", ".", "/", "a.tar.gz", "/..", "./x", "..a/.."]),
        1 => fixed(&["YWJj", "YWI=", "YQ==", "YQ=", "!!!!", "MFRGG===", "MFRA====", "M", "ME======", "YW\nJj", "YWJjZA"]),
        1 => fixed(&["{\"a\": [1, 2.5, \"x\", null, true]}", "[1,", "{\"a\" 1}", "1e999", "\"\\ud83d\\ude00\\ud800\"", "nul", "[1 2]", "-", "{\"a\":1,}", " 12 x",
                     "\"a\nb\"", "01", "{}", "[]", "\"<&>\""]),
        1 => fixed(&["http://user:pa%20ss@host:80/p/a?q=1#frag", "https://[::1]:8080/x", "mailto:a@b", "//h/p", "/p?x", "http://a b", ":x", "http://h:x/",
                     "http://%41/", "a:b/c", "%zz", "http://h/%2f", "http://[::1", "x://u@h?"]),
        1 => fixed(&["2006-01-02", "2024-02-29", "15:04:05", "Jan _2 2006", "1h30m", "90s", "-1.5h", "5x", "24h", "2024-02-29T12:34:56Z", "2006-01-02T15:04:05Z07:00",
                     "Mon Jan 2 15:04:05 MST 2006", "Thu Feb 29 12:34:56 CET 2024", "UTC", "Europe/Berlin", "2024-13-01", "1700000000"]),
    ]
    .boxed()
}

fn number() -> BoxedStrategy<i64> {
    prop_oneof![6 => -4i64..8, 2 => -100i64..100, 1 => any::<i64>(), 1 => Just(0), 1 => Just(i64::MIN), 1 => Just(i64::MAX)].boxed()
}

fn float() -> BoxedStrategy<f64> {
    prop_oneof![
        4 => (-500i32..500).prop_map(|number| f64::from(number) / 8.0),
        2 => (-1000i32..1000).prop_map(|number| f64::from(number) / 100.0),
        1 => any::<f64>().prop_filter("finite", |number| number.is_finite()),
        1 => Just(0.0),
        1 => prop::sample::select(vec![1e6, 1e20, 1e21, 1e-7, 20_000_000.0, 0.1, 2.555, -2.5, 1e300, 9.3e18]),
    ]
    .boxed()
}

fn scalar() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![
        5 => interesting_text().prop_map(|text| sprig_values::text(text.as_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..6).prop_map(|bytes| sprig_values::text(&bytes)),
        3 => number().prop_map(|number| json!({"int": number.to_string()})),
        2 => number().prop_map(|number| json!({"int64": number.to_string()})),
        2 => float().prop_map(|number| json!({"float64": format!("{number:e}")})),
        2 => any::<bool>().prop_map(|truth| json!({"bool": truth.to_string()})),
        2 => Just(json!(null)),
    ]
    .boxed()
}

fn tree() -> BoxedStrategy<serde_json::Value> {
    scalar()
        .prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!({ "list": items })),
                prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|items| json!({ "map": items })),
                prop::collection::vec("[a-c]{0,2}", 0..4).prop_map(|items| json!({ "strings": items })),
            ]
        })
        .boxed()
}

fn map() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![
        4 => prop::collection::btree_map("[a-d]", tree(), 0..4).prop_map(|items| json!({ "map": items })),
        1 => prop::collection::btree_map("scheme|host|path|query|opaque|fragment|userinfo", interesting_text().prop_map(|text| sprig_values::text(text.as_bytes())), 0..7)
            .prop_map(|items| json!({ "map": items })),
    ]
    .boxed()
}

fn list() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![
        3 => prop::collection::vec(tree(), 0..5).prop_map(|items| json!({ "list": items })),
        1 => prop::collection::vec("[a-cA-B0-9]{0,2}", 0..5).prop_map(|items| json!({ "strings": items })),
        1 => prop::collection::vec(prop_oneof![Just(json!({"int": "1"})), Just(json!({"float64": "1"})), Just(json!({"int64": "1"})), Just(sprig_values::text(b"1"))], 0..6)
            .prop_map(|items| json!({ "list": items })),
    ]
    .boxed()
}

/// Small counts, so that `repeat` and `until` stay small.
fn count() -> BoxedStrategy<serde_json::Value> {
    prop_oneof![8 => -3i64..12, 1 => -100i64..100].prop_map(|number| json!({"int": number.to_string()})).boxed()
}

fn time() -> BoxedStrategy<serde_json::Value> {
    let seconds =
        prop_oneof![3 => 0i64..4_000_000_000, 1 => -5_000_000_000i64..0, 1 => -100_000_000_000i64..250_000_000_000];
    let zone = prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]);
    (seconds, prop_oneof![Just(0u32), 0u32..1_000_000_000], zone)
        .prop_map(|(seconds, nanoseconds, zone)| json!({"time": format!("{seconds}.{nanoseconds} {zone}")}))
        .boxed()
}

fn argument(function: &str, go_type: &Type) -> BoxedStrategy<serde_json::Value> {
    let fitting = match go_type.kind {
        Kind::String => interesting_text().prop_map(|text| sprig_values::text(text.as_bytes())).boxed(),
        Kind::Int => count(),
        Kind::Bool => any::<bool>().prop_map(|truth| json!({"bool": truth.to_string()})).boxed(),
        Kind::Float64 => float().prop_map(|number| json!({"float64": format!("{number:e}")})).boxed(),
        Kind::Map => map(),
        Kind::Struct if go_type.name == "time.Time" => time(),
        _ => match function {
            "keys" | "dig" => prop_oneof![map(), tree()].boxed(),
            name if name.contains("date") || name.contains("Date") => prop_oneof![time(), tree()].boxed(),
            _ => prop_oneof![2 => list(), 2 => tree(), 3 => scalar()].boxed(),
        },
    };
    // Large counts would keep Go busy for hours.
    if matches!(function, "until" | "untilStep" | "seq" | "repeat" | "indent" | "nindent" | "splitn" | "chunk")
        && go_type.kind == Kind::Int
    {
        return fitting;
    }
    prop_oneof![14 => fitting, 1 => tree()].boxed()
}

fn call(function: &'static Function) -> BoxedStrategy<(&'static str, Vec<serde_json::Value>)> {
    let name = function.name;
    let fixed: Vec<_> = function.parameters.iter().map(|go_type| argument(name, go_type)).collect();
    let more = match function.variadic {
        Some(go_type) => prop::collection::vec(argument(name, go_type), 0..4).boxed(),
        None => Just(Vec::new()).boxed(),
    };
    (fixed, more)
        .prop_map(move |(mut fixed, more)| {
            fixed.extend(more);
            (name, fixed)
        })
        .boxed()
}

/// What Go's executor lets pass; conversions that only constants have do not matter here.
fn accepts(go_type: &Type, value: &Value) -> bool {
    match value {
        Value::Nil => go_type.kind == Kind::Interface,
        other => other.go_type().assignable_to(go_type),
    }
}

fn invoke(environment: &mut Environment, name: &str, arguments: &[serde_json::Value]) -> serde_json::Value {
    let function = gotemplate::sprig::functions().get(name).expect("a known function");
    let mut arguments: Vec<Value> = arguments.iter().map(parse).collect();
    let types = function.parameters.iter().copied().chain(std::iter::repeat_with(|| function.variadic).flatten());
    for (argument, go_type) in arguments.iter_mut().zip(types) {
        if !accepts(go_type, argument) {
            return json!({"mismatch": true});
        }
    }
    match (function.body)(&mut Context::detached(environment), &arguments) {
        Err(error) => json!({"error": error.to_string()}),
        Ok(result) => {
            let sort = matches!(name, "keys" | "values");
            json!({
                "result": if sort { write_sorted(&result) } else { write(&result) },
                "after": arguments.iter().map(write).collect::<Vec<_>>(),
            })
        }
    }
}

/// Go's answer with the position taken off its error.
fn normalised(name: &str, answer: serde_json::Value) -> serde_json::Value {
    if let Some(error) = answer["error"].as_str() {
        return match error.split_once(&format!("error calling {name}: ")) {
            Some((_, message)) => json!({"error": message}),
            None => json!({"mismatch": error.contains("wrong type for value") || error.contains("expected")}),
        };
    }
    answer
}

#[test]
fn random_calls_agree_with_go() {
    let Some(mut oracle) = oracle::Oracle::start("sprig") else { return };
    let count =
        std::env::var("TOWLINE_DIFFERENTIAL_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(4_000usize);
    let only = std::env::var("TOWLINE_DIFFERENTIAL_FUNCTION").ok();
    let functions = gotemplate::sprig::functions();
    let mut names: Vec<_> = functions.names().filter(|name| !EXCLUDED.contains(name)).collect();
    names.retain(|name| only.as_deref().is_none_or(|only| only == *name));
    names.sort_unstable();
    let strategies: Vec<_> = names.iter().map(|name| call(functions.get(name).unwrap())).collect();
    let seed = [7; 32];
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed),
    );
    let mut environment = Environment::new(jiff::Timestamp::from_second(NOW).unwrap());
    let mut differences = std::collections::BTreeMap::<&str, usize>::new();
    let mut next = strategies.iter().cycle();
    for _ in 0..count.div_ceil(BATCH) {
        let calls: Vec<_> = (0..BATCH).map(|_| next.next().unwrap().new_tree(&mut runner).unwrap().current()).collect();
        let request: Vec<_> =
            calls.iter().map(|(name, arguments)| json!({"function": name, "arguments": arguments})).collect();
        let answers = oracle.ask(&json!({ "calls": request }));
        for ((name, arguments), expected) in calls.iter().zip(answers.as_array().expect("a list of answers")) {
            let expected = normalised(name, expected.clone());
            let ours = invoke(&mut environment, name, arguments);
            if !same(name, &ours, &expected) {
                let seen = differences.entry(name).or_default();
                *seen += 1;
                if *seen <= 3 {
                    println!("{name} {}\n  ours {ours}\n  Go   {expected}", json!(arguments));
                }
            }
        }
    }
    assert!(differences.is_empty(), "answers differ from Go's: {differences:?}");
}

/// Do both answers say the same?
fn same(name: &str, ours: &serde_json::Value, expected: &serde_json::Value) -> bool {
    match (ours.get("mismatch"), expected.get("mismatch")) {
        (Some(_), Some(_)) => true,
        // Lists cannot change here, so that `sortAlpha` does not sort its argument.
        (None, None) => {
            ours["result"] == expected["result"]
                && ours["error"] == expected["error"]
                && (name == "sortAlpha" || ours["after"] == expected["after"])
        }
        _ => false,
    }
}

/// Calls of every function in the checked-in table.
const TABLE_CALLS: usize = 6;

/// The answers Go gave, so that this holds without Go: `testdata/sprig.jsonl`, written anew with `TOWLINE_BLESS=1`.
#[test]
fn the_table_of_calls_agrees_with_go() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/sprig.jsonl");
    if oracle::blesses() {
        bless(path);
    }
    let mut environment = Environment::new(jiff::Timestamp::from_second(NOW).unwrap());
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let name = case["function"].as_str().unwrap();
        let ours = invoke(&mut environment, name, case["arguments"].as_array().unwrap());
        assert!(same(name, &ours, &case["expected"]), "{line}\n  ours {ours}");
        count += 1;
    }
    assert!(count > 900, "{count} cases");
}

fn bless(path: &str) {
    let Some(mut oracle) = oracle::Oracle::start("sprig") else { return };
    let functions = gotemplate::sprig::functions();
    let mut names: Vec<_> = functions.names().filter(|name| !EXCLUDED.contains(name)).collect();
    names.sort_unstable();
    let seed = [11; 32];
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig::default(),
        proptest::test_runner::TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed),
    );
    let mut lines = String::new();
    for name in names {
        let strategy = call(functions.get(name).unwrap());
        let mut kept = 0;
        // Wrong types say little about the function: most of the calls that are kept reach it.
        for _ in 0..TABLE_CALLS * 20 {
            let (_, arguments) = strategy.new_tree(&mut runner).unwrap().current();
            let answer = oracle.ask(&json!({ "calls": [{"function": name, "arguments": arguments}] }));
            let expected = normalised(name, answer[0].clone());
            if expected.get("mismatch").is_none() && kept < TABLE_CALLS {
                kept += 1;
                lines.push_str(&json!({"function": name, "arguments": arguments, "expected": expected}).to_string());
                lines.push('\n');
            }
        }
    }
    std::fs::write(path, lines).unwrap();
}

#[test]
fn signatures_name_known_types() {
    let known = [&STRING, &INT, &BOOL, &FLOAT64];
    assert!(known.iter().all(|go_type| !go_type.is_any()));
    let functions = gotemplate::sprig::functions();
    assert!(functions.get("env").is_none() && functions.get("expandenv").is_none());
}

fn call_now(name: &str, arguments: &[Value]) -> Value {
    let mut environment = Environment::new(jiff::Timestamp::from_second(NOW).unwrap());
    let function = gotemplate::sprig::functions().get(name).unwrap();
    (function.body)(&mut Context::detached(&mut environment), arguments)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn field(value: &Value, name: &str) -> Value {
    let Value::Object(object) = value else { panic!("{value:?} is not an object") };
    object.field(name).unwrap()
}

/// Go's own parser and verifier judge what the random functions make.
#[test]
fn keys_and_certificates_satisfy_go() {
    let Some(mut oracle) = oracle::Oracle::start("sprig") else { return };
    let authority = call_now("genCA", &["authority".into(), Value::Int(10)]);
    let addresses = Value::list(vec!["10.0.0.1".into(), "::1".into()]);
    let names = Value::list(vec!["a.example".into(), "b.example".into()]);
    let mut checks = Vec::new();
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let key = call_now("genPrivateKey", &[kind.into()]);
        let common = [kind.into(), addresses.clone(), names.clone(), Value::Int(5)];
        let mut arguments = common.to_vec();
        arguments.extend([authority.clone(), key.clone()]);
        let signed = call_now("genSignedCertWithKey", &arguments);
        assert!(field(&signed, "Key").deep_equal(&key), "the {kind} key is written differently");
        checks.push(json!({
            "authority": field(&authority, "Cert").as_text().unwrap().to_string(),
            "certificate": field(&signed, "Cert").as_text().unwrap().to_string(),
            "key": key.as_text().unwrap().to_string(),
            "time": NOW, "name": "b.example", "common_name": kind,
        }));
    }
    let generated =
        call_now("genSignedCert", &["x".into(), Value::Nil, names.clone(), Value::Int(5), authority.clone()]);
    let own = call_now("genSelfSignedCert", &["y".into(), addresses, names, Value::Int(5)]);
    for (made, by, name) in [(&generated, &authority, "x"), (&own, &own, "y")] {
        checks.push(json!({
            "authority": field(by, "Cert").as_text().unwrap().to_string(),
            "certificate": field(made, "Cert").as_text().unwrap().to_string(),
            "key": field(made, "Key").as_text().unwrap().to_string(),
            "time": NOW, "name": "a.example", "common_name": name,
        }));
    }
    for (check, answer) in checks.iter().zip(oracle.ask(&json!({ "certificates": checks })).as_array().unwrap()) {
        assert_eq!(answer, &json!(""), "{}", check["common_name"]);
    }
}

#[test]
fn dsa_keys_satisfy_go() {
    if cfg!(debug_assertions) {
        println!("SKIPPED: looking for DSA primes takes minutes in an unoptimised build");
        return;
    }
    let Some(mut oracle) = oracle::Oracle::start("sprig") else { return };
    let key = call_now("genPrivateKey", &["dsa".into()]);
    assert_eq!(oracle.ask(&json!({ "dsa_keys": [key.as_text().unwrap().to_string()] })), json!([""]));
}

#[test]
fn what_is_encrypted_can_be_decrypted() {
    for text in ["x", "0123456789abcdef", "more than one block of text"] {
        let sealed = call_now("encryptAES", &["secret".into(), text.into()]);
        assert!(call_now("decryptAES", &["secret".into(), sealed]).deep_equal(&text.into()));
    }
}
