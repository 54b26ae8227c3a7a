//! deploy/base/<controller>/rbac.yaml, from the table of controllers.

use serde_json::{Value, json};

use crate::controllers::{CONTROLLERS, Controller, NAMESPACE_RULES, Rule};
use crate::generated::Files;
use crate::yaml_text;

const NAMESPACE: &str = "flux-system";
const GROUP: &str = "rbac.authorization.k8s.io";

fn rules(rules: &[Rule]) -> Value {
    rules
        .iter()
        .map(|rule| json!({ "apiGroups": rule.groups, "resources": rule.resources, "verbs": rule.verbs }))
        .collect()
}

fn objects(controller: &Controller) -> Vec<Value> {
    let name = controller.name;
    let api_version = format!("{GROUP}/v1");
    let leader = format!("{name}-leader-election");
    let subjects = json!([{ "kind": "ServiceAccount", "name": name, "namespace": NAMESPACE }]);
    vec![
        json!({
            "apiVersion": api_version, "kind": "ClusterRole",
            "metadata": { "name": name },
            "rules": rules(controller.cluster_rules),
        }),
        json!({
            "apiVersion": api_version, "kind": "ClusterRoleBinding",
            "metadata": { "name": name },
            "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": name },
            "subjects": subjects,
        }),
        json!({
            "apiVersion": api_version, "kind": "Role",
            "metadata": { "name": leader },
            "rules": rules(NAMESPACE_RULES),
        }),
        json!({
            "apiVersion": api_version, "kind": "RoleBinding",
            "metadata": { "name": leader },
            "roleRef": { "apiGroup": GROUP, "kind": "Role", "name": leader },
            "subjects": subjects,
        }),
    ]
}

/// The files.
pub(crate) fn files() -> anyhow::Result<Files> {
    let mut files = Files::default();
    for controller in CONTROLLERS {
        let path = format!("deploy/base/{}/rbac.yaml", controller.name);
        files.add(path, yaml_text::generated("rbac", &objects(controller))?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn checked_in_rbac_is_that_of_the_table() {
        let drift = crate::generated::drift(&super::files().unwrap()).unwrap();
        assert!(drift.is_empty(), "{}\nrun `cargo xtask rbac`", drift.join("\n"));
    }
}
