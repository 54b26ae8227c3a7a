//! What to do with an object, before anything is fetched. Pure.

use common::meta::{Artifact, SourceObject};
use common::names::{finalizer, reason};
use common::source::v1::{GitProvider, GitRepository, HelmChart, HelmRepository, SourceKind};

use crate::failure::Failure;
use git::url::{GitUrl, Scheme};

/// The first step of a reconcile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Remove what is stored, then our finalizer.
    Finalize,
    /// Nothing: the object goes away and is no longer ours.
    Nothing,
    /// Add our finalizer, then go on.
    Adopt,
    /// Leave it alone; what is stored is still served.
    Suspended,
    /// Fetch and build.
    Build,
}

/// Decides the first step.
pub(super) fn first_step<K: SourceObject>(object: &K) -> Step {
    let is_ours = runtime::finalizer::has(object, finalizer::FLUX);
    match (object.meta().deletion_timestamp.is_some(), is_ours) {
        (true, true) => Step::Finalize,
        (true, false) => Step::Nothing,
        (false, false) => Step::Adopt,
        (false, true) if object.is_suspended() => Step::Suspended,
        (false, true) => Step::Build,
    }
}

/// Refuses what is not built, instead of ignoring it.
pub(super) fn check_git_repository(repository: &GitRepository) -> Result<GitUrl, Failure> {
    let spec = &repository.spec;
    let url =
        GitUrl::parse(&spec.url).map_err(|error| Failure::fetch(reason::URL_INVALID, error.to_string()).stalled())?;
    let provider = match spec.provider() {
        GitProvider::Generic => None,
        GitProvider::Aws => Some("aws"),
        GitProvider::Azure => Some("azure"),
        GitProvider::GitHub => Some("github"),
    };
    if let Some(provider) = provider {
        return Err(Failure::fetch(
            reason::INVALID_PROVIDER_CONFIGURATION,
            format!(
                "spec.provider '{provider}' is not supported by this release of Towline; use 'generic' with a secretRef"
            ),
        )
        .stalled());
    }
    if !spec.service_account_name.is_empty() {
        return Err(Failure::fetch(
            reason::INVALID_PROVIDER_CONFIGURATION,
            "spec.serviceAccountName needs a cloud provider, which this release of Towline does not support",
        )
        .stalled());
    }
    if spec.verify.is_some() {
        return Err(Failure::verification(
            "spec.verify is not supported by this release of Towline: the source is refused rather than used unverified",
        ));
    }
    if url.scheme == Scheme::Ssh && spec.proxy_secret_ref.is_some() {
        return Err(Failure::fetch(
            reason::GIT_OPERATION_FAILED,
            "spec.proxySecretRef is not supported with ssh URLs by this release of Towline; use an https URL",
        )
        .stalled());
    }
    Ok(url)
}

/// Refuses what is not built, instead of ignoring it.
pub(super) fn check_helm_repository(repository: &HelmRepository) -> Result<(), Failure> {
    if repository.spec.is_oci() {
        return Err(Failure::fetch(
            reason::UNSUPPORTED_SOURCE_KIND,
            "spec.type 'oci' is not supported by this release of Towline; use a repository with an index over http or https",
        )
        .stalled());
    }
    if repository.spec.url.starts_with("oci://") {
        return Err(invalid_url("'oci' URL scheme cannot be used with 'default' HelmRepository type"));
    }
    Ok(())
}

/// A repository URL that nothing but another URL helps.
pub(super) fn invalid_url(message: impl std::fmt::Display) -> Failure {
    Failure::fetch(reason::URL_INVALID, format!("invalid Helm repository URL: {message}")).stalled()
}

/// Refuses what is not built, instead of ignoring it.
pub(super) fn check_helm_chart(chart: &HelmChart) -> Result<(), Failure> {
    if chart.spec.verify.is_some() {
        return Err(Failure::verification(
            "spec.verify is not supported by this release of Towline: the chart is refused rather than used unverified",
        ));
    }
    if chart.spec.source_ref.kind == SourceKind::Bucket {
        return Err(Failure::fetch(
            reason::UNSUPPORTED_SOURCE_KIND,
            "failed to get source: kind 'Bucket' is not supported by this release of Towline",
        )
        .stalled());
    }
    Ok(())
}

/// Whether something other than the commit decides that the artifact must be built anew.
pub(super) fn content_settings_changed(repository: &GitRepository, included: &[Artifact]) -> bool {
    let Some(status) = &repository.status else { return true };
    let spec = &repository.spec;
    status.observed_ignore != spec.ignore
        || status.observed_recurse_submodules != spec.recurse_submodules
        || status.observed_sparse_checkout != spec.sparse_checkout
        || status.observed_include != spec.include
        || status.included_artifacts.len() != included.len()
        || status
            .included_artifacts
            .iter()
            .zip(included)
            .any(|(old, new)| (old.revision(), &old.digest) != (new.revision(), &new.digest))
}

