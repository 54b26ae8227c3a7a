//! One cluster as one identity sees it: apply, read and delete single objects.

use std::sync::Arc;

use http::{Request, StatusCode};
use kube::{
    Client,
    core::{
        DynamicObject, Resource as _,
        params::{
            DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
        },
    },
};
use serde_json::Value;

use crate::{
    Error,
    discovery::{Discovery, api_resource},
    managers,
    object::{ObjectRef, text},
    readiness::Observed,
    watches::Watches,
};

/// A cluster and the identity used on it. Cheap to clone.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    discovery: Arc<Discovery>,
    watches: Watches,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// How unknown and duplicate fields are dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are errors.
    Strict,
    /// They are dropped.
    Ignore,
}

/// How an object is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// Field manager.
    pub manager: String,
    /// Take over fields that other managers own.
    pub force: bool,
    /// What to do about unknown fields.
    pub validation: FieldValidation,
    /// Ask the server for the result without storing it.
    pub dry_run: bool,
    /// Field managers whose fields become this one's: whoever else brought the object here on the same user's behalf.
    pub former: Option<fn(&str) -> bool>,
}

impl ApplyOptions {
    fn params(&self) -> PatchParams {
        let mut params = PatchParams::apply(&self.manager);
        params.force = self.force;
        params.dry_run = self.dry_run;
        match self.validation {
            FieldValidation::Strict => params.validation_strict(),
            FieldValidation::Ignore => params.validation_ignore(),
        }
    }
}

/// An object as the server stored it.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The object, with its namespace filled in.
    pub object: ObjectRef,
    /// Whether it did not exist before.
    pub created: bool,
    /// Its state in the answer.
    pub observed: Observed,
}

/// What becomes of an object's dependents when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay.
    Orphan,
}

/// What a deletion found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteOutcome {
    /// There is no such object any more.
    Gone,
    /// It is going: finalizers, dependents or a grace period hold it.
    Terminating(Observed),
}

impl Cluster {
    /// A cluster as `client` sees it. Identities on one cluster share its discovery and watches.
    pub fn new(client: Client, discovery: Arc<Discovery>, watches: Watches) -> Self {
        Self { client, discovery, watches }
    }

    /// The same cluster as another identity sees it.
    pub fn with_client(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }

    /// The client underneath.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the cluster serves.
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// The shared watches of the cluster.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// Fills in the namespace of a namespaced object that states none, and empties that of a cluster-scoped one.
    pub async fn locate(&self, object: &Value, default_namespace: &str) -> Result<ObjectRef, Error> {
        self.locate_ref(ObjectRef::of(object)?, default_namespace).await
    }

    async fn locate_ref(&self, mut reference: ObjectRef, default_namespace: &str) -> Result<ObjectRef, Error> {
        let resource = self.discovery.resolve(&self.client, &reference).await?;
        if !resource.namespaced {
            reference.namespace.clear();
        } else if reference.namespace.is_empty() {
            default_namespace.clone_into(&mut reference.namespace);
        }
        Ok(reference)
    }

    async fn path(&self, object: &ObjectRef) -> Result<String, Error> {
        let resource = self.discovery.resolve(&self.client, object).await?;
        let namespace = resource.namespaced.then_some(object.namespace.as_str());
        Ok(DynamicObject::url_path(&api_resource(&object.gvk, &resource), namespace))
    }

    /// Applies one object server-side.
    pub async fn apply(
        &self,
        object: &Value,
        default_namespace: &str,
        options: &ApplyOptions,
    ) -> Result<Applied, Error> {
        let (reference, created, mut stored) = self.apply_raw(object, default_namespace, options).await?;
        if let Some(former) = options.former
            && let Some(patch) = managers::take_over(&stored, &options.manager, former)
        {
            // The second apply removes what was theirs and is not in the object any more.
            self.json_patch(&reference, patch, &options.manager).await?;
            (_, _, stored) = self.apply_raw(object, default_namespace, options).await?;
        }
        let observed = Observed::of(&stored);
        Ok(Applied { object: reference, created, observed })
    }

    /// Applies one object and returns it as stored (or, in a dry run, as it would be).
    pub async fn apply_raw(
        &self,
        object: &Value,
        default_namespace: &str,
        options: &ApplyOptions,
    ) -> Result<(ObjectRef, bool, Value), Error> {
        let reference = self.locate(object, default_namespace).await?;
        let request = kube::core::Request::new(self.path(&reference).await?)
            .patch(&reference.name, &options.params(), &Patch::Apply(object))
            .map_err(|error| Error::request(reference.to_string(), "apply", kube::Error::BuildRequest(error)))?;
        let (status, stored) = self.send(&reference, "apply", request).await?;
        Ok((reference, status == StatusCode::CREATED, stored))
    }

