//! `helm.toolkit.fluxcd.io/v2`: HelmRelease.

mod accessors;
mod actions;
mod chart;
mod spec;
mod status;

pub use actions::{
    ChartNameChangeStrategy, CrdsPolicy, DeletionPropagation, FailureStrategy, Filter, Install, InstallRemediation,
    RemediationStrategy, Rollback, ServerSideApplyMode, Strategy, Test, Uninstall, Upgrade, UpgradeRemediation,
};
pub use chart::{
    CrossNamespaceObjectReference, CrossNamespaceSourceReference, HelmChartTemplate, HelmChartTemplateMetadata,
    HelmChartTemplateSpec, HelmChartTemplateVerification, SourceReferenceKind,
};
pub use spec::{
    DriftDetection, DriftDetectionMode, HelmRelease, HelmReleaseSpec, IgnoreRule, KustomizePostRenderer,
    PostRenderStrategy, PostRenderer, ValuesReference, ValuesReferenceKind, WaitStrategy, WaitStrategyName,
};
pub use status::{HelmReleaseStatus, ReleaseAction, Snapshot, TestHookStatus};
