//! Patches whose answers are read without their managed fields.

use common::unread::Unread;
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
    core::Request,
};
use serde::{Serialize, de::DeserializeOwned, de::Error as _};

/// Patches an object; returns it as stored, without managed fields.
pub async fn object<K: Resource + Clone + DeserializeOwned>(
    api: &Api<K>,
    name: &str,
    params: &PatchParams,
    patch: &Patch<impl Serialize>,
) -> Result<K, kube::Error> {
    let request = Request::new(api.resource_url()).patch(name, params, patch).map_err(kube::Error::BuildRequest)?;
    send(api, request).await
}

/// Patches an object's status; returns the object as stored, without managed fields.
pub(crate) async fn status<K: Resource + Clone + DeserializeOwned>(
    api: &Api<K>,
    name: &str,
    params: &PatchParams,
    patch: &Patch<impl Serialize>,
) -> Result<K, kube::Error> {
    let request = Request::new(api.resource_url())
        .patch_subresource("status", name, params, patch)
        .map_err(kube::Error::BuildRequest)?;
    send(api, request).await
}

async fn send<K: Resource + Clone + DeserializeOwned>(
    api: &Api<K>,
    request: http::Request<Vec<u8>>,
) -> Result<K, kube::Error> {
    let stored: Unread<K> = api.clone().into_client().request(request).await?;
    stored.read().map_err(|invalid| kube::Error::SerdeError(serde_json::Error::custom(invalid.error)))
}
