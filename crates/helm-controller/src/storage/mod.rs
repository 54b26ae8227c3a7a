//! Release records: Helm's own Secrets, read and written with as few requests as possible.
//!
//! Which revisions exist and where they stand is known from a metadata watch ([`index`]); payloads are read only when an
//! action needs them and the record is not among those kept ([`recent`]). Records are packed so that a change of status does not pack the chart again ([`pack`]).

pub mod index;
pub mod pack;
mod recent;

use std::collections::BTreeMap;

use helm::release::{Release, SECRET_TYPE, secret_name};
use http::{HeaderValue, header::ACCEPT};
use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    core::{PartialObjectMeta, Request},
};

pub use index::{Index, Revision};
pub use pack::{Packed, Packer};

/// Asks for an object's metadata only.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// Key of the payload in a Secret.
const PAYLOAD: &str = "release";

/// Why storage could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The API server refused or could not be reached.
    #[error("cannot {verb} release record {namespace}/{name}: {source}")]
    Request {
        /// What was asked for.
        verb: &'static str,
        /// Namespace of the Secret.
        namespace: String,
        /// Name of the Secret.
        name: String,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// The record cannot be read.
    #[error("release record {namespace}/{name} is damaged: {problem}; restore it or delete the Secret")]
    Damaged {
        /// Namespace of the Secret.
        namespace: String,
        /// Name of the Secret.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The record does not fit into a Secret.
    #[error(
        "release record {namespace}/{name} is {size} bytes, more than the 1 MiB a Secret holds; \
         make the chart smaller (large files, crds, unused subcharts)"
    )]
    TooLarge {
        /// Namespace of the Secret.
        namespace: String,
        /// Name of the Secret.
        name: String,
        /// Its size.
        size: usize,
    },
}

/// A record with what is needed to change it cheaply.
#[derive(Clone, Debug)]
pub struct Record {
    /// The release; its chart has metadata only.
    pub release: Release,
    /// The rest of the payload, packed.
    pub packed: Packed,
}

/// The records of one storage namespace.
#[derive(Clone)]
pub struct Storage {
    api: Api<Secret>,
    namespace: String,
    index: Option<Index>,
    manager: &'static str,
}

/// A Secret holds at most this much in all.
const LIMIT: usize = 1 << 20;

impl Storage {
    /// Records in `namespace`; `index` when the watch covers this cluster and namespace.
    pub fn new(client: Client, namespace: &str, index: Option<Index>, manager: &'static str) -> Self {
        Self { api: Api::namespaced(client, namespace), namespace: namespace.to_owned(), index, manager }
    }

    fn failed(&self, verb: &'static str, name: &str) -> impl FnOnce(kube::Error) -> StorageError {
        let (namespace, name) = (self.namespace.clone(), name.to_owned());
        move |source| StorageError::Request { verb, namespace, name, source: Box::new(source) }
    }

