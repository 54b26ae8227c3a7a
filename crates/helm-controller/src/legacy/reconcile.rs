//! The reconciler of `helm.fluxcd.io/v1` HelmReleases.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use common::{
    helm::v2,
    helm_operator::v1::{HelmRelease, HelmReleaseStatus},
    meta::Artifact,
    names::{
        annotation::{HELM_OPERATOR_ANTECEDENT, REQUESTED_AT},
        condition::{READY, RECONCILING, STALLED},
        event::{FAILED_RELEASE_SYNC, RELEASE_SYNCED},
        field_manager, finalizer, reason,
    },
    source::v1::{GitRepository, HelmChart, HelmRepository},
};
use helm::{
    chart::Chart,
    value::Map,
    values::flux::{ValuesSource, compose, inline_values},
};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use parking_lot::Mutex;
use runtime::{
    Action, ObjectKey, Reconcile,
    events::{Event, Severity},
};

use super::{convert, engine_key, sources, status};
use crate::{
    engine::{EngineError, Progress, Sink, Subject, Wanted},
    plan::{
        outcome::{Ledger, Notice},
        requests,
    },
    reconcile::{Context, Settled},
    sources::ready,
};

/// Reason of the condition on releases that ask for what is not there.
const NOT_SUPPORTED: &str = "NotSupported";

/// Reconciles releases of the Helm operator's group.
pub struct LegacyReconciler {
    context: Arc<Context>,
}

impl LegacyReconciler {
    /// A reconciler.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context }
    }
}

struct LegacySink {
    context: Arc<Context>,
    api: Api<HelmRelease>,
    release: HelmRelease,
    written: Mutex<HelmReleaseStatus>,
}

impl LegacySink {
    async fn write(&self, found: &v2::HelmReleaseStatus) -> Result<(), EngineError> {
        let old = self.written.lock().clone();
        let mut base = self.release.clone();
        base.status = Some(old.clone());
        let new = status::map(&base, found, self.context.engine.clock.now());
        let written =
            runtime::status::patch_status(&self.api, &self.release.name_any(), field_manager::HELM, &old, &new, None)
                .await
                .map_err(EngineError::object("write the status"))?;
        *self.written.lock() = new;
        if let Some(object) = written {
            let _ = self.context.legacy.observe(object);
        }
        Ok(())
    }
}

impl Sink for LegacySink {
    async fn save(&self, _: &v2::HelmReleaseStatus, new: &v2::HelmReleaseStatus) -> Result<(), EngineError> {
        self.write(new).await
    }

    fn notify(&self, notice: &Notice, metadata: &[(&'static str, String)]) {
        let reason = match notice.reason {
            reason::INSTALL_SUCCEEDED | reason::UPGRADE_SUCCEEDED => RELEASE_SYNCED,
            reason::INSTALL_FAILED | reason::UPGRADE_FAILED => FAILED_RELEASE_SYNC,
            other => other,
        };
        let mut all: BTreeMap<_, _> = runtime::events::inherited_metadata(&self.release.metadata);
        all.extend(metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.context.events.publish(Event {
            object: runtime::events::reference(&self.release),
            severity: if notice.warning { Severity::Error } else { Severity::Info },
            reason: reason.to_owned(),
            message: notice.message.clone(),
            metadata: all,
        });
    }
}

impl Reconcile<HelmRelease> for LegacyReconciler {
    type Error = EngineError;

    async fn reconcile(&self, object: Arc<HelmRelease>) -> Result<Action, EngineError> {
        let mut release = HelmRelease::clone(&object);
        let key = ObjectKey::of(&release);
        let api: Api<HelmRelease> = Api::namespaced(self.context.client.clone(), &key.namespace);
        if release.metadata.deletion_timestamp.is_none()
            && let Some(stored) =
                runtime::finalizer::set(&api, &release, finalizer::HELM_OPERATOR, field_manager::HELM, true)
                    .await
                    .map_err(EngineError::object("add the finalizer"))?
        {
            release.metadata = stored.metadata.clone();
            let _ = self.context.legacy.observe(stored);
        }
        let sink = LegacySink {
            context: Arc::clone(&self.context),
            api: api.clone(),
            written: Mutex::new(release.status.clone().unwrap_or_default()),
            release: release.clone(),
        };
        let interval = self.context.flags.charts_sync_interval;
        let virtual_release = convert::to_v2(&release, &sources::name(&release), interval)
            .map_err(|error| EngineError::Terminal(format!("the spec cannot be read: {error}")))?;
        let attempt = Attempt {
            context: &self.context,
            key: engine_key(&key),
            saved: virtual_release.status.clone().unwrap_or_default(),
            requests: requests::read(
                release.metadata.annotations.as_ref(),
                &virtual_release.status.clone().unwrap_or_default(),
            ),
            release: &release,
            object: virtual_release,
            sink: &sink,
        };
        if release.metadata.deletion_timestamp.is_some() { attempt.delete(&api).await } else { attempt.run().await }
    }

    fn gone(&self, key: &ObjectKey) {
        self.context.engine.forget(&engine_key(key));
        self.context.settled.lock().remove(&engine_key(key));
    }
}

struct Attempt<'a> {
    context: &'a Arc<Context>,
    key: ObjectKey,
    release: &'a HelmRelease,
    object: v2::HelmRelease,
    saved: v2::HelmReleaseStatus,
    sink: &'a LegacySink,
    requests: requests::Requests,
}

impl Attempt<'_> {
    fn ledger(&mut self) -> Ledger<'_> {
        let generation = self.object.metadata.generation.unwrap_or_default();
        Ledger { status: self.object.status.get_or_insert_default(), generation, now: self.context.engine.clock.now() }
    }

