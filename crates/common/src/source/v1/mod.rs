//! `source.toolkit.fluxcd.io/v1`: GitRepository, HelmRepository, HelmChart, Bucket, OCIRepository, ExternalArtifact.

mod bucket;
mod external_artifact;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod oci_repository;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::meta::LocalObjectReference;

pub use bucket::{Bucket, BucketProvider, BucketSpec, BucketStatus, StsProvider, StsSpec};
pub use external_artifact::{
    ExternalArtifact, ExternalArtifactReference, ExternalArtifactSpec, ExternalArtifactStatus,
};
pub use git_repository::{
    GitProvider, GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus,
    GitVerification, GitVerificationMode,
};
pub use helm_chart::{
    HelmChart, HelmChartSpec, HelmChartStatus, LocalHelmChartSourceReference, ReconcileStrategy, SourceKind,
};
pub use helm_repository::{
    AccessFrom, HelmRepository, HelmRepositorySpec, HelmRepositoryStatus, HelmRepositoryType, NamespaceSelector,
    OciProvider,
};
pub use oci_repository::{
    LayerOperation, LayerSelector, OciRepository, OciRepositoryRef, OciRepositorySpec, OciRepositoryStatus,
    OciVerification,
};

/// How a chart or OCI artifact is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum VerificationProvider {
    /// Sigstore's cosign.
    #[default]
    Cosign,
    /// The Notary project's notation.
    Notation,
}

/// Which identity must have signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OidcIdentityMatch {
    /// Regular expression for the issuer.
    pub issuer: String,
    /// Regular expression for the subject.
    pub subject: String,
}

/// Verification of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartVerification {
    /// Identities of which one must have signed, for keyless cosign.
    #[serde(default, rename = "matchOIDCIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentityMatch>,
    /// How the chart is signed.
    #[schemars(extend("default" = "cosign"))]
    pub provider: VerificationProvider,
    /// Secret with the trusted public keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
}
