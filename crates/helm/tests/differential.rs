//! Random questions to the real Helm packages and to this crate: the answers must agree.
//!
//! Needs Go; bounded here, longer with `TOWLINE_FUZZ_CASES=100000`. Every difference found becomes a table case elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod differ;

use differ::differ;
use helm::chart::{Chart, File, load_files};
use helm::dependencies::process_dependencies;
use helm::manifest::{KindOrder, sort_manifests, split_manifests};
use helm::strvals::{Mode, parse_into};
use helm::value::{Map, Value};
use helm::values::{computed_values, load_values, merge_maps};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// As the oracle writes values: `i` before an int64, `f` before a float64.
fn describe(value: &Value) -> String {
    let mut out = String::new();
    write_description(&mut out, value);
    out
}

fn write_description(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(&flag.to_string()),
        Value::Int(number) => write!(out, "i{number}").unwrap(),
        Value::Float(number) => {
            out.push('f');
            yaml::go_number::write_float_g(*number, out);
        }
        Value::String(text) => write!(out, "{text:?}").unwrap(),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_description(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write!(out, "{key:?}:").unwrap();
                write_description(out, value);
            }
            out.push('}');
        }
    }
}

fn describe_chart(chart: &Chart) -> String {
    let mut metadata = String::new();
    chart.metadata.write_json(&mut metadata);
    let values = chart.values.clone().map_or_else(|| "{}".to_owned(), |values| describe(&Value::Map(values)));
    let mut out = format!("{metadata} {values}");
    let mut dependencies: Vec<&Chart> = chart.dependencies.iter().collect();
    dependencies.sort_by(|left, right| left.name().cmp(right.name()));
    for dependency in dependencies {
        write!(out, " [{}]", describe_chart(dependency)).unwrap();
    }
    out
}

/// JSON trees over few keys, so that both sides of a merge meet; nulls are frequent.
fn tree(depth: u32) -> BoxedStrategy<serde_json::Value> {
    let leaf = prop_oneof![
        3 => Just(serde_json::Value::Null),
        1 => any::<bool>().prop_map(serde_json::Value::from),
        2 => (-3i64..2_000_000).prop_map(serde_json::Value::from),
        1 => "[a-z]{0,3}".prop_map(serde_json::Value::from),
        1 => prop::collection::vec(-1i64..3, 0..3).prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop::collection::btree_map(key(), inner, 0..4)
            .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
    })
    .boxed()
}

fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "sub", "other", "global", "tags", "exports", "enabled"])
        .prop_map(ToOwned::to_owned)
}

fn table(depth: u32) -> impl Strategy<Value = serde_json::Value> {
    prop::collection::btree_map(key(), tree(depth), 0..5)
        .prop_map(|map| serde_json::Value::Object(map.into_iter().collect()))
}

#[test]
fn strvals_agree() {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "a.b",
        "a.b.c",
        "[0]",
        "[1]",
        "[2]",
        "=",
        "=",
        "=",
        ",",
        ",",
        ".",
        "{",
        "}",
        "{1,x}",
        "1",
        "-7",
        "007",
        "0",
        "true",
        "null",
        "TRUE",
        "1.5",
        "x",
        "\\",
        "\\,",
        " ",
        "[",
        "]",
        "\"s\"",
        "{\"k\":1}",
        "[1,2]",
        "é",
        "1e3",
        "[-1]",
        "99999999999999999999",
    ]);
    let text = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let mode = prop::sample::select(vec!["typed", "string", "json", "literal"]);
    differ(
        1500,
        (text, mode, prop_oneof![Just(json!({})), table(3)]),
        |(text, mode, base)| json!({"op": "strvals", "mode": mode, "text": text, "values": base.to_string()}),
        |(text, mode, base)| {
            let mut values = load_values(base.to_string().as_bytes()).unwrap();
            let mode = match *mode {
                "typed" => Mode::Typed,
                "string" => Mode::String,
                "json" => Mode::Json,
                _ => Mode::Literal,
            };
            let json = matches!(mode, Mode::Json);
            parse_into(text, &mut values, mode)
                .map(|()| describe(&Value::Map(values)))
                .map_err(|error| if json { "json".to_owned() } else { error.to_string() })
        },
        false,
    );
}

#[test]
fn strvals_errors_agree() {
    let piece = prop::sample::select(vec![
        "a", "b", ".", "[0]", "[", "]", "=", ",", "{", "}", "1", "[x]", "[-1]", "[70000]", "\\",
    ]);
    let text = prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat());
    differ(
        1500,
        text,
        |text| json!({"op": "strvals", "mode": "typed", "text": text, "values": "a: 1"}),
        |text| {
            let mut values = load_values(b"a: 1").unwrap();
            parse_into(text, &mut values, Mode::Typed)
                .map(|()| describe(&Value::Map(values)))
                .map_err(|error| error.to_string())
        },
        true,
    );
}

