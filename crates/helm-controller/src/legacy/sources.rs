//! The source objects generated for a Helm operator release: one repository and one HelmChart.

use common::{
    duration::GoDuration,
    helm_operator::v1::HelmRelease,
    names::{
        group::{HELM_OPERATOR_V1, SOURCE_V1},
        label::{HELM_NAME, HELM_NAMESPACE},
    },
};
use kube::ResourceExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The objects, in the order they are applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// Name of all of them.
    pub name: String,
    /// HelmRepository or GitRepository.
    pub repository: Value,
    /// HelmChart.
    pub chart: Value,
}

/// `<namespace>-<name>`, shortened as release names are.
pub fn name(release: &HelmRelease) -> String {
    const LONGEST: usize = 53;
    let whole = format!("{}-{}", release.namespace().unwrap_or_default(), release.name_any());
    if whole.len() <= LONGEST {
        return whole;
    }
    let hash = hex::encode(Sha256::digest(whole.as_bytes()));
    format!("{}-{}", whole.chars().take(40).collect::<String>(), hash.get(..12).unwrap_or_default())
}

/// What is generated for a release.
pub fn generate(release: &HelmRelease, interval: std::time::Duration, default_ref: &str) -> Generated {
    let name = name(release);
    let chart = &release.spec.chart;
    let interval = GoDuration::from(interval).to_string();
    let metadata = json!({
        "name": name,
        "namespace": release.namespace().unwrap_or_default(),
        "labels": {HELM_NAME: release.name_any(), HELM_NAMESPACE: release.namespace().unwrap_or_default()},
        "ownerReferences": [{
            "apiVersion": HELM_OPERATOR_V1, "kind": "HelmRelease", "name": release.name_any(),
            "uid": release.metadata.uid, "controller": true, "blockOwnerDeletion": false,
        }],
    });
    let (kind, spec, chart_name, version) = match &chart.git {
        Some(git) => {
            let reference = chart.reference.as_deref().unwrap_or(default_ref);
            let mut spec = json!({"url": git, "interval": interval, "ref": git_reference(reference)});
            if let (Some(secret), Some(spec)) = (&chart.secret_ref, spec.as_object_mut()) {
                spec.insert("secretRef".to_owned(), json!({"name": secret.name}));
            }
            ("GitRepository", spec, chart.path.clone().unwrap_or_else(|| ".".to_owned()), "*".to_owned())
        }
        None => (
            "HelmRepository",
            json!({"url": chart.repository, "interval": interval}),
            chart.name.clone().unwrap_or_default(),
            chart.version.clone().filter(|version| !version.is_empty()).unwrap_or_else(|| "*".to_owned()),
        ),
    };
    let repository = json!({"apiVersion": SOURCE_V1, "kind": kind, "metadata": metadata, "spec": spec});
    let chart = json!({
        "apiVersion": SOURCE_V1, "kind": "HelmChart", "metadata": metadata,
        "spec": {
            "chart": chart_name, "version": version, "interval": interval,
            "reconcileStrategy": if kind == "GitRepository" { "Revision" } else { "ChartVersion" },
            "sourceRef": {"kind": kind, "name": name},
        },
    });
    Generated { name, repository, chart }
}

/// The operator took branches, tags and commits in one field; a commit is told by its form.
fn git_reference(reference: &str) -> Value {
    let is_commit = reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit {
        json!({"commit": reference})
    } else if let Some(tag) = reference.strip_prefix("refs/tags/") {
        json!({"tag": tag})
    } else if let Some(branch) = reference.strip_prefix("refs/heads/") {
        json!({"branch": branch})
    } else {
        json!({"branch": reference})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(name: &str, chart: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease", "metadata": {"name": name, "namespace": "apps", "uid": "u"}, "spec": {"chart": chart},
        }))
        .unwrap()
    }

    #[test]
    fn chart_from_a_chart_repository() {
        let chart = json!({"repository": "https://charts.example.invalid/", "name": "web", "version": "1.0.0"});
        let generated = generate(&release("web", &chart), std::time::Duration::from_secs(180), "master");
        assert_eq!(generated.name, "apps-web");
        assert_eq!(generated.repository["kind"], "HelmRepository");
        assert_eq!(generated.repository["spec"], json!({"url": "https://charts.example.invalid/", "interval": "3m0s"}));
        assert_eq!(generated.chart["spec"]["sourceRef"], json!({"kind": "HelmRepository", "name": "apps-web"}));
        assert_eq!(generated.chart["spec"]["version"], "1.0.0");
        assert_eq!(generated.chart["metadata"]["ownerReferences"][0]["uid"], "u");
    }

    #[test]
    fn chart_from_git() {
        let commit = "0123456789012345678901234567890123456789";
        for (reference, expected) in [
            ("main", json!({"branch": "main"})),
            ("refs/tags/v1", json!({"tag": "v1"})),
            (commit, json!({"commit": commit})),
        ] {
            let chart = json!({"git": "https://git.example.invalid/r", "path": "charts/web", "ref": reference, "secretRef": {"name": "s"}});
            let generated = generate(&release("web", &chart), std::time::Duration::from_secs(180), "master");
            assert_eq!(generated.repository["kind"], "GitRepository");
            assert_eq!(generated.repository["spec"]["ref"], expected);
            assert_eq!(generated.repository["spec"]["secretRef"], json!({"name": "s"}));
            assert_eq!(generated.chart["spec"]["chart"], "charts/web");
        }
    }

    #[test]
    fn long_names_are_shortened() {
        let name = name(&release(&"a".repeat(60), &json!({})));
        assert_eq!(name.len(), 53);
    }
}
