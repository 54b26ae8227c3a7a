//! `helm template` as a function: options in, the text it prints out.

mod advice;
mod explain;
mod output;

pub use explain::Explanation;
pub use output::{Document, TemplateOutput, write_manifests};

use output::Show;

use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::{Chart, ChartError};
use crate::engine::{Lookup, ReleaseOptions, RenderError, RenderRequest, render};
use crate::glob::PathPattern;
use crate::go_text::trim_space;
use crate::manifest::{KindOrder, ManifestHead, SortError, sort_manifests, split_manifests};
use crate::postrender::{PostRenderError, PostRenderer, post_render};
use crate::removed_apis::check;
use crate::values::unknown::unknown_keys;
use crate::values::{ValuesError, ValuesOptions};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The flags of `helm template`.
#[derive(Clone, Default)]
pub struct TemplateOptions {
    /// The values flags.
    pub values: ValuesOptions,
    /// The release's name.
    pub release_name: String,
    /// `--namespace`.
    pub namespace: String,
    /// `--kube-version`.
    pub kube_version: Option<String>,
    /// `--api-versions`.
    pub api_versions: Vec<String>,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--show-only`.
    pub show_only: Vec<String>,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--is-upgrade`.
    pub is_upgrade: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// `--render-subchart-notes`.
    pub sub_notes: bool,
    /// `--hide-secret`.
    pub hide_secret: bool,
    /// `--dependency-update` has fetched what the chart lacked; Helm does not look again.
    pub dependencies_updated: bool,
    /// The present time, as templates see it.
    pub now: Timestamp,
    /// Answers `lookup` (`--dry-run=server`).
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Changes the rendered files before they are sorted.
    pub post_renderer: Option<Arc<dyn PostRenderer>>,
    /// Look for keys of the values that nothing reads.
    pub check_values: bool,
    /// Find the origins of manifests, which takes time.
    pub explain: bool,
    /// Keep what was rendered when it is not YAML.
    pub debug: bool,
}

