//! What is added to every rendered object: the release's common metadata and the labels that name the HelmRelease.

use common::{
    helm::v2::PostRenderer,
    meta::CommonMetadata,
    names::label::{HELM_NAME, HELM_NAMESPACE},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What is added.
#[derive(Clone, Debug, Default)]
pub struct Additions<'a> {
    /// Common metadata of the spec.
    pub common: Option<&'a CommonMetadata>,
    /// Name of the HelmRelease.
    pub name: &'a str,
    /// Namespace of the HelmRelease.
    pub namespace: &'a str,
    /// More annotations, by which other tools tell the owner.
    pub annotations: &'a [(&'a str, String)],
}

impl Additions<'_> {
    /// Adds to one object. The origin labels win over everything.
    pub fn add(&self, object: &mut Value) {
        if let Some(common) = self.common {
            for (key, value) in &common.labels {
                apply::object::set_label(object, key, value);
            }
            for (key, value) in &common.annotations {
                apply::object::set_annotation(object, key, value);
            }
        }
        for (key, value) in self.annotations {
            apply::object::set_annotation(object, key, value);
        }
        apply::object::set_label(object, HELM_NAME, self.name);
        apply::object::set_label(object, HELM_NAMESPACE, self.namespace);
    }
}

/// Digest of the post-renderers; empty without any.
pub fn renderers_digest(renderers: &[PostRenderer]) -> String {
    if renderers.is_empty() { String::new() } else { json_digest(&renderers) }
}

/// Digest of the common metadata; empty without any.
pub fn common_metadata_digest(common: Option<&CommonMetadata>) -> String {
    common.map(|common| json_digest(&common)).unwrap_or_default()
}

/// Digest of a value as Go's JSON encoder writes it, newline included.
fn json_digest(value: &impl serde::Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut text = json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    text.push('\n');
    format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn origin_labels_win() {
        let common: CommonMetadata = serde_json::from_value(json!({
            "labels": {"team": "a", HELM_NAME: "forged"}, "annotations": {"note": "b"}
        }))
        .unwrap();
        let mut object = json!({"metadata": {"labels": {"team": "old"}}});
        Additions { common: Some(&common), name: "web", namespace: "apps", annotations: &[] }.add(&mut object);
        assert_eq!(
            object,
            json!({"metadata": {"labels": {"team": "a", HELM_NAME: "web", HELM_NAMESPACE: "apps"}, "annotations": {"note": "b"}}})
        );
    }

    #[test]
    fn digests_of_nothing_are_empty() {
        assert_eq!(renderers_digest(&[]), "");
        assert_eq!(common_metadata_digest(None), "");
        let common = CommonMetadata::default();
        assert!(common_metadata_digest(Some(&common)).starts_with("sha256:"));
    }
}
