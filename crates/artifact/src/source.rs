//! The source object behind an artifact, as the protocol and artifact paths name it.

use std::fmt;

/// A kind of source that has artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceKind {
    /// `Bucket`.
    Bucket,
    /// `ExternalArtifact`.
    ExternalArtifact,
    /// `GitRepository`.
    GitRepository,
    /// `HelmChart`.
    HelmChart,
    /// `HelmRepository`.
    HelmRepository,
    /// `OCIRepository`.
    OciRepository,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Bucket,
        Self::ExternalArtifact,
        Self::GitRepository,
        Self::HelmChart,
        Self::HelmRepository,
        Self::OciRepository,
    ];

    /// The API group of every kind.
    pub const GROUP: &str = "source.toolkit.fluxcd.io";

    /// The kind's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
            Self::GitRepository => "GitRepository",
            Self::HelmChart => "HelmChart",
            Self::HelmRepository => "HelmRepository",
            Self::OciRepository => "OCIRepository",
        }
    }

    /// The kind's plural, as RBAC rules name it.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Bucket => "buckets",
            Self::ExternalArtifact => "externalartifacts",
            Self::GitRepository => "gitrepositories",
            Self::HelmChart => "helmcharts",
            Self::HelmRepository => "helmrepositories",
            Self::OciRepository => "ocirepositories",
        }
    }

    /// The kind of this name, in whatever case (paths have it in lower case).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

/// One source object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// Its kind.
    pub kind: SourceKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a text does not name a source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not a kind that has artifacts.
    #[error(
        "{0:?} is not a kind of source; known are Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OCIRepository"
    )]
    Kind(String),
    /// Namespace or name is missing.
    #[error("a source is named by kind, namespace and name; {0} is missing")]
    Missing(&'static str),
    /// The path is not `<kind>/<namespace>/<name>/<file>`.
    #[error("artifact path {0:?} is not of the form <kind>/<namespace>/<name>/<file>")]
    Path(String),
}

impl Source {
    /// A source by its parts.
    pub fn new(kind: SourceKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// The source that an artifact's path `<kind>/<namespace>/<name>/<file>` belongs to.
    pub fn from_path(path: &str) -> Result<Self, SourceError> {
        let elements: Vec<&str> = path.split('/').collect();
        match elements.as_slice() {
            [kind, namespace, name, file] if ![namespace, name, file].iter().any(|element| element.is_empty()) => {
                let kind = SourceKind::from_name(kind).ok_or_else(|| SourceError::Kind((*kind).to_owned()))?;
                Ok(Self::new(kind, *namespace, *name))
            }
            _ => Err(SourceError::Path(path.to_owned())),
        }
    }

    /// The directory of the source's artifacts below the storage root.
    pub fn directory(&self) -> String {
        format!("{}/{}/{}", self.kind.as_str().to_ascii_lowercase(), self.namespace, self.name)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_off_paths() {
        let source = Source::from_path("helmchart/apps/web/web-1.0.0.tgz").unwrap();
        assert_eq!(source, Source::new(SourceKind::HelmChart, "apps", "web"));
        assert_eq!(source.directory(), "helmchart/apps/web");
        for bad in ["", "helmchart/apps/web", "helmchart/apps/web/", "a/b/c/d", "helmchart//web/f", "x/helmchart/a/b/c"]
        {
            assert!(Source::from_path(bad).is_err(), "{bad}");
        }
    }
}
