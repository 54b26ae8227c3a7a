//! Any archive, any values: no crash, bounded time and memory, and merging holds what it promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use fuzz::Target;
use helm::chart::{Chart, load_archive, load_directory, package};
use helm::dependencies::process_dependencies;
use helm::strvals::{Mode, parse_into};
use helm::value::{Map, Value};
use helm::values::{computed_values, load_values, merge_maps};

fn target<'a>(name: &'a str, corpus: &'a Path, tokens: &'a [&'a str]) -> Target<'a> {
    Target {
        name,
        corpus,
        seeds: Vec::new(),
        tokens,
        scratch: Path::new(env!("CARGO_TARGET_TMPDIR")),
        slowest: Duration::from_secs(20),
        largest: 512 << 20,
    }
}

fn words(error: &impl ToString) -> String {
    let outside: String = error.to_string().split('"').step_by(2).collect();
    outside.chars().filter(|character| character.is_alphabetic() || *character == ' ').take(60).collect()
}

const ARCHIVE_TOKENS: &[&str] = &[
    "demo/Chart.yaml",
    "demo/values.yaml",
    "demo/charts/sub/Chart.yaml",
    "demo/charts/sub.tgz",
    "../",
    "/",
    "C:\\",
    "ustar\0",
    "ustar  \0",
    "0000644\0",
    "00000000010\0",
    "77777777777\0",
    "0",
    "1",
    "2",
    "3",
    "5",
    "6",
    "x",
    "g",
    "L",
    "K",
    "S",
    "30 path=demo/../x\n",
    "20 size=99999999\n",
    "\0\0\0\0\0\0\0\0",
    "apiVersion: v2\n",
    "name: demo\n",
    "version: 1.0.0\n",
    "dependencies:\n- name: sub\n",
    "condition: a.b\n",
    "type: library\n",
    "alias: x\n",
    "\u{feff}",
];

/// One entry of a tar file.
fn entry(name: &str, kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |offset: usize, text: &[u8]| header[offset..offset + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", data.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let mut entry = header.to_vec();
    entry.extend_from_slice(data);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// Corrects the checksums, without which nothing is read, of all headers that are where they should be.
fn with_checksums(mut tar: Vec<u8>) -> Vec<u8> {
    let mut start = 0;
    while let Some(header) = tar.get_mut(start..start + 512) {
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok().and_then(|text| usize::from_str_radix(text, 8).ok());
        start += 512 + size.unwrap_or(0).min(1 << 30).next_multiple_of(512);
    }
    tar
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn chart_archives() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/archive");
    let mut target = target("archive", &corpus, ARCHIVE_TOKENS);
    let metadata = b"apiVersion: v2\nname: demo\nversion: 1.0.0\ndependencies:\n- name: sub\n  version: '*'\n  condition: sub.on\n";
    let sub = b"apiVersion: v2\nname: sub\nversion: 0.1.0\n";
    let nested = gzip(&with_checksums([entry("sub/Chart.yaml", b'0', sub), vec![0; 1024]].concat()));
    let plain = [
        entry("demo/Chart.yaml", b'0', metadata),
        entry("demo/values.yaml", b'0', b"a: 1\nsub: {b: 2}\n"),
        entry("demo/templates/a.yaml", b'0', b"a: {{ .Values.a }}\n"),
        entry("demo/.helmignore", b'0', b"*.bak\n!keep\n"),
        entry("demo/values.schema.json", b'0', b"{\"type\":\"object\"}"),
    ]
    .concat();
    target.seeds = vec![
        [plain.clone(), entry("demo/charts/sub/Chart.yaml", b'0', sub), vec![0; 1024]].concat(),
        [plain.clone(), entry("demo/charts/sub-0.1.0.tgz", b'0', &nested), vec![0; 1024]].concat(),
        [plain.clone(), entry("demo/link", b'2', b""), vec![0; 1024]].concat(),
        [entry("pax", b'x', b"27 path=demo/values.yaml\n\n"), plain].concat(),
    ];
    fuzz::run(&target, |input| {
        // Most inputs are read as the tar file inside; some as the archive itself.
        let archive = match input.strip_prefix(b"raw:") {
            Some(raw) => raw.to_vec(),
            None => gzip(&with_checksums(input.to_vec())),
        };
        let chart = match load_archive(&archive) {
            Ok(chart) => chart,
            Err(error) => return words(&error),
        };
        let packed = package(&chart).and_then(|packed| load_archive(&packed));
        if let Ok(again) = &packed {
            assert_eq!(again.name(), chart.name());
        }
        format!("{} {} {}", chart.files.len(), chart.dependencies.len(), packed.is_ok())
    });
}

const VALUES_TOKENS: &[&str] = &[
    "\n===\n",
    "a: 1\n",
    "sub:\n  b: 2\n",
    "global:\n  g: {h: 1}\n",
    "sub: null\n",
    "a: [1, 2]\n",
    "{}",
    "[]",
    "null",
    "~",
    "1e3",
    "1.5",
    "\"s\"",
    "a.b=1",
    "a[0]=1",
    "a[65536]=1",
    "a[99999999]=1",
    "a={x,y}",
    "a.b[1].c=2",
    ",",
    "=",
    "\\,",
    "\\.",
    "[",
    "]",
    "{",
    "}",
    ".",
    "sub.on=false",
    "tags.t=true",
    "{\"k\": [1]}",
    "&x ",
    "*x",
    "<<: ",
    "---\n",
    "exports:\n  data: {x: 1}\n",
];

fn chart() -> Chart {
    let dependencies = "dependencies:\n- name: sub\n  version: '*'\n  condition: sub.on,global.g\n  tags: [t]\n  import-values: [data, {child: c, parent: .}]\n";
    let files = [
        ("Chart.yaml", format!("apiVersion: v2\nname: demo\nversion: 1.0.0\n{dependencies}")),
        ("values.yaml", "a: 1\nm: {k: {l: [1]}}\nsub: {b: 1, on: true}\nglobal: {x: 1}\n".to_owned()),
        ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n".to_owned()),
        ("charts/sub/values.yaml", "b: {c: 1}\nc: {d: 2}\nexports: {data: {x: 1}}\nglobal: {y: 2}\n".to_owned()),
    ];
    load_directory(files.map(|(name, text)| (name.to_owned(), text.into_bytes()))).unwrap()
}

/// Base, overlay and `--set` texts, divided by lines of `===`.
#[test]
fn values_merge() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/values");
    let chart = chart();
    fuzz::run(&target("values", &corpus, VALUES_TOKENS), |input| {
        let text = String::from_utf8_lossy(input);
        let mut parts = text.split("\n===\n");
        let mut next = || parts.next().unwrap_or_default();
        let (base, over) = (load_values(next().as_bytes()), load_values(next().as_bytes()));
        let (mut values, over) = match (base, over) {
            (Ok(base), Ok(over)) => (base, over),
            (Err(error), _) | (_, Err(error)) => return words(&error),
        };
        merge_maps(&mut values, over.clone());
        let merged = values.clone();
        merge_maps(&mut values, over);
        assert!(Value::Map(values.clone()) == Value::Map(merged), "merging twice changes more than merging once");
        let mut shape = String::new();
        for mode in [Mode::Typed, Mode::String, Mode::Json, Mode::Literal] {
            let text = next();
            let mut set: Map = values.clone();
            match parse_into(text, &mut set, mode) {
                Ok(()) => {
                    let mut again = set.clone();
                    // The same setting once more changes nothing.
                    if parse_into(text, &mut again, mode).is_ok() {
                        assert!(Value::Map(again) == Value::Map(set.clone()), "{text:?} twice");
                    }
                    values = set;
                    shape.push_str("ok ");
                }
                Err(error) => shape.push_str(&words(&error)),
            }
        }
        match process_dependencies(&chart, &values) {
            Ok(processed) => match computed_values(&processed.chart, &values) {
                Ok((computed, warnings)) => shape.push_str(&format!("{} {}", computed.len(), warnings.len())),
                Err(error) => shape.push_str(&words(&error)),
            },
            Err(error) => shape.push_str(&words(&error)),
        }
        shape
    });
}

const RENDER_TOKENS: &[&str] = &[
    "{{ ",
    " }}",
    "{{- ",
    " -}}",
    ".Values.a",
    ".Values",
    ".Release.Name",
    ".Chart",
    ".Capabilities.APIVersions.Has \"v1\"",
    ".Files.Glob \"*\"",
    ".Files.Get \"x\"",
    "include \"h\" .",
    "tpl .Values.t .",
    "toYaml .Values | nindent 2",
    "fromYaml ",
    "required \"m\" ",
    "fail \"m\"",
    "lookup \"v1\" \"Pod\" \"\" \"\"",
    "{{ define \"h\" }}x{{ end }}",
    "{{ range $k, $v := .Values }}",
    "{{ with .Values.m }}",
    "{{ if ",
    "{{ else }}",
    "{{ end }}",
    "a: 1\n",
    "kind: Pod\n",
    "metadata:\n  name: x\n",
    "  annotations:\n    helm.sh/hook: pre-install\n",
    "---\n",
    "# Source\n",
    "- ",
    ": ",
    "| quote",
    "| b64enc",
    "\n",
    "  ",
];

/// A template file in a chart: rendered, split, sorted.
#[test]
fn rendering() {
    use helm::template::{TemplateOptions, template};
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fuzz/render");
    fuzz::run(&target("render", &corpus, RENDER_TOKENS), |input| {
        let files = [
            ("Chart.yaml".to_owned(), b"apiVersion: v2\nname: demo\nversion: 1.0.0\n".to_vec()),
            ("values.yaml".to_owned(), b"a: 1\nm: {k: [1, x]}\nt: '{{ .Values.a }}'\n".to_vec()),
            ("templates/t.yaml".to_owned(), input.to_vec()),
        ];
        let chart = load_directory(files).expect("a chart");
        let options =
            TemplateOptions { release_name: "rel".into(), namespace: "ns".into(), ..TemplateOptions::default() };
        match template(&chart, &options) {
            Ok(output) => {
                format!("{} {} {}", output.manifests.len().min(3), output.hooks.len().min(3), output.text.len().min(40))
            }
            Err(error) => words(&error).chars().rev().take(40).collect(),
        }
    });
}
