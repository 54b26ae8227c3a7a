//! Mapping an object of a removed API version to the version that replaced it.

use super::{Change, RemovedApi, find};
use serde_json::{Map, Value, json};

/// Why an object cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The kind is gone.
    #[error("{api_version} {kind} has no replacement: {hint}")]
    Gone {
        /// The removed API version.
        api_version: &'static str,
        /// The kind.
        kind: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The new schema needs something that the object does not say.
    #[error("{api_version} {kind} must be changed to {replacement} by hand: {hint}")]
    Manual {
        /// The removed API version.
        api_version: &'static str,
        /// The kind.
        kind: &'static str,
        /// The API version to change to.
        replacement: &'static str,
        /// What to do.
        hint: &'static str,
    },
}

/// Maps the object in place when its API version was removed; gives the table entry that was applied.
///
/// # Errors
/// When no program can decide what the new object must say; the object is then unchanged.
pub fn convert(object: &mut Value) -> Result<Option<&'static RemovedApi>, ConvertError> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(api) = find(text("apiVersion"), text("kind")) else { return Ok(None) };
    let RemovedApi { api_version, kind, replacement, change, .. } = *api;
    let Some(replacement) = replacement else {
        let hint = if let Change::Manual(hint) = change { hint } else { "remove the object" };
        return Err(ConvertError::Gone { api_version, kind, hint });
    };
    match change {
        Change::Manual(hint) => return Err(ConvertError::Manual { api_version, kind, replacement, hint }),
        Change::None => {}
        Change::Workload => workload(object, api_version, kind),
        Change::Ingress => ingress(object),
        Change::Autoscaler => autoscaler(object),
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert("apiVersion".into(), replacement.into());
    }
    Ok(Some(api))
}

fn spec_of(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut("spec")?.as_object_mut()
}

/// The selector defaulted to the template's labels, and some update strategies were other ones.
fn workload(object: &mut Value, api_version: &str, kind: &str) {
    let Some(spec) = spec_of(object) else { return };
    spec.remove("rollbackTo");
    spec.remove("templateGeneration");
    if !spec.contains_key("selector")
        && let Some(labels) = spec.get("template").and_then(|template| template.pointer("/metadata/labels"))
    {
        let labels = labels.clone();
        spec.insert("selector".into(), json!({ "matchLabels": labels }));
    }
    let on_delete =
        matches!((api_version, kind), ("apps/v1beta1", "StatefulSet") | ("extensions/v1beta1", "DaemonSet"));
    if on_delete && !spec.contains_key("updateStrategy") {
        spec.insert("updateStrategy".into(), json!({ "type": "OnDelete" }));
    }
}

fn ingress(object: &mut Value) {
    let Some(spec) = spec_of(object) else { return };
    if let Some(backend) = spec.remove("backend") {
        spec.insert("defaultBackend".into(), ingress_backend(backend));
    }
    let rules = spec.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten();
    for path in rules.filter_map(|rule| rule.pointer_mut("/http/paths")?.as_array_mut()).flatten() {
        let Some(path) = path.as_object_mut() else { continue };
        if let Some(backend) = path.remove("backend") {
            path.insert("backend".into(), ingress_backend(backend));
        }
        path.entry("pathType").or_insert_with(|| "ImplementationSpecific".into());
    }
}

/// `serviceName` and `servicePort` moved below `service`; ports are named or numbered.
fn ingress_backend(backend: Value) -> Value {
    let Value::Object(mut fields) = backend else { return backend };
    let (name, port) = (fields.remove("serviceName"), fields.remove("servicePort"));
    if name.is_none() && port.is_none() {
        return Value::Object(fields);
    }
    let mut service = Map::new();
    if let Some(name) = name {
        service.insert("name".into(), name);
    }
    if let Some(port) = port {
        // A port of digits in quotes was a number to the old API as well.
        let number = port.as_str().and_then(|text| text.parse::<u16>().ok()).map(Value::from);
        let port = match number {
            Some(number) => json!({ "number": number }),
            None if port.is_string() => json!({ "name": port }),
            None => json!({ "number": port }),
        };
        service.insert("port".into(), port);
    }
    fields.insert("service".into(), Value::Object(service));
    Value::Object(fields)
}

/// Metric targets became objects with a type.
fn autoscaler(object: &mut Value) {
    let Some(spec) = spec_of(object) else { return };
    let Some(metrics) = spec.get_mut("metrics").and_then(Value::as_array_mut) else { return };
    for metric in metrics.iter_mut().filter_map(Value::as_object_mut) {
        for (source, body) in metric.iter_mut() {
            if let Some(body) = body.as_object_mut() {
                metric_source(source, body);
            }
        }
    }
}

