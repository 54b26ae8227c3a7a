//! Rules about templates and what they render to.

use super::documents::{Head, heads, keeps_items};
use super::{ChartFiles, Findings, LintOptions, names};
use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::{Chart, ChartError};
use crate::dependencies::process_dependencies;
use crate::engine::{ReleaseOptions, RenderError, RenderRequest, render};
use crate::go_text::{extension, quote, trim_space};
use crate::removed_apis::lifecycle;
use crate::value::Map;
use crate::values::computed_values;

const DIRECTORY: &str = "templates/";

pub(super) fn check(
    files: &ChartFiles,
    chart: Result<&Chart, &ChartError>,
    values: &Map,
    options: &LintOptions,
    findings: &mut Findings,
) {
    if files.files.contains_key("templates") {
        return findings.error(DIRECTORY, "not a directory");
    }
    if !files.directories.contains("templates") {
        return findings.warning(DIRECTORY, "directory does not exist");
    }
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => return findings.error(DIRECTORY, error.to_string()),
    };
    let capabilities = capabilities(options);
    let rendered = match rendered(chart, values, options, &capabilities, &mut findings.notes) {
        Ok(rendered) => rendered,
        Err(error) => return findings.error(DIRECTORY, error),
    };
    for template in &chart.templates {
        let file = &*template.name;
        let suffix = extension(file);
        if !matches!(suffix, ".yaml" | ".yml" | ".tpl" | ".txt") {
            findings.error(
                file,
                format!("file extension '{suffix}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt"),
            );
        }
        if !matches!(suffix, ".yaml" | ".yml") {
            continue;
        }
        let full_name = crate::go_text::clean_path(&format!("{}/{file}", chart.name()));
        let text = rendered.get(&*full_name).map(String::as_str).unwrap_or_default();
        if trim_space(text).is_empty() {
            continue;
        }
        if let Some(line) = indented_start(text) {
            let line = quote(line);
            findings.warning(
                file,
                format!("document starts with an illegal indent: {line}, which may cause parsing problems"),
            );
        }
        for head in heads(text) {
            match head {
                Ok(head) => check_object(file, text, &head, &capabilities.kube_version, findings),
                // Helm looks at no further template after one that is not YAML.
                Err(error) => return findings.error(file, format!("unable to parse YAML: {error}")),
            }
        }
    }
}

fn capabilities(options: &LintOptions) -> Capabilities {
    let mut capabilities = Capabilities::default();
    if let Some(version) = &options.kube_version {
        capabilities.kube_version = version.clone();
    }
    capabilities
}

type Files = std::collections::BTreeMap<std::sync::Arc<str>, String>;

fn rendered(
    chart: &Chart,
    values: &Map,
    options: &LintOptions,
    capabilities: &Capabilities,
    notes: &mut Vec<String>,
) -> Result<Files, String> {
    let processed = process_dependencies(chart, values).map_err(|error| error.to_string())?;
    // Values are laid over the defaults twice, so that a null brings the default back: Helm's linter does so too.
    let (computed, _) = computed_values(&processed.chart, values).map_err(|error| error.to_string())?;
    let release = ReleaseOptions {
        name: "test-release".to_owned(),
        namespace: options.namespace.clone(),
        ..ReleaseOptions::default()
    };
    let mut any_version = processed.chart.clone();
    // Whether the chart fits the cluster is not a question to the linter.
    any_version.metadata.kube_version.clear();
    let mut request = RenderRequest::new(&any_version, &computed, release, capabilities, options.now);
    request.lint = true;
    request.skip_schema_validation = options.skip_schema_validation;
    let rendered = render(&request).map_err(|error| match error {
        // The prefix about dependencies belongs to installing.
        RenderError::Dependencies(error) => error.to_string(),
        other => other.to_string(),
    })?;
    notes.extend(rendered.warnings);
    Ok(rendered.files)
}

/// The first line with text, when it is indented.
fn indented_start(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| !trim_space(line).is_empty())?;
    line.starts_with([' ', '\t']).then_some(line)
}

fn check_object(file: &str, text: &str, head: &Head, version: &KubeVersion, findings: &mut Findings) {
    if let Some(problem) = names::problem(&head.kind, &head.name) {
        findings.warning(file, problem);
    }
    if let Some(life) = lifecycle(&head.api_version, &head.kind).filter(|life| reached(version, life.deprecated_in)) {
        findings.warning(file, life.sentence(&head.api_version, &head.kind));
    }
    let selects = matches!(head.kind.as_str(), "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet");
    // Helm looks for the words anywhere in the file.
    if selects && !text.contains("matchLabels") && !text.contains("matchExpressions") {
        let (kind, name) = (&head.kind, quote(&head.name));
        findings.error(file, format!("a {kind} must contain matchLabels or matchExpressions, and {name} does not"));
    }
    if head.kind == "List" && keeps_items(text) {
        findings.error(file, "annotation 'helm.sh/resource-policy' within List objects are ignored");
    }
}

fn reached(version: &KubeVersion, minor: u32) -> bool {
    let digits =
        |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0_u32);
    (digits(&version.major), digits(&version.minor)) >= (1, minor)
}
