//! Where Helm's cost grows faster than its input: `tpl` in a chart of many templates, and many subcharts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helm::chart::load_archive;
use helm::template::{TemplateOptions, template};
use oracle::Oracle;

use super::Bench;
use super::engine::go_time;
use super::report::{Bar, Report, count, median, milliseconds};

/// Growth by a doubling that is still linear when measured on a busy machine.
const LINEAR: f64 = 2.6;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Measures both curves.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut go = Oracle::start("helm");
    let sizes: &[usize] = if bench.quick { &[25, 50] } else { &[50, 100, 200, 400] };
    report.section("growth: as many calls of tpl as there are templates");
    curve(bench, report, &mut go, sizes, tpl_in_loops)?;
    report.section("growth: subcharts");
    curve(bench, report, &mut go, sizes, subcharts)
}

fn curve(
    bench: &Bench,
    report: &mut Report,
    go: &mut Option<Oracle>,
    sizes: &[usize],
    chart: impl Fn(usize) -> Files,
) -> Result<()> {
    let options = TemplateOptions {
        release_name: "curve".to_owned(),
        namespace: "default".to_owned(),
        ..TemplateOptions::default()
    };
    let mut times = Vec::new();
    for &size in sizes {
        let archive = testkit::helm_repository::pack("curve", &chart(size))?;
        let loaded = load_archive(&archive)?;
        let mut runs = Vec::new();
        // One more than asked for, so that the slow first one is never the middle.
        for _ in 0..=bench.repeat(5) {
            let started = tokio::time::Instant::now();
            let output = template(&loaded, &options).map_err(|error| anyhow!("{error}"))?;
            std::hint::black_box(output);
            runs.push(milliseconds(started.elapsed()));
        }
        let ours = median(runs);
        times.push(ours);
        let theirs = match go {
            Some(go) => {
                let time: Duration = go_time(go, &STANDARD.encode(&archive), &options)?;
                format!("Helm's packages {:.1} ms, {:.0}x", milliseconds(time), milliseconds(time) / ours)
            }
            None => "no Go to compare with".to_owned(),
        };
        report.value(&format!("{size}"), &format!("{ours:.2} ms ({:.3} ms each); {theirs}", ours / count(size)));
    }
    if let [.., half, whole] = times.as_slice() {
        report.bar("growth by the last doubling", whole / half, "x", Bar::AtMost(LINEAR));
    }
    Ok(())
}

fn metadata(name: &str) -> Vec<u8> {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n").into_bytes()
}

/// Each of many templates calls `tpl` once; Helm clones all templates at each call.
fn tpl_in_loops(size: usize) -> Files {
    let mut files = Files::from([
        (PathBuf::from("Chart.yaml"), metadata("curve")),
        (PathBuf::from("values.yaml"), b"greeting: \"hello {{ .Release.Name }}\"\n".to_vec()),
    ]);
    for index in 0..size {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{index}\ndata:\n  greeting: {{{{ tpl .Values.greeting . | quote }}}}\n"
        );
        files.insert(PathBuf::from(format!("templates/map-{index}.yaml")), text.into_bytes());
    }
    files
}

/// Many subcharts, each with values, a helper and an object.
fn subcharts(size: usize) -> Files {
    let mut files = Files::from([(PathBuf::from("Chart.yaml"), metadata("curve"))]);
    for index in 0..size {
        let name = format!("part-{index}");
        let mut add = |path: &str, content: Vec<u8>| {
            files.insert(PathBuf::from(format!("charts/{name}/{path}")), content);
        };
        add("Chart.yaml", metadata(&name));
        add("values.yaml", b"greeting: hello\nlabels: {a: b, c: d}\n".to_vec());
        add("templates/_helpers.tpl", format!("{{{{ define \"{name}.name\" }}}}{name}{{{{ end }}}}").into_bytes());
        let map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ include \"{name}.name\" . }}}}\n  labels: {{{{- toYaml .Values.labels | nindent 4 }}}}\ndata:\n  greeting: {{{{ .Values.greeting }}}}\n"
        );
        add("templates/map.yaml", map.into_bytes());
    }
    files
}
