//! The HelmChart that is made for a HelmRelease with `spec.chart`.

use common::{
    helm::v2::{HelmChartTemplate, HelmRelease},
    names::{
        finalizer,
        group::SOURCE_V1,
        label::{HELM_NAME, HELM_NAMESPACE},
    },
    source::v1::HelmChart,
};
use kube::ResourceExt;
use serde_json::{Map, Value, json};

/// The HelmChart as it is to be applied; `None` when the release refers to an object that holds its chart.
pub fn helm_chart(release: &HelmRelease) -> Option<Value> {
    let template: &HelmChartTemplate = release.spec.chart.as_ref()?;
    let spec = &template.spec;
    let metadata = template.metadata.clone().unwrap_or_default();
    let mut labels = metadata.labels;
    labels.insert(HELM_NAME.to_owned(), release.name_any());
    labels.insert(HELM_NAMESPACE.to_owned(), release.namespace().unwrap_or_default());
    let mut chart_spec = Map::new();
    let mut put = |key: &str, value: Value| {
        chart_spec.insert(key.to_owned(), value);
    };
    put("chart", spec.chart.clone().into());
    put("version", if spec.version.is_empty() { "*".into() } else { spec.version.clone().into() });
    put("interval", spec.interval.unwrap_or(release.spec.interval).to_string().into());
    put("sourceRef", json!({"kind": spec.source_ref.kind.as_str(), "name": spec.source_ref.name}));
    if let Ok(strategy) = serde_json::to_value(spec.reconcile_strategy.unwrap_or_default()) {
        put("reconcileStrategy", strategy);
    }
    if !spec.values_files.is_empty() {
        put("valuesFiles", spec.values_files.clone().into());
    }
    if spec.ignore_missing_values_files {
        put("ignoreMissingValuesFiles", true.into());
    }
    if let Some(verify) = &spec.verify
        && let Ok(verify) = serde_json::to_value(verify)
    {
        put("verify", verify);
    }
    let mut object = json!({
        "apiVersion": SOURCE_V1,
        "kind": "HelmChart",
        "metadata": {
            "name": release.helm_chart_name(),
            "namespace": release.helm_chart_namespace().unwrap_or_default(),
            "labels": labels,
            // What source-controller would add first thing, in a write of its own.
            "finalizers": [finalizer::FLUX],
        },
        "spec": chart_spec,
    });
    if !metadata.annotations.is_empty()
        && let Some(target) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        target.insert("annotations".to_owned(), json!(metadata.annotations));
    }
    Some(object)
}

/// Whether the HelmChart in the cluster is as wanted, so that nothing has to be written.
pub fn matches(wanted: &Value, existing: &HelmChart) -> bool {
    let Ok(existing_spec) = serde_json::to_value(&existing.spec) else { return false };
    let (Some(wanted_spec), Some(existing_spec)) =
        (wanted.get("spec").and_then(Value::as_object), existing_spec.as_object())
    else {
        return false;
    };
    let same_spec = wanted_spec.iter().all(|(key, value)| existing_spec.get(key) == Some(value))
        && existing_spec.keys().all(|key| wanted_spec.contains_key(key) || key == "suspend");
    let has = |section: &str, existing: Option<&std::collections::BTreeMap<String, String>>| {
        wanted.pointer(&format!("/metadata/{section}")).and_then(Value::as_object).is_none_or(|wanted| {
            wanted
                .iter()
                .all(|(key, value)| existing.and_then(|map| map.get(key)).map(String::as_str) == value.as_str())
        })
    };
    same_spec
        && has("labels", existing.metadata.labels.as_ref())
        && has("annotations", existing.metadata.annotations.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(chart: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "web", "namespace": "apps"},
            "spec": {"interval": "5m", "chart": {"spec": chart}},
        }))
        .unwrap()
    }

    #[test]
    fn the_template_becomes_a_chart_with_owner_labels() {
        let chart =
            helm_chart(&release(&json!({"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "repo"}})))
                .unwrap();
        assert_eq!(
            chart["metadata"],
            json!({
                "name": "apps-web", "namespace": "apps", "finalizers": ["finalizers.fluxcd.io"],
                "labels": {HELM_NAME: "web", HELM_NAMESPACE: "apps"},
            })
        );
        assert_eq!(
            chart["spec"],
            json!({"chart": "web", "version": "*", "interval": "5m0s", "reconcileStrategy": "ChartVersion",
                   "sourceRef": {"kind": "HelmRepository", "name": "repo"}})
        );
        let existing: HelmChart = serde_json::from_value(chart.clone()).unwrap();
        assert!(matches(&chart, &existing));
        let mut changed = existing.clone();
        changed.spec.version = "1.x".to_owned();
        assert!(!matches(&chart, &changed));
        let mut more = existing;
        more.spec.values_files = vec!["a.yaml".to_owned()];
        assert!(!matches(&chart, &more), "a field that was taken out of the template must go");
    }

    #[test]
    fn a_source_elsewhere_puts_the_chart_there() {
        let chart = helm_chart(&release(&json!({
            "chart": "./web", "version": "1.x", "interval": "1m", "valuesFiles": ["a.yaml"],
            "sourceRef": {"kind": "GitRepository", "name": "repo", "namespace": "sources"},
        })))
        .unwrap();
        assert_eq!(chart["metadata"]["namespace"], "sources");
        assert_eq!(chart["spec"]["sourceRef"], json!({"kind": "GitRepository", "name": "repo"}));
        assert_eq!(chart["spec"]["valuesFiles"], json!(["a.yaml"]));
    }
}
