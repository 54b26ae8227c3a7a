//! The kinds the command line knows, and how users name them.

use common::names::group;
use kube::core::{ApiResource, GroupVersionKind};

use crate::error::{Error, Result};

/// What a kind is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Publishes artifacts.
    Source,
    /// Consumes them.
    Release,
}

/// How a kind takes part in `sync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requests {
    /// `status.lastHandledReconcileAt` tells when a request was handled.
    Acknowledged,
    /// The same below `status.towline`; a status that the Helm operator itself wrote has no word for it.
    AcknowledgedByEngine,
    /// Nobody reconciles it; it is as ready as its condition says.
    None,
}

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    /// Further names, in lower case.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) family: Family,
    pub(crate) suspendable: bool,
    pub(crate) requests: Requests,
}

const fn source(kind: &'static str, plural: &'static str, aliases: &'static [&'static str]) -> Kind {
    Kind {
        group: group::SOURCE,
        version: "v1",
        kind,
        plural,
        aliases,
        family: Family::Source,
        suspendable: true,
        requests: Requests::Acknowledged,
    }
}

/// All kinds, sources first.
pub(crate) const KINDS: &[Kind] = &[
    source("GitRepository", "gitrepositories", &["gitrepo", "git"]),
    source("OCIRepository", "ocirepositories", &["ocirepo", "oci"]),
    source("Bucket", "buckets", &[]),
    source("HelmRepository", "helmrepositories", &["helmrepo"]),
    source("HelmChart", "helmcharts", &["hc", "chart"]),
    Kind { suspendable: false, requests: Requests::None, ..source("ExternalArtifact", "externalartifacts", &["ea"]) },
    Kind {
        group: group::HELM,
        version: "v2",
        kind: "HelmRelease",
        plural: "helmreleases",
        aliases: &["hr"],
        family: Family::Release,
        suspendable: true,
        requests: Requests::Acknowledged,
    },
    Kind {
        group: group::HELM_OPERATOR,
        version: "v1",
        kind: "HelmRelease",
        plural: "helmreleases",
        aliases: &["hr", "hrs"],
        family: Family::Release,
        suspendable: false,
        requests: Requests::AcknowledgedByEngine,
    },
];

impl Kind {
    /// How the API server is asked for it.
    pub(crate) fn resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    /// Its name for people; the old Helm operator's kind carries its group, because the new one has the same name.
    pub(crate) fn title(&self) -> String {
        if self.group == group::HELM_OPERATOR { format!("{}.{}", self.kind, self.group) } else { self.kind.to_owned() }
    }

    /// Whether this is what an API group and kind of a reference mean.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    fn is_called(&self, name: &str) -> bool {
        let (name, group) = name.split_once('.').map_or((name, None), |(name, group)| (name, Some(group)));
        let named = name == self.kind.to_ascii_lowercase() || name == self.plural || self.aliases.contains(&name);
        named && group.is_none_or(|group| group == self.group || group == format!("{}.{}", self.version, self.group))
    }
}

/// The kinds a user's word means: more than one for `helmrelease`, which two API groups have.
pub(crate) fn called(name: &str) -> Result<Vec<&'static Kind>> {
    let lower = name.to_ascii_lowercase();
    let found: Vec<&Kind> = KINDS.iter().filter(|kind| kind.is_called(&lower)).collect();
    if found.is_empty() {
        let known: Vec<String> = KINDS.iter().map(Kind::title).collect();
        return Err(Error::Usage(format!("unknown kind {name:?}; known are {}", known.join(", "))));
    }
    Ok(found)
}

/// What `[KIND/]NAME` selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) kinds: Vec<&'static Kind>,
    /// None for all objects of the kinds.
    pub(crate) name: Option<String>,
}

impl Selection {
    /// Reads `NAME`, `KIND/NAME` or nothing.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self> {
        let every = || KINDS.iter().collect();
        match text {
            None => Ok(Self { kinds: every(), name: None }),
            Some(text) => match text.split_once('/') {
                None if text.is_empty() => Err(Error::Usage("the name is empty".to_owned())),
                None => Ok(Self { kinds: every(), name: Some(text.to_owned()) }),
                Some((kind, name)) if !name.is_empty() && !name.contains('/') => {
                    Ok(Self { kinds: called(kind)?, name: Some(name.to_owned()) })
                }
                Some(_) => Err(Error::Usage(format!("{text:?} is not of the form KIND/NAME"))),
            },
        }
    }

    /// Whether an object is selected.
    pub(crate) fn matches(&self, kind: &Kind, name: &str) -> bool {
        self.kinds.contains(&kind) && self.name.as_deref().is_none_or(|wanted| wanted == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str) -> Vec<String> {
        called(text).unwrap().into_iter().map(Kind::title).collect()
    }

    #[test]
    fn kinds_have_many_names_and_groups_tell_them_apart() {
        for (text, expected) in [
            ("git", vec!["GitRepository"]),
            ("GitRepository", vec!["GitRepository"]),
            ("gitrepositories", vec!["GitRepository"]),
            ("gitrepositories.source.toolkit.fluxcd.io", vec!["GitRepository"]),
            ("hr", vec!["HelmRelease", "HelmRelease.helm.fluxcd.io"]),
            ("helmrelease.helm.fluxcd.io", vec!["HelmRelease.helm.fluxcd.io"]),
            ("helmreleases.v2.helm.toolkit.fluxcd.io", vec!["HelmRelease"]),
        ] {
            assert_eq!(titles(text), expected, "{text}");
        }
        assert_eq!(called("pod").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn selections_are_names_with_or_without_a_kind() {
        let all = Selection::parse(None).unwrap();
        assert!(KINDS.iter().all(|kind| all.matches(kind, "anything")));
        let named = Selection::parse(Some("app")).unwrap();
        assert!(KINDS.iter().all(|kind| named.matches(kind, "app") && !named.matches(kind, "other")));
        let one = Selection::parse(Some("git/app")).unwrap();
        assert!(one.matches(&KINDS[0], "app") && !one.matches(&KINDS[1], "app"));
        for wrong in ["", "git/", "git/a/b", "pod/x"] {
            assert_eq!(Selection::parse(Some(wrong)).unwrap_err().exit_code(), 2, "{wrong:?}");
        }
    }
}
