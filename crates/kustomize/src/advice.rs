//! What a kustomization asks for and has no effect. Never an error: upstream says nothing of it.

use crate::{
    build::Session,
    res_map::ResMap,
    resource::{Origin, Resource},
};

/// Generated ConfigMaps and Secrets that nothing names. Those with a fixed name may be named from elsewhere; a name with a
/// hash can be known to this build alone.
pub(crate) fn unused_generators(session: &Session, resources: &ResMap) {
    let is_unused =
        |resource: &&Resource| resource.needs_hash && resource.referrers == 0 && resource.bound_vars.is_empty();
    for resource in resources.iter().filter(is_unused) {
        let id = resource.original_id();
        let configured_in = resource.origin.as_deref().map(configured).unwrap_or_default();
        session.advise(format!("{configured_in}nothing refers to the generated {} {}", id.gvk.kind, id.name));
    }
}

fn configured(origin: &Origin) -> String {
    if origin.configured_in.is_empty() { String::new() } else { format!("{}: ", origin.configured_in) }
}
