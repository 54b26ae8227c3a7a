//! `helm.fluxcd.io/v1`: HelmRelease, as the Helm operator knew it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube_core::ResourceExt;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::meta::{LocalObjectReference, NamespacedObjectReference, is_false};
use crate::names::group;
use crate::schema;

/// Which chart to release with which values, where, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, CustomResource)]
#[kube(
    crates(kube_core = "::kube_core"),
    group = "helm.fluxcd.io",
    version = "v1",
    kind = "HelmRelease",
    plural = "helmreleases",
    singular = "helmrelease",
    shortname = "hr",
    shortname = "hrs",
    namespaced,
    status = "HelmReleaseStatus",
    derive = "PartialEq",
    doc = "A Helm release as the Helm operator knew it.",
    annotation("kustomize.toolkit.fluxcd.io/substitute", "disabled"),
    printcolumn = r#"{"name": "Release", "type": "string", "jsonPath": ".status.releaseName"}"#,
    printcolumn = r#"{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}"#,
    printcolumn = r#"{"name": "ReleaseStatus", "type": "string", "jsonPath": ".status.releaseStatus"}"#,
    printcolumn = r#"{"name": "Message", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Released\")].message"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseSpec {
    /// Where the chart comes from: a Git repository, or a chart repository.
    pub chart: ChartSource,
    /// Whether rendered objects are not checked against the API server's schema.
    #[serde(default, rename = "disableOpenAPIValidation", skip_serializing_if = "is_false")]
    pub disable_openapi_validation: bool,
    /// Whether objects are replaced when an upgrade cannot change them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force_upgrade: bool,
    /// Version of Helm; only v3's behaviour is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helm_version: Option<HelmVersion>,
    /// How many revisions of the release are kept; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::integer")]
    pub max_history: Option<i64>,
    /// Name of the release; composed of namespaces and name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_name: Option<String>,
    /// Whether the last release's values are dropped; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_values: Option<bool>,
    /// Settings of rollbacks after failed upgrades.
    #[serde(default, skip_serializing_if = "Rollback::is_default")]
    pub rollback: Rollback,
    /// Whether the CRDs of the chart are left out.
    #[serde(default, rename = "skipCRDs", skip_serializing_if = "is_false")]
    pub skip_crds: bool,
    /// Namespace of the release; the HelmRelease's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_namespace: Option<String>,
    /// Settings of the release's tests.
    #[serde(default, skip_serializing_if = "Test::is_default")]
    pub test: Test,
    /// How many seconds an action may take; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Secrets with values under the key values.yaml; they come before valuesFrom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub value_file_secrets: Vec<LocalObjectReference>,
    /// Values of the release; they go over those of valuesFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_value")]
    pub values: Option<serde_json::Value>,
    /// Where more values come from; later ones go over earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_from: Vec<ValuesFromSource>,
    /// Whether to wait for objects to be ready; when absent, if rollback or tests are enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<bool>,
}

/// Versions of Helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HelmVersion {
    /// Helm 2.
    V2,
    /// Helm 3.
    V3,
}

/// Where a chart comes from: a Git repository (`git`), or a chart repository (`repository`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartSource {
    /// Secret with the chart repository's credentials; the Helm operator never read it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart_pull_secret: Option<LocalObjectReference>,
    /// Address of a Git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// Name of the chart in a chart repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Path to the chart in a Git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Branch, tag or commit in a Git repository.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Address of a chart repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Secret with the Git repository's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NamespacedObjectReference>,
    /// Whether the dependencies of a chart from Git are not fetched.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skip_dep_update: bool,
    /// Version of the chart in a chart repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Settings of rollbacks after failed upgrades.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// Whether hooks do not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_hooks: bool,
    /// Whether failed upgrades are rolled back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub enable: bool,
    /// Whether objects are replaced when they cannot be changed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// How often an upgrade is tried again; 5 when absent, 0 for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<i64>,
    /// Whether Pods are restarted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recreate: bool,
    /// Whether a rolled back upgrade is tried again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retry: bool,
    /// How many seconds it may take; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Whether to wait for objects to be ready.
    #[serde(default, skip_serializing_if = "is_false")]
    pub wait: bool,
}

