//! The reconciler of `helm.toolkit.fluxcd.io/v2` HelmReleases.

use std::{sync::Arc, time::Duration};

use artifact::client::FetchError;
use common::{
    conditions,
    helm::v2::{ChartNameChangeStrategy, DriftDetectionMode, HelmRelease, HelmReleaseStatus},
    meta::{Artifact, FluxObject},
    names::{condition::READY, field_manager, finalizer, reason},
};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use runtime::{Action, ObjectKey, Reconcile};
use tokio::time::Instant;

use super::{Context, ReleaseSink, Settled, prerequisites};
use crate::{
    charts::ChartFetchError,
    clusters::{AccessError, Target},
    engine::{EngineError, Progress, Sink, Subject, Wanted},
    plan::{
        history,
        outcome::{self, Ledger, Notice},
        policy, requests,
    },
    refusal, values,
};

/// Reason of the condition on releases that ask for what is not there yet.
const NOT_SUPPORTED: &str = "NotSupported";

/// Reconciles HelmReleases.
pub struct ReleaseReconciler {
    context: Arc<Context>,
}

/// One reconcile of one release.
struct Attempt<'a> {
    context: &'a Arc<Context>,
    key: ObjectKey,
    object: HelmRelease,
    saved: HelmReleaseStatus,
    sink: ReleaseSink,
    requests: requests::Requests,
}

impl ReleaseReconciler {
    /// A reconciler.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

impl Reconcile<HelmRelease> for ReleaseReconciler {
    type Error = EngineError;

    async fn reconcile(&self, object: Arc<HelmRelease>) -> Result<Action, EngineError> {
        let sink = ReleaseSink::new(&self.context, &object);
        let saved = object.status.clone().unwrap_or_default();
        let requests = requests::read(object.metadata.annotations.as_ref(), &saved);
        let attempt = Attempt {
            context: &self.context,
            key: ObjectKey::of(object.as_ref()),
            object: HelmRelease::clone(&object),
            saved,
            sink,
            requests,
        };
        attempt.run().await
    }

    fn is_relevant(&self, old: &HelmRelease, new: &HelmRelease) -> bool {
        if old.is_ready() != new.is_ready() {
            self.context.wake_dependents(&ObjectKey::of(new));
        }
        runtime::controller::asks_for_reconcile(&old.metadata, &new.metadata)
    }

    fn gone(&self, key: &ObjectKey) {
        self.context.engine.forget(key);
        self.context.settled.lock().remove(key);
        self.context.unready.lock().remove(key);
        self.context.wake_dependents(key);
    }
}

impl Attempt<'_> {
    fn status(&mut self) -> &mut HelmReleaseStatus {
        self.object.status.get_or_insert_default()
    }

