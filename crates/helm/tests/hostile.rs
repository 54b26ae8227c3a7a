//! Hostile charts and values: an error, in bounded time and memory; never a panic, a stack overflow or an abort.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use helm::chart::{Chart, ChartError, load_archive, load_directory};
use helm::template::{TemplateError, TemplateOptions, TemplateOutput};
use helm::values::ValuesFile;
use std::time::Duration;

const METADATA: &str = "apiVersion: v2\nname: demo\nversion: 1.0.0\n";

fn chart(files: &[(&str, &str)]) -> Chart {
    let mut all = vec![("Chart.yaml".to_owned(), METADATA.as_bytes().to_vec())];
    all.extend(files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())));
    load_directory(all).unwrap()
}

fn options() -> TemplateOptions {
    TemplateOptions { release_name: "rel".into(), namespace: "default".into(), ..TemplateOptions::default() }
}

/// Far above what any of these takes in an unoptimised build on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);
/// What a controller can spare for one chart.
const LARGEST: u64 = 1 << 30;

fn template(chart: &Chart, options: &TemplateOptions) -> Result<TemplateOutput, TemplateError> {
    fuzz::bounded(LONGEST, LARGEST, || helm::template::template(chart, options))
}

fn archived(bytes: &[u8]) -> Result<Chart, ChartError> {
    fuzz::bounded(LONGEST, LARGEST, || load_archive(bytes))
}

/// The error of rendering one template.
fn failure(text: &str) -> String {
    match template(&chart(&[("templates/t.yaml", text)]), &options()) {
        Ok(output) => panic!("rendered {} bytes", output.text.len()),
        Err(error) => error.to_string(),
    }
}