/// What is put behind the `+` of a chart's version.
pub(super) fn version_metadata(chart: &HelmChart, source_revision: &str) -> String {
    use common::source::v1::ReconcileStrategy;
    let mut parts = Vec::new();
    if chart.spec.reconcile_strategy() == ReconcileStrategy::Revision
        && chart.spec.source_ref.kind != SourceKind::HelmRepository
    {
        let revision = common::revision::Revision::from(source_revision);
        let hash = revision.hash().unwrap_or_else(|| source_revision.to_owned());
        parts.push(hash.chars().take(12).collect::<String>());
    }
    // The default, `[values.yaml]`, changes nothing and needs no version of its own.
    if !effective_values_files(chart).is_empty() {
        parts.push(chart.metadata.generation.unwrap_or_default().to_string());
    }
    parts.join(".")
}

/// The values files that make a difference.
pub(super) fn effective_values_files(chart: &HelmChart) -> Vec<String> {
    let files = &chart.spec.values_files;
    if files.iter().map(String::as_str).eq(["values.yaml"]) { Vec::new() } else { files.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::source::v1::{
        GitRepositorySpec, GitVerification, HelmChartSpec, HelmRepositorySpec, ReconcileStrategy,
    };

    fn git(url: &str) -> GitRepository {
        GitRepository::new("app", GitRepositorySpec { url: url.to_owned(), ..GitRepositorySpec::default() })
    }

    #[test]
    fn the_first_step_follows_finalizer_and_deletion() {
        let mut object = git("https://example.com/x");
        assert_eq!(first_step(&object), Step::Adopt);
        object.metadata.finalizers = Some(vec![finalizer::FLUX.to_owned()]);
        assert_eq!(first_step(&object), Step::Build);
        object.spec.suspend = true;
        assert_eq!(first_step(&object), Step::Suspended);
        object.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(first_step(&object), Step::Finalize);
        object.metadata.finalizers = None;
        assert_eq!(first_step(&object), Step::Nothing);
    }

    #[test]
    fn what_is_not_built_is_refused() {
        assert!(check_git_repository(&git("https://example.com/x")).is_ok());
        let refused = |change: &dyn Fn(&mut GitRepository)| {
            let mut object = git("https://example.com/x");
            change(&mut object);
            let failure = check_git_repository(&object).unwrap_err();
            assert_eq!(failure.persistence, crate::failure::Persistence::Stalled);
            (failure.condition, failure.reason)
        };
        assert_eq!(refused(&|o| o.spec.url = "ftp://x/y".to_owned()), ("FetchFailed", "URLInvalid"));
        for provider in [GitProvider::Aws, GitProvider::Azure, GitProvider::GitHub] {
            assert_eq!(refused(&|o| o.spec.provider = Some(provider)), ("FetchFailed", "InvalidProviderConfiguration"));
        }
        assert_eq!(
            refused(&|o| o.spec.verify = Some(GitVerification::default())),
            ("SourceVerified", "VerificationError")
        );
        let mut repository =
            HelmRepository::new("r", HelmRepositorySpec { url: "oci://x/y".to_owned(), ..Default::default() });
        assert_eq!(check_helm_repository(&repository).unwrap_err().reason, "URLInvalid");
        repository.spec.type_ = Some(common::source::v1::HelmRepositoryType::Oci);
        assert_eq!(check_helm_repository(&repository).unwrap_err().reason, "UnsupportedSourceKind");
    }

    #[test]
    fn content_settings_are_compared_with_what_was_built() {
        let mut object = git("https://example.com/x");
        assert!(content_settings_changed(&object, &[]), "nothing was built yet");
        object.status = Some(common::source::v1::GitRepositoryStatus::default());
        assert!(!content_settings_changed(&object, &[]));
        object.spec.ignore = Some("*.md".to_owned());
        assert!(content_settings_changed(&object, &[]));
        object.spec.ignore = None;
        object.spec.sparse_checkout = vec!["a".to_owned()];
        assert!(content_settings_changed(&object, &[]));
    }

    #[test]
    fn versions_carry_revision_and_generation() {
        let spec: HelmChartSpec = serde_json::from_value(serde_json::json!({
            "chart": "web", "interval": "1m", "sourceRef": {"kind": "GitRepository", "name": "app"},
        }))
        .unwrap();
        let mut chart = HelmChart::new("web", spec);
        chart.metadata.generation = Some(4);
        let revision = format!("main@sha1:{}", "0123456789abcdef".repeat(3).get(..40).unwrap());
        assert_eq!(version_metadata(&chart, &revision), "");
        chart.spec.reconcile_strategy = Some(ReconcileStrategy::Revision);
        assert_eq!(version_metadata(&chart, &revision), "0123456789ab");
        chart.spec.values_files = vec!["prod.yaml".to_owned()];
        assert_eq!(version_metadata(&chart, &revision), "0123456789ab.4");
        chart.spec.source_ref.kind = SourceKind::HelmRepository;
        assert_eq!(version_metadata(&chart, &revision), "4");
        chart.spec.values_files = vec!["values.yaml".to_owned()];
        assert_eq!(version_metadata(&chart, &revision), "");
    }
}
