//! Release records and the digests Flux makes of them: the same bytes as Helm's Secret driver and helm-controller.
//!
//! `testdata/records/NAME.json` is a stored record; `NAME.expected` is what the real code makes of it, a line each: the
//! record written again, the snapshot that is digested, its digest, and the digest of the values. The last test but one
//! writes the expectations anew (`-- --ignored`); the others ask the real code about random records and real charts,
//! longer with `TOWLINE_FUZZ_CASES=100000`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpus;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use corpus::{strings, values_options};
use flate2::Compression;
use flate2::write::GzEncoder;
use helm::capabilities::{Capabilities, KubeVersion};
use helm::chart::load_archive;
use helm::engine::{ReleaseOptions, RenderRequest, render};
use helm::manifest::{KindOrder, sort_manifests};
use helm::release::{
    ApplyMethod, Info, Release, SECRET_TYPE, Snapshot, decode_release, encode_release, secret_labels, secret_name,
    user_labels,
};
use helm::strvals::{Mode, parse_into};
use helm::template::write_manifests;
use helm::values::{config_digest, load_values};
use oracle::{Oracle, fuzz_cases};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn record_json(release: &Release) -> String {
    let mut out = String::new();
    release.write_json(&mut out);
    out
}

fn pack(json: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(json.as_bytes()).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

fn start_flux() -> Option<Oracle> {
    Oracle::start_in("oracle-helm-controller", "release")
}

fn expectation(release: &Release) -> String {
    let snapshot = Snapshot { release, oci_digest: "" };
    let config = config_digest(release.config.as_ref().unwrap_or(&helm::value::Map::new()));
    format!("{}\n{}{}\n{config}\n", record_json(release), snapshot.json(), snapshot.digest())
}

fn table() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/records");
    let mut paths: Vec<PathBuf> = fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    assert!(paths.len() >= 8, "{paths:?}");
    paths
}

#[test]
fn records_are_written_and_digested_as_expected() {
    for path in table() {
        let text = fs_err::read_to_string(&path).unwrap();
        let expected = fs_err::read_to_string(path.with_extension("expected")).unwrap();
        for payload in [pack(&text), STANDARD.encode(&text)] {
            let release = decode_release(payload.as_bytes()).unwrap();
            assert_eq!(expectation(&release), expected, "{}", path.display());
            let again = decode_release(encode_release(&release).as_bytes()).unwrap();
            assert_eq!(expectation(&again), expected, "{}", path.display());
        }
    }
}

#[test]
#[ignore = "writes the expectations with the real code, to be run when a record is added"]
fn write_expectations() {
    let (Some(mut helm), Some(mut flux)) = (Oracle::start("helm"), start_flux()) else { return };
    for path in table() {
        let text = fs_err::read_to_string(&path).unwrap();
        let record = helm.ask(&json!({"op": "record", "text": pack(&text)}))["ok"].clone();
        let snapshot = flux.ask(&json!({"op": "snapshot", "text": text}))["ok"].clone();
        let line = |value: &serde_json::Value| value.as_str().unwrap().trim_end().to_owned();
        let lines =
            [&record["json"], &snapshot["json"], &snapshot["digest"], &snapshot["configDigest"]].map(line).join("\n");
        fs_err::write(path.with_extension("expected"), lines + "\n").unwrap();
    }
}

type Text = BoxedStrategy<String>;

fn text() -> Text {
    let character = prop_oneof![
        6 => prop::sample::select(vec!['a', 'b', '-', '.', ' ', '\n']),
        2 => prop::sample::select(vec!['<', '>', '&', '"', '\\', '/', '\t', '\u{1}', '\u{8}', '\u{c}', '\u{1f}', '\u{7f}']),
        2 => prop::sample::select(vec!['é', '\u{2028}', '\u{2029}', '😀', '\u{85}', '\u{feff}', '\u{fffd}']),
    ];
    prop::collection::vec(character, 0..8)
        .prop_map(|characters| json!(characters.into_iter().collect::<String>()).to_string())
        .boxed()
}

