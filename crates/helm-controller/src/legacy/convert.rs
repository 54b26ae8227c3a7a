//! The spec of a Helm operator release in terms of today's.

use common::{
    helm::v2,
    helm_operator::v1::{HelmRelease, HelmVersion},
};
use kube::ResourceExt;
use serde_json::{Value, json};

/// Says which field of the spec is not supported, and what to do.
pub fn unsupported(release: &HelmRelease) -> Option<String> {
    let spec = &release.spec;
    let refuse = |field: &str, advice: &str| Some(format!("spec.{field} is not supported: {advice}"));
    if spec.helm_version == Some(HelmVersion::V2) {
        return refuse("helmVersion: v2", "releases are always Helm 3's; remove the field");
    }
    if common::meta::annotation_value(release, common::names::annotation::HELM_OPERATOR_MIGRATE) == Some("true") {
        return Some(
            "the annotation helm.fluxcd.io/migrate is not supported: convert the Helm 2 release first, then remove it"
                .to_owned(),
        );
    }
    if spec.values_from.iter().any(|source| source.external_source_ref.is_some()) {
        return refuse("valuesFrom[].externalSourceRef", "put the values into a ConfigMap or Secret");
    }
    if spec.chart.repository.is_none() && spec.chart.git.is_none() {
        return Some("spec.chart must name a repository or a Git repository".to_owned());
    }
    if spec.chart.git.is_some()
        && spec
            .chart
            .secret_ref
            .as_ref()
            .and_then(|secret| secret.namespace.as_deref())
            .is_some_and(|namespace| Some(namespace) != release.namespace().as_deref())
    {
        return refuse("chart.secretRef.namespace", "copy the Secret into the HelmRelease's namespace");
    }
    if spec.rollback.recreate {
        return refuse("rollback.recreate", "remove it; Helm dropped it");
    }
    None
}

/// A time-out in seconds as the API writes durations.
fn seconds(value: Option<i64>) -> String {
    format!("{}s", value.filter(|seconds| *seconds > 0).unwrap_or(300))
}

/// The release in today's terms. `chart` is the HelmChart generated for it; the status is what the engine remembers.
pub fn to_v2(
    release: &HelmRelease,
    chart: &str,
    interval: std::time::Duration,
) -> Result<v2::HelmRelease, serde_json::Error> {
    let spec = &release.spec;
    let target = release.target_namespace();
    let wait = spec.wait.unwrap_or(spec.rollback.enable || spec.test.enable);
    let crds = if spec.skip_crds { "Skip" } else { "Create" };
    let retries = match (spec.rollback.enable && spec.rollback.retry, spec.rollback.max_retries.unwrap_or(5)) {
        (false, _) => 0,
        (true, 0) => -1,
        (true, retries) => retries,
    };
    let mut upgrade = json!({
        "disableWait": !wait, "crds": crds, "disableOpenAPIValidation": spec.disable_openapi_validation, "force": spec.force_upgrade,
        "preserveValues": spec.reset_values == Some(false),
        "remediation": {"retries": retries, "remediateLastFailure": spec.rollback.enable},
    });
    if !spec.rollback.enable {
        // Without rollback a failed upgrade is simply tried again.
        upgrade = json_merged(
            upgrade,
            &json!({"remediation": null, "strategy": {"name": "RetryOnFailure", "retryInterval": "3m"}}),
        );
    }
    let spec = json!({
        "chartRef": {"kind": "HelmChart", "name": chart},
        "interval": common::duration::GoDuration::from(interval).to_string(),
        "releaseName": release.release_name(),
        "targetNamespace": target,
        "storageNamespace": target,
        "timeout": seconds(spec.timeout),
        "maxHistory": spec.max_history.unwrap_or(10),
        "values": spec.values.clone().unwrap_or_else(|| json!({})),
        "install": {
            "disableWait": !wait, "crds": crds, "disableOpenAPIValidation": spec.disable_openapi_validation,
            "remediation": {"retries": -1, "remediateLastFailure": true},
        },
        "upgrade": upgrade,
        "rollback": {
            "timeout": seconds(spec.rollback.timeout), "disableWait": !spec.rollback.wait,
            "disableHooks": spec.rollback.disable_hooks, "force": spec.rollback.force,
        },
        "test": {
            "enable": spec.test.enable, "ignoreFailures": spec.test.ignore_failures.unwrap_or(false), "timeout": seconds(spec.test.timeout),
        },
        "uninstall": {"disableWait": !wait},
    });
    let mut object = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "spec": spec});
    if let Some(map) = object.as_object_mut() {
        map.insert("metadata".to_owned(), serde_json::to_value(&release.metadata)?);
        if let Some(status) = release.status.as_ref().and_then(|status| status.towline.clone()) {
            map.insert("status".to_owned(), status);
        }
    }
    serde_json::from_value(object)
}

fn json_merged(mut value: Value, change: &Value) -> Value {
    json_patch::merge(&mut value, change);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(spec: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease", "metadata": {"name": "web", "namespace": "apps", "generation": 3}, "spec": spec,
        }))
        .unwrap()
    }

    fn chart() -> Value {
        json!({"repository": "https://charts.example.invalid/", "name": "web", "version": "1.0.0"})
    }

    #[test]
    fn defaults_are_the_operators() {
        let release = release(&json!({"chart": chart(), "values": {"a": 1}}));
        assert_eq!(unsupported(&release), None);
        let spec = to_v2(&release, "apps-web", std::time::Duration::from_secs(180)).unwrap().spec;
        assert_eq!(spec.release_name.as_deref(), Some("apps-web"));
        assert_eq!((spec.storage_namespace.as_deref(), spec.target_namespace.as_deref()), (Some("apps"), Some("apps")));
        assert_eq!(spec.max_history(), 10);
        assert!(spec.install.unwrap().disable_wait, "the operator does not wait unless rollback or tests are on");
        assert_eq!(spec.values, Some(json!({"a": 1})));
        assert_eq!(spec.interval.to_string(), "3m0s");
    }

    #[test]
    fn rollback_and_wait() {
        let release = release(
            &json!({"chart": chart(), "timeout": 60, "rollback": {"enable": true, "retry": true, "maxRetries": 0, "timeout": 30}, "resetValues": false}),
        );
        let spec = to_v2(&release, "apps-web", std::time::Duration::from_secs(180)).unwrap().spec;
        assert!(!spec.install.as_ref().unwrap().disable_wait);
        assert_eq!(spec.timeout().to_string(), "1m0s");
        assert_eq!(spec.rollback_timeout().to_string(), "30s");
        let upgrade = spec.upgrade.unwrap();
        assert!(upgrade.preserve_values);
        assert_eq!(upgrade.remediation.unwrap().retries, -1);
    }

    #[test]
    fn what_the_operator_did_and_we_do_not_is_refused() {
        for spec in [
            json!({"chart": chart(), "helmVersion": "v2"}),
            json!({"chart": chart(), "valuesFrom": [{"externalSourceRef": {"url": "https://example.invalid"}}]}),
            json!({"chart": chart(), "rollback": {"recreate": true}}),
            json!({"chart": {}}),
        ] {
            assert!(unsupported(&release(&spec)).is_some(), "{spec}");
        }
    }
}
