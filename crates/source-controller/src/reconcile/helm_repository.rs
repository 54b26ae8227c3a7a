//! HelmRepository: fetch the index, store it so that charts can be found in it.

use std::collections::HashMap;
use std::io::{BufReader, Seek as _, Write as _};
use std::sync::Arc;

use artifact::source::SourceKind;
use common::error::chain;
use common::meta::SourceObject as _;
use common::names::{event, reason};
use common::source::v1::HelmRepository;
use kube::ResourceExt as _;
use parking_lot::Mutex;
use runtime::{Action, ObjectKey, Reconcile};

use super::context::Context;
use super::driver::{Built, Kind, drive, replace_artifact, source_of};
use super::plan::{check_helm_repository, invalid_url};
use crate::credentials::SecretData;
use crate::failure::{Error, Failure};
use crate::outcome::Success;
use crate::store::StoreError;
use chart_repository::download::{Access, DownloadError, Index};
use chart_repository::index::{self, IndexError, IndexTable};

impl Kind for HelmRepository {
    const KIND: SourceKind = SourceKind::HelmRepository;

    fn clear_url(&mut self) {
        if let Some(status) = &mut self.status {
            status.url = None;
        }
    }
}

/// What the server called the index that is stored, and the revision that this was.
#[derive(Clone, Debug)]
struct Known {
    url: String,
    entity_tag: String,
    revision: String,
}

/// Reconciles HelmRepositories.
pub struct HelmRepositoryReconciler {
    context: Arc<Context>,
    known: Mutex<HashMap<ObjectKey, Known>>,
}

impl HelmRepositoryReconciler {
    /// A reconciler.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context, known: Mutex::default() }
    }
}

impl Reconcile<HelmRepository> for HelmRepositoryReconciler {
    type Error = Error;

    async fn reconcile(&self, object: Arc<HelmRepository>) -> Result<Action, Error> {
        let context = &self.context;
        let before = object.artifact().cloned();
        let key = ObjectKey::of(object.as_ref());
        let objects = &context.kinds.helm_repositories;
        let outcome = drive(context, objects, object, async |next| self.build(next).await).await;
        if objects.get(&key).and_then(|now| now.artifact().cloned()) != before {
            super::helm_chart::wake_for(context, common::source::v1::SourceKind::HelmRepository, &key);
        }
        outcome
    }

    fn is_relevant(&self, old: &HelmRepository, new: &HelmRepository) -> bool {
        super::driver::is_relevant(old, new)
    }

    fn gone(&self, key: &ObjectKey) {
        self.known.lock().remove(key);
        super::git_repository::forget(&self.context, SourceKind::HelmRepository, key);
    }
}

/// Access to a repository: its URL after mirrors, and what its Secrets give.
pub(super) async fn access(context: &Context, repository: &HelmRepository) -> Result<Access, Failure> {
    let namespace = repository.namespace().unwrap_or_default();
    let authentication = |message: String| Failure::fetch(reason::AUTHENTICATION_FAILED, message);
    let read = async |name: &str, what: &str| {
        SecretData::read(&context.client, &namespace, name)
            .await
            .map_err(|error| authentication(format!("failed to get {what} '{namespace}/{name}': {}", chain(&error))))
    };
    let (url, embedded) = Access::parse_url(&repository.spec.url).map_err(invalid_url)?;
    let mirrored = context.mirrors.apply(url.as_str());
    let (url, _) = Access::parse_url(&mirrored).map_err(invalid_url)?;
    let mut access = Access {
        url,
        auth: embedded,
        tls: http_client::TlsMaterial::default(),
        pass_credentials: repository.spec.pass_credentials,
        timeout: repository.spec.timeout().to_std(),
    };
    if let Some(reference) = &repository.spec.secret_ref {
        let secret = read(&reference.name, "authentication secret").await?;
        let detect = |message: String| authentication(format!("failed to detect authentication methods: {message}"));
        let basic = secret.basic().map_err(detect)?;
        if basic.is_some() {
            access.auth = basic;
        }
        access.tls = secret.tls().map_err(detect)?;
    }
    if let Some(reference) = &repository.spec.cert_secret_ref {
        let secret = read(&reference.name, "TLS authentication secret").await?;
        access.tls = secret
            .tls()
            .map_err(|message| authentication(format!("failed to construct Helm client's TLS config: {message}")))?;
    }
    // Whatever is wrong with certificates is said before anything is fetched.
    context
        .http
        .client(&access.tls, None)
        .map_err(|error| authentication(format!("failed to construct Helm client's TLS config: {}", chain(&error))))?;
    Ok(access)
}

