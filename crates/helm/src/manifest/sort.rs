//! Sorting rendered files into hooks and manifests.

use super::hook::{Hook, HookEvent, annotation};
use super::kind_order::{KindOrder, compare_kinds};
use super::{ManifestHead, split_manifests};
use crate::go_text::{base_name, trim_space};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One document of a rendered file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template it came from.
    pub path: Arc<str>,
    /// Its YAML.
    pub content: String,
    /// Its head.
    pub head: ManifestHead,
}

/// What rendered files consist of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedManifests {
    /// The hooks, by kind.
    pub hooks: Vec<Hook>,
    /// Everything else, by kind.
    pub manifests: Vec<Manifest>,
    /// Documents left out because of a hook annotation Helm does not know: template and annotation.
    pub unknown_hooks: Vec<(Arc<str>, String)>,
}

/// A document that is not YAML; the wording is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("YAML parse error on {path}: {message}")]
pub struct SortError {
    /// The template.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// The document.
    pub document: String,
}

/// Splits rendered files into documents and sorts them: files by path, documents as they come, then stably by kind.
///
/// # Errors
/// When a document is not YAML or has a head that is none.
pub fn sort_manifests(files: &BTreeMap<Arc<str>, String>, order: KindOrder) -> Result<SortedManifests, SortError> {
    let mut sorted = SortedManifests::default();
    for (path, content) in files {
        if base_name(path).starts_with('_') || trim_space(content).is_empty() {
            continue;
        }
        for document in split_manifests(content) {
            let head = ManifestHead::parse(document).map_err(|message| SortError {
                path: path.to_string(),
                message,
                document: document.to_owned(),
            })?;
            place(&mut sorted, path, document, head);
        }
    }
    sorted.hooks.sort_by(|left, right| compare_kinds(&left.kind, &right.kind, order));
    sorted.manifests.sort_by(|left, right| compare_kinds(&left.head.kind, &right.head.kind, order));
    Ok(sorted)
}

fn place(sorted: &mut SortedManifests, path: &Arc<str>, document: &str, head: ManifestHead) {
    let Some(hook_types) = head.annotations.get(annotation::HOOK) else {
        sorted.manifests.push(Manifest { path: path.clone(), content: document.to_owned(), head });
        return;
    };
    let mut events = Vec::new();
    for word in hook_types.split(',') {
        let word = trim_space(word).to_lowercase();
        let event = if word == "test-success" { Some(HookEvent::Test) } else { HookEvent::parse(&word) };
        match event {
            Some(event) => events.push(event.as_str().to_owned()),
            None => {
                sorted.unknown_hooks.push((path.clone(), hook_types.clone()));
                return;
            }
        }
    }
    let words = |name: &str| {
        head.annotations
            .get(name)
            .map(|list| list.split(',').map(|word| trim_space(word).to_lowercase()).collect())
            .unwrap_or_default()
    };
    let weight = head.annotations.get(annotation::HOOK_WEIGHT).and_then(|weight| weight.parse().ok()).unwrap_or(0);
    sorted.hooks.push(Hook {
        path: path.to_string(),
        manifest: document.to_owned(),
        events,
        weight,
        delete_policies: words(annotation::HOOK_DELETE_POLICY),
        output_log_policies: words(annotation::HOOK_OUTPUT_LOG_POLICY),
        name: head.name,
        kind: head.kind,
        ..Hook::default()
    });
}
