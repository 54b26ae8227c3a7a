//! Carrying out the steps of a running action, up to the point where it has to wait.

use std::time::Duration;

use apply::{
    ApplyOptions, DeleteOutcome, ErrorClass, FieldValidation, ObjectRef, Propagation, batch,
    object::annotation,
    readiness::{Condition, Observed, Required, Run, Sighting},
};
use common::names::{annotation::HELM_RESOURCE_POLICY, field_manager};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{EngineError, Running, Sink, Subject, view::WatchView};
use crate::{
    action::{Failure, Step},
    hooks,
    manifest::{self, Document},
    postrender::Additions,
};

/// How soon something is looked up again that no watch shows.
const LOOK: Duration = Duration::from_secs(1);

impl<S: Sink> Subject<'_, S> {
    /// Goes on with an action. `None` when it is over, else when to look again at the latest.
    pub(super) async fn drive(&mut self, running: &mut Running) -> Result<Option<Timestamp>, EngineError> {
        loop {
            let now = self.now();
            let step = {
                let watches = self.target.cluster.watches().clone();
                let view = WatchView { watches: &watches, gone: &running.gone };
                running.machine.step(now, &view)
            };
            match step {
                Step::Done(_) => return Ok(None),
                Step::Await { until, what } => {
                    tracing::debug!(what, "waiting");
                    if self.look_up(running).await? {
                        continue;
                    }
                    let watches = self.target.cluster.watches();
                    let unseen = |required: &Required| {
                        watches.is_denied(&required.object) || watches.sighting(&required.object) == Sighting::Unsynced
                    };
                    let poll = running.machine.going().next().is_some() || running.machine.awaited().any(unseen);
                    let look = now.saturating_add(SignedDuration::try_from(LOOK).unwrap_or_default()).unwrap_or(until);
                    return Ok(Some(if poll { until.min(look) } else { until }));
                }
                Step::Apply => match self.apply_manifest(running).await? {
                    None => {}
                    Some(again) => return Ok(Some(again)),
                },
                Step::Delete => {
                    if let Some(again) = self.delete_manifest(running).await? {
                        return Ok(Some(again));
                    }
                }
                Step::ClearHook(index) => {
                    let object = self.hook_object(running, index)?;
                    let reference = self.locate(running, &object).await;
                    let going = match reference {
                        Ok(reference) => {
                            match self.target.cluster.delete(&reference, Propagation::Background, None).await? {
                                DeleteOutcome::Gone => None,
                                DeleteOutcome::Terminating(observed) => {
                                    self.watch(running, &reference).await?;
                                    Some((reference, observed.uid.to_string()))
                                }
                            }
                        }
                        Err(_) => None,
                    };
                    running.machine.hook_cleared(going, now);
                }
                Step::StartHook(index) => self.start_hook(running, index).await?,
                Step::FindHook(index) => {
                    let object = self.hook_object(running, index)?;
                    let reference = self.locate(running, &object).await?;
                    match self.target.cluster.get(&reference).await? {
                        Some(live) => {
                            self.watch(running, &reference).await?;
                            let required = Required { object: reference, applied: Observed::of(&live) };
                            running.machine.hook_started(required, now);
                        }
                        None => running.machine.hook_lost(index),
                    }
                }
                Step::CleanHooks(list) => {
                    for index in list {
                        let object = self.hook_object(running, index)?;
                        if let Ok(reference) = self.locate(running, &object).await {
                            self.target.cluster.delete(&reference, Propagation::Background, None).await?;
                        }
                    }
                    running.machine.hooks_cleaned();
                }
            }
        }
    }

    /// Looks for objects that the watches cannot see; whether there is news of one.
    async fn look_up(&self, running: &mut Running) -> Result<bool, EngineError> {
        let cluster = &self.target.cluster;
        let watches = cluster.watches();
        let mut news = false;
        let going: Vec<_> = running.machine.going().cloned().collect();
        for (object, uid) in going {
            let seen = matches!(watches.sighting(&object), Sighting::Seen(_)) && !watches.is_denied(&object);
            if seen || running.gone.contains(&object) {
                continue;
            }
            let live = cluster.get(&object).await?;
            if live.is_none_or(|live| apply::object::text(&live, "/metadata/uid") != uid) {
                running.gone.insert(object);
                news = true;
            }
        }
        for required in running.machine.awaited() {
            // Rights in some namespaces only do not allow for a watch.
            if !watches.is_denied(&required.object) {
                continue;
            }
            let known = match watches.sighting(&required.object) {
                Sighting::Seen(seen) if seen.resource_version >= required.applied.resource_version => seen,
                _ => required.applied.clone(),
            };
            if known.condition == Condition::Current {
                continue;
            }
            if let Some(live) = cluster.get(&required.object).await? {
                let observed = Observed::of(&live);
                news |= observed.condition != known.condition || observed.run != known.run;
                watches.observe(&required.object, observed);
            }
        }
        Ok(news)
    }

    async fn locate(&self, running: &Running, object: &Value) -> Result<ObjectRef, EngineError> {
        Ok(self.target.cluster.locate(object, &running.record.release.namespace).await?)
    }

    async fn watch(&self, running: &mut Running, object: &ObjectRef) -> Result<(), EngineError> {
        let cluster = &self.target.cluster;
        if let Ok(resource) = cluster.discovery().resolve(cluster.client(), object).await {
            running.interests.push(cluster.watches().interest(&object.gvk, &resource));
        }
        Ok(())
    }

    /// The object of a hook, with what marks it as this release's.
    fn hook_object(&self, running: &Running, index: usize) -> Result<Value, EngineError> {
        let hook = running
            .record
            .release
            .hooks
            .get(index)
            .ok_or_else(|| EngineError::Failed("a hook is missing from the release record".to_owned()))?;
        let mut object = manifest::parse_document(&hook.manifest)
            .map_err(|problem| EngineError::Failed(format!("hook {} ({}): {problem}", hook.name, hook.path)))?;
        self.add_origin(&mut object);
        Ok(object)
    }

    fn add_origin(&self, object: &mut Value) {
        Additions { common: None, name: &self.origin(), namespace: &self.key.namespace, annotations: &[] }.add(object);
    }

    fn options(running: &Running, force: bool) -> ApplyOptions {
        ApplyOptions {
            manager: field_manager::HELM.to_owned(),
            force,
            validation: if running.apply.strict { FieldValidation::Strict } else { FieldValidation::Ignore },
            dry_run: false,
            former: Some(field_manager::is_helm),
        }
    }

    async fn start_hook(&mut self, running: &mut Running, index: usize) -> Result<(), EngineError> {
        let now = self.now();
        let object = match self.hook_object(running, index) {
            Ok(object) => object,
            Err(error) => {
                running.machine.hook_refused(index, error.to_string(), now);
                return Ok(());
            }
        };
        // What cannot be undone is written down first: a run that may have begun is looked for after a crash.
        running.machine.hook_starting(index, now);
        hooks::record(&mut running.record.release, running.machine.hooks());
        self.store(running).await?;
        let namespace = running.record.release.namespace.clone();
        let options = Self::options(running, false);
        match self.target.cluster.apply(&object, &namespace, &options).await {
            Ok(applied) => {
                if applied.observed.run == Run::Running {
                    self.watch(running, &applied.object).await?;
                }
                running
                    .machine
                    .hook_started(Required { object: applied.object, applied: applied.observed }, self.now());
            }
            Err(error) if error.class() == ErrorClass::Transient => return Err(error.into()),
            Err(error) => running.machine.hook_refused(index, error.to_string(), self.now()),
        }
        Ok(())
    }

    /// When to try again after a passing failure, or the failure of the action when its time is up.
    fn again(&self, running: &mut Running, error: &apply::Error) -> Option<Timestamp> {
        let now = self.now();
        if now >= running.deadline {
            running.machine.fail(Failure::Refused(error.to_string()));
            return None;
        }
        running.tries += 1;
        let delay = Duration::from_millis(200).saturating_mul(2u32.saturating_pow(running.tries.min(6)));
        tracing::info!(%error, "will be tried again");
        now.saturating_add(SignedDuration::try_from(delay).unwrap_or_default()).ok()
    }

    async fn apply_manifest(&mut self, running: &mut Running) -> Result<Option<Timestamp>, EngineError> {
        let release = &running.record.release;
        let (name, namespace) = (release.name.clone(), release.namespace.clone());
        let documents = match running.documents.take() {
            Some(documents) => documents,
            None => match manifest::parse(&release.manifest) {
                Ok(documents) => documents,
                Err(error) => {
                    running.machine.fail(Failure::Refused(error.to_string()));
                    return Ok(None);
                }
            },
        };
        let mut objects: Vec<Value> = documents.into_iter().map(|document| document.object).collect();
        for object in &mut objects {
            apply::ownership::mark(object, &name, &namespace);
            self.add_origin(object);
        }
        if !running.apply.take_ownership
            && let Some(objection) = self.ownership_objection(running, &objects).await?
        {
            running.machine.fail(Failure::Refused(objection));
            return Ok(None);
        }
        let options = Self::options(running, true);
        let outcome = batch::apply(&self.target.cluster, &objects, &namespace, &options).await;
        running
            .created
            .extend(outcome.applied.iter().filter(|applied| applied.created).map(|applied| applied.object.clone()));
        if let Some(error) = outcome.errors.first() {
            if outcome.errors.iter().all(|error| error.class() == ErrorClass::Transient) {
                return Ok(self.again(running, error));
            }
            let text = outcome.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" && ");
            running.machine.fail(Failure::Refused(text));
            return Ok(None);
        }
        let present: Vec<_> = outcome.applied.iter().map(|applied| applied.object.clone()).collect();
        if let Err(error) = self.prune(running, &present, &namespace).await {
            return match error {
                EngineError::Cluster(error) if error.class() == ErrorClass::Transient => {
                    Ok(self.again(running, &error))
                }
                EngineError::Cluster(error) => {
                    running.machine.fail(Failure::Refused(error.to_string()));
                    Ok(None)
                }
                error => Err(error),
            };
        }
        let mut required = Vec::new();
        if running.apply.wait {
            for applied in outcome.applied {
                if applied.object.gvk.kind == "Job" && !running.apply.wait_for_jobs {
                    continue;
                }
                if applied.observed.condition != Condition::Current {
                    self.watch(running, &applied.object).await?;
                }
                required.push(Required { object: applied.object, applied: applied.observed });
            }
        }
        running.machine.applied(required);
        Ok(None)
    }

    async fn ownership_objection(&self, running: &Running, objects: &[Value]) -> Result<Option<String>, EngineError> {
        let release = &running.record.release;
        for object in objects {
            let reference = self.locate(running, object).await?;
            if let Some(live) = self.target.cluster.get(&reference).await?
                && let Some(objection) =
                    apply::ownership::objection(&live, &reference, &release.name, &release.namespace)
            {
                return Ok(Some(format!("unable to continue with {}: {objection}", running.machine.action().word())));
            }
        }
        Ok(None)
    }

    /// Deletes what the revision before had and this one has not, unless it is to be kept.
    async fn prune(&self, running: &Running, present: &[ObjectRef], namespace: &str) -> Result<(), EngineError> {
        let Some(previous) = &running.previous else { return Ok(()) };
        let Ok(old) = manifest::parse(previous) else { return Ok(()) };
        for Document { object, .. } in old {
            let reference = match self.target.cluster.locate(&object, namespace).await {
                Ok(reference) => reference,
                // A kind that is no longer served has no objects.
                Err(apply::Error::UnknownKind { .. } | apply::Error::InvalidObject { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if present.iter().any(|object| object.same_object(&reference)) {
                continue;
            }
            let Some(live) = self.target.cluster.get(&reference).await? else { continue };
            if annotation(&live, HELM_RESOURCE_POLICY) == Some("keep") {
                continue;
            }
            self.target.cluster.delete(&reference, Propagation::Background, None).await?;
        }
        Ok(())
    }

    async fn delete_manifest(&mut self, running: &mut Running) -> Result<Option<Timestamp>, EngineError> {
        let namespace = running.record.release.namespace.clone();
        let Ok(mut documents) = manifest::parse(&running.record.release.manifest) else {
            running.machine.fail(Failure::Refused("the manifest of the release record cannot be read".to_owned()));
            return Ok(None);
        };
        documents.retain(|document| annotation(&document.object, HELM_RESOURCE_POLICY).is_none());
        documents.sort_by(|a, b| {
            let kind = |document: &Document| apply::object::text(&document.object, "/kind").to_owned();
            helm::manifest::compare_kinds(&kind(a), &kind(b), helm::manifest::KindOrder::Uninstall)
        });
        let mut going = Vec::new();
        let mut refused = Vec::new();
        for Document { object, .. } in documents {
            let reference = match self.target.cluster.locate(&object, &namespace).await {
                Ok(reference) => reference,
                Err(apply::Error::UnknownKind { .. } | apply::Error::InvalidObject { .. }) => continue,
                Err(error) => return Ok(self.again(running, &error)),
            };
            match self.target.cluster.delete(&reference, running.apply.propagation, None).await {
                Ok(DeleteOutcome::Gone) => {}
                Ok(DeleteOutcome::Terminating(observed)) => {
                    if running.apply.wait {
                        self.watch(running, &reference).await?;
                    }
                    going.push((reference, observed.uid.to_string()));
                }
                Err(error) if error.class() == ErrorClass::Transient => return Ok(self.again(running, &error)),
                Err(error) => refused.push(error.to_string()),
            }
        }
        if refused.is_empty() {
            running.machine.deleted(going);
        } else {
            running.machine.fail(Failure::Refused(refused.join(" && ")));
        }
        Ok(None)
    }

    /// Writes the record of a running action.
    pub(super) async fn store(&self, running: &mut Running) -> Result<(), EngineError> {
        let now = self.now();
        self.storage.update(&mut running.record, now).await?;
        Ok(())
    }

    /// Deletes what a failed upgrade created.
    pub(super) async fn clean_up_created(&self, running: &Running) -> Result<(), EngineError> {
        for object in &running.created {
            self.target.cluster.delete(object, Propagation::Background, None).await?;
        }
        Ok(())
    }
}