    /// Says what is wrong in the status and in an event, once.
    async fn problem(&mut self, reason: &'static str, message: &str, stalled: bool) -> Result<(), EngineError> {
        let is_news = common::conditions::message(&self.saved.conditions, READY) != message;
        self.ledger().set(READY, false, reason, message);
        if stalled {
            self.ledger().set(STALLED, true, reason, message);
            self.ledger().remove(RECONCILING);
            let generation = self.object.metadata.generation;
            self.object.status.get_or_insert_default().observed_generation = generation;
        }
        let annotations = self.object.metadata.annotations.clone();
        requests::handled(annotations.as_ref(), self.object.status.get_or_insert_default());
        let found = self.object.status.clone().unwrap_or_default();
        self.sink.write(&found).await?;
        if is_news {
            self.sink.notify(&Notice::warning(FAILED_RELEASE_SYNC, message), &[]);
        }
        Ok(())
    }

    async fn run(mut self) -> Result<Action, EngineError> {
        if let Some(problem) = convert::unsupported(self.release) {
            self.problem(NOT_SUPPORTED, &problem, true).await?;
            return Err(EngineError::Terminal(problem));
        }
        if let Some(problem) = self.forbidden_reference() {
            self.problem(reason::ACCESS_DENIED, &problem, true).await?;
            return Err(EngineError::Terminal(problem));
        }
        self.apply_sources().await?;
        let chart_key = ObjectKey::new(self.release.namespace().unwrap_or_default(), sources::name(self.release));
        let artifact = match self.context.charts.get(&chart_key).as_deref().map(|chart| ready(chart).cloned()) {
            Some(Ok(artifact)) => artifact,
            Some(Err(problem)) => return self.wait(problem).await,
            None => return self.wait(format!("HelmChart '{chart_key}' is not ready: it does not exist")).await,
        };
        self.advance(&artifact).await
    }

    async fn wait(&mut self, problem: String) -> Result<Action, EngineError> {
        self.problem(reason::SOURCE_NOT_READY, &problem, false).await?;
        Err(EngineError::Waiting { message: problem, delay: self.context.flags.requeue_dependency })
    }

    fn forbidden_reference(&self) -> Option<String> {
        if !self.context.flags.no_cross_namespace_refs {
            return None;
        }
        let own = self.release.namespace();
        self.release
            .spec
            .values_from
            .iter()
            .flat_map(|source| [source.config_map_key_ref.as_ref(), source.secret_key_ref.as_ref()])
            .flatten()
            .find(|selector| selector.namespace.is_some() && selector.namespace != own)
            .map(|selector| {
                format!(
                    "can't access '{}/{}', cross-namespace references have been blocked",
                    selector.namespace.as_deref().unwrap_or_default(),
                    selector.name
                )
            })
    }