fn metric_source(source: &str, body: &mut Map<String, Value>) {
    let mut target = Map::new();
    for (old, kind, new) in [
        ("targetAverageUtilization", "Utilization", "averageUtilization"),
        ("targetAverageValue", "AverageValue", "averageValue"),
        ("averageValue", "AverageValue", "averageValue"),
        ("targetValue", "Value", "value"),
    ] {
        if let Some(value) = body.remove(old) {
            target.insert("type".into(), kind.into());
            target.insert(new.into(), value);
        }
    }
    if source == "object" {
        if let Some(described) = body.remove("target") {
            body.insert("describedObject".into(), described);
        }
        // For object metrics an average stood beside the plain target value and won over it.
        if target.contains_key("averageValue") {
            target.remove("value");
            target.insert("type".into(), "AverageValue".into());
        }
    }
    if matches!(source, "pods" | "object" | "external")
        && let Some(name) = body.remove("metricName")
    {
        let mut identifier = Map::new();
        identifier.insert("name".into(), name);
        let selector = body.remove(if source == "external" { "metricSelector" } else { "selector" });
        if let Some(selector) = selector {
            identifier.insert("selector".into(), selector);
        }
        body.insert("metric".into(), Value::Object(identifier));
    }
    if !target.is_empty() {
        body.insert("target".into(), Value::Object(target));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut object: Value) -> Value {
        convert(&mut object).unwrap().unwrap();
        object
    }

    #[test]
    fn renamed_versions_keep_everything_else() {
        let role = json!({"apiVersion":"rbac.authorization.k8s.io/v1beta1","kind":"Role","rules":[{"verbs":["get"]}]});
        let expected = json!({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","rules":[{"verbs":["get"]}]});
        assert_eq!(run(role), expected);
        let mut current = json!({"apiVersion":"apps/v1","kind":"Deployment"});
        assert_eq!(convert(&mut current), Ok(None));
    }

    #[test]
    fn workloads_get_the_selector_they_had_by_default() {
        let deployment = json!({"apiVersion":"extensions/v1beta1","kind":"Deployment","spec":{
            "rollbackTo":{},"template":{"metadata":{"labels":{"app":"a"}}}}});
        let expected = json!({"apiVersion":"apps/v1","kind":"Deployment","spec":{
            "selector":{"matchLabels":{"app":"a"}},"template":{"metadata":{"labels":{"app":"a"}}}}});
        assert_eq!(run(deployment), expected);
        let stateful = json!({"apiVersion":"apps/v1beta1","kind":"StatefulSet","spec":{"selector":{"matchLabels":{}}}});
        assert_eq!(run(stateful)["spec"]["updateStrategy"]["type"], "OnDelete");
    }

    #[test]
    fn ingresses_are_mapped() {
        let ingress = json!({"apiVersion":"networking.k8s.io/v1beta1","kind":"Ingress","spec":{
            "backend":{"serviceName":"d","servicePort":80},
            "rules":[{"host":"h","http":{"paths":[
                {"path":"/","backend":{"serviceName":"s","servicePort":"http"}},
                {"path":"/x","pathType":"Exact","backend":{"serviceName":"s","servicePort":"8080"}}]}}]}});
        let expected = json!({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","spec":{
            "defaultBackend":{"service":{"name":"d","port":{"number":80}}},
            "rules":[{"host":"h","http":{"paths":[
                {"path":"/","pathType":"ImplementationSpecific","backend":{"service":{"name":"s","port":{"name":"http"}}}},
                {"path":"/x","pathType":"Exact","backend":{"service":{"name":"s","port":{"number":8080}}}}]}}]}});
        assert_eq!(run(ingress), expected);
    }

    #[test]
    fn autoscalers_are_mapped() {
        let autoscaler = json!({"apiVersion":"autoscaling/v2beta1","kind":"HorizontalPodAutoscaler","spec":{"metrics":[
            {"type":"Resource","resource":{"name":"cpu","targetAverageUtilization":80}},
            {"type":"Pods","pods":{"metricName":"m","targetAverageValue":"1k"}},
            {"type":"Object","object":{"metricName":"m","target":{"kind":"Service","name":"s"},"targetValue":"5"}},
            {"type":"External","external":{"metricName":"m","metricSelector":{"matchLabels":{"a":"b"}},"targetValue":"3"}}]}});
        let expected = json!({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","spec":{"metrics":[
            {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}},
            {"type":"Pods","pods":{"metric":{"name":"m"},"target":{"type":"AverageValue","averageValue":"1k"}}},
            {"type":"Object","object":{"metric":{"name":"m"},"describedObject":{"kind":"Service","name":"s"},"target":{"type":"Value","value":"5"}}},
            {"type":"External","external":{"metric":{"name":"m","selector":{"matchLabels":{"a":"b"}}},"target":{"type":"Value","value":"3"}}}]}});
        assert_eq!(run(autoscaler), expected);
    }

    #[test]
    fn what_needs_a_person_says_so() {
        let mut policy = json!({"apiVersion":"policy/v1beta1","kind":"PodSecurityPolicy"});
        assert!(convert(&mut policy).unwrap_err().to_string().contains("Pod Security Admission"));
        let mut webhook =
            json!({"apiVersion":"admissionregistration.k8s.io/v1beta1","kind":"MutatingWebhookConfiguration"});
        assert!(convert(&mut webhook).unwrap_err().to_string().contains("sideEffects"));
        assert_eq!(webhook["apiVersion"], "admissionregistration.k8s.io/v1beta1");
    }

    #[test]
    fn every_replacement_is_current() {
        for api in super::super::table::REMOVED {
            if let Some(replacement) = api.replacement {
                assert!(find(replacement, api.kind).is_none(), "{api:?}");
            }
        }
    }
}
