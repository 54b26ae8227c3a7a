//! A client for OCI registries, as far as charts and other artifacts need it: tags, manifests and blobs, read only.
//!
//! Everything is bounded, blobs and manifests are checked against their digests, and credentials go to the registry they
//! are for and to the token service it names, to nobody else.

mod challenge;
mod config;
mod reference;
mod registry;

pub use config::{ConfigError, Credentials, DockerConfig};
pub use reference::{Reference, ReferenceError};
pub use registry::{Descriptor, Manifest, Registry, RegistryError};

/// Media types of Helm's charts.
pub mod helm {
    /// A packed chart.
    pub const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    /// A packed chart, as the first versions of Helm called it.
    pub const LEGACY_CHART: &str = "application/tar+gzip";
    /// Its provenance file.
    pub const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

    /// The tag of a chart's version: tags cannot have a `+`.
    pub fn tag(version: &str) -> String {
        version.replace('+', "_")
    }

    /// The chart's version of a tag.
    pub fn version(tag: &str) -> String {
        tag.replace('_', "+")
    }
}
