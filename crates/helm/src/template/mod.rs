//! `helm template` as a function: options in, the text it prints out.

mod explain;

pub use explain::Explanation;

use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::{Chart, ChartError};
use crate::engine::{Lookup, ReleaseOptions, RenderError, RenderRequest, render};
use crate::glob::PathPattern;
use crate::go_text::trim_space;
use crate::manifest::{Hook, HookEvent, KindOrder, Manifest, ManifestHead, SortError, sort_manifests, split_manifests};
use crate::removed_apis::{Finding, check};
use crate::values::unknown::{UnknownKey, unknown_keys};
use crate::values::{ValuesError, ValuesOptions};
use jiff::Timestamp;
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
    /// The present time, as templates see it.
    pub now: Timestamp,
    /// Answers `lookup` (`--dry-run=server`).
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Look for misspelt keys, removed API versions and origins of manifests, which takes time.
    pub explain: bool,
}

/// What `helm template` prints, and what else there is to say.
#[derive(Clone, Debug, Default)]
pub struct TemplateOutput {
    /// Standard output.
    pub text: String,
    /// The rendered notes, which `helm template` does not print.
    pub notes: String,
    /// The manifests in the order printed.
    pub manifests: Vec<Manifest>,
    /// The hooks in the order printed.
    pub hooks: Vec<Hook>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Objects of API versions that the cluster does not serve, or soon will not.
    pub removed_apis: Vec<Finding>,
    /// Keys of the user's values that no template reads.
    pub unknown_keys: Vec<UnknownKey>,
    /// The origin of each manifest and hook; empty unless asked for.
    pub explanations: Vec<Explanation>,
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
    /// The output is not YAML.
    #[error("{0}{DEBUG_HINT}")]
    Sort(#[from] SortError),
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
    let rendered = render(&request)?;
    let sorted = sort_manifests(&rendered.files, KindOrder::Install)?;
    let mut manifest = String::new();
    if options.include_crds {
        for crd in rendered.chart.crds() {
            write_document(&mut manifest, &crd.path, &String::from_utf8_lossy(&crd.data));
        }
    }
    write_manifests(&mut manifest, &sorted.manifests, options.hide_secret);
    let mut text = format!("{}\n", trim_space(&manifest));
    if !options.no_hooks {
        for hook in &sorted.hooks {
            if !(options.skip_tests && hook.runs_at(HookEvent::Test)) {
                write_document(&mut text, &hook.path, &hook.manifest);
            }
        }
    }
    if !options.show_only.is_empty() {
        text = show_only(&text, &options.show_only)?;
    }
    let mut warnings = rendered.warnings;
    warnings
        .extend(sorted.unknown_hooks.iter().map(|(path, hooks)| format!("{path}: skipping unknown hooks {hooks:?}")));
    let mut output = TemplateOutput { text, notes: rendered.notes, warnings, ..TemplateOutput::default() };
    if options.explain {
        let hook_heads: Vec<(&str, ManifestHead)> = sorted
            .hooks
            .iter()
            .filter_map(|hook| Some((hook.path.as_str(), ManifestHead::parse(&hook.manifest).ok()?)))
            .collect();
        let heads = sorted.manifests.iter().map(|manifest| (&*manifest.path, &manifest.head));
        let heads: Vec<(&str, &ManifestHead)> =
            heads.chain(hook_heads.iter().map(|(path, head)| (*path, head))).collect();
        output.removed_apis = check(heads.iter().copied(), &capabilities.kube_version);
        output.unknown_keys = unknown_keys(chart, &values);
        let objects = heads.iter().map(|(path, head)| (*path, format!("{} {}", head.kind, head.name)));
        output.explanations = explain::explain(&rendered.chart, objects);
    }
    output.manifests = sorted.manifests;
    output.hooks = sorted.hooks;
    Ok(output)
}

/// The manifest of a release: every document with its source before it.
pub fn write_manifests(out: &mut String, manifests: &[Manifest], hide_secrets: bool) {
    for manifest in manifests {
        if hide_secrets && manifest.head.kind == "Secret" && manifest.head.api_version == "v1" {
            let _ = write!(out, "---\n# Source: {}\n# HIDDEN: The Secret output has been suppressed\n", manifest.path);
        } else {
            write_document(out, &manifest.path, &manifest.content);
        }
    }
}

fn write_document(out: &mut String, path: &str, content: &str) {
    let _ = write!(out, "---\n# Source: {path}\n{content}\n");
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
