//! What a cluster can do: its version and the API versions it serves, and what Helm assumes without one.

use crate::go_text::quote;
use std::collections::BTreeSet;

/// The Helm version templates see.
pub const HELM_VERSION: &str = "v4.2.4";
/// The Go version the release build of that Helm was made with.
pub const HELM_GO_VERSION: &str = "go1.26.8";
/// The client-go version of that Helm.
pub const HELM_KUBE_CLIENT_VERSION: &str = "v1.36";

/// The version of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// The full version, such as `v1.33.4-gke.1245000`.
    pub version: String,
    /// Without any suffix; empty when it was discovered, then the full version is what ranges are checked against.
    normalized: String,
    /// The major version as the cluster gives it.
    pub major: String,
    /// The minor version as the cluster gives it.
    pub minor: String,
}

impl Default for KubeVersion {
    fn default() -> Self {
        Self { version: "v1.36.0".into(), normalized: "v1.36.0".into(), major: "1".into(), minor: "36".into() }
    }
}

impl KubeVersion {
    /// The version a cluster reports about itself.
    #[must_use]
    pub fn discovered(git_version: &str, major: &str, minor: &str) -> Self {
        Self {
            version: git_version.to_owned(),
            normalized: String::new(),
            major: major.to_owned(),
            minor: minor.to_owned(),
        }
    }

    /// Reads what `--kube-version` takes: at least major and minor, any suffix.
    ///
    /// # Errors
    /// With Kubernetes' wording.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches(|character: char| character.is_ascii_whitespace());
        let bare = bare.strip_prefix('v').unwrap_or(bare);
        let mut components: Vec<&str> = Vec::new();
        let mut rest = bare;
        loop {
            let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            if digits.is_empty() {
                break;
            }
            components.push(digits);
            let Some(next) = after.strip_prefix('.') else { break };
            rest = next;
        }
        if components.is_empty() || rest.contains('\n') {
            return Err(format!("could not parse {} as version", quote(text)));
        }
        if components.len() < 2 {
            return Err(format!("illegal version string {}", quote(text)));
        }
        let mut numbers = Vec::with_capacity(components.len());
        for (index, digits) in components.into_iter().enumerate() {
            let (quoted, text) = (quote(digits), quote(text));
            if index == 0 && digits.len() > 1 && digits.starts_with('0') {
                return Err(format!("illegal zero-prefixed version component {quoted} in {text}"));
            }
            let number: u64 = digits.parse().map_err(|_| {
                format!(
                    "illegal non-numeric version component {quoted} in {text}: strconv.ParseUint: parsing {quoted}: value out of range"
                )
            })?;
            numbers.push(number.to_string());
        }
        let part = |index: usize| numbers.get(index).cloned().unwrap_or_default();
        let (major, minor) = (part(0), part(1));
        let version = if text.starts_with('v') { text.to_owned() } else { format!("v{text}") };
        Ok(Self { version, normalized: format!("v{}", numbers.join(".")), major, minor })
    }

    /// What ranges are checked against and templates print.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if self.normalized.is_empty() { &self.version } else { &self.normalized }
    }
}

/// What templates see as `.Capabilities`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The cluster's version.
    pub kube_version: KubeVersion,
    /// Every `group/version`, and with a cluster every `group/version/Kind`.
    pub api_versions: Vec<String>,
}

impl Default for Capabilities {
    /// What Helm 4.2.4 assumes without a cluster.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion::default(),
            api_versions: OFFLINE_API_VERSIONS.iter().map(|version| (*version).to_owned()).collect(),
        }
    }
}

impl Capabilities {
    /// Whether the cluster serves this `group/version` or `group/version/Kind`.
    #[must_use]
    pub fn has(&self, api_version: &str) -> bool {
        self.api_versions.iter().any(|known| known == api_version)
    }

    /// Adds API versions, as `--api-versions` does.
    pub fn add_api_versions<S: Into<String>>(&mut self, versions: impl IntoIterator<Item = S>) {
        self.api_versions.extend(versions.into_iter().map(Into::into));
    }

    /// The API versions without repetition, sorted.
    #[must_use]
    pub fn sorted_api_versions(&self) -> BTreeSet<&str> {
        self.api_versions.iter().map(String::as_str).collect()
    }
}

/// Every group and version of client-go 0.36's scheme and of apiextensions, in its order.
const OFFLINE_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_versions_are_read_as_helm_reads_them() {
        for (text, version, normalized) in [
            ("1.30", "v1.30", "v1.30"),
            ("1.30.1-gke.1", "v1.30.1-gke.1", "v1.30.1"),
            ("v1.2.3.4", "v1.2.3.4", "v1.2.3.4"),
            ("1.02", "v1.02", "v1.2"),
            (" 1.2", "v 1.2", "v1.2"),
            ("1.2+x", "v1.2+x", "v1.2"),
            ("1.2..3", "v1.2..3", "v1.2"),
        ] {
            let parsed = KubeVersion::parse(text).unwrap();
            assert_eq!((parsed.version.as_str(), parsed.as_str()), (version, normalized), "{text}");
        }
        for (text, error) in [
            ("1", "illegal version string \"1\""),
            ("1..2", "illegal version string \"1..2\""),
            ("1.-2", "illegal version string \"1.-2\""),
            ("", "could not parse \"\" as version"),
            ("v 1.2", "could not parse \"v 1.2\" as version"),
        ] {
            assert_eq!(KubeVersion::parse(text).unwrap_err(), error);
        }
        assert_eq!(KubeVersion::discovered("v1.33.4-gke.1", "1", "33+").as_str(), "v1.33.4-gke.1");
    }
}
