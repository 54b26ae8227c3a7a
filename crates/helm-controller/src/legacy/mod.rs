//! `helm.fluxcd.io/v1` HelmReleases: mapped onto the same engine, and its findings mapped back.

pub mod convert;
mod reconcile;
pub mod sources;
pub mod status;

pub use reconcile::LegacyReconciler;

use common::helm_operator::v1::HelmRelease;
use kube::ResourceExt;
use runtime::ObjectKey;

/// The engine's key of a release, apart from that of a HelmRelease of today's group with the same name.
pub fn engine_key(key: &ObjectKey) -> ObjectKey {
    ObjectKey::new(&key.namespace, format!("helm.fluxcd.io/{}", key.name))
}

/// Whether a release takes values from this ConfigMap or Secret.
pub fn reads(release: &HelmRelease, kind: &str, object: &ObjectKey) -> bool {
    let own = release.namespace().unwrap_or_default();
    let named = |selector: Option<&common::helm_operator::v1::OptionalKeySelector>| {
        selector.is_some_and(|selector| {
            selector.name == object.name && selector.namespace.as_deref().unwrap_or(&own) == object.namespace
        })
    };
    let secrets = kind == "Secret"
        && object.namespace == own
        && release.spec.value_file_secrets.iter().any(|secret| secret.name == object.name);
    secrets
        || release.spec.values_from.iter().any(|source| match kind {
            "ConfigMap" => named(source.config_map_key_ref.as_ref()),
            _ => named(source.secret_key_ref.as_ref()),
        })
}
