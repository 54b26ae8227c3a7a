//! Settings of the actions on a release: install, upgrade, test, rollback, uninstall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::meta::is_false;
use crate::schema;

/// Settings of an install.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Install {
    /// What becomes of the CRDs in the chart's crds directory; Create when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crds: Option<CrdsPolicy>,
    /// Whether the target namespace is made; only when one is set.
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_namespace: bool,
    /// Whether hooks do not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_hooks: bool,
    /// Whether rendered objects are not checked against the API server's schema.
    #[serde(default, rename = "disableOpenAPIValidation", skip_serializing_if = "is_false")]
    pub disable_openapi_validation: bool,
    /// Whether values are not checked against the chart's schema.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_schema_validation: bool,
    /// Whether objects that belong to nobody or another release are left alone, which fails the action.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_take_ownership: bool,
    /// Whether not to wait for objects to be ready.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait: bool,
    /// Whether not to wait for Jobs to complete.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait_for_jobs: bool,
    /// What happens when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<InstallRemediation>,
    /// Whether a deleted release's name may be used again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replace: bool,
    /// Whether objects are applied on the server; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<bool>,
    /// Older way to say `crds: Skip`.
    #[serde(default, rename = "skipCRDs", skip_serializing_if = "is_false")]
    pub skip_crds: bool,
    /// Whether a failure is remediated or tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
        "message": ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
    }]))]
    pub strategy: Option<Strategy>,
    /// How long it may take; the release's time-out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub timeout: Option<GoDuration>,
}

/// Settings of an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// What happens when the chart's name changes; Reinstall when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart_name_change_strategy: Option<ChartNameChangeStrategy>,
    /// Whether new objects are deleted when it fails.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cleanup_on_fail: bool,
    /// What becomes of the CRDs in the chart's crds directory; Create when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crds: Option<CrdsPolicy>,
    /// Whether hooks do not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_hooks: bool,
    /// Whether rendered objects are not checked against the API server's schema.
    #[serde(default, rename = "disableOpenAPIValidation", skip_serializing_if = "is_false")]
    pub disable_openapi_validation: bool,
    /// Whether values are not checked against the chart's schema.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_schema_validation: bool,
    /// Whether objects that belong to nobody or another release are left alone, which fails the action.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_take_ownership: bool,
    /// Whether not to wait for objects to be ready.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait: bool,
    /// Whether not to wait for Jobs to complete.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait_for_jobs: bool,
    /// Whether objects are replaced; only when not applied on the server.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// Whether the last release's values are kept under the new ones.
    #[serde(default, skip_serializing_if = "is_false")]
    pub preserve_values: bool,
    /// What happens when it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<UpgradeRemediation>,
    /// Whether objects are applied on the server; auto (as the last release was) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<ServerSideApplyMode>,
    /// Whether a failure is remediated or tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
        "message": ".retryInterval can only be set when .name is 'RetryOnFailure'",
    }]))]
    pub strategy: Option<Strategy>,
    /// How long it may take; the release's time-out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub timeout: Option<GoDuration>,
}

/// Settings of the release's tests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Whether tests run after an install or upgrade.
    #[serde(default, skip_serializing_if = "is_false")]
    pub enable: bool,
    /// Which tests run; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Whether the release counts as good although tests fail.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_failures: bool,
    /// How long each may take; the release's time-out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub timeout: Option<GoDuration>,
}

/// One test that runs or does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Whether the test is left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclude: bool,
    /// Name of the test.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Settings of a rollback.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// Whether new objects are deleted when it fails.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cleanup_on_fail: bool,
    /// Whether hooks do not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_hooks: bool,
    /// Whether not to wait for objects to be ready.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait: bool,
    /// Whether not to wait for Jobs to complete.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait_for_jobs: bool,
    /// Whether objects are replaced; only when not applied on the server.
    #[serde(default, skip_serializing_if = "is_false")]
    pub force: bool,
    /// Accepted and without effect, as upstream.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recreate: bool,
    /// Whether objects are applied on the server; auto (as the target was) when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<ServerSideApplyMode>,
    /// How long it may take; the release's time-out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub timeout: Option<GoDuration>,
}

/// Settings of an uninstall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uninstall {
    /// What becomes of an object's dependents; background when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "background"))]
    pub deletion_propagation: Option<DeletionPropagation>,
    /// Whether hooks do not run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_hooks: bool,
    /// Whether not to wait for objects to be gone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disable_wait: bool,
    /// Whether the release's records stay.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keep_history: bool,
    /// How long it may take; the release's time-out when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub timeout: Option<GoDuration>,
}

/// What happens when an install fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallRemediation {
    /// Whether failed tests count as a good install; as test.ignoreFailures when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,
    /// Whether the last failure, with no retries left, is remediated too; false when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,
    /// How often it is tried again; a negative number is for ever.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(schema_with = "schema::integer")]
    pub retries: i64,
}

/// What happens when an upgrade fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeRemediation {
    /// Whether failed tests count as a good upgrade; as test.ignoreFailures when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,
    /// Whether the last failure, with no retries left, is remediated too; when absent, if there are retries at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,
    /// How often it is tried again; a negative number is for ever.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(schema_with = "schema::integer")]
    pub retries: i64,
    /// What is done; rollback when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RemediationStrategy>,
}

/// For `skip_serializing_if` of counts that Go omits when zero.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// Whether a failure is remediated or tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Strategy {
    /// Which of the two.
    pub name: FailureStrategy,
    /// How long until the next try; 5m when absent. Only for RetryOnFailure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = schema::DURATION))]
    pub retry_interval: Option<GoDuration>,
}

/// What follows a failed action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum FailureStrategy {
    /// A remediation, then the action again while retries are left.
    #[default]
    RemediateOnFailure,
    /// The action again, without a remediation.
    RetryOnFailure,
}

/// What a remediation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RemediationStrategy {
    /// Back to the last good release.
    #[default]
    Rollback,
    /// The release is removed.
    Uninstall,
}

/// What becomes of the CRDs in a chart's crds directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CrdsPolicy {
    /// Nothing.
    Skip,
    /// New ones are made, others left alone.
    Create,
    /// New ones are made, others replaced.
    CreateReplace,
}

/// What happens when the chart's name changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ChartNameChangeStrategy {
    /// The release is upgraded.
    InPlaceUpdate,
    /// The release is uninstalled first.
    #[default]
    Reinstall,
}

/// Whether objects are applied on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ServerSideApplyMode {
    /// Always.
    Enabled,
    /// Never.
    Disabled,
    /// As the release before was.
    #[default]
    Auto,
}

/// What becomes of a deleted object's dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeletionPropagation {
    /// Deleted after it.
    #[default]
    Background,
    /// Deleted before it.
    Foreground,
    /// Left behind.
    Orphan,
}