    fn ledger(&mut self) -> Ledger<'_> {
        let (generation, now) = (self.object.generation(), self.context.engine.clock.now());
        Ledger { status: self.object.status.get_or_insert_default(), generation, now }
    }

    async fn save(&mut self) -> Result<(), EngineError> {
        let new = self.object.status.clone().unwrap_or_default();
        self.sink.save(&self.saved, &new).await?;
        self.saved = new;
        Ok(())
    }

    fn handled(&mut self) {
        let (annotations, generation) = (self.object.metadata.annotations.clone(), self.object.generation());
        requests::handled(annotations.as_ref(), self.status());
        self.status().observed_generation = Some(generation);
    }

    /// Says what is wrong and tries again with backoff. The event is sent once per message.
    async fn fail(&mut self, reason: &'static str, message: String) -> Result<Action, EngineError> {
        let is_news = conditions::message(&self.saved.conditions, READY) != message;
        self.ledger().failing(reason, &message);
        let annotations = self.object.metadata.annotations.clone();
        requests::handled(annotations.as_ref(), self.status());
        self.save().await?;
        if is_news {
            self.sink.notify(&Notice::warning(reason, message.as_str()), &[]);
        }
        Err(EngineError::Failed(message))
    }

    /// Says what is wrong; only a change helps.
    async fn stall(&mut self, reason: &'static str, message: String) -> Result<Action, EngineError> {
        let is_news = conditions::message(&self.saved.conditions, READY) != message;
        self.ledger().stalled(reason, &message, true);
        self.handled();
        self.save().await?;
        if is_news {
            self.sink.notify(&Notice::warning(reason, message.as_str()), &[]);
        }
        Err(EngineError::Terminal(message))
    }

    /// Says what has to happen first.
    async fn wait(&mut self, reason: &'static str, message: String) -> Result<Action, EngineError> {
        let is_news = conditions::message(&self.saved.conditions, READY) != message;
        self.ledger().waiting(reason, &message);
        let annotations = self.object.metadata.annotations.clone();
        requests::handled(annotations.as_ref(), self.status());
        self.save().await?;
        if is_news && reason == reason::DEPENDENCY_NOT_READY {
            self.sink.notify(&Notice::normal(reason, message.as_str()), &[]);
        }
        Err(EngineError::Waiting { message, delay: self.context.flags.requeue_dependency })
    }

    async fn run(mut self) -> Result<Action, EngineError> {
        if self.object.metadata.deletion_timestamp.is_some() {
            return self.delete().await;
        }
        let api: Api<HelmRelease> = Api::namespaced(self.context.client.clone(), &self.key.namespace);
        if let Some(stored) = runtime::finalizer::set(&api, &self.object, finalizer::FLUX, field_manager::HELM, true)
            .await
            .map_err(EngineError::object("add the finalizer"))?
        {
            self.object.metadata = stored.metadata.clone();
            let _ = self.context.releases.observe(stored);
        }
        if self.object.spec.suspend && !self.context.engine.is_running(&self.key) {
            return Ok(Action::Await);
        }
        if let Some(problem) = refusal::unsupported(&self.object.spec) {
            return self.stall(NOT_SUPPORTED, problem).await;
        }
        if let Some(problem) = prerequisites::forbidden_reference(self.context, &self.object) {
            return self.stall(reason::ACCESS_DENIED, problem).await;
        }
        self.chart_template().await?;
        if let Some(problem) = prerequisites::unready_dependency(self.context, &self.object) {
            return self.wait(reason::DEPENDENCY_NOT_READY, problem).await;
        }
        let artifact = match prerequisites::artifact(self.context, &self.object) {
            Ok((_, artifact)) => artifact,
            Err(problem) => return self.source_not_ready(problem).await,
        };
        self.context.unready.lock().remove(&self.key);
        self.release(&artifact).await
    }

    async fn chart_template(&mut self) -> Result<(), EngineError> {
        let wanted = self
            .object
            .helm_chart_namespace()
            .map(|namespace| format!("{namespace}/{}", self.object.helm_chart_name()));
        let recorded = self.saved.helm_chart.clone();
        if !recorded.is_empty() && wanted.as_ref() != Some(&recorded) {
            if let Some(notice) = prerequisites::delete_chart(self.context, &self.object).await? {
                self.sink.notify(&notice, &[]);
            }
            self.status().helm_chart.clear();
        }
        match prerequisites::apply_chart(self.context, &self.object).await {
            Ok(None) => {}
            Ok(Some(notice)) => {
                self.context.unready.lock().insert(self.key.clone(), Instant::now());
                self.sink.notify(&notice, &[]);
            }
            Err(error) => {
                let message = format!("failed to reconcile HelmChart: {error}");
                self.fail(common::names::event::HELM_CHART_SYNC_ERROR, message).await?;
            }
        }
        if let Some(wanted) = wanted {
            self.status().helm_chart = wanted;
        }
        Ok(())
    }

    /// A chart that was written a moment ago is given a moment before the status says that it is not ready.
    async fn source_not_ready(&mut self, problem: String) -> Result<Action, EngineError> {
        let since = *self
            .context
            .unready
            .lock()
            .entry(self.key.clone())
            .or_insert_with(|| Instant::now() - prerequisites::GRACE);
        let waited = since.elapsed();
        if waited < prerequisites::GRACE {
            return Err(EngineError::Waiting {
                message: problem,
                delay: prerequisites::GRACE.saturating_sub(waited) + Duration::from_millis(5),
            });
        }
        self.wait(reason::SOURCE_NOT_READY, problem).await
    }

    /// Whether nothing a release depends on has changed since it was found to be as wanted.
    fn is_settled(&self, chart: &str, config_digest: Option<&str>) -> bool {
        let settled = self.context.settled.lock().get(&self.key).cloned();
        settled.is_some_and(|settled| {
            settled.generation == self.object.generation()
                && settled.chart == chart
                && config_digest.is_none_or(|digest| digest == settled.config_digest)
        }) && self.object.is_ready()
            && !self.requests.force
            && !self.requests.reset
            && self.object.spec.drift_detection_mode() == DriftDetectionMode::Disabled
            && !self.context.engine.is_running(&self.key)
            && self.context.engine.is_undisturbed(
                &self.key,
                &self.object.storage_namespace(),
                &self.object.release_name(),
            )
    }

    async fn settled(&mut self) -> Result<Action, EngineError> {
        self.handled();
        self.save().await?;
        self.context.action(Progress::Settled, self.object.spec.interval.to_std())
    }

    async fn release(&mut self, artifact: &Artifact) -> Result<Action, EngineError> {
        if self.object.spec.values_from.is_empty() && self.is_settled(&artifact.digest, None) {
            return self.settled().await;
        }
        let spec = self.object.spec.clone();
        let composed =
            match values::resolve(&self.context.client, &self.key.namespace, &spec.values_from, spec.values.as_ref())
                .await
            {
                Ok(values) => values,
                Err(error) => return self.fail(reason::VALUES_ERROR, error.to_string()).await,
            };
        let config_digest = helm::values::config_digest(&composed);
        if self.is_settled(&artifact.digest, Some(&config_digest)) {
            return self.settled().await;
        }
        let chart = match self.context.engine.charts.get(artifact).await {
            Ok(chart) => chart,
            Err(ChartFetchError::Fetch(FetchError::NotFound { .. })) => {
                let delay = common::duration::GoDuration::from(self.context.flags.requeue_dependency);
                let message = format!("Source not ready: artifact not found. Retrying in {delay}");
                return self.wait(reason::ARTIFACT_FAILED, message).await;
            }
            Err(error) => return self.fail(reason::ARTIFACT_FAILED, format!("Could not load chart: {error}")).await,
        };
        let target = match self.context.engine.clusters.target(&self.object).await {
            Ok(target) => target,
            Err(error) => {
                return self.fail(reason::REST_CLIENT_ERROR, format!("failed to build REST client: {error}")).await;
            }
        };
        let reinstall =
            spec.upgrade.as_ref().and_then(|upgrade| upgrade.chart_name_change_strategy).unwrap_or_default()
                == ChartNameChangeStrategy::Reinstall;
        let wanted_target = outcome::Target {
            name: self.object.release_name(),
            namespace: self.object.release_namespace(),
            storage_namespace: self.object.storage_namespace(),
        };
        let status = self.object.status.clone().unwrap_or_default();
        if let Some(what) = outcome::target_changed(&status, &wanted_target, chart.name(), reinstall) {
            tracing::info!(what, "release target changed: the release is uninstalled first");
            return self.leave(target).await;
        }
        let wanted = Wanted {
            chart,
            chart_digest: artifact.digest.clone(),
            values: composed,
            config_digest: config_digest.clone(),
        };
        let mut object = self.object.clone();
        // The subject compares with what is stored, so that changes made here so far are written with its own.
        let pending = object.status.replace(self.saved.clone());
        let mut subject =
            Subject::new(&self.context.engine, self.key.clone(), object, &self.sink, target, self.requests)
                .mapping_removed_apis(self.context.flags.map_removed_apis)
                .with_status(pending.unwrap_or_default());
        let outcome = subject.advance(&wanted).await;
        let (found, saved) = (subject.status(), subject.saved_status().clone());
        let progress = match outcome {
            Ok(progress) => progress,
            // What the engine could not write down itself.
            Err(error @ (EngineError::Storage(_) | EngineError::Cluster(_))) => {
                self.object.status = Some(found);
                self.saved = saved;
                return self.fail(reason::RECONCILE_ERROR, error.to_string()).await;
            }
            Err(error) => return Err(error),
        };
        if progress == Progress::Settled {
            let settled =
                Settled { generation: self.object.generation(), chart: artifact.digest.clone(), config_digest };
            self.context.settled.lock().insert(self.key.clone(), settled);
        } else {
            self.context.settled.lock().remove(&self.key);
        }
        self.context.action(progress, spec.interval.to_std())
    }

    /// The recorded release as if it were what the spec names.
    fn recorded(&self) -> HelmRelease {
        let mut object = self.object.clone();
        let status = object.status.clone().unwrap_or_default();
        if !status.storage_namespace.is_empty() {
            object.spec.storage_namespace = Some(status.storage_namespace.clone());
        }
        if let Some(latest) = history::latest(&status) {
            object.spec.release_name = Some(latest.name.clone());
            object.spec.target_namespace = Some(latest.namespace.clone());
        }
        object
    }

    /// Uninstalls the release from where it was, before it goes elsewhere.
    async fn leave(&mut self, target: Target) -> Result<Action, EngineError> {
        let object = self.recorded();
        let name = object.release_name();
        let mut subject =
            Subject::new(&self.context.engine, self.key.clone(), object, &self.sink, target, self.requests);
        if let Some(progress) = subject.remove(&name).await? {
            return self.context.action(progress, self.object.spec.interval.to_std());
        }
        self.saved = subject.saved_status().clone();
        self.object.status = Some(subject.status());
        self.context.engine.forget(&self.key);
        self.status().history.clear();
        policy::clear_failures(self.status());
        self.status().storage_namespace.clear();
        self.save().await?;
        Ok(Action::RequeueAfter(Duration::ZERO))
    }

    async fn delete(mut self) -> Result<Action, EngineError> {
        if !runtime::finalizer::has(&self.object, finalizer::FLUX) {
            return Ok(Action::Await);
        }
        if !self.object.spec.suspend {
            if let Some(action) = self.uninstall().await? {
                return Ok(action);
            }
            prerequisites::delete_chart(self.context, &self.object).await?;
        }
        let api: Api<HelmRelease> = Api::namespaced(self.context.client.clone(), &self.key.namespace);
        match runtime::finalizer::set(&api, &self.object, finalizer::FLUX, field_manager::HELM, false).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(EngineError::object("remove the finalizer")(error)),
        }
        self.context.engine.forget(&self.key);
        Ok(Action::Await)
    }

    /// Uninstalls for good. An action means that it is not over yet.
    async fn uninstall(&mut self) -> Result<Option<Action>, EngineError> {
        let status = self.object.status.clone().unwrap_or_default();
        if status.storage_namespace.is_empty() {
            return Ok(None);
        }
        let target = match self.context.engine.clusters.target(&self.object).await {
            Ok(target) => target,
            Err(error @ (AccessError::SecretMissing { .. } | AccessError::KeyMissing { .. })) => {
                tracing::warn!(%error, "the release stays: there is no way to its cluster any more");
                return Ok(None);
            }
            Err(error) => {
                let message = format!("failed to build REST client getter to uninstall release: {error}");
                return self.fail(reason::UNINSTALL_FAILED, message).await.map(Some);
            }
        };
        if target.local
            && let Some(account) = self.context.engine.clusters.service_account(&self.object)
        {
            let accounts: Api<ServiceAccount> = Api::namespaced(self.context.client.clone(), &self.key.namespace);
            let found = accounts.get_opt(&account).await.map_err(EngineError::object("look for the ServiceAccount"))?;
            if found.is_none() {
                tracing::warn!(account, "the release stays: its ServiceAccount is gone");
                return Ok(None);
            }
        }
        let object = self.recorded();
        let name = object.release_name();
        if history::latest(&status).is_none() {
            let storage = self.context.engine.storage(&target, &status.storage_namespace);
            if storage.revisions(&name).await?.last_key_value().is_none_or(|(_, revision)| !revision.ours) {
                return Ok(None);
            }
        }
        let mut subject =
            Subject::new(&self.context.engine, self.key.clone(), object, &self.sink, target, self.requests);
        let progress = subject.remove(&name).await?;
        progress.map(|progress| self.context.action(progress, Duration::from_secs(30))).transpose()
    }
}