    /// Makes the generated sources what the spec says; nothing is sent while the chart is as it should be.
    async fn apply_sources(&self) -> Result<(), EngineError> {
        let interval = self.context.flags.charts_sync_interval;
        let wanted = sources::generate(self.release, interval, &self.context.flags.git_default_ref);
        let namespace = self.release.namespace().unwrap_or_default();
        let existing = self.context.charts.get(&ObjectKey::new(&namespace, &wanted.name));
        let generation = self.release.metadata.generation.unwrap_or_default();
        let recorded = self.release.status.as_ref().and_then(|status| status.observed_generation) == Some(generation);
        if recorded && existing.as_ref().is_some_and(|existing| crate::template::matches(&wanted.chart, existing)) {
            return Ok(());
        }
        let params = PatchParams::apply(field_manager::HELM).force();
        let client = self.context.client.clone();
        if self.release.spec.chart.git.is_some() {
            let api: Api<GitRepository> = Api::namespaced(client.clone(), &namespace);
            api.patch(&wanted.name, &params, &Patch::Apply(&wanted.repository))
                .await
                .map_err(EngineError::object("apply the GitRepository"))?;
        } else {
            let api: Api<HelmRepository> = Api::namespaced(client.clone(), &namespace);
            api.patch(&wanted.name, &params, &Patch::Apply(&wanted.repository))
                .await
                .map_err(EngineError::object("apply the HelmRepository"))?;
        }
        let api: Api<HelmChart> = Api::namespaced(client, &namespace);
        let stored = api
            .patch(&wanted.name, &params, &Patch::Apply(&wanted.chart))
            .await
            .map_err(EngineError::object("apply the HelmChart"))?;
        let _ = self.context.charts.observe(stored);
        Ok(())
    }

