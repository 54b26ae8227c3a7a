//! HelmRepository: a repository of charts over HTTP, or configuration for one in an OCI registry.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::meta::{Artifact, LocalObjectReference, flux_object, is_false, source_object};
use crate::schema;

/// Where the repository is and how to get in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[kube(
    crates(kube_core = "::kube_core"),
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "HelmRepository",
    plural = "helmrepositories",
    singular = "helmrepository",
    shortname = "helmrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "HelmRepositoryStatus",
    derive = "PartialEq",
    doc = "A Helm chart repository whose index becomes an artifact.",
    annotation("kustomize.toolkit.fluxcd.io/substitute", "disabled"),
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec.url"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositorySpec {
    /// Declared for compatibility; references across namespaces are governed by the controllers' flags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_from: Option<AccessFrom>,
    /// Secret with tls.crt and tls.key for client authentication, and ca.crt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Whether an OCI registry may be reached without TLS.
    #[serde(default, skip_serializing_if = "is_false")]
    pub insecure: bool,
    /// How often the index is fetched; only for repositories over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub interval: Option<GoDuration>,
    /// Whether credentials are sent to hosts other than the repository's when the index points there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pass_credentials: bool,
    /// Whose way of authentication an OCI registry has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "generic"))]
    pub provider: Option<OciProvider>,
    /// Secret with username and password, or a registry's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether to leave the repository alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// How long fetching the index may take; 60s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::SHORT_DURATION))]
    pub timeout: Option<GoDuration>,
    /// What kind of repository it is; told by the URL when absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<HelmRepositoryType>,
    /// Address of the repository over HTTP, HTTPS, or in an OCI registry.
    #[schemars(extend("pattern" = "^(http|https|oci)://.*$"))]
    pub url: String,
}

/// Kinds of chart repositories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HelmRepositoryType {
    /// With an index over HTTP.
    #[default]
    Default,
    /// In an OCI registry: the object is configuration only.
    Oci,
}

/// Whose way of authentication an OCI registry has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OciProvider {
    /// Credentials from the Secret.
    #[default]
    Generic,
    /// Amazon's registry.
    Aws,
    /// Azure's registry.
    Azure,
    /// Google's registry.
    Gcp,
}

/// Who may refer to an object from other namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessFrom {
    /// The namespaces; one selector must match.
    pub namespace_selectors: Vec<NamespaceSelector>,
}

/// Namespaces by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels a namespace must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

/// What was fetched last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct HelmRepositoryStatus {
    /// The index of the last good reconcile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What is known of the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The last request to reconcile that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The generation the status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Link to the latest index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

flux_object!(HelmRepository, |object| object.spec.interval, |object| object.spec.suspend);
source_object!(HelmRepository);

impl HelmRepositorySpec {
    /// How long fetching the index may take.
    #[must_use]
    pub fn timeout(&self) -> GoDuration {
        self.timeout.unwrap_or(GoDuration::from_secs(60))
    }

    /// Whether the object is only configuration for an OCI registry.
    #[must_use]
    pub fn is_oci(&self) -> bool {
        self.type_ == Some(HelmRepositoryType::Oci)
    }

    /// Whose way of authentication an OCI registry has.
    #[must_use]
    pub fn provider(&self) -> OciProvider {
        self.provider.unwrap_or_default()
    }
}
