//! The engine in process, over the corpus's deterministic cases, beside Helm's packages in one Go process.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helm::chart::{Chart, load_archive};
use helm::template::{TemplateOptions, template};
use helm::values::{ValuesFile, ValuesOptions};
use oracle::Oracle;
use serde_json::{Value, json};

use super::Bench;
use super::child::cpu_time;
use super::report::{Bar, Report};

/// Measures from a chart in memory to sorted manifests.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    report.section("the engine in process, from chart in memory to sorted manifests");
    let Some(directory) = testkit::shared_material().map(|shared| shared.join("corpus/charts")) else {
        report.skip("the engine", "the shared corpus is not there");
        return Ok(());
    };
    let Some(mut go) = Oracle::start("helm") else {
        report.skip("the engine", "Go is not installed");
        return Ok(());
    };
    let cases: Vec<Value> = serde_json::from_slice(&fs_err::read(directory.join("cases.json"))?)?;
    let mut cases: Vec<&Value> =
        cases.iter().filter(|case| case["deterministic"] == true && case["expect"] == "ok").collect();
    let all = cases.len();
    if bench.quick {
        cases = cases.into_iter().step_by(20).collect();
    }
    let mut archives = BTreeMap::new();
    let mut charts: BTreeMap<&str, Chart> = BTreeMap::new();
    for case in &cases {
        let name = case["chart"].as_str().context("a case without a chart")?;
        if !charts.contains_key(name) {
            let archive = fs_err::read(directory.join(name))?;
            charts.insert(name, load_archive(&archive)?);
            archives.insert(name, STANDARD.encode(archive));
        }
    }
    let prepared: Vec<(&str, TemplateOptions)> = cases
        .iter()
        .map(|case| Ok((case["chart"].as_str().unwrap_or_default(), options(&directory, case)?)))
        .collect::<Result<_>>()?;

    let before = cpu_time("self")?;
    for (name, options) in &prepared {
        let chart = charts.get(name).context("every chart was loaded")?;
        let output = template(chart, options).map_err(|error| anyhow!("{name}: {error}"))?;
        std::hint::black_box(output);
    }
    let ours = cpu_time("self")?.saturating_sub(before);

    let mut theirs = Duration::ZERO;
    for (name, options) in &prepared {
        let archive = archives.get(name).context("every chart was read")?;
        theirs += go_time(&mut go, archive, options).with_context(|| (*name).to_owned())?;
    }
    let count = prepared.len();
    report.value(&format!("towline's engine, {count} of {all} cases: CPU"), &format!("{:.2} s", ours.as_secs_f64()));
    report.value("Helm's packages in one process: CPU", &format!("{:.2} s", theirs.as_secs_f64()));
    report.bar("times less CPU", theirs.as_secs_f64() / ours.as_secs_f64(), "x", Bar::AtLeast(10.0));
    Ok(())
}

/// Processor time of Helm's packages for one case, loading the chart and passing it on not counted.
pub(super) fn go_time(go: &mut Oracle, archive: &str, options: &TemplateOptions) -> Result<Duration> {
    let values = options.values.merge()?;
    let mut text = String::new();
    helm::go_json::write_map(&mut text, &values);
    let answer = go.ask(&json!({
        "op": "template", "archive": archive, "values": text,
        "release": options.release_name, "namespace": options.namespace, "kubeVersion": options.kube_version,
        "apiVersions": options.api_versions, "includeCrds": options.include_crds,
    }));
    let nanoseconds =
        answer["ok"]["cpuNanoseconds"].as_u64().with_context(|| format!("Helm fails: {}", answer["error"]))?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn options(directory: &Path, case: &Value) -> Result<TemplateOptions> {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| -> Vec<String> {
        case[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let files = list("values")
        .into_iter()
        .map(|name| Ok(ValuesFile { content: fs_err::read(directory.join(&name))?, name }))
        .collect::<Result<_>>()?;
    Ok(TemplateOptions {
        values: ValuesOptions {
            files,
            set: list("set"),
            set_string: list("setString"),
            set_json: list("setJson"),
            ..ValuesOptions::default()
        },
        release_name: text("release"),
        namespace: text("namespace"),
        kube_version: Some(text("kubeVersion")),
        api_versions: list("apiVersions"),
        include_crds: case["includeCrds"].as_bool().unwrap_or_default(),
        ..TemplateOptions::default()
    })
}
