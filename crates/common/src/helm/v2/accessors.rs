//! What a HelmRelease means where it says nothing.

use kube_core::ResourceExt;
use sha2::{Digest as _, Sha256};

use super::spec::{DriftDetectionMode, HelmRelease, HelmReleaseSpec};
use crate::duration::GoDuration;

/// The longest name a release may have.
const MAX_RELEASE_NAME: usize = 53;

impl HelmRelease {
    /// Name of the release, composed and shortened where the spec gives none.
    #[must_use]
    pub fn release_name(&self) -> String {
        if let Some(name) = &self.spec.release_name
            && !name.is_empty()
        {
            return name.clone();
        }
        let name = self.name_any();
        match &self.spec.target_namespace {
            Some(target) if !target.is_empty() => shorten_release_name(&format!("{target}-{name}")),
            _ => shorten_release_name(&name),
        }
    }

    /// Namespace of the release.
    #[must_use]
    pub fn release_namespace(&self) -> String {
        non_empty(self.spec.target_namespace.as_deref()).map_or_else(|| self.own_namespace(), str::to_owned)
    }

    /// Namespace of the release's records.
    #[must_use]
    pub fn storage_namespace(&self) -> String {
        non_empty(self.spec.storage_namespace.as_deref()).map_or_else(|| self.own_namespace(), str::to_owned)
    }

    /// Name of the HelmChart made for the release.
    #[must_use]
    pub fn helm_chart_name(&self) -> String {
        format!("{}-{}", self.own_namespace(), self.name_any())
    }

    /// Namespace of the HelmChart made for the release; none when the release refers to an object with the chart.
    #[must_use]
    pub fn helm_chart_namespace(&self) -> Option<String> {
        let chart = self.spec.chart.as_ref()?;
        Some(non_empty(chart.spec.source_ref.namespace.as_deref()).map_or_else(|| self.own_namespace(), str::to_owned))
    }

    fn own_namespace(&self) -> String {
        self.namespace().unwrap_or_default()
    }
}

impl HelmReleaseSpec {
    /// How long an action may take.
    #[must_use]
    pub fn timeout(&self) -> GoDuration {
        self.timeout.unwrap_or(GoDuration::from_secs(300))
    }

    /// How long an install may take.
    #[must_use]
    pub fn install_timeout(&self) -> GoDuration {
        self.install.as_ref().and_then(|install| install.timeout).unwrap_or_else(|| self.timeout())
    }

    /// How long an upgrade may take.
    #[must_use]
    pub fn upgrade_timeout(&self) -> GoDuration {
        self.upgrade.as_ref().and_then(|upgrade| upgrade.timeout).unwrap_or_else(|| self.timeout())
    }

    /// How long a test may take.
    #[must_use]
    pub fn test_timeout(&self) -> GoDuration {
        self.test.as_ref().and_then(|test| test.timeout).unwrap_or_else(|| self.timeout())
    }

    /// How long a rollback may take.
    #[must_use]
    pub fn rollback_timeout(&self) -> GoDuration {
        self.rollback.as_ref().and_then(|rollback| rollback.timeout).unwrap_or_else(|| self.timeout())
    }

    /// How long an uninstall may take.
    #[must_use]
    pub fn uninstall_timeout(&self) -> GoDuration {
        self.uninstall.as_ref().and_then(|uninstall| uninstall.timeout).unwrap_or_else(|| self.timeout())
    }

    /// How many revisions of the release are kept; 0 for all.
    #[must_use]
    pub fn max_history(&self) -> i64 {
        self.max_history.unwrap_or(5)
    }

    /// What is done about objects that someone else changed.
    #[must_use]
    pub fn drift_detection_mode(&self) -> DriftDetectionMode {
        self.drift_detection.as_ref().and_then(|drift| drift.mode).unwrap_or_default()
    }

    /// Whether tests run after an install or upgrade.
    #[must_use]
    pub fn tests_enabled(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.enable)
    }

    /// Whether the release counts as good although tests fail.
    #[must_use]
    pub fn ignores_test_failures(&self) -> bool {
        self.test.as_ref().is_some_and(|test| test.ignore_failures)
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A name short enough for Helm: its beginning and a hash of the whole.
#[must_use]
fn shorten_release_name(name: &str) -> String {
    if name.len() <= MAX_RELEASE_NAME {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    // Names of objects are ASCII, so characters are bytes.
    let beginning: String = name.chars().take(40).collect();
    format!("{beginning}-{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(namespace: &str, name: &str, spec: &serde_json::Value) -> HelmRelease {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": { "name": name, "namespace": namespace },
            "spec": spec,
        }))
        .unwrap()
    }

    #[test]
    fn names_follow_the_target_namespace() {
        let plain = release("apps", "podinfo", &serde_json::json!({ "interval": "5m" }));
        assert_eq!((plain.release_name(), plain.release_namespace()), ("podinfo".to_owned(), "apps".to_owned()));
        assert_eq!(plain.helm_chart_namespace(), None);
        let targeted = release(
            "apps",
            "podinfo",
            &serde_json::json!({
                "interval": "5m",
                "targetNamespace": "prod",
                "chart": { "spec": { "chart": "podinfo", "sourceRef": { "kind": "HelmRepository", "name": "p" } } },
            }),
        );
        assert_eq!(targeted.release_name(), "prod-podinfo");
        assert_eq!(
            (targeted.release_namespace(), targeted.storage_namespace()),
            ("prod".to_owned(), "apps".to_owned())
        );
        assert_eq!(targeted.helm_chart_name(), "apps-podinfo");
        assert_eq!(targeted.helm_chart_namespace().as_deref(), Some("apps"));
        assert_eq!(targeted.spec.chart.as_ref().map(|chart| chart.spec.version.as_str()), Some("*"));
        assert_eq!(targeted.spec.install_timeout(), GoDuration::from_secs(300));
    }

    #[test]
    fn long_names_end_in_a_hash() {
        let name = "a".repeat(54);
        let short = release("n", &name, &serde_json::json!({ "interval": "5m" })).release_name();
        assert_eq!((short.len(), short.get(..41)), (53, Some(format!("{}-", "a".repeat(40)).as_str())));
        assert_eq!(release("n", &"a".repeat(53), &serde_json::json!({ "interval": "5m" })).release_name().len(), 53);
    }
}
