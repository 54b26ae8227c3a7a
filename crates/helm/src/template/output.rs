//! What rendering gives: the text that is printed, and what it consists of.

use super::Explanation;
use crate::chart::CrdFile;
use crate::go_text::is_space;
use crate::manifest::{Hook, HookEvent, Manifest};
use crate::removed_apis::Finding;
use crate::values::unknown::UnknownKey;
use std::borrow::Cow;
use std::fmt::{self, Write as _};

/// What `helm template` prints, and what else there is to say.
#[derive(Clone, Debug, Default)]
pub struct TemplateOutput {
    /// Standard output.
    pub text: String,
    /// The rendered notes, which `helm template` does not print.
    pub notes: String,
    /// The CRDs printed before the manifests.
    pub crds: Vec<CrdFile>,
    /// The manifests in the order printed.
    pub manifests: Vec<Manifest>,
    /// The hooks in the order printed, with those that flags leave out.
    pub hooks: Vec<Hook>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Objects of API versions that the cluster does not serve, or soon will not.
    pub removed_apis: Vec<Finding>,
    /// Keys of the user's values that no template reads.
    pub unknown_keys: Vec<UnknownKey>,
    /// The origin of each manifest and hook; empty unless asked for.
    pub explanations: Vec<Explanation>,
    pub(super) show: Show,
}

/// Which documents are printed, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Show {
    pub(super) no_hooks: bool,
    pub(super) skip_tests: bool,
    pub(super) hide_secrets: bool,
}

impl Show {
    fn hook(self, hook: &Hook) -> bool {
        !(self.no_hooks || self.skip_tests && hook.runs_at(HookEvent::Test))
    }
}

/// One document of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The template or CRD file it comes from, from the root chart's name on.
    pub path: &'a str,
    /// Its text.
    pub content: Cow<'a, str>,
}

impl fmt::Display for Document<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "---\n# Source: {}\n{}\n", self.path, self.content)
    }
}

impl TemplateOutput {
    /// Everything printed, one by one, whatever `show_only` says.
    pub fn documents(&self) -> impl Iterator<Item = Document<'_>> {
        self.crds_and_manifests().chain(self.shown_hooks())
    }

    fn crds_and_manifests(&self) -> impl Iterator<Item = Document<'_>> {
        let crds = self.crds.iter();
        let crds = crds.map(|crd| Document { path: &crd.path, content: String::from_utf8_lossy(&crd.data) });
        crds.chain(self.manifests.iter().map(|manifest| document(manifest, self.show.hide_secrets)))
    }

    fn shown_hooks(&self) -> impl Iterator<Item = Document<'_>> {
        let hooks = self.hooks.iter().filter(|hook| self.show.hook(hook));
        hooks.map(|hook| Document { path: &hook.path, content: Cow::Borrowed(&hook.manifest) })
    }

    /// The documents after one another, the hooks as the last.
    pub(super) fn printed(&self) -> String {
        let (first, hooks): (Vec<_>, Vec<_>) = (self.crds_and_manifests().collect(), self.shown_hooks().collect());
        let length = |document: &Document<'_>| document.content.len() + document.path.len() + MARKUP;
        let mut text = String::with_capacity(first.iter().chain(&hooks).map(length).sum());
        for document in first {
            let _ = write!(text, "{document}");
        }
        // Trimmed in place: the output of a large chart is not held twice.
        text.truncate(text.trim_end_matches(is_space).len());
        text.drain(..text.len() - text.trim_start_matches(is_space).len());
        text.push('\n');
        for hook in hooks {
            let _ = write!(text, "{hook}");
        }
        text
    }

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

/// What is written around each manifest.
const MARKUP: usize = "---\n# Source: \n\n".len();

fn document(manifest: &Manifest, hide_secrets: bool) -> Document<'_> {
    let hidden = hide_secrets && manifest.head.kind == "Secret" && manifest.head.api_version == "v1";
    Document { path: &manifest.path, content: Cow::Borrowed(if hidden { HIDDEN } else { &manifest.content }) }
}

/// What stands instead of a Secret.
const HIDDEN: &str = "# HIDDEN: The Secret output has been suppressed";

/// The manifest of a release: every document with its source before it.
pub fn write_manifests(out: &mut String, manifests: &[Manifest], hide_secrets: bool) {
    for manifest in manifests {
        let _ = write!(out, "{}", document(manifest, hide_secrets));
    }
}