#[test]
fn values_files_agree() {
    let separator =
        prop::sample::select(vec!["\n---\n", "\n--- # c\n", "\n---x: 1\n", "\r\n---\r\n", "\n---", "\n...\n"]);
    let document = table(2).prop_map(|table| table.to_string());
    let file = prop::collection::vec((document, separator), 0..4)
        .prop_map(|parts| parts.into_iter().map(|(document, separator)| document + separator).collect::<String>());
    differ(
        500,
        prop::collection::vec(file, 0..3),
        |texts| json!({"op": "values", "texts": texts}),
        |texts| {
            let mut base = Map::new();
            for text in texts {
                merge_maps(&mut base, load_values(text.as_bytes()).map_err(|error| error.to_string())?);
            }
            Ok(describe(&Value::Map(base)))
        },
        false,
    );
}

/// A chart `root` with subcharts `sub` (which has `inner`) and `other`, all with random values and declarations.
fn charts() -> impl Strategy<Value = BTreeMap<String, String>> {
    let condition = prop::sample::select(vec!["", "sub.enabled", "a", "other.enabled,b", "global.a", "sub.b.c"]);
    let tags = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..3);
    let import = prop_oneof![
        Just(json!("a")),
        Just(json!("b")),
        Just(json!({"child": "a", "parent": "b"})),
        Just(json!({"child": "exports.a", "parent": "."})),
        Just(json!({"child": "b.c", "parent": "a.b"})),
    ];
    let dependency = (
        prop::sample::select(vec!["sub", "other", "inner", "absent"]),
        prop::sample::select(vec!["1.x", ">=1.0.0", "2.0.0", "*"]),
        condition,
        tags,
        prop::collection::vec(import, 0..3),
        prop::sample::select(vec!["", "", "", "alias", "c"]),
    )
        .prop_map(|(name, version, condition, tags, imports, alias)| {
            json!({"name": name, "version": version, "repository": "", "condition": condition, "tags": tags,
                "import-values": imports, "alias": alias})
        });
    let declarations = prop::collection::vec(dependency, 0..4).prop_map(|dependencies| {
        let mut seen = std::collections::BTreeSet::new();
        let kept: Vec<serde_json::Value> = dependencies
            .into_iter()
            .filter(|dependency| {
                // One declaration for each chart: when a chart is used twice, Helm lets the two share the metadata of
                // the charts below, and what the first use disabled or imported is lost to the second. We do not.
                let (name, alias) = (dependency["name"].as_str().unwrap(), dependency["alias"].as_str().unwrap());
                seen.insert(name.to_owned()) && (alias.is_empty() || seen.insert(alias.to_owned()))
            })
            .collect();
        serde_json::Value::Array(kept)
    });
    let chart = |name: &'static str| {
        (table(3), prop_oneof![declarations.clone(), Just(json!([]))]).prop_map(move |(values, dependencies)| {
            let metadata =
                json!({"apiVersion": "v2", "name": name, "version": "1.2.3", "dependencies": dependencies}).to_string();
            (metadata, values.to_string())
        })
    };
    (chart("root"), chart("sub"), chart("other"), chart("inner"), any::<bool>()).prop_map(
        |(root, sub, other, inner, nested)| {
            let mut files = BTreeMap::new();
            for (prefix, (metadata, values)) in
                [("", root), ("charts/sub/", sub), ("charts/other/", other), ("charts/sub/charts/inner/", inner)]
            {
                if nested || !prefix.ends_with("inner/") {
                    files.insert(format!("{prefix}Chart.yaml"), metadata);
                    files.insert(format!("{prefix}values.yaml"), values);
                }
            }
            files
        },
    )
}

fn load(files: &BTreeMap<String, String>) -> Result<Chart, String> {
    let files = files.iter().map(|(name, text)| File::new(name.as_str(), text.as_bytes())).collect();
    load_files(files).map_err(|error| error.to_string())
}

fn coalesce(files: &BTreeMap<String, String>, values: &str, process: bool) -> Result<String, String> {
    let mut chart = load(files)?;
    let values = load_values(values.as_bytes()).unwrap();
    if process {
        chart = process_dependencies(&chart, &values).map_err(|error| error.to_string())?.chart;
    }
    let (computed, _) = computed_values(&chart, &values).map_err(|error| error.to_string())?;
    let computed = describe(&Value::Map(computed));
    Ok(json!({"values": computed, "chart": describe_chart(&chart)}).to_string())
}

/// Subcharts come in the random order of a Go map, which shows where globals flow from one into another; so only charts
/// with one subchart at each level have one answer.
fn without_siblings(mut files: BTreeMap<String, String>) -> BTreeMap<String, String> {
    files.retain(|name, _| !name.starts_with("charts/other/"));
    files
}

#[test]
fn coalescing_agrees() {
    differ(
        400,
        (charts().prop_map(without_siblings), table(3)),
        |(files, values)| json!({"op": "coalesce", "files": files, "values": values.to_string()}),
        |(files, values)| coalesce(files, &values.to_string(), false),
        false,
    );
}