/// Why there is no output; the wording is Helm's.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The release's name is not allowed.
    #[error("release name check failed: release name {name:?}: {reason}")]
    ReleaseName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `--kube-version` is not a version.
    #[error("invalid kube version '{version}': {reason}")]
    KubeVersion {
        /// The version.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The values flags are wrong.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// The chart cannot be installed.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// Rendering failed.
    #[error("{0}{hint}", hint = if matches!(.0, RenderError::Template(_) | RenderError::KubeVersion { .. }) { DEBUG_HINT } else { "" })]
    Render(#[from] RenderError),
    /// Post-rendering failed.
    #[error("{0}{DEBUG_HINT}")]
    PostRender(#[from] PostRenderError),
    /// The output is not YAML.
    #[error("{0}{DEBUG_HINT}")]
    Sort(#[from] SortError),
    /// The output is not YAML, and what it is instead was asked for.
    #[error("{error}")]
    NotYaml {
        /// What is wrong.
        error: SortError,
        /// Everything that was rendered.
        rendered: String,
    },
    /// `--name-template` is wrong.
    #[error("{0}")]
    NameTemplate(String),
    /// `--show-only` names a template that is not in the output.
    #[error("could not find template {name} in chart")]
    ShowOnly {
        /// The template.
        name: String,
    },
}

const DEBUG_HINT: &str = "\n\nUse --debug flag to render out invalid YAML";

/// Longest release name: some of the 63 characters of a label are left to charts.
const LONGEST_RELEASE_NAME: usize = 53;

/// Helm's check of a release name.
///
/// # Errors
/// With Helm's wording.
pub fn validate_release_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("no name provided");
    }
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let alphanumeric =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        alphanumeric(bytes.first())
            && alphanumeric(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    if name.len() > LONGEST_RELEASE_NAME || !name.split('.').all(label) {
        return Err(
            "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
        );
    }
    Ok(())
}

/// Renders a chart as `helm template` does.
///
/// # Errors
/// When Helm would end with an error.
pub fn template(chart: &Chart, options: &TemplateOptions) -> Result<TemplateOutput, TemplateError> {
    let mut capabilities = Capabilities::default();
    if let Some(version) = options.kube_version.as_deref().filter(|version| !version.is_empty()) {
        capabilities.kube_version = KubeVersion::parse(version)
            .map_err(|reason| TemplateError::KubeVersion { version: version.to_owned(), reason })?;
    }
    let values = options.values.merge()?;
    chart.check_installable()?;
    if !options.dependencies_updated {
        chart.check_dependencies()?;
    }
    validate_release_name(&options.release_name)
        .map_err(|reason| TemplateError::ReleaseName { name: options.release_name.clone(), reason })?;
    capabilities.add_api_versions(options.api_versions.iter().cloned());
    let release = ReleaseOptions {
        name: options.release_name.clone(),
        namespace: options.namespace.clone(),
        revision: 1,
        is_upgrade: options.is_upgrade,
    };
    let mut request = RenderRequest::new(chart, &values, release, &capabilities, options.now);
    request.lookup.clone_from(&options.lookup);
    request.skip_schema_validation = options.skip_schema_validation;
    request.sub_notes = options.sub_notes;
    let mut rendered = render(&request)?;
    if let Some(renderer) = &options.post_renderer {
        rendered.files = post_render(&rendered.files, &**renderer)?;
    }
    let sorted = sort_manifests(&rendered.files, KindOrder::Install).map_err(|error| match options.debug {
        true => TemplateError::NotYaml { error, rendered: unsorted(&rendered.files) },
        false => TemplateError::Sort(error),
    })?;
    if !options.explain {
        // The documents have been taken out of them.
        rendered.files.clear();
    }
    let mut output = TemplateOutput {
        notes: rendered.notes.clone(),
        crds: if options.include_crds { rendered.chart.crds() } else { Vec::new() },
        manifests: sorted.manifests,
        hooks: sorted.hooks,
        show: Show { no_hooks: options.no_hooks, skip_tests: options.skip_tests, hide_secrets: options.hide_secret },
        ..TemplateOutput::default()
    };
    output.text = output.printed();
    if !options.show_only.is_empty() {
        output.text = show_only(&output.text, &options.show_only)?;
    }
    output.warnings.clone_from(&rendered.warnings);
    let unknown_hooks = sorted.unknown_hooks.iter();
    output.warnings.extend(unknown_hooks.map(|(path, hooks)| format!("{path}: skipping unknown hooks {hooks:?}")));
    if options.check_values {
        output.unknown_keys = unknown_keys(chart, &values);
    }
    let hook_heads: Vec<ManifestHead> =
        output.hooks.iter().map(|hook| ManifestHead::parse(&hook.manifest).unwrap_or_default()).collect();
    let heads = output.manifests.iter().map(|manifest| (&*manifest.path, &manifest.head));
    let of_hooks = output.hooks.iter().zip(&hook_heads).map(|(hook, head)| (hook.path.as_str(), head));
    output.removed_apis = check(heads.chain(of_hooks), &capabilities.kube_version);
    if options.explain {
        let marked = explain::marked(chart);
        request.chart = &marked;
        let marked = render(&request).ok();
        let manifests = output.manifests.iter().map(|manifest| explain::Subject {
            path: &manifest.path,
            content: &manifest.content,
            head: &manifest.head,
            hook: false,
        });
        let hooks = output.hooks.iter().zip(&hook_heads).map(|(hook, head)| explain::Subject {
            path: &hook.path,
            content: &hook.manifest,
            head,
            hook: true,
        });
        let subjects: Vec<explain::Subject<'_>> = manifests.chain(hooks).collect();
        let marked = marked.as_ref().map(|marked| &marked.files);
        output.explanations = explain::explain(&rendered.chart, &subjects, &rendered.files, marked);
    }
    Ok(output)
}

/// The name of a release that a template gives, as `--name-template` does it.
///
/// # Errors
/// When the template is wrong, with Go's wording.
pub fn name_from_template(text: &str, now: Timestamp) -> Result<String, TemplateError> {
    let wrong = |error: String| TemplateError::NameTemplate(error);
    let mut templates = gotemplate::Templates::new(gotemplate::sprig::functions());
    templates.add("name-template", text.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let mut executor = gotemplate::Executor::new(templates, gotemplate::context::Environment::new(now));
    let name =
        executor.execute("name-template", gotemplate::value::Value::Nil).map_err(|error| wrong(error.to_string()))?;
    Ok(name.lossy().into_owned())
}

/// The rendered files as they are.
fn unsorted(files: &BTreeMap<Arc<str>, String>) -> String {
    let mut out = String::new();
    for (path, content) in files.iter().filter(|(_, content)| !trim_space(content).is_empty()) {
        let _ = write!(out, "{}", Document { path, content: content.into() });
    }
    format!("{}\n", trim_space(&out))
}

/// Keeps the documents whose template matches one of the patterns, in the order of the patterns.
fn show_only(text: &str, patterns: &[String]) -> Result<String, TemplateError> {
    let documents = split_manifests(text);
    let mut shown = String::new();
    for pattern in patterns {
        let compiled = PathPattern::new(pattern);
        let mut found = false;
        for document in &documents {
            let Some(name) = source_name(document) else { continue };
            if compiled.matches(name) == Ok(true) {
                let _ = write!(shown, "---\n{document}\n");
                found = true;
            }
        }
        if !found {
            return Err(TemplateError::ShowOnly { name: pattern.clone() });
        }
    }
    Ok(shown)
}

/// What follows the chart's name on the first `# Source:` line.
fn source_name(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(start, marker)| {
        let line = document.get(start + marker.len()..)?.lines().next()?;
        let (chart, name) = line.split_once('/')?;
        (!chart.is_empty() && !name.is_empty()).then_some(name)
    })
}
