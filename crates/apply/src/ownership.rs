//! Helm's ownership metadata: who an object says it belongs to.

use serde_json::Value;

use crate::object::{ObjectRef, annotation, label, set_annotation, set_label};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const MANAGER: &str = "Helm";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// Marks an object as part of a release.
pub fn mark(object: &mut Value, release: &str, namespace: &str) {
    set_label(object, MANAGED_BY, MANAGER);
    set_annotation(object, RELEASE_NAME, release);
    set_annotation(object, RELEASE_NAMESPACE, namespace);
}

/// Says why a live object cannot be taken into a release, or nothing if it is its own already.
pub fn objection(live: &Value, reference: &ObjectRef, release: &str, namespace: &str) -> Option<String> {
    let check = |what: &str, key: &str, actual: Option<&str>, expected: &str| match actual {
        Some(actual) if actual == expected => None,
        Some(actual) => Some(format!(
            "{what} validation error: key \"{key}\" must equal \"{expected}\": current value is \"{actual}\""
        )),
        None => Some(format!("{what} validation error: missing key \"{key}\": must be set to \"{expected}\"")),
    };
    let problems: Vec<_> = [
        check("label", MANAGED_BY, label(live, MANAGED_BY), MANAGER),
        check("annotation", RELEASE_NAME, annotation(live, RELEASE_NAME), release),
        check("annotation", RELEASE_NAMESPACE, annotation(live, RELEASE_NAMESPACE), namespace),
    ]
    .into_iter()
    .flatten()
    .collect();
    if problems.is_empty() {
        return None;
    }
    let ObjectRef { gvk, namespace: object_namespace, name } = reference;
    Some(format!(
        "{} \"{name}\" in namespace \"{object_namespace}\" exists and cannot be imported into the current release: \
         invalid ownership metadata; {}",
        gvk.kind,
        problems.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn own_object_is_accepted_and_foreign_refused_with_every_reason() {
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n"}});
        let reference = ObjectRef::of(&object).unwrap();
        let objection_text = objection(&object, &reference, "rel", "n").unwrap();
        assert!(
            objection_text.starts_with("ConfigMap \"a\" in namespace \"n\" exists and cannot be imported"),
            "{objection_text}"
        );
        assert_eq!(objection_text.matches("missing key").count(), 3);
        mark(&mut object, "rel", "n");
        assert_eq!(objection(&object, &reference, "rel", "n"), None);
        let other = objection(&object, &reference, "other", "n").unwrap();
        assert!(other.contains("must equal \"other\": current value is \"rel\""), "{other}");
    }
}
