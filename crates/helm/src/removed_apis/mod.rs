//! Kubernetes API versions that clusters no longer serve: which, since when, what replaces them, and the mapping of an
//! object from the old to the new one where the schema allows it.

mod convert;
mod table;

pub use convert::{ConvertError, convert};

use crate::capabilities::KubeVersion;
use crate::manifest::ManifestHead;
use std::fmt;

/// What has to change besides `apiVersion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the schema carries over.
    None,
    /// A workload of `apps`: the selector became required, some fields went away.
    Workload,
    /// An Ingress: backends and paths have another form.
    Ingress,
    /// A HorizontalPodAutoscaler of `v2beta1`: metric targets have another form.
    Autoscaler,
    /// Something no program can decide; the text says what.
    Manual(&'static str),
}

/// An API version that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedApi {
    /// The removed API version.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The minor version of Kubernetes 1 that first lacks it.
    pub removed_in: u32,
    /// The API version to use instead; `None` when the kind is gone.
    pub replacement: Option<&'static str>,
    /// What else has to change.
    pub change: Change,
}

/// Finds a removed API version.
#[must_use]
pub fn find(api_version: &str, kind: &str) -> Option<&'static RemovedApi> {
    table::REMOVED.iter().find(|removed| removed.kind == kind && removed.api_version == api_version)
}

/// An object in the output that its cluster does not serve, or will not serve much longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The removed API.
    pub api: &'static RemovedApi,
    /// The object's name.
    pub name: String,
    /// Where the object comes from.
    pub source: String,
    /// Whether the cluster's version lacks it already.
    pub removed: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RemovedApi { api_version, kind, removed_in, replacement, change } = self.api;
        let (name, source) = (&self.name, &self.source);
        let when = if self.removed { "is not served since" } else { "is deprecated and will be removed in" };
        write!(formatter, "{source}: {kind} {name}: {api_version} {when} Kubernetes 1.{removed_in}")?;
        match (replacement, change) {
            (Some(replacement), Change::None) => write!(formatter, "; use {replacement}"),
            (Some(replacement), Change::Manual(hint)) => write!(formatter, "; use {replacement}: {hint}"),
            (Some(replacement), _) => write!(formatter, "; use {replacement}, whose fields differ"),
            (None, Change::Manual(hint)) => write!(formatter, "; {hint}"),
            (None, _) => write!(formatter, "; there is no replacement"),
        }
    }
}

/// Finds the removed and deprecated API versions among manifests.
pub fn check<'a>(
    manifests: impl IntoIterator<Item = (&'a str, &'a ManifestHead)>,
    kube_version: &KubeVersion,
) -> Vec<Finding> {
    let digits: String = kube_version.minor.chars().take_while(char::is_ascii_digit).collect();
    let minor: u32 = digits.parse().unwrap_or(u32::MAX);
    manifests
        .into_iter()
        .filter_map(|(source, head)| {
            let api = find(&head.api_version, &head.kind)?;
            let removed = minor >= api.removed_in;
            Some(Finding { api, name: head.name.clone(), source: source.to_owned(), removed })
        })
        .collect()
}