fn time() -> Text {
    let odd = prop::sample::select(vec![
        "0001-01-01T00:00:00Z",
        "0001-01-01T02:00:00+02:00",
        "0001-01-01T00:00:00.000000001Z",
        "2026-02-29T00:00:00Z",
        "2024-02-29T23:59:59.999999999-00:00",
        "2026-08-13T10:00:00.1200+05:45",
        "2026-08-13T10:00:00.12345678901Z",
        "2026-08-13T10:00:00,5Z",
        "2026-08-13 10:00:00Z",
        "2026-08-13T10:00:60Z",
        "2026-08-13T10:00:00+23:59",
        "1066-10-14T09:00:00-11:30",
        "",
    ])
    .prop_map(|text| format!("\"{text}\""));
    let usual = (2000..2100, 1..13, 1..29, 0..24, 0..60, 0_u64..1_000_000_000, -1..10, -12..14).prop_map(
        |(year, month, day, hour, minute, nanoseconds, digits, zone)| {
            let fraction = match usize::try_from(digits) {
                Ok(digits) if digits > 0 => format!(".{}", &format!("{nanoseconds:09}")[..digits.min(9)]),
                _ => String::new(),
            };
            let zone = if zone == 0 { "Z".to_owned() } else { format!("{zone:+03}:00") };
            format!("\"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:07{fraction}{zone}\"")
        },
    );
    prop_oneof![12 => usual, 1 => odd].boxed()
}

/// Numbers as JSON writes them, also those that a careless reader gets wrong in the last digit.
fn number() -> Text {
    let odd = prop::sample::select(vec![
        "0",
        "-0",
        "1e21",
        "1E+2",
        "0.000001",
        "1e-7",
        "9007199254740993",
        "12345678901234567890",
        "1e23",
        "5e-324",
        "0.1234567890123456789",
        "8.41e21",
        "2.2250738585072011e-308",
        "9.5367431640625e-7",
        "123456789.125",
        "1e400",
    ])
    .prop_map(ToOwned::to_owned);
    let digits = (any::<u64>(), -30..30).prop_map(|(digits, exponent)| format!("{digits}e{exponent}"));
    prop_oneof![30 => any::<i32>().prop_map(|number| number.to_string()), 20 => digits, 2 => odd].boxed()
}

fn list(item: Text) -> Text {
    prop::collection::vec(item, 1..3).prop_map(|items| format!("[{}]", items.join(","))).boxed()
}

fn map(key: Text, value: Text) -> Text {
    prop::collection::vec((key, value), 0..4)
        .prop_map(|entries| {
            let mut seen = BTreeSet::new();
            let entries = entries.into_iter().filter(|(key, _)| seen.insert(key.clone()));
            format!("{{{}}}", entries.map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>().join(","))
        })
        .boxed()
}

fn any_json() -> Text {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        text(),
        number()
    ];
    leaf.prop_recursive(3, 12, 3, |inner| prop_oneof![list(inner.clone().boxed()), map(text(), inner.boxed())]).boxed()
}

fn data() -> Text {
    prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| json!(STANDARD.encode(bytes)).to_string()).boxed()
}

/// An object of these fields: each there, null or absent; what starts with `!` is always there.
fn object(fields: Vec<(&'static str, Text)>) -> Text {
    let fields: Vec<BoxedStrategy<Option<String>>> = fields
        .into_iter()
        .map(|(name, value)| match name.strip_prefix('!') {
            Some(name) => value.prop_map(move |value| Some(format!("\"{name}\":{value}"))).boxed(),
            None => prop_oneof![
                8 => value.prop_map(move |value| Some(format!("\"{name}\":{value}"))),
                1 => Just(Some(format!("\"{name}\":null"))),
                2 => Just(None),
            ]
            .boxed(),
        })
        .collect();
    fields.prop_map(|fields| format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(","))).boxed()
}

