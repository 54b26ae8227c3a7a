//! `helm template` as a function: options in, the text it prints out.

mod advice;
mod explain;

pub use explain::Explanation;

use crate::capabilities::{Capabilities, KubeVersion};
use crate::chart::{Chart, ChartError, CrdFile};
use crate::engine::{Lookup, ReleaseOptions, RenderError, RenderRequest, render};
use crate::glob::PathPattern;
use crate::go_text::{is_space, trim_space};
use crate::manifest::{Hook, HookEvent, KindOrder, Manifest, ManifestHead, SortError, sort_manifests, split_manifests};
use crate::postrender::{PostRenderError, PostRenderer, post_render};
use crate::removed_apis::{Finding, check};
use crate::values::unknown::{UnknownKey, unknown_keys};
use crate::values::{ValuesError, ValuesOptions};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
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
    /// Changes the rendered files before they are sorted.
    pub post_renderer: Option<Arc<dyn PostRenderer>>,
    /// Look for keys of the values that nothing reads.
    pub check_values: bool,
    /// Find the origins of manifests, which takes time.
    pub explain: bool,
    /// Keep what was rendered when it is not YAML.
    pub debug: bool,
}

/// What `helm template` prints, and what else there is to say.
#[derive(Clone, Debug, Default)]
pub struct TemplateOutput {
    /// Standard output.
    pub text: String,
    /// The rendered notes, which `helm template` does not print.
    pub notes: String,
    /// Everything printed, one by one, whatever `show_only` says.
    pub documents: Vec<Document>,
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

/// One document of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The template or CRD file it comes from, from the root chart's name on.
    pub path: String,
    /// Its text.
    pub content: String,
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "---\n# Source: {}\n{}\n", self.path, self.content)
    }
}

impl TemplateOutput {
    /// What there is to say about the output, for programs to read.
    #[must_use]
    pub fn explained(&self) -> serde_json::Value {
        let manifests: Vec<serde_json::Value> = self
            .explanations
            .iter()
            .map(|one| {
                serde_json::json!({
                    "apiVersion": one.api_version, "kind": one.kind, "name": one.name, "hook": one.hook,
                    "template": one.template, "file": one.file,
                    "firstLine": one.first_line, "lastLine": one.last_line,
                    "values": one.values, "allValues": one.all_values,
                })
            })
            .collect();
        let unknown: Vec<serde_json::Value> = self
            .unknown_keys
            .iter()
            .map(|key| serde_json::json!({ "path": key.path, "closest": key.closest }))
            .collect();
        let apis: Vec<serde_json::Value> = self
            .removed_apis
            .iter()
            .map(|found| {
                serde_json::json!({
                    "apiVersion": found.api_version, "kind": found.kind, "name": found.name, "template": found.source,
                    "removed": found.removed, "message": found.to_string(),
                })
            })
            .collect();
        serde_json::json!({ "manifests": manifests, "unreadValues": unknown, "deprecatedApis": apis })
    }
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

/// What is written around each manifest.
const MARKUP: usize = "---\n# Source: \n\n".len();

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
    let mut output = TemplateOutput { notes: rendered.notes.clone(), ..TemplateOutput::default() };
    if options.include_crds {
        let crd = |crd: CrdFile| Document { path: crd.path, content: String::from_utf8_lossy(&crd.data).into_owned() };
        output.documents.extend(rendered.chart.crds().into_iter().map(crd));
    }
    output.documents.extend(sorted.manifests.iter().map(|manifest| document(manifest, options.hide_secret)));
    output.text = joined(&output.documents);
    let shown = |hook: &&Hook| !(options.no_hooks || options.skip_tests && hook.runs_at(HookEvent::Test));
    for hook in sorted.hooks.iter().filter(shown) {
        let document = Document { path: hook.path.clone(), content: hook.manifest.clone() };
        let _ = write!(output.text, "{document}");
        output.documents.push(document);
    }
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
        sorted.hooks.iter().map(|hook| ManifestHead::parse(&hook.manifest).unwrap_or_default()).collect();
    let heads = sorted.manifests.iter().map(|manifest| (&*manifest.path, &manifest.head));
    let of_hooks = sorted.hooks.iter().zip(&hook_heads).map(|(hook, head)| (hook.path.as_str(), head));
    output.removed_apis = check(heads.chain(of_hooks), &capabilities.kube_version);
    if options.explain {
        let marked = explain::marked(chart);
        request.chart = &marked;
        let marked = render(&request).ok();
        let manifests = sorted.manifests.iter().map(|manifest| explain::Subject {
            path: &manifest.path,
            content: &manifest.content,
            head: &manifest.head,
            hook: false,
        });
        let hooks = sorted.hooks.iter().zip(&hook_heads).map(|(hook, head)| explain::Subject {
            path: &hook.path,
            content: &hook.manifest,
            head,
            hook: true,
        });
        let subjects: Vec<explain::Subject<'_>> = manifests.chain(hooks).collect();
        let marked = marked.as_ref().map(|marked| &marked.files);
        output.explanations = explain::explain(&rendered.chart, &subjects, &rendered.files, marked);
    }
    output.manifests = sorted.manifests;
    output.hooks = sorted.hooks;
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
        write_document(&mut out, path, content);
    }
    format!("{}\n", trim_space(&out))
}

fn document(manifest: &Manifest, hide_secrets: bool) -> Document {
    let hidden = hide_secrets && manifest.head.kind == "Secret" && manifest.head.api_version == "v1";
    let content = if hidden { HIDDEN.to_owned() } else { manifest.content.clone() };
    Document { path: manifest.path.to_string(), content }
}

/// What stands instead of a Secret.
const HIDDEN: &str = "# HIDDEN: The Secret output has been suppressed";

/// The manifest of a release: every document with its source before it.
pub fn write_manifests(out: &mut String, manifests: &[Manifest], hide_secrets: bool) {
    for manifest in manifests {
        let _ = write!(out, "{}", document(manifest, hide_secrets));
    }
}

fn write_document(out: &mut String, path: &str, content: &str) {
    let _ = write!(out, "---\n# Source: {path}\n{content}\n");
}

/// The documents after one another, trimmed, with a line break at the end. Made in place: the output of a large chart is not
/// held twice.
fn joined(documents: &[Document]) -> String {
    let length = |document: &Document| document.content.len() + document.path.len() + MARKUP;
    let mut text = String::with_capacity(documents.iter().map(length).sum());
    for document in documents {
        let _ = write!(text, "{document}");
    }
    text.truncate(text.trim_end_matches(is_space).len());
    text.drain(..text.len() - text.trim_start_matches(is_space).len());
    text.push('\n');
    text
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