    /// The revisions of a release, oldest first.
    pub async fn revisions(&self, release: &str) -> Result<BTreeMap<i64, Revision>, StorageError> {
        if let Some(index) = self.index.as_ref().filter(|index| index.is_synced()) {
            return Ok(index.revisions(&self.namespace, release));
        }
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.api.clone().into_client(), &self.namespace);
        let selector = format!("owner=helm,name={release}");
        let list = api.list(&ListParams::default().labels(&selector)).await.map_err(self.failed("list", release))?;
        Ok(list
            .items
            .iter()
            .filter_map(|object| Revision::read(&object.metadata))
            .map(|(_, version, revision)| (version, revision))
            .collect())
    }

    /// One record; `None` if there is none.
    pub async fn get(&self, release: &str, version: i64) -> Result<Option<Record>, StorageError> {
        if let Some(kept) = self.index.as_ref().and_then(|index| index.kept(&self.namespace, release, version)) {
            return Ok(Some(kept));
        }
        let name = secret_name(release, version);
        let Some(secret) = self.api.get_opt(&name).await.map_err(self.failed("read", &name))? else { return Ok(None) };
        let damaged =
            |problem: String| StorageError::Damaged { namespace: self.namespace.clone(), name: name.clone(), problem };
        let payload = secret
            .data
            .as_ref()
            .and_then(|data| data.get(PAYLOAD))
            .ok_or_else(|| damaged("it has no payload".to_owned()))?;
        let (mut release, packed) = pack::unpack(&payload.0).map_err(damaged)?;
        release.labels = helm::release::user_labels(secret.metadata.labels.as_ref().unwrap_or(&BTreeMap::new()));
        let record = Record { release, packed };
        if let Some(index) = &self.index {
            index.keep(&self.namespace, &record, &secret.metadata);
        }
        Ok(Some(record))
    }

    fn check_size(&self, name: &str, size: usize) -> Result<(), StorageError> {
        if size < LIMIT {
            return Ok(());
        }
        Err(StorageError::TooLarge { namespace: self.namespace.clone(), name: name.to_owned(), size })
    }

    /// Stores a new revision.
    pub async fn create(&self, record: &mut Record, now: Timestamp) -> Result<(), StorageError> {
        let name = secret_name(&record.release.name, record.release.version);
        let payload = record.packed.encode(&record.release);
        self.check_size(&name, payload.len())?;
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                namespace: Some(self.namespace.clone()),
                labels: Some(helm::release::secret_labels(&record.release, ("createdAt", now.as_second()))),
                ..ObjectMeta::default()
            },
            type_: Some(SECRET_TYPE.to_owned()),
            data: Some([(PAYLOAD.to_owned(), ByteString(payload.into_bytes()))].into()),
            ..Secret::default()
        };
        let params = PostParams { field_manager: Some(self.manager.to_owned()), ..PostParams::default() };
        let stored = self.send_new(&params, &secret).await.map_err(self.failed("create", &name))?;
        self.observe(record, &stored.metadata);
        Ok(())
    }

    /// Creates a Secret; only its metadata comes back, for the payload is a hundred times that.
    async fn send_new(&self, params: &PostParams, secret: &Secret) -> Result<PartialObjectMeta<Secret>, kube::Error> {
        let body = serde_json::to_vec(secret).map_err(kube::Error::SerdeError)?;
        let mut request =
            Request::new(self.api.resource_url()).create(params, body).map_err(kube::Error::BuildRequest)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(METADATA));
        self.api.clone().into_client().request(request).await
    }

    /// Writes a changed record over the stored one.
    pub async fn update(&self, record: &mut Record, now: Timestamp) -> Result<(), StorageError> {
        let name = secret_name(&record.release.name, record.release.version);
        let payload = record.packed.encode(&record.release);
        self.check_size(&name, payload.len())?;
        let patch = serde_json::json!({
            "metadata": {"labels": {"status": record.release.info.status, "modifiedAt": now.as_second().to_string()}},
            "data": {PAYLOAD: ByteString(payload.into_bytes())},
        });
        let params = PatchParams { field_manager: Some(self.manager.to_owned()), ..PatchParams::default() };
        let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(self.api.clone().into_client(), &self.namespace);
        let stored = api.patch(&name, &params, &Patch::Merge(patch)).await.map_err(self.failed("update", &name))?;
        self.observe(record, &stored.metadata);
        Ok(())
    }

    /// Deletes one revision.
    pub async fn delete(&self, release: &str, version: i64) -> Result<(), StorageError> {
        let name = secret_name(release, version);
        match self.api.delete(&name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(self.failed("delete", &name)(error)),
        }
        if let Some(index) = &self.index {
            index.forget(&self.namespace, release, version);
        }
        Ok(())
    }

    fn observe(&self, record: &Record, metadata: &ObjectMeta) {
        if let Some(index) = &self.index {
            index.observe(metadata);
            index.keep(&self.namespace, record, metadata);
        }
    }
}

/// Which revisions have to go so that `limit` remain with the new one; the last deployed one always stays.
pub fn surplus(revisions: &BTreeMap<i64, Revision>, limit: i64) -> Vec<i64> {
    let Ok(limit) = usize::try_from(limit) else { return Vec::new() };
    if limit == 0 || revisions.len() < limit {
        return Vec::new();
    }
    let last_deployed =
        revisions.iter().rev().find(|(_, revision)| &*revision.status == "deployed").map(|(version, _)| *version);
    let excess = revisions.len() - limit + 1;
    revisions.keys().copied().filter(|version| Some(*version) != last_deployed).take(excess).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revisions(list: &[(i64, &str)]) -> BTreeMap<i64, Revision> {
        list.iter()
            .map(|(version, status)| {
                (*version, Revision { status: (*status).into(), ours: true, uid: "u".into(), resource_version: 1 })
            })
            .collect()
    }

    #[test]
    fn the_last_deployed_revision_is_never_surplus() {
        let list = revisions(&[(1, "deployed"), (2, "failed"), (3, "failed"), (4, "failed"), (5, "failed")]);
        assert_eq!(surplus(&list, 5), [2]);
        assert_eq!(surplus(&list, 3), [2, 3, 4]);
        assert_eq!(surplus(&list, 0), [] as [i64; 0]);
        assert_eq!(surplus(&list, 10), [] as [i64; 0]);
        assert_eq!(surplus(&revisions(&[(1, "superseded"), (2, "deployed")]), 2), [1]);
    }
}
