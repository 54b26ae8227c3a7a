//! Adding and removing our finalizer without disturbing others'.

use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Whether the object carries `finalizer`.
pub fn has<K: Resource>(object: &K, finalizer: &str) -> bool {
    object.meta().finalizers.iter().flatten().any(|present| present == finalizer)
}

/// The finalizers of an object with one added or taken away.
fn with<K: Resource>(object: &K, finalizer: &str, wanted: bool) -> Vec<String> {
    let mut finalizers = object.meta().finalizers.clone().unwrap_or_default();
    finalizers.retain(|present| present != finalizer);
    if wanted {
        finalizers.push(finalizer.to_owned());
    }
    finalizers
}

/// Makes `finalizer` present (`wanted`) or absent; nothing is sent when it already is. Returns the object as stored,
/// without managed fields.
///
/// The write carries the resource version, because a list in a merge patch replaces what somebody else may have added
/// meanwhile; on a conflict the caller retries with the newer object.
pub async fn set<K>(
    api: &Api<K>,
    object: &K,
    finalizer: &str,
    field_manager: &str,
    wanted: bool,
) -> Result<Option<K>, kube::Error>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    if has(object, finalizer) == wanted {
        return Ok(None);
    }
    let meta = object.meta();
    let patch = json!({ "metadata": {
        "resourceVersion": meta.resource_version,
        "finalizers": with(object, finalizer, wanted),
    }});
    let params = PatchParams { field_manager: Some(field_manager.to_owned()), ..PatchParams::default() };
    let name = meta.name.as_deref().unwrap_or_default();
    crate::patch::object(api, name, &params, &Patch::Merge(patch)).await.map(Some)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    #[test]
    fn others_finalizers_stay() {
        let mut object = ConfigMap::default();
        object.metadata.finalizers = Some(vec!["other".into()]);
        assert_eq!(with(&object, "ours", true), ["other", "ours"]);
        object.metadata.finalizers = Some(vec!["ours".into(), "other".into()]);
        assert!(has(&object, "ours"));
        assert_eq!(with(&object, "ours", false), ["other"]);
    }
}