/// Why the index could not be stored.
enum WriteError {
    Store(StoreError),
    Index(IndexError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl HelmRepositoryReconciler {
    async fn build(&self, object: &mut HelmRepository) -> Result<Built, Failure> {
        let context = &self.context;
        check_helm_repository(object)?;
        let access = access(context, object).await?;
        let key = ObjectKey::of(object);
        if !stored_by_us(context, object) {
            object.set_artifact(None);
        }
        let stored = object.artifact().map(|artifact| artifact.revision.clone());
        let known = self
            .known
            .lock()
            .get(&key)
            .cloned()
            .filter(|known| known.url == access.url.as_str() && stored.as_deref() == Some(&known.revision));

        let mut download = tempfile::tempfile_in(context.store.root())
            .map_err(|error| Failure::storage(reason::DIRECTORY_CREATION_FAILED, error.to_string()))?;
        let entity_tag = known.as_ref().map(|known| known.entity_tag.as_str());
        let index = access
            .index(&context.http, entity_tag, context.settings.index_bytes, &mut download)
            .await
            .map_err(|error| fetch_failed(&error))?;
        let (digest, entity_tag) = match index {
            Index::Unchanged => return Ok(unchanged(stored.as_deref().unwrap_or_default())),
            Index::Fetched { digest, entity_tag } => (digest, entity_tag),
        };
        let revision = format!("sha256:{digest}");
        if let Some(entity_tag) = entity_tag {
            let url = access.url.to_string();
            self.known.lock().insert(key, Known { url, entity_tag, revision: revision.clone() });
        }
        if stored.as_deref() == Some(&revision) {
            return Ok(unchanged(&revision));
        }

        let (store, source, now) = (context.store.clone(), source_of(object), context.clock.now());
        let (name, new_revision) = (format!("index-{digest}.yaml"), revision.clone());
        let (artifact, table, url) = context
            .block(move || {
                let mut table = IndexTable::default();
                download
                    .rewind()
                    .map_err(|error| Failure::storage(reason::READ_OPERATION_FAILED, error.to_string()))?;
                let written = store.write(&source, &name, &new_revision, now, |target| {
                    let mut target = std::io::BufWriter::with_capacity(64 << 10, target);
                    let input = BufReader::with_capacity(64 << 10, download);
                    table = index::convert(input, &mut target).map_err(WriteError::Index)?;
                    target.flush().map_err(|error| WriteError::Store(error.into()))
                });
                let artifact = written.map_err(store_failed)?;
                let url = store
                    .link(&artifact, "index.yaml")
                    .map_err(|error| Failure::storage(reason::SYMLINK_UPDATE_FAILED, error.to_string()))?;
                Ok((artifact, table, url))
            })
            .await?;
        context.tables.put(context.store.local_path(&artifact), table);
        let size = artifact.size.unwrap_or_default();
        replace_artifact(context, object, artifact);
        object.status.get_or_insert_default().url = Some(url);
        let mut built = unchanged(&revision);
        let from = common::url::mask(&object.spec.url);
        built.event_message = format!("stored fetched index of size {} from '{from}'", human_size(size));
        Ok(built)
    }
}

/// An index that an upstream controller stored before us is fetched again: ours is laid out for finding charts.
fn stored_by_us(context: &Context, object: &HelmRepository) -> bool {
    object.artifact().is_none_or(|artifact| {
        fs_err::File::open(context.store.local_path(artifact)).is_ok_and(|mut file| index::is_ours(&mut file))
    })
}

fn unchanged(revision: &str) -> Built {
    let message = format!("stored artifact: revision '{revision}'");
    Built {
        success: Success { reason: reason::SUCCEEDED, message: message.clone() },
        event_reason: event::NEW_ARTIFACT,
        recovery_reason: reason::SUCCEEDED,
        event_message: message,
    }
}

fn fetch_failed(error: &DownloadError) -> Failure {
    Failure::fetch(reason::FAILED, format!("failed to fetch Helm repository index: {}", chain(error)))
}

fn store_failed(error: WriteError) -> Failure {
    match error {
        WriteError::Index(error) => Failure::fetch(
            reason::INDEXATION_FAILED,
            format!("failed to load Helm repository from index YAML: failed to load index: {}", chain(&error)),
        ),
        WriteError::Store(error) => Failure::storage(
            reason::ARCHIVE_OPERATION_FAILED,
            format!("unable to save artifact to storage: {}", chain(&error)),
        ),
    }
}

/// A size as upstream's events show it: four significant digits, decimal units.
fn human_size(bytes: i64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let digits = if value >= 100.0 {
        1
    } else if value >= 10.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in
            [(0, "0B"), (999, "999B"), (1000, "1kB"), (1234, "1.234kB"), (43_190, "43.19kB"), (2_500_000, "2.5MB")]
        {
            assert_eq!(human_size(bytes), text);
        }
    }
}
