//! GitRepository: a Git repository at some reference.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::meta::{Artifact, LocalObjectReference, flux_object, is_false, source_object};
use crate::schema;

/// What to fetch from where, how often, and what of it to keep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[kube(
    crates(kube_core = "::kube_core"),
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "GitRepository",
    plural = "gitrepositories",
    singular = "gitrepository",
    shortname = "gitrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "GitRepositoryStatus",
    derive = "PartialEq",
    doc = "A Git repository whose content becomes an artifact.",
    annotation("kustomize.toolkit.fluxcd.io/substitute", "disabled"),
    printcolumn = r#"{"name": "URL", "type": "string", "jsonPath": ".spec.url"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
    "message": "serviceAccountName can only be set when provider is 'azure' or 'aws'",
}]))]
pub struct GitRepositorySpec {
    /// Files to leave out of the artifact, in the form of a .gitignore file. Replaces the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Other GitRepositories of this namespace whose artifacts are copied into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<GitRepositoryInclude>,
    /// How often the repository is checked for changes.
    #[schemars(extend("pattern" = schema::DURATION))]
    pub interval: GoDuration,
    /// Whose way of authentication to use; generic when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<GitProvider>,
    /// Secret with the proxy's address and credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Whether submodules are fetched too, with the same credentials.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recurse_submodules: bool,
    /// What to check out; the branch master when absent.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitRepositoryRef>,
    /// Secret with credentials: username and password, bearerToken, or identity and known_hosts; ca.crt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// Service account whose workload identity is used with the provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_account_name: String,
    /// The only directories to check out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sparse_checkout: Vec<String>,
    /// Whether to leave the repository alone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspend: bool,
    /// How long operations on the remote repository may take; 60s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "60s", "pattern" = schema::SHORT_DURATION))]
    pub timeout: Option<GoDuration>,
    /// Address of the repository over HTTP, HTTPS or SSH.
    #[schemars(extend("pattern" = "^(http|https|ssh)://.*$"))]
    pub url: String,
    /// Signatures to verify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<GitVerification>,
}

/// Whose way of authentication a Git server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GitProvider {
    /// Credentials from the Secret.
    #[default]
    Generic,
    /// AWS CodeCommit.
    Aws,
    /// Azure DevOps.
    Azure,
    /// A GitHub App.
    #[serde(rename = "github")]
    GitHub,
}

/// Another repository's artifact to copy in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryInclude {
    /// Directory to copy from; everything when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from_path: String,
    /// The other GitRepository.
    pub repository: LocalObjectReference,
    /// Directory to copy to; the other repository's name when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub to_path: String,
}

impl GitRepositoryInclude {
    /// Directory to copy from.
    #[must_use]
    pub fn from_path(&self) -> &str {
        &self.from_path
    }

    /// Directory to copy to.
    #[must_use]
    pub fn to_path(&self) -> &str {
        if self.to_path.is_empty() { &self.repository.name } else { &self.to_path }
    }
}

/// What to check out. Commit goes before name, name before semver, semver before tag, tag before branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct GitRepositoryRef {
    /// A branch.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// A commit's full hash; with a branch the commit is looked for there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
    /// A full reference name such as refs/heads/main or refs/pull/420/head.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A range of versions; the highest matching tag is taken.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub semver: String,
    /// A tag.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
}

/// Which signatures must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitVerification {
    /// Which objects must be signed.
    #[serde(default)]
    #[schemars(schema_with = "verification_mode")]
    pub mode: GitVerificationMode,
    /// Secret with the public keys that may sign.
    pub secret_ref: LocalObjectReference,
}

/// Which Git objects must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GitVerificationMode {
    /// The commit that is checked out.
    #[default]
    #[serde(rename = "HEAD", alias = "head")]
    Head,
    /// The tag that is checked out.
    Tag,
    /// Both.
    TagAndHEAD,
}

impl GitVerificationMode {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "HEAD",
            Self::Tag => "Tag",
            Self::TagAndHEAD => "TagAndHEAD",
        }
    }
}

/// Spelt out because `head` is accepted as well.
fn verification_mode(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "enum": ["head", "HEAD", "Tag", "TagAndHEAD"], "default": "HEAD" })
}

/// What was fetched last, and with which settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct GitRepositoryStatus {
    /// The artifact of the last good reconcile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What is known of the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The artifacts that were copied in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_artifacts: Vec<Artifact>,
    /// The last request to reconcile that was handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The generation the status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The ignore rules of the artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,
    /// The includes of the artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_include: Vec<GitRepositoryInclude>,
    /// Whether the artifact has submodules.
    #[serde(default, skip_serializing_if = "is_false")]
    pub observed_recurse_submodules: bool,
    /// The directories of the artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_sparse_checkout: Vec<String>,
    /// Which objects were verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_verification_mode: Option<String>,
}

flux_object!(GitRepository, |object| Some(object.spec.interval), |object| object.spec.suspend);
source_object!(GitRepository);

impl GitRepositorySpec {
    /// How long operations on the remote repository may take.
    #[must_use]
    pub fn timeout(&self) -> GoDuration {
        self.timeout.unwrap_or(GoDuration::from_secs(60))
    }

    /// Whose way of authentication to use.
    #[must_use]
    pub fn provider(&self) -> GitProvider {
        self.provider.unwrap_or_default()
    }
}