#[test]
fn dependencies_agree() {
    differ(
        400,
        (charts().prop_map(without_siblings), table(3)),
        |(files, values)| json!({"op": "coalesce", "mode": "process", "files": files, "values": values.to_string()}),
        |(files, values)| coalesce(files, &values.to_string(), true),
        false,
    );
}

#[test]
fn splitting_agrees() {
    let piece =
        prop::sample::select(vec!["---", "--", "\n", "\n", " ", "\t", "a: 1", "# c", "----", "\r\n", "\u{a0}", "x"]);
    differ(
        3000,
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat()),
        |text| json!({"op": "split", "text": text}),
        |text| Ok(json!(split_manifests(text)).to_string()),
        false,
    );
}

#[test]
fn sorting_agrees() {
    let kind = prop::sample::select(vec![
        "Secret",
        "Pod",
        "Job",
        "Zebra",
        "Apple",
        "Namespace",
        "ValidatingWebhookConfiguration",
        "5",
        "on",
    ]);
    let hook = prop::sample::select(vec![
        "",
        "",
        "",
        "pre-install",
        " Post-Upgrade , test-success",
        "unknown",
        "pre-install,unknown",
        "crd-install",
    ]);
    let weight = prop::sample::select(vec!["", "\"5\"", "-3", "x", "\"+2\"", "1.5", "true"]);
    let policy = prop::sample::select(vec!["", "hook-succeeded, HOOK-failed", "before-hook-creation"]);
    let document = (kind, hook, weight, policy, "[a-c]").prop_map(|(kind, hook, weight, policy, name)| {
        let mut text = format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n");
        if !hook.is_empty() {
            write!(text, "  annotations:\n    helm.sh/hook: {hook:?}\n").unwrap();
            if !weight.is_empty() {
                writeln!(text, "    helm.sh/hook-weight: {weight}").unwrap();
            }
            if !policy.is_empty() {
                writeln!(text, "    helm.sh/hook-delete-policy: {policy:?}").unwrap();
                writeln!(text, "    helm.sh/hook-output-log-policy: {policy:?}").unwrap();
            }
        }
        text
    });
    let other = prop::sample::select(vec![
        "",
        "# only a comment\n",
        "a: [",
        "- list\n",
        "kind: [a]\n",
        "metadata: 5\n",
        "null\n",
    ]);
    let file = prop::collection::vec(prop_oneof![8 => document, 1 => other.prop_map(ToOwned::to_owned)], 0..4)
        .prop_map(|documents| documents.join("---\n"));
    let name = prop::sample::select(vec!["a/x.yaml", "a/y.yaml", "a/_z.yaml", "b/x.yaml"]).prop_map(ToOwned::to_owned);
    differ(
        400,
        (prop::collection::btree_map(name, file, 0..4), any::<bool>()),
        |(files, uninstall)| json!({"op": "sort", "files": files, "uninstall": uninstall}),
        |(files, uninstall): &(BTreeMap<String, String>, bool)| {
            let order = if *uninstall { KindOrder::Uninstall } else { KindOrder::Install };
            let files = files.iter().map(|(name, text)| (Arc::from(name.as_str()), text.clone())).collect();
            let sorted = sort_manifests(&files, order).map_err(|error| error.to_string())?;
            let mut list: Vec<[String; 2]> =
                sorted.manifests.into_iter().map(|manifest| [manifest.path.to_string(), manifest.content]).collect();
            for hook in sorted.hooks {
                let mut encoded = String::new();
                hook.write_json(&mut encoded);
                list.push(["hook".to_owned(), encoded]);
            }
            Ok(if list.is_empty() { "null".to_owned() } else { json!(list).to_string() })
        },
        true,
    );
}

#[test]
fn ignore_rules_agree() {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "*",
        "?",
        "/",
        "[a-b]",
        "[^a]",
        ".",
        "\\",
        "!",
        "x",
        "[",
        "#",
        " ",
        "templates",
    ]);
    let line = prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat());
    let rules = prop::collection::vec(line, 0..4).prop_map(|lines| lines.join("\n"));
    let path = prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "x.a", ".a", "templates"]), 1..4)
        .prop_map(|parts| parts.join("/"));
    differ(
        4000,
        (rules, path, any::<bool>()),
        |(rules, path, directory)| json!({"op": "ignore", "text": rules, "name": path, "directory": directory}),
        |(rules, path, directory)| {
            let mut parsed = helm::chart::ignore::Rules::parse(rules)?;
            parsed.add_defaults();
            Ok(parsed.ignores(path, *directory).to_string())
        },
        true,
    );
}

#[test]
fn kube_versions_agree() {
    let piece = prop::sample::select(vec!["1", "2", "03", "v", ".", ".", "-", "+", "x", " ", "36", "0"]);
    differ(
        2000,
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()),
        |text| json!({"op": "kubeversion", "text": text}),
        |text| {
            let version = helm::capabilities::KubeVersion::parse(text)?;
            Ok(json!([version.version, version.as_str(), version.major, version.minor]).to_string())
        },
        true,
    );
}