    /// Creates one object; an existing one is an error.
    pub async fn create(&self, object: &Value, default_namespace: &str, manager: &str) -> Result<Applied, Error> {
        let reference = self.locate(object, default_namespace).await?;
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let body = serde_json::to_vec(object)
            .map_err(|error| Error::InvalidObject { object: reference.to_string(), problem: error.to_string() })?;
        let request = kube::core::Request::new(self.path(&reference).await?)
            .create(&params, body)
            .map_err(|error| Error::request(reference.to_string(), "create", kube::Error::BuildRequest(error)))?;
        let (_, stored) = self.send(&reference, "create", request).await?;
        Ok(Applied { object: reference, created: true, observed: Observed::of(&stored) })
    }

    /// Reads one object; `None` if it does not exist or its kind is not served.
    pub async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, Error> {
        let path = match self.path(object).await {
            Ok(path) => path,
            Err(Error::UnknownKind { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let request = kube::core::Request::new(path)
            .get(&object.name, &GetParams::default())
            .map_err(|error| Error::request(object.to_string(), "get", kube::Error::BuildRequest(error)))?;
        match self.send(object, "get", request).await {
            Ok((_, stored)) => Ok(Some(stored)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the objects of a kind, in one namespace or (with an empty one) all; `None` if the kind is not served.
    pub async fn list(&self, kind: &ObjectRef) -> Result<Option<Value>, Error> {
        let resource = match self.discovery.resolve(&self.client, kind).await {
            Ok(resource) => resource,
            Err(Error::UnknownKind { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let namespace = (resource.namespaced && !kind.namespace.is_empty()).then_some(kind.namespace.as_str());
        let request = kube::core::Request::new(DynamicObject::url_path(&api_resource(&kind.gvk, &resource), namespace))
            .list(&ListParams::default())
            .map_err(|error| Error::request(kind.to_string(), "list", kube::Error::BuildRequest(error)))?;
        self.send(kind, "list", request).await.map(|(_, list)| Some(list))
    }

    /// Patches one object with a JSON patch.
    pub async fn json_patch(&self, object: &ObjectRef, patch: json_patch::Patch, manager: &str) -> Result<(), Error> {
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let request = kube::core::Request::new(self.path(object).await?)
            .patch(&object.name, &params, &Patch::Json::<()>(patch))
            .map_err(|error| Error::request(object.to_string(), "patch", kube::Error::BuildRequest(error)))?;
        self.send(object, "patch", request).await.map(|_| ())
    }

    /// Asks for one object to be deleted; does not wait. With `uid`, only that very object.
    pub async fn delete(
        &self,
        object: &ObjectRef,
        propagation: Propagation,
        uid: Option<&str>,
    ) -> Result<DeleteOutcome, Error> {
        let path = match self.path(object).await {
            Ok(path) => path,
            // A kind that is not served has no objects.
            Err(Error::UnknownKind { .. }) => return Ok(DeleteOutcome::Gone),
            Err(error) => return Err(error),
        };
        let params = DeleteParams {
            propagation_policy: Some(match propagation {
                Propagation::Background => PropagationPolicy::Background,
                Propagation::Foreground => PropagationPolicy::Foreground,
                Propagation::Orphan => PropagationPolicy::Orphan,
            }),
            preconditions: uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        let request = kube::core::Request::new(path)
            .delete(&object.name, &params)
            .map_err(|error| Error::request(object.to_string(), "delete", kube::Error::BuildRequest(error)))?;
        match self.send(object, "delete", request).await {
            // The answer is a Status once the object is gone, and the object itself while something holds it.
            Ok((_, answer)) if text(&answer, "/kind") == "Status" && text(&answer, "/apiVersion") == "v1" => {
                Ok(DeleteOutcome::Gone)
            }
            Ok((_, answer)) if text(&answer, "/metadata/deletionTimestamp").is_empty() => Ok(DeleteOutcome::Gone),
            Ok((_, answer)) => Ok(DeleteOutcome::Terminating(Observed::of(&answer))),
            Err(error) if error.is_not_found() => Ok(DeleteOutcome::Gone),
            // Another object took its name.
            Err(Error::Refused { code: 409, .. }) if uid.is_some() => Ok(DeleteOutcome::Gone),
            Err(error) => Err(error),
        }
    }

    /// Creates a namespace as Helm does, if it does not exist.
    pub async fn ensure_namespace(&self, name: &str, manager: &str) -> Result<(), Error> {
        let namespace = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"name": name}},
        });
        match self.create(&namespace, "", manager).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn send(
        &self,
        object: &ObjectRef,
        verb: &'static str,
        request: Request<Vec<u8>>,
    ) -> Result<(StatusCode, Value), Error> {
        let failed = |error| Error::request(object.to_string(), verb, error);
        let response = self.client.send(request.map(kube::client::Body::from)).await.map_err(failed)?;
        let status = response.status();
        let body = response.into_body().collect_bytes().await.map_err(failed)?;
        if status.is_success() {
            let value = serde_json::from_slice(&body).map_err(|error| failed(kube::Error::SerdeError(error)))?;
            return Ok((status, value));
        }
        let status_object: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = text(&status_object, "/message");
        Err(Error::Refused {
            object: object.to_string(),
            verb,
            code: status.as_u16(),
            reason: text(&status_object, "/reason").to_owned(),
            message: if message.is_empty() { format!("the API server answered {status}") } else { message.to_owned() },
        })
    }
}