fn words(words: &[&'static str]) -> Text {
    prop::sample::select(words.to_vec()).prop_map(|word| format!("\"{word}\"")).boxed()
}

fn dependency() -> Text {
    object(vec![
        ("name", text()),
        ("version", text()),
        ("repository", text()),
        ("condition", text()),
        ("tags", list(text())),
        ("enabled", words(&["x"]).prop_map(|_| "true".to_owned()).boxed()),
        ("import-values", list(any_json())),
        ("alias", text()),
    ])
}

fn metadata() -> Text {
    object(vec![
        ("name", text()),
        ("home", text()),
        ("sources", list(text())),
        ("version", text()),
        ("description", text()),
        ("keywords", list(text())),
        ("maintainers", list(object(vec![("name", text()), ("email", text()), ("url", text())]))),
        ("icon", text()),
        ("apiVersion", words(&["v1", "v2"])),
        ("condition", text()),
        ("tags", text()),
        ("appVersion", text()),
        ("deprecated", any::<bool>().prop_map(|flag| flag.to_string()).boxed()),
        ("annotations", map(text(), text())),
        ("kubeVersion", text()),
        ("dependencies", list(dependency())),
        ("type", words(&["application", "library", ""])),
    ])
}

fn hook() -> Text {
    object(vec![
        ("name", text()),
        ("kind", words(&["Job", "Pod", ""])),
        ("path", text()),
        ("manifest", text()),
        ("events", list(words(&["pre-install", "test", "post-upgrade", "odd"]))),
        (
            "last_run",
            object(vec![("started_at", time()), ("completed_at", time()), ("phase", words(&["Succeeded", ""]))]),
        ),
        ("weight", (-3..3_i32).prop_map(|weight| weight.to_string()).boxed()),
        ("delete_policies", list(words(&["hook-succeeded", "odd"]))),
        ("output_log_policies", list(words(&["hook-failed"]))),
    ])
}

fn record() -> Text {
    let file = || list(object(vec![("!name", text()), ("!data", data()), ("modtime", time())]));
    let lock = object(vec![
        ("generated", time()),
        ("digest", text()),
        ("dependencies", prop_oneof![Just("[]".to_owned()), list(dependency())].boxed()),
    ]);
    let chart = object(vec![
        ("!metadata", metadata()),
        ("lock", lock),
        ("templates", file()),
        ("values", map(text(), any_json())),
        ("schema", data()),
        ("schemamodtime", time()),
        ("files", file()),
        ("modtime", time()),
    ]);
    let info = object(vec![
        ("first_deployed", time()),
        ("last_deployed", time()),
        ("deleted", prop_oneof![Just("\"\"".to_owned()), time()].boxed()),
        ("description", text()),
        ("status", words(&["deployed", "failed", "pending-upgrade", "odd"])),
        ("notes", text()),
    ]);
    object(vec![
        ("name", words(&["a", "release"])),
        ("!info", info),
        ("!chart", chart),
        ("config", map(text(), any_json())),
        ("manifest", text()),
        ("hooks", list(hook())),
        ("version", (0..9_i32).prop_map(|version| version.to_string()).boxed()),
        ("namespace", words(&["default", ""])),
        ("apply_method", words(&["ssa", "csa", ""])),
    ])
}

fn check(cases: u32, test: impl Fn(String) -> Result<(), TestCaseError>) {
    let config = Config { cases: fuzz_cases(cases), failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&record(), test).unwrap();
}

#[test]
fn differential_records_agree() {
    let Some(oracle) = Oracle::start("helm") else { return };
    let oracle = RefCell::new(oracle);
    let valid = RefCell::new(0_u32);
    check(300, |text| {
        let labels = BTreeMap::from([("team", "a"), ("owner", "helm"), ("status", "old"), ("createdAt", "5")]);
        let ask = |payload: &str| oracle.borrow_mut().ask(&json!({"op": "record", "text": payload, "files": labels}));
        let theirs = ask(&pack(&text));
        let ours = decode_release(pack(&text).as_bytes());
        if theirs.get("error").is_some() || ours.is_err() {
            prop_assert!(theirs.get("error").is_some() && ours.is_err(), "theirs {}, ours {:?}", theirs, ours.err());
            return Ok(());
        }
        *valid.borrow_mut() += 1;
        let mut ours = ours.unwrap();
        let theirs = &theirs["ok"];
        prop_assert_eq!(record_json(&ours), theirs["json"].as_str().unwrap());
        // What we store, Helm reads as what it had itself; what Helm stores, we do.
        let stored = ask(&encode_release(&ours));
        prop_assert_eq!(&stored["ok"]["json"], &theirs["json"]);
        let read = decode_release(theirs["payload"].as_str().unwrap().as_bytes()).unwrap();
        prop_assert_eq!(record_json(&read), theirs["json"].as_str().unwrap());
        ours.labels = user_labels(&labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect());
        let mut all = secret_labels(&ours, ("createdAt", 5));
        all.remove("createdAt");
        prop_assert_eq!(&json!(all), &theirs["labels"]);
        prop_assert_eq!(&json!(secret_name(&ours.name, ours.version)), &theirs["name"]);
        prop_assert_eq!(&json!(SECRET_TYPE), &theirs["type"]);
        Ok(())
    });
    let valid = valid.into_inner();
    assert!(valid * 5 > fuzz_cases(300), "only {valid} records were valid");
}

#[test]
fn differential_snapshots_agree() {
    let Some(oracle) = start_flux() else { return };
    let oracle = RefCell::new(oracle);
    check(300, |text| {
        let Ok(mut release) = decode_release(pack(&text).as_bytes()) else { return Ok(()) };
        let question =
            json!({"op": "snapshot", "text": text, "ociDigest": "sha256:1", "sets": ["int=9007199254740993"]});
        let theirs = oracle.borrow_mut().ask(&question);
        let mut config = release.config.take().unwrap_or_default();
        parse_into("int=9007199254740993", &mut config, Mode::Typed).unwrap();
        prop_assert_eq!(config_digest(&config), theirs["ok"]["configDigest"].as_str().unwrap());
        release.config = Some(config);
        let snapshot = Snapshot { release: &release, oci_digest: "sha256:1" };
        prop_assert_eq!(snapshot.json(), theirs["ok"]["json"].as_str().unwrap());
        prop_assert_eq!(snapshot.digest(), theirs["ok"]["digest"].as_str().unwrap());
        Ok(())
    });
}

#[test]
fn differential_config_digests_agree() {
    let Some(oracle) = start_flux() else { return };
    let oracle = RefCell::new(oracle);
    let sets = prop::collection::vec(
        prop::sample::select(vec!["a=5", "b.c=true", "l={1,x}", "n=null", "big=9223372036854775807", "s=2020-01-01"]),
        0..3,
    );
    let config = Config { cases: fuzz_cases(600), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(map(text(), any_json()), sets), |(text, sets)| {
            let theirs = oracle.borrow_mut().ask(&json!({"op": "config", "text": text, "sets": sets}));
            let Ok(mut values) = load_values(text.as_bytes()) else {
                prop_assert!(theirs.get("error").is_some(), "theirs {}", theirs);
                return Ok(());
            };
            for set in &sets {
                if parse_into(set, &mut values, Mode::Typed).is_err() {
                    prop_assert!(theirs.get("error").is_some(), "theirs {}", theirs);
                    return Ok(());
                }
            }
            prop_assert_eq!(&json!(config_digest(&values)), &theirs["ok"]["digest"], "{}", theirs);
            Ok(())
        })
        .unwrap();
}

/// One case of each chart of the corpus, installed without a cluster by Helm and by us: the same record.
#[test]
fn records_of_real_charts_agree() {
    let Some(shared) = oracle::shared_directory() else { return };
    let (Some(mut helm), Some(mut flux)) = (Oracle::start("helm"), start_flux()) else { return };
    let directory = shared.join("corpus/charts");
    let cases: Vec<serde_json::Value> =
        serde_json::from_slice(&fs_err::read(directory.join("cases.json")).unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    let mut differing = Vec::new();
    for case in &cases {
        let usable = case["expect"] == "ok" && case["deterministic"] == true && case["includeCrds"] != true;
        if !usable || !seen.insert(case["chart"].as_str().unwrap()) {
            continue;
        }
        let values = values_options(&directory, case).merge().unwrap();
        let mut values_json = String::new();
        helm::go_json::write_map(&mut values_json, &values);
        // Helm gets the values as JSON, where the integers of `--set` have become floats.
        let values = load_values(values_json.as_bytes()).unwrap();
        let file = directory.join(case["chart"].as_str().unwrap());
        let archive = fs_err::read(&file).unwrap();
        let answer = helm.ask(&json!({
            "op": "install", "archive": STANDARD.encode(&archive), "values": values_json, "release": case["release"],
            "namespace": case["namespace"], "kubeVersion": case["kubeVersion"], "apiVersions": case["apiVersions"],
        }));
        let Some(theirs) = answer["ok"].as_str() else { panic!("{}: {}", case["name"], answer["error"]) };
        let known = decode_release(pack(theirs).as_bytes()).unwrap();

        let mut capabilities = Capabilities::default();
        if let Some(version) = case["kubeVersion"].as_str().filter(|version| !version.is_empty()) {
            capabilities.kube_version = KubeVersion::parse(version).unwrap();
        }
        capabilities.add_api_versions(strings(case, "apiVersions"));
        let chart = load_archive(&archive).unwrap();
        let release = ReleaseOptions {
            name: known.name.clone(),
            namespace: known.namespace.clone(),
            revision: 1,
            is_upgrade: false,
        };
        let now = known.info.first_deployed.unwrap().timestamp();
        let rendered = render(&RenderRequest::new(&chart, &values, release, &capabilities, now)).unwrap();
        let sorted = sort_manifests(&rendered.files, KindOrder::Install).unwrap();
        let mut manifest = String::new();
        write_manifests(&mut manifest, &sorted.manifests, false);
        let ours = Release {
            name: known.name.clone(),
            info: Info { notes: rendered.notes, ..known.info.clone() },
            chart: Arc::new(rendered.chart),
            config: Some(values),
            manifest,
            hooks: sorted.hooks,
            version: 1,
            namespace: known.namespace.clone(),
            apply_method: ApplyMethod::ServerSide,
            labels: BTreeMap::new(),
        };
        let json = record_json(&ours);
        if json != theirs {
            let at = json.bytes().zip(theirs.bytes()).take_while(|(left, right)| left == right).count();
            let around = |text: &str| {
                let bytes = &text.as_bytes()[at.saturating_sub(80).min(text.len())..(at + 80).min(text.len())];
                String::from_utf8_lossy(bytes).into_owned()
            };
            differing.push(format!("{}\n  ours   {}\n  theirs {}", case["name"], around(&json), around(theirs)));
            continue;
        }
        let snapshot = flux.ask(&json!({"op": "snapshot", "text": json}));
        let read = decode_release(encode_release(&ours).as_bytes()).unwrap();
        for release in [&ours, &read] {
            assert_eq!(Snapshot { release, oci_digest: "" }.digest(), snapshot["ok"]["digest"], "{}", case["name"]);
            let config = release.config.clone().unwrap_or_default();
            assert_eq!(config_digest(&config), snapshot["ok"]["configDigest"], "{}", case["name"]);
        }
    }
    eprintln!("records of real charts: {}/{} agree", seen.len() - differing.len(), seen.len());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