impl Rollback {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Settings of the release's tests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Whether test Pods are deleted; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleanup: Option<bool>,
    /// Whether tests run after an install or upgrade.
    #[serde(default, skip_serializing_if = "is_false")]
    pub enable: bool,
    /// Whether the release counts as good although tests fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_failures: Option<bool>,
    /// How many seconds they may take; 300 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
}

impl Test {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where more values come from; one of the four.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValuesFromSource {
    /// A file of the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart_file_ref: Option<ChartFileSelector>,
    /// A key of a ConfigMap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<OptionalKeySelector>,
    /// A YAML document on the web.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_source_ref: Option<ExternalSourceSelector>,
    /// A key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<OptionalKeySelector>,
}

/// A file of the chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ChartFileSelector {
    /// Whether it may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// Path in the chart.
    pub path: String,
}

/// A YAML document on the web.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ExternalSourceSelector {
    /// Whether it may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// Address over HTTP or HTTPS.
    pub url: String,
}

/// A key of a ConfigMap or Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct OptionalKeySelector {
    /// The key; values.yaml when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the object.
    pub name: String,
    /// Namespace of the object; the HelmRelease's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Whether object or key may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseStatus {
    /// What is known of the release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<HelmReleaseCondition>,
    /// Chart version or commit of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempted_revision: Option<String>,
    /// The generation the status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Name of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_name: Option<String>,
    /// Status of the release, in Helm's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_status: Option<String>,
    /// Chart version or commit that is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Rollbacks since the last change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_count: Option<i64>,
    /// What the engine remembers of the release, in the form of a HelmRelease's status of `helm.toolkit.fluxcd.io`; additive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_value")]
    pub towline: Option<serde_json::Value>,
}

/// One aspect of the release's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseCondition {
    /// When the status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// When it was last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_time: Option<Time>,
    /// Details for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why, as one word for programs: the phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the condition holds.
    pub status: ConditionStatus,
    /// Which aspect.
    #[serde(rename = "type")]
    pub type_: ConditionType,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Not known yet.
    Unknown,
}

/// Aspects of a release's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ConditionType {
    /// The chart is there.
    ChartFetched,
    /// The chart was deployed.
    Deployed,
    /// The release is as asked for.
    Released,
    /// As Released; additive, for `kubectl wait` and other readers of this type.
    Ready,
    /// A failed upgrade was rolled back.
    RolledBack,
    /// The release was tested.
    Tested,
}

/// What is going on with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// The chart is there.
    ChartFetched,
    /// The chart could not be had.
    ChartFetchFailed,
    /// Installing.
    Installing,
    /// Upgrading.
    Upgrading,
    /// The chart was deployed.
    Deployed,
    /// The chart could not be deployed.
    DeployFailed,
    /// Tests are running.
    Testing,
    /// Tests failed.
    TestFailed,
    /// Tests passed.
    Tested,
    /// The release is as asked for.
    Succeeded,
    /// The release failed.
    Failed,
    /// Rolling back.
    RollingBack,
    /// Rolled back.
    RolledBack,
    /// Rolling back failed.
    RollbackFailed,
}

impl HelmRelease {
    /// Namespace of the release and of its records.
    #[must_use]
    pub fn target_namespace(&self) -> String {
        match &self.spec.target_namespace {
            Some(target) if !target.is_empty() => target.clone(),
            _ => self.namespace().unwrap_or_default(),
        }
    }

    /// Name of the release, composed where the spec gives none.
    #[must_use]
    pub fn release_name(&self) -> String {
        if let Some(name) = &self.spec.release_name
            && !name.is_empty()
        {
            return name.clone();
        }
        let (namespace, name, target) =
            (self.namespace().unwrap_or_default(), self.name_any(), self.target_namespace());
        if namespace == target { format!("{namespace}-{name}") } else { format!("{namespace}-{target}-{name}") }
    }

    /// How the object is named in the annotation on everything it releases.
    #[must_use]
    pub fn antecedent(&self) -> String {
        format!("{}:helmrelease/{}", self.namespace().unwrap_or_default(), self.name_any())
    }

    /// Whether an `apiVersion` is this kind's.
    #[must_use]
    pub fn is_api_version(api_version: &str) -> bool {
        api_version == group::HELM_OPERATOR_V1
    }
}