    async fn advance(&mut self, artifact: &Artifact) -> Result<Action, EngineError> {
        let interval = self.context.flags.charts_sync_interval;
        let reads_others =
            !self.release.spec.values_from.is_empty() || !self.release.spec.value_file_secrets.is_empty();
        if !reads_others && self.is_settled(&artifact.digest, None) {
            return self.settled(interval).await;
        }
        let chart = match self.context.engine.charts.get(artifact).await {
            Ok(chart) => chart,
            Err(error) => {
                let message = format!("Could not load chart: {error}");
                self.problem(reason::ARTIFACT_FAILED, &message, false).await?;
                return Err(EngineError::Failed(message));
            }
        };
        let values = match self.values(&chart).await {
            Ok(values) => values,
            Err(message) => {
                self.problem(reason::VALUES_ERROR, &message, false).await?;
                return Err(EngineError::Failed(message));
            }
        };
        let config_digest = helm::values::config_digest(&values);
        if self.is_settled(&artifact.digest, Some(&config_digest)) {
            return self.settled(interval).await;
        }
        let target = match self.context.engine.clusters.target(&self.object).await {
            Ok(target) => target,
            Err(error) => {
                let message = format!("failed to build REST client: {error}");
                self.problem(reason::REST_CLIENT_ERROR, &message, false).await?;
                return Err(EngineError::Failed(message));
            }
        };
        let wanted =
            Wanted { chart, chart_digest: artifact.digest.clone(), values, config_digest: config_digest.clone() };
        let mut subject =
            Subject::new(&self.context.engine, self.key.clone(), self.object.clone(), self.sink, target, self.requests)
                .mapping_removed_apis(true)
                .annotating(vec![(HELM_OPERATOR_ANTECEDENT, self.release.antecedent())]);
        if let Some(problem) = subject.foreign_owner(HELM_OPERATOR_ANTECEDENT, &self.release.antecedent()).await? {
            self.problem(reason::RECONCILE_ERROR, &problem, true).await?;
            return Err(EngineError::Terminal(problem));
        }
        let outcome = subject.advance(&wanted).await;
        let found = subject.status();
        let progress = match outcome {
            Ok(progress) => progress,
            Err(error @ (EngineError::Storage(_) | EngineError::Cluster(_))) => {
                self.object.status = Some(found);
                self.problem(reason::RECONCILE_ERROR, &error.to_string(), false).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        if progress == Progress::Settled {
            let generation = self.object.metadata.generation.unwrap_or_default();
            let settled = Settled { generation, chart: artifact.digest.clone(), config_digest };
            self.context.settled.lock().insert(self.key.clone(), settled);
        } else {
            self.context.settled.lock().remove(&self.key);
        }
        self.context.action(progress, interval)
    }

    fn is_settled(&self, chart: &str, config_digest: Option<&str>) -> bool {
        let settled = self.context.settled.lock().get(&self.key).cloned();
        let generation = self.object.metadata.generation.unwrap_or_default();
        settled.is_some_and(|settled| {
            settled.generation == generation
                && settled.chart == chart
                && config_digest.is_none_or(|digest| digest == settled.config_digest)
        }) && !self.requests.force
            && !self.requests.reset
            && common::conditions::is_true(&self.saved.conditions, READY)
            && self.context.engine.is_undisturbed(
                &self.key,
                &self.object.storage_namespace(),
                &self.object.release_name(),
            )
    }

    async fn settled(&mut self, interval: Duration) -> Result<Action, EngineError> {
        if self.object.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(REQUESTED_AT)) {
            let annotations = self.object.metadata.annotations.clone();
            requests::handled(annotations.as_ref(), self.object.status.get_or_insert_default());
            let found = self.object.status.clone().unwrap_or_default();
            self.sink.write(&found).await?;
        }
        self.context.action(Progress::Settled, interval)
    }

    /// Values: Secrets of the older field first, then the list in order, inline values last.
    async fn values(&self, chart: &Chart) -> Result<Map, String> {
        let own = self.release.namespace().unwrap_or_default();
        let mut contents: Vec<(String, Vec<u8>)> = Vec::new();
        let client = &self.context.client;
        for secret in &self.release.spec.value_file_secrets {
            let content = read(client, "Secret", &own, &secret.name, "values.yaml").await?;
            contents.push((
                format!("Secret {own}/{}", secret.name),
                content.ok_or_else(|| format!("Secret {own}/{} has no values.yaml or does not exist", secret.name))?,
            ));
        }
        for source in &self.release.spec.values_from {
            let (kind, selector) = match (&source.config_map_key_ref, &source.secret_key_ref, &source.chart_file_ref) {
                (Some(selector), _, _) => ("ConfigMap", selector),
                (_, Some(selector), _) => ("Secret", selector),
                (_, _, Some(file)) => {
                    match chart.files.iter().find(|candidate| *candidate.name == *file.path) {
                        Some(found) => contents.push((format!("chart file {}", file.path), found.data.to_vec())),
                        None if file.optional.unwrap_or(false) => {}
                        None => return Err(format!("the chart has no file {:?}", file.path)),
                    }
                    continue;
                }
                _ => continue,
            };
            let namespace = selector.namespace.clone().unwrap_or_else(|| own.clone());
            let key = selector.key.as_deref().unwrap_or("values.yaml");
            match read(client, kind, &namespace, &selector.name, key).await? {
                Some(content) => contents.push((format!("{kind} {namespace}/{}", selector.name), content)),
                None if selector.optional.unwrap_or(false) => {}
                None => return Err(format!("{kind} {namespace}/{} does not exist or has no key {key}", selector.name)),
            }
        }
        let inline = self.release.spec.values.as_ref().map(inline_values).unwrap_or_default();
        let values = contents.iter().map(|(_, data)| ValuesSource { data, target_path: None, literal: false });
        compose(values, &inline).map_err(|(index, error)| {
            let (name, _) = contents.get(index).cloned().unwrap_or_default();
            if name.starts_with("Secret") {
                format!("{name} does not hold a YAML map of values")
            } else {
                format!("{name}: {error}")
            }
        })
    }

    async fn delete(self, api: &Api<HelmRelease>) -> Result<Action, EngineError> {
        if !runtime::finalizer::has(self.release, finalizer::HELM_OPERATOR) {
            return Ok(Action::Await);
        }
        if !self.saved.storage_namespace.is_empty() {
            match self.context.engine.clusters.target(&self.object).await {
                Ok(target) => {
                    let name = self.object.release_name();
                    let mut subject = Subject::new(
                        &self.context.engine,
                        self.key.clone(),
                        self.object.clone(),
                        self.sink,
                        target,
                        self.requests,
                    );
                    if let Some(progress) = subject.remove(&name).await? {
                        return self.context.action(progress, Duration::from_secs(30));
                    }
                }
                Err(error) => tracing::warn!(%error, "the release stays: there is no way to its cluster any more"),
            }
        }
        match runtime::finalizer::set(api, self.release, finalizer::HELM_OPERATOR, field_manager::HELM, false).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(EngineError::object("remove the finalizer")(error)),
        }
        self.context.engine.forget(&self.key);
        Ok(Action::Await)
    }
}

/// One key of a ConfigMap or Secret; `None` if there is none.
async fn read(
    client: &kube::Client,
    kind: &str,
    namespace: &str,
    name: &str,
    key: &str,
) -> Result<Option<Vec<u8>>, String> {
    let failed = |error: kube::Error| format!("cannot read {kind} {namespace}/{name}: {error}");
    if kind == "Secret" {
        let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let found = api.get_opt(name).await.map_err(failed)?;
        return Ok(found.and_then(|secret| secret.data?.remove(key)).map(|bytes| bytes.0));
    }
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = api.get_opt(name).await.map_err(failed)?;
    Ok(found.and_then(|map| map.data?.remove(key)).map(String::into_bytes))
}
