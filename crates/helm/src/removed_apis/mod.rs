//! Kubernetes API versions that clusters no longer serve: which, since when, what replaces them, and the mapping of an
//! object from the old to the new one where the schema allows it.

mod convert;
mod lifecycle;
mod table;

pub use convert::{ConvertError, convert};
pub use lifecycle::{Lifecycle, lifecycle};

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

/// An object in the output whose API version its cluster does not serve, or will not serve much longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The object's API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where the object comes from.
    pub source: String,
    /// Whether the cluster's version lacks it already.
    pub removed: bool,
    /// The minor version of Kubernetes 1 that first lacks it, once that is known.
    pub removed_in: Option<u32>,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api_version, kind, name, source, removed, removed_in, advice } = self;
        write!(formatter, "{source}: {kind} {name}: {api_version} ")?;
        match removed_in {
            Some(minor) if *removed => write!(formatter, "is not served since Kubernetes 1.{minor}")?,
            Some(minor) => write!(formatter, "is deprecated and will be removed in Kubernetes 1.{minor}")?,
            None => formatter.write_str("is deprecated")?,
        }
        write!(formatter, "; {advice}")
    }
}

/// Finds the removed and deprecated API versions among manifests.
pub fn check<'a>(
    manifests: impl IntoIterator<Item = (&'a str, &'a ManifestHead)>,
    kube_version: &KubeVersion,
) -> Vec<Finding> {
    let digits: String = kube_version.minor.chars().take_while(char::is_ascii_digit).collect();
    let minor: u32 = digits.parse().unwrap_or(u32::MAX);
    manifests.into_iter().filter_map(|(source, head)| check_one(source, head, minor)).collect()
}

fn check_one(source: &str, head: &ManifestHead, minor: u32) -> Option<Finding> {
    let known = find(&head.api_version, &head.kind);
    let life = lifecycle(&head.api_version, &head.kind);
    if known.is_none() && life.is_none() {
        return None;
    }
    let removed_in = known.map(|api| api.removed_in).or_else(|| life.as_ref()?.removed_in);
    let removed = removed_in.is_some_and(|removed_in| minor >= removed_in);
    if !removed && life.as_ref().is_some_and(|life| minor < life.deprecated_in) {
        return None;
    }
    let advice = match (known, life.as_ref().and_then(|life| life.replacement.as_ref())) {
        (Some(api), _) => api.advice(),
        (None, Some((api_version, kind))) if *kind == head.kind => format!("use {api_version}"),
        (None, Some((api_version, kind))) => format!("use {kind} of {api_version}"),
        (None, None) => "there is no replacement".to_owned(),
    };
    Some(Finding {
        api_version: head.api_version.clone(),
        kind: head.kind.clone(),
        name: head.name.clone(),
        source: source.to_owned(),
        removed,
        removed_in,
        advice,
    })
}

impl RemovedApi {
    fn advice(&self) -> String {
        match (self.replacement, self.change) {
            (Some(replacement), Change::None) => format!("use {replacement}"),
            (Some(replacement), Change::Manual(hint)) => format!("use {replacement}: {hint}"),
            (Some(replacement), _) => format!("use {replacement}, whose fields differ"),
            (None, Change::Manual(hint)) => hint.to_owned(),
            (None, _) => "there is no replacement".to_owned(),
        }
    }
}
