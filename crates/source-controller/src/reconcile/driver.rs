//! The reconcile contract that all kinds share: finalizer, suspension, storage check, one status patch, events, requeue.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use artifact::source::{Source, SourceKind};
use common::meta::{Artifact, SourceObject, annotation_value};
use common::names::{annotation, event, field_manager, finalizer, reason};
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use runtime::Action;
use runtime::events::{Event, Severity, inherited_metadata, reference};
use runtime::store::Store as Objects;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::Context;
use super::plan::{Step, first_step};
use crate::failure::{Error, Failure};
use crate::outcome::{Situation, Success, had_failed, summarise};
use crate::store::Presence;

/// A kind with an artifact that this controller makes.
pub(super) trait Kind:
    SourceObject
    + Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// The kind's name in artifact paths.
    const KIND: SourceKind;

    /// Forgets the URL of the latest artifact.
    fn clear_url(&mut self) {}
}

/// What a build brought about; its artifact is in the status already.
pub(super) struct Built {
    /// What the conditions say.
    pub(super) success: Success,
    /// Reason of the event about a new artifact.
    pub(super) event_reason: &'static str,
    /// Reason of the event about a recovery.
    pub(super) recovery_reason: &'static str,
    /// Message of either event.
    pub(super) event_message: String,
}

/// The source an object is.
pub(super) fn source_of<K: Kind>(object: &K) -> Source {
    let meta = object.meta();
    Source::new(K::KIND, meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

/// Whether a change of the stored object asks for a reconcile. Finalizers are left out of the usual rule: adding ours would
/// bring a second look at the remote for nothing, and it is added back at the next interval when somebody takes it away.
pub(super) fn is_relevant<K: Kind>(old: &K, new: &K) -> bool {
    let (mut old, new) = (old.meta().clone(), new.meta());
    old.finalizers.clone_from(&new.finalizers);
    runtime::controller::asks_for_reconcile(&old, new)
}

/// One reconcile. `build` fetches and stores, and records what it did in the status of the object it is given.
pub(super) async fn drive<K, B>(
    context: &Context,
    objects: &Objects<K>,
    object: Arc<K>,
    build: B,
) -> Result<Action, Error>
where
    K: Kind,
    B: AsyncFnOnce(&mut K) -> Result<Built, Failure>,
{
    let source = source_of(object.as_ref());
    let api: Api<K> = Api::namespaced(context.client.clone(), &source.namespace);
    let kind = K::kind(&());
    let key = runtime::ObjectKey::of(object.as_ref());
    context.metrics.suspended(&kind, &key, object.is_suspended());
    let mut object = object;
    match first_step(object.as_ref()) {
        Step::Nothing => return Ok(Action::Await),
        Step::Finalize => {
            remove_everything(context, &source).await?;
            return set_finalizer(&api, objects, object.as_ref(), false).await.map(|_| Action::Await);
        }
        Step::Suspended => {
            tracing::info!("reconciliation is suspended for this object");
            if let Some(artifact) = object.artifact() {
                context.catalogue.publish(&source, artifact);
            }
            return Ok(Action::Await);
        }
        Step::Adopt => match set_finalizer(&api, objects, object.as_ref(), true).await? {
            Some(adopted) if first_step(adopted.as_ref()) == Step::Build => object = adopted,
            _ => return Ok(Action::Await),
        },
        Step::Build => {}
    }

    let mut next = K::clone(&object);
    let checked = check_storage(context, &source, &mut next).await;
    let outcome = match checked {
        Ok(()) => build(&mut next).await,
        Err(failure) => Err(failure),
    };
    if let Some(requested) = annotation_value(object.as_ref(), annotation::REQUESTED_AT).map(str::to_owned) {
        next.set_last_handled_reconcile_at(Some(requested));
    }
    let situation = Situation {
        generation: object.generation(),
        observed: object.observed_generation(),
        has_artifact: next.artifact().is_some(),
        now: context.clock.now(),
    };
    let is_observed = summarise(next.conditions_mut(), outcome.as_ref().map(|built| &built.success), situation);
    if is_observed {
        next.set_observed_generation(situation.generation);
    }
    report(context, object.as_ref(), &next, &outcome);
    for condition in next.conditions() {
        context.metrics.condition(&kind, &key, &condition.type_, &condition.status);
    }
    patch_status(&api, objects, object.as_ref(), &next).await?;
    outcome?;
    let interval = next.interval().map_or(std::time::Duration::from_secs(60), common::duration::GoDuration::to_std);
    Ok(Action::RequeueAfter(runtime::backoff::jittered_interval(interval, context.settings.jitter, random())))
}

/// Where in the jitter's range this requeue falls: spread evenly, without a generator to hand around.
fn random() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

async fn remove_everything(context: &Context, source: &Source) -> Result<(), Failure> {
    context.catalogue.remove(source);
    let (store, directory) = (context.store.clone(), source.clone());
    context
        .block(move || {
            store.remove_all(&directory).map_err(|error| {
                Failure::storage(
                    event::GARBAGE_COLLECTION_FAILED,
                    format!("garbage collection for deleted resource failed: {error}"),
                )
            })
        })
        .await
}

async fn set_finalizer<K: Kind>(
    api: &Api<K>,
    objects: &Objects<K>,
    object: &K,
    wanted: bool,
) -> Result<Option<Arc<K>>, Error> {
    let patched = runtime::finalizer::set(api, object, finalizer::FLUX, field_manager::SOURCE, wanted).await;
    match patched {
        Ok(Some(patched)) => {
            let patched = Arc::new(patched);
            if wanted {
                // The watch brings the same; a state that is older than the watch's is passed over.
                let _ = objects.observe_shared(Arc::clone(&patched));
            }
            Ok(Some(patched))
        }
        Ok(None) => Ok(Some(Arc::new(object.clone()))),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(source) => Err(Error::Kubernetes { action: "change the finalizers", source }),
    }
}

/// Compares the status's artifact with what is stored, rewrites its URL for our address, and removes what is too old.
async fn check_storage<K: Kind>(context: &Context, source: &Source, object: &mut K) -> Result<(), Failure> {
    let Some(mut artifact) = object.artifact().cloned() else { return Ok(()) };
    artifact.url = context.store.url(&artifact.path);
    let (store, owner, now) = (context.store.clone(), source.clone(), context.clock.now());
    let (artifact, presence) = context
        .block(move || {
            let is_own = artifact.path.starts_with(&format!("{}/", owner.directory()));
            let presence = if is_own { store.presence(&artifact) } else { Ok(Presence::Missing) };
            let presence =
                presence.map_err(|error| Failure::storage(reason::STAT_OPERATION_FAILED, error.to_string()))?;
            if let Presence::Damaged { .. } = presence {
                store.remove(&artifact).map_err(|error| {
                    Failure::storage(
                        reason::STAT_OPERATION_FAILED,
                        format!("failed to remove artifact after digest mismatch: {error}"),
                    )
                })?;
            } else if presence == Presence::Present {
                // A file that cannot be removed now will be the next time.
                match store.collect(&owner, &artifact, now.into()) {
                    Ok(0) => {}
                    Ok(count) => tracing::debug!("garbage collected {count} artifacts"),
                    Err(error) => tracing::warn!(error = %error, "garbage collection of artifacts failed"),
                }
            }
            Ok((artifact, presence))
        })
        .await?;
    match presence {
        Presence::Present => {
            context.catalogue.publish(source, &artifact);
            object.set_artifact(Some(artifact));
        }
        Presence::Missing => forget(object),
        Presence::Damaged { actual } => {
            let message = format!(
                "failed to verify integrity of artifact: computed digest doesn't match '{}': {actual}",
                artifact.digest
            );
            tracing::warn!("{message}");
            publish(context, object, Severity::Error, "ArtifactVerificationFailed", message, BTreeMap::new());
            forget(object);
        }
    }
    Ok(())
}

fn forget<K: Kind>(object: &mut K) {
    object.set_artifact(None);
    object.clear_url();
}

/// Events: a new artifact, a recovery, or the failure.
fn report<K: Kind>(context: &Context, old: &K, new: &K, outcome: &Result<Built, Failure>) {
    match outcome {
        Err(failure) => {
            publish(context, new, Severity::Error, failure.reason, failure.message.clone(), BTreeMap::new());
        }
        Ok(built) => {
            let Some(artifact) = new.artifact() else { return };
            let is_new = old.artifact().is_none_or(|old| old.digest != artifact.digest);
            let reason = match (is_new, had_failed(old.conditions())) {
                (true, _) => built.event_reason,
                (false, true) => built.recovery_reason,
                (false, false) => return,
            };
            tracing::info!(revision = artifact.revision, "{}", built.event_message);
            let metadata = BTreeMap::from([
                (annotation::SOURCE_REVISION.to_owned(), artifact.revision.clone()),
                (annotation::SOURCE_DIGEST.to_owned(), artifact.digest.clone()),
            ]);
            publish(context, new, Severity::Info, reason, built.event_message.clone(), metadata);
        }
    }
}

fn publish<K: Kind>(
    context: &Context,
    object: &K,
    severity: Severity,
    reason: &str,
    message: String,
    metadata: BTreeMap<String, String>,
) {
    let mut all = inherited_metadata(object.meta());
    all.extend(metadata);
    context.events.publish(Event {
        object: reference(object),
        severity,
        reason: reason.to_owned(),
        message,
        metadata: all,
    });
}

async fn patch_status<K: Kind>(api: &Api<K>, objects: &Objects<K>, old: &K, new: &K) -> Result<(), Error> {
    let failed = |source| Error::Kubernetes { action: "write the status", source };
    let status = |object: &K| {
        let value = serde_json::to_value(object).map_err(kube::Error::SerdeError).map_err(failed)?;
        Ok::<Value, Error>(value.get("status").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new())))
    };
    let name = old.meta().name.as_deref().unwrap_or_default();
    let patched =
        runtime::status::patch_status(api, name, field_manager::SOURCE, &status(old)?, &status(new)?, None).await;
    match patched {
        Ok(Some(patched)) => {
            // The watch may have brought something newer, which then stands.
            let _ = objects.observe(patched);
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => Err(failed(source)),
    }
}

/// The artifact, and whether it is another one than before. An artifact of the same revision and digest keeps its time.
pub(super) fn replace_artifact<K: Kind>(context: &Context, object: &mut K, artifact: Artifact) -> bool {
    let source = source_of(object);
    let is_same = object.artifact().is_some_and(|old| {
        old.revision == artifact.revision && old.digest == artifact.digest && old.path == artifact.path
    });
    if !is_same {
        context.catalogue.publish(&source, &artifact);
        object.set_artifact(Some(artifact));
    }
    !is_same
}