fn values_failure(yaml: &[u8]) -> String {
    let mut options = options();
    options.values.files.push(ValuesFile { name: "v.yaml".into(), content: yaml.to_vec() });
    match template(&chart(&[("templates/t.yaml", "a: 1\n")]), &options) {
        Ok(_) => panic!("rendered"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn templates_that_never_end() {
    let cycle = failure(
        "{{ define \"a\" }}{{ include \"b\" . }}{{ end }}{{ define \"b\" }}{{ include \"a\" . }}{{ end }}{{ include \"a\" . }}",
    );
    assert!(cycle.contains("nested reference name"), "{}", cycle.get(..500).unwrap_or(&cycle));
    assert!(!failure("{{ define \"a\" }}{{ template \"a\" . }}{{ end }}{{ template \"a\" . }}").is_empty());
    let tpl = "{{ $_ := set .Values \"t\" \"{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}";
    assert!(!failure(tpl).is_empty());
    let growing = "{{ $_ := set .Values \"t\" \"{{ $_ := set .Values \\\"t\\\" (print .Values.t \\\" \\\") }}{{ tpl .Values.t . }}\" }}{{ tpl .Values.t . }}";
    assert!(!failure(growing).is_empty());
    assert!(!failure("{{ range $i := until 1000000000 }}{{ end }}").is_empty());
    assert!(!failure("{{ range $i := 9223372036854775807 }}{{ end }}").is_empty());
}

#[test]
fn output_that_is_too_large() {
    assert!(!failure("a: {{ repeat 1073741824 \"x\" }}").is_empty());
    assert!(
        !failure("a: {{ $x := \"xxxxxxxxxxxxxxxx\" }}{{ range $i := until 40 }}{{ $x = print $x $x }}{{ end }}")
            .is_empty()
    );
    assert!(!failure("a: {{ range $i := until 1000000 }}{{ repeat 1000 \"x\" }}{{ end }}").is_empty());
}

#[test]
fn values_that_explode() {
    let deep = "[".repeat(200_000);
    assert!(!values_failure(format!("a: {deep}").as_bytes()).is_empty());
    let deep = format!("a: {}1{}", "{a: ".repeat(50_000), "}".repeat(50_000));
    assert!(!values_failure(deep.as_bytes()).is_empty());
    let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        let line = [below.as_str(); 10].join(",");
        laughs.push_str(&format!("a{level}: &a{level} [{line}]\n"));
    }
    assert!(!values_failure(laughs.as_bytes()).is_empty());
    assert!(!values_failure(b"a: \xff\xfe\n").is_empty());
    assert!(!values_failure(b"a: *none\n").is_empty());
}

#[test]
fn set_that_explodes() {
    for set in [
        "a[99999999]=1",
        "a[65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536][65536]=1",
    ] {
        let mut options = options();
        options.values.set.push(set.into());
        assert!(template(&chart(&[("templates/t.yaml", "a: 1\n")]), &options).is_err(), "{set}");
    }
}

#[test]
fn set_that_nests() {
    let deep = vec!["a"; 10_000].join(".");
    for set in [format!("{deep}=1"), format!("a{}=1", "[0]".repeat(100_000)), "a=".to_owned() + &"{".repeat(100_000)] {
        let mut options = options();
        options.values.set.push(set);
        // Some of these Helm takes; they end soon either way.
        drop(template(&chart(&[("templates/t.yaml", "a: 1\n")]), &options));
    }
    let mut options = options();
    options.values.set_json.push(format!("a={}", "[".repeat(100_000)));
    assert!(template(&chart(&[("templates/t.yaml", "a: 1\n")]), &options).is_err());
}

/// Of equal keys the last wins, as in Helm.
#[test]
fn keys_that_repeat() {
    let mut options = options();
    let text = "a: 1\n".repeat(100_000) + "a: 2\n";
    options.values.files.push(ValuesFile { name: "v.yaml".into(), content: text.into_bytes() });
    let output = template(&chart(&[("templates/t.yaml", "a: {{ .Values.a }}\n")]), &options).unwrap();
    assert!(output.text.contains("a: 2"));
}

#[test]
fn schemas_that_loop_or_multiply() {
    let refused = |schema: &str, values: &str| {
        let files = [("values.schema.json", schema), ("values.yaml", values), ("templates/t.yaml", "a: 1\n")];
        template(&chart(&files), &options()).expect_err(schema).to_string()
    };
    assert!(refused(r##"{"$ref":"#"}"##, "a: 1\n").contains("circle"));
    assert!(refused(r#"{"$ref":"file:///etc/passwd"}"#, "a: 1\n").contains("not followed"));
    assert!(refused(r#"{"$ref":"http://127.0.0.1:1/schema.json"}"#, "a: 1\n").contains("not followed"));
    let doubling = r##"{"$ref":"#/d/a","d":{"a":{"maxProperties":1,
        "additionalProperties":{"allOf":[{"$ref":"#/d/a"},{"$ref":"#/d/a"}]}}}}"##;
    let nested = format!("{}{{x: 1, y: 2}}{}\n", "{a: ".repeat(60), "}".repeat(60));
    assert!(refused(doubling, &nested).contains("steps"));
}

#[test]
fn values_in_templates_that_share_or_grow() {
    let lists = "{{ $x := list 1 2 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}";
    assert!(failure(&format!("{lists}a: {{{{ deepCopy $x | len }}}}")).contains("limit"));
    assert!(failure("{{ $x := list 1 }}{{ range until 60 }}{{ $x = concat $x $x }}{{ end }}").contains("limit"));
    assert!(
        failure("{{ $x := list }}{{ range until 100000 }}{{ $x = append $x (until 100000) }}{{ end }}")
            .contains("limit")
    );
}

#[test]
fn names_without_measure() {
    let long = "n".repeat(10_000);
    let mut options = options();
    options.release_name = long.clone();
    assert!(template(&chart(&[]), &options).is_err());
    let files =
        vec![("Chart.yaml".to_owned(), format!("apiVersion: v2\nname: {long}\nversion: {long}\n").into_bytes())];
    assert!(load_directory(files).is_err());
    let output = failure(&format!("{{{{ include \"{long}\" . }}}}"));
    assert!(output.contains("no template"));
}

#[test]
fn regular_expressions_are_linear() {
    let text = "a: {{ regexMatch \"^(a+)+$\" (print (repeat 100000 \"a\") \"b\") }}";
    let output = template(&chart(&[("templates/t.yaml", text)]), &options()).unwrap();
    assert!(output.text.contains("false"));
    assert!(!failure("{{ regexMatch \"(((a{1000}){1000}){1000}){1000}\" \"a\" }}").is_empty());
}

/// As in Helm, which renders any bytes; what is no text is replaced in the output.
#[test]
fn templates_that_are_no_text() {
    let mut files = vec![("Chart.yaml".to_owned(), METADATA.as_bytes().to_vec())];
    files.push(("templates/t.yaml".to_owned(), b"a: \"{{ \"\xff\" | quote | len }}\xfe\"\n".to_vec()));
    let rendered = template(&load_directory(files).unwrap(), &options());
    assert!(rendered.is_ok_and(|output| output.text.contains('\u{fffd}')));
    for (name, text) in [("values.yaml", &b"a: \xff\n"[..]), ("Chart.yaml", b"name: \xff\n")] {
        let mut files = vec![("Chart.yaml".to_owned(), METADATA.as_bytes().to_vec())];
        files.push((name.to_owned(), text.to_vec()));
        assert!(load_directory(files).is_err(), "{name}");
    }
}

#[test]
fn archives_with_links_devices_and_bombs() {
    use std::io::Write as _;
    let build = |fill: &dyn Fn(&mut Vec<u8>)| {
        let mut tar = Vec::new();
        fill(&mut tar);
        tar.extend_from_slice(&[0; 1024]);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&tar).unwrap();
        encoder.finish().unwrap()
    };
    let entry = |tar: &mut Vec<u8>, name: &str, kind: u8, link: &str, size: u64, data: &[u8]| {
        let mut header = [0_u8; 512];
        let mut put =
            |offset: usize, text: &[u8]| header.get_mut(offset..offset + text.len()).unwrap().copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{size:011o}\0").as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, &[kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header.get_mut(148..156).unwrap().copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(data);
        tar.resize(tar.len().next_multiple_of(512), 0);
    };
    let metadata = METADATA.as_bytes();
    let with = |name: &str, kind: u8, link: &str, size: u64, data: &[u8]| {
        archived(&build(&|tar| {
            entry(tar, "demo/Chart.yaml", b'0', "", metadata.len() as u64, metadata);
            entry(tar, name, kind, link, size, data);
        }))
    };
    assert!(with("demo/values.yaml", b'0', "", 5, b"a: 1\n").is_ok());
    assert!(with("demo/link", b'2', "/etc/passwd", 0, b"").is_err());
    assert!(with("demo/hard", b'1', "../../etc/passwd", 0, b"").is_err());
    assert!(with("demo/device", b'3', "", 0, b"").is_err());
    assert!(with("demo/pipe", b'6', "", 0, b"").is_err());
    assert!(with("demo/../../out", b'0', "", 1, b"x").is_err());
    assert!(with("/absolute", b'0', "", 1, b"x").is_err());
    assert!(with("demo/c:/windows", b'0', "", 1, b"x").is_err());
    assert!(with("demo/lies", b'0', "", 1 << 30, b"x").is_err());
    let zeros = vec![0; 6 << 20];
    assert!(with("demo/big", b'0', "", zeros.len() as u64, &zeros).is_err());
    // Each file passes, all together do not.
    let bomb = build(&|tar| {
        entry(tar, "demo/Chart.yaml", b'0', "", metadata.len() as u64, metadata);
        for index in 0..25 {
            let name = format!("demo/files/{index}");
            entry(tar, &name, b'0', "", 5 << 20, zeros.get(..5 << 20).unwrap());
        }
    });
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    assert!(archived(&bomb).is_err());
    assert!(archived(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).is_err());
    assert!(archived(b"").is_err());
}
