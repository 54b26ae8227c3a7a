//! deploy/crds: the CRDs of the API types.

use serde_json::json;

use crate::generated::Files;
use crate::yaml_text;

const DIRECTORY: &str = "deploy/crds";

/// The files of deploy/crds.
pub(crate) fn files() -> anyhow::Result<Files> {
    let mut files = Files { owned_directories: vec![DIRECTORY.to_owned()], ..Files::default() };
    let mut names = Vec::new();
    for crd in common::crd::all() {
        let name = format!("{}_{}.yaml", crd.spec.group, crd.spec.names.plural);
        files.add(format!("{DIRECTORY}/{name}"), yaml_text::generated("crds", &[serde_json::to_value(&crd)?])?);
        names.push(name);
    }
    names.sort();
    let kustomization =
        json!({ "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names });
    files.add(format!("{DIRECTORY}/kustomization.yaml"), yaml_text::generated("crds", &[kustomization])?);
    Ok(files)
}

#[cfg(test)]
mod tests {
    #[test]
    fn checked_in_crds_are_those_of_the_types() {
        let drift = crate::generated::drift(&super::files().unwrap()).unwrap();
        assert!(drift.is_empty(), "{}\nrun `cargo xtask crds`", drift.join("\n"));
    }
}
