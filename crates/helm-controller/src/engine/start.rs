//! Beginning actions: what is written down before anything in the cluster changes.

use std::{sync::Arc, time::Duration};

use apply::{
    ApplyOptions, ErrorClass, FieldValidation, Propagation,
    readiness::{Condition, Readiness, Required, describe, evaluate},
};
use common::{
    helm::v2::{CrdsPolicy, DeletionPropagation, HelmReleaseSpec, ReleaseAction, Snapshot},
    names::{field_manager, reason},
};
use helm::{
    chart::Chart,
    engine::ReleaseOptions,
    release::{ApplyMethod, Info, Release, Status},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{ApplySettings, Definitions, EngineError, Progress, Purpose, Running, Session, Sink, Subject, Wanted};
use crate::{
    action::{Action, Machine, machine::TestFilter},
    hooks, manifest,
    plan::{Inputs, ReleaseStatus, Stored, history, outcome::Notice},
    postrender::Additions,
    render,
    storage::Record,
};

/// How long definitions of custom resources may take to be established.
const DEFINITIONS: Duration = Duration::from_secs(60);

struct ActionSettings {
    timeout: Duration,
    hooks: bool,
    crds: CrdsPolicy,
    skip_schema: bool,
    apply: ApplySettings,
}

fn release_settings(spec: &HelmReleaseSpec, action: ReleaseAction) -> ActionSettings {
    match action {
        ReleaseAction::Install => {
            let install = spec.install.clone().unwrap_or_default();
            let crds = if install.skip_crds { CrdsPolicy::Skip } else { install.crds.unwrap_or(CrdsPolicy::Create) };
            ActionSettings {
                timeout: spec.install_timeout().to_std(),
                hooks: !install.disable_hooks,
                crds,
                skip_schema: install.disable_schema_validation,
                apply: ApplySettings {
                    strict: !install.disable_openapi_validation,
                    wait: !install.disable_wait,
                    wait_for_jobs: !install.disable_wait_for_jobs,
                    take_ownership: !install.disable_take_ownership,
                    ..ApplySettings::default()
                },
            }
        }
        ReleaseAction::Upgrade => {
            let upgrade = spec.upgrade.clone().unwrap_or_default();
            ActionSettings {
                timeout: spec.upgrade_timeout().to_std(),
                hooks: !upgrade.disable_hooks,
                crds: upgrade.crds.unwrap_or(CrdsPolicy::Create),
                skip_schema: upgrade.disable_schema_validation,
                apply: ApplySettings {
                    strict: !upgrade.disable_openapi_validation,
                    wait: !upgrade.disable_wait,
                    wait_for_jobs: !upgrade.disable_wait_for_jobs,
                    take_ownership: !upgrade.disable_take_ownership,
                    cleanup_on_fail: upgrade.cleanup_on_fail,
                    ..ApplySettings::default()
                },
            }
        }
    }
}

fn later(now: Timestamp, delay: Duration) -> Timestamp {
    now.saturating_add(SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

impl<S: Sink> Subject<'_, S> {
    fn running(
        &self,
        purpose: Purpose,
        machine: Machine,
        record: Record,
        apply: ApplySettings,
        timeout: Duration,
    ) -> Box<Running> {
        let now = self.now();
        Box::new(Running {
            purpose,
            machine,
            record,
            documents: None,
            previous: None,
            apply,
            started: now,
            deadline: later(now, timeout),
            interests: Vec::new(),
            created: Vec::new(),
            gone: std::collections::HashSet::new(),
            tries: 0,
        })
    }

    /// Begins an install or upgrade. Progress means that something has to be waited for, or that it failed early.
    pub(super) async fn start_release(
        &mut self,
        session: &mut Session,
        action: ReleaseAction,
        inputs: &Inputs<'_>,
        stored: Option<Stored>,
        wanted: &Wanted,
    ) -> Result<Option<Progress>, EngineError> {
        let settings = release_settings(inputs.spec, action);
        if let Some(progress) = self.definitions(session, settings.crds, &wanted.chart).await? {
            return Ok(Some(progress));
        }
        let version = stored.as_ref().map_or(1, |stored| stored.snapshot.version + 1);
        let output = match self.render(wanted, action, version, settings.skip_schema).await {
            Ok(output) => output,
            Err(problem) => return self.failed_early(action, inputs, &problem).await,
        };
        for warning in &output.warnings {
            tracing::warn!(warning, "chart");
        }
        if !output.mapped.is_empty() {
            let message =
                format!("API versions that the cluster no longer serves were mapped: {}", output.mapped.join(", "));
            self.notify(&Notice::normal("RemovedAPIMapped", message));
        }
        if let Some(problem) = self.namespace(inputs.spec, action).await? {
            return self.failed_early(action, inputs, &problem).await;
        }
        let now = self.now();
        let first_deployed = match (action, &stored) {
            (ReleaseAction::Upgrade, Some(stored)) => stored.snapshot.first_deployed.0,
            _ => now,
        };
        let mut config = wanted.values.clone();
        let previous = match (&stored, action) {
            (Some(stored), ReleaseAction::Upgrade) => {
                let base = self.base_revision(stored).await?;
                let previous = self.storage.get(&stored.snapshot.name, base).await?;
                if inputs.spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.preserve_values)
                    && let Some(values) = previous.as_ref().and_then(|previous| previous.release.config.clone())
                {
                    let mut merged = values;
                    helm::values::merge_maps(&mut merged, config);
                    config = merged;
                }
                previous.map(|previous| previous.release.manifest)
            }
            _ => None,
        };
        let (status, description) = match action {
            ReleaseAction::Install => (Status::PendingInstall, "Initial install underway"),
            ReleaseAction::Upgrade => (Status::PendingUpgrade, "Preparing upgrade"),
        };
        let mut info = Info {
            first_deployed: Some(first_deployed.into()),
            last_deployed: Some(now.into()),
            notes: output.notes,
            ..Info::default()
        };
        info.set_status(status, description);
        let packed = self.engine.packer.pack(&output.chart);
        let slim = crate::storage::pack::slim(&output.chart);
        let release = Release {
            name: self.object.release_name(),
            info,
            chart: Arc::new(slim),
            config: Some(config).filter(|config| !config.is_empty()),
            manifest: output.manifest,
            hooks: output.hooks,
            version,
            namespace: self.object.release_namespace(),
            apply_method: ApplyMethod::ServerSide,
            labels: std::collections::BTreeMap::new(),
        };
        let mut record = Record { release, packed };
        self.begin(action, &settings, &record).await?;
        self.storage.create(&mut record, now).await?;
        self.remember(&record, true);
        let machine_action = match action {
            ReleaseAction::Install => Action::Install,
            ReleaseAction::Upgrade => Action::Upgrade,
        };
        let stages = machine_action.stages(settings.hooks, settings.apply.wait);
        let machine = Machine::new(machine_action, stages, settings.timeout, hooks::of_release(&record.release, false));
        let mut running = self.running(Purpose::Release(action), machine, record, settings.apply, settings.timeout);
        running.documents = Some(output.documents);
        running.previous = previous;
        session.running = Some(running);
        Ok(None)
    }

    /// Writes down that an action begins, before the record that locks the release.
    async fn begin(
        &mut self,
        action: ReleaseAction,
        settings: &ActionSettings,
        record: &Record,
    ) -> Result<(), EngineError> {
        let snapshot = Snapshot {
            action: Some(action.as_str().to_owned()),
            ..crate::snapshot::observe(&record.release, self.oci_digest())
        };
        self.ledger().begin_release(action);
        self.ledger().running(action.as_str(), settings.timeout, true);
        let forced = self.object.metadata.annotations.clone();
        if self.requests.force {
            let status = self.status_mut();
            status.last_handled_force_at =
                forced.and_then(|annotations| annotations.get(common::names::annotation::FORCE_AT).cloned());
        }
        history::record(self.status_mut(), snapshot);
        self.save().await
    }

    /// The revision an upgrade starts from: the last deployed one, else the newest.
    async fn base_revision(&self, stored: &Stored) -> Result<i64, EngineError> {
        let revisions = self.storage.revisions(&stored.snapshot.name).await?;
        let deployed =
            revisions.iter().rev().find(|(_, revision)| &*revision.status == "deployed").map(|(version, _)| *version);
        Ok(deployed.unwrap_or(stored.snapshot.version))
    }

    async fn render(
        &self,
        wanted: &Wanted,
        action: ReleaseAction,
        revision: i64,
        skip_schema: bool,
    ) -> Result<render::Output, String> {
        let capabilities = self.engine.clusters.capabilities(&self.target).await.map_err(|error| error.to_string())?;
        let job = render::Job {
            chart: Arc::clone(&wanted.chart),
            values: wanted.values.clone(),
            release: ReleaseOptions {
                name: self.object.release_name(),
                namespace: self.object.release_namespace(),
                revision,
                is_upgrade: action == ReleaseAction::Upgrade,
            },
            capabilities,
            now: self.now(),
            skip_schema,
            map_removed_apis: self.map_removed_apis,
            post_renderers: self.object.spec.post_renderers.clone(),
            post_render_strategy: self.object.spec.post_render_strategy.unwrap_or_default(),
            common: self.object.spec.common_metadata.clone(),
            owner: (self.origin(), self.key.namespace.clone()),
            annotations: self.annotations.clone(),
            cluster: self.target.cluster.clone(),
        };
        render::render(job).await
    }

    /// A failure before anything was stored: it does not count against the retries, and is tried again with backoff.
    async fn failed_early(
        &mut self,
        action: ReleaseAction,
        inputs: &Inputs<'_>,
        problem: &str,
    ) -> Result<Option<Progress>, EngineError> {
        let (namespace, name) = (self.object.release_namespace(), self.object.release_name());
        self.ledger().begin_release(action);
        let notice = self.ledger().release_failed(inputs, (&namespace, &name), action, false, problem);
        self.ledger().summarize(inputs);
        let message = notice.message.clone();
        self.ledger().set(
            common::names::condition::RECONCILING,
            true,
            reason::PROGRESSING_WITH_RETRY,
            message.as_str(),
        );
        self.observe_generation();
        self.save().await?;
        self.notify(&notice);
        Err(EngineError::Failed(message))
    }

    /// Creates the release's namespace if so asked; says what is wrong if it is missing.
    async fn namespace(&self, spec: &HelmReleaseSpec, action: ReleaseAction) -> Result<Option<String>, EngineError> {
        let namespace = self.object.release_namespace();
        if namespace == self.key.namespace || action != ReleaseAction::Install {
            return Ok(None);
        }
        if spec.target_namespace.is_some() && spec.install.as_ref().is_some_and(|install| install.create_namespace) {
            return match self.target.cluster.ensure_namespace(&namespace, field_manager::HELM).await {
                Ok(()) => Ok(None),
                Err(error) if error.class() == ErrorClass::Transient => Err(error.into()),
                Err(error) => Ok(Some(format!("create namespace {namespace}: {error}"))),
            };
        }
        let reference = apply::ObjectRef {
            gvk: apply::Gvk::new("v1", "Namespace"),
            namespace: String::new(),
            name: namespace.clone(),
        };
        match self.target.cluster.get(&reference).await {
            Ok(Some(_)) => Ok(None),
            Ok(None) => {
                Ok(Some(format!("namespace \"{namespace}\" not found; create it, or set spec.install.createNamespace")))
            }
            // Who may not look at namespaces will be told by the objects' own errors.
            Err(_) => Ok(None),
        }
    }

    /// Applies the chart's definitions of custom resources and waits until they are established.
    async fn definitions(
        &mut self,
        session: &mut Session,
        policy: CrdsPolicy,
        chart: &Chart,
    ) -> Result<Option<Progress>, EngineError> {
        if policy == CrdsPolicy::Skip {
            return Ok(None);
        }
        if session.definitions.is_none() {
            let files = chart.crds();
            if files.is_empty() {
                return Ok(None);
            }
            let required = self.apply_definitions(policy, &files).await?;
            let mut interests = Vec::new();
            for wanted in &required {
                if wanted.applied.condition == Condition::Current {
                    continue;
                }
                let cluster = &self.target.cluster;
                let resource = cluster.discovery().resolve(cluster.client(), &wanted.object).await?;
                interests.push(cluster.watches().interest(&wanted.object.gvk, &resource));
            }
            session.definitions = Some(Definitions { required, until: later(self.now(), DEFINITIONS), interests });
        }
        let Some(definitions) = &session.definitions else { return Ok(None) };
        let watches = self.target.cluster.watches();
        let now = self.now();
        let until = definitions.until;
        match evaluate(&definitions.required, |object| watches.sighting(object)) {
            Readiness::Ready => {
                self.target.cluster.discovery().invalidate();
                Ok(None)
            }
            Readiness::Waiting(_) if now < until => Ok(Some(Progress::Until(until))),
            Readiness::Waiting(objects) | Readiness::Failed(objects) => {
                session.definitions = None;
                Err(EngineError::Failed(format!(
                    "CustomResourceDefinitions are not established: {}",
                    describe(&objects)
                )))
            }
        }
    }

    async fn apply_definitions(
        &self,
        policy: CrdsPolicy,
        files: &[helm::chart::CrdFile],
    ) -> Result<Vec<Required>, EngineError> {
        let options = ApplyOptions {
            manager: field_manager::HELM.to_owned(),
            force: true,
            validation: FieldValidation::Ignore,
            dry_run: false,
            former: None,
        };
        let mut required = Vec::new();
        for file in files {
            let text = String::from_utf8_lossy(&file.data);
            for document in helm::manifest::split_manifests(&text) {
                let mut object: Value = manifest::parse_document(document)
                    .map_err(|problem| EngineError::Failed(format!("{}: {problem}", file.path)))?;
                if apply::object::text(&object, "/kind") != "CustomResourceDefinition" {
                    if !object.is_null() {
                        tracing::warn!(file = file.path, "an object that is no CustomResourceDefinition is left out");
                    }
                    continue;
                }
                Additions { common: None, name: &self.origin(), namespace: &self.key.namespace, annotations: &[] }
                    .add(&mut object);
                let applied = match policy {
                    CrdsPolicy::CreateReplace => self.target.cluster.apply(&object, "", &options).await?,
                    _ => match self.target.cluster.create(&object, "", field_manager::HELM).await {
                        Ok(applied) => applied,
                        Err(error) if error.is_already_exists() => continue,
                        Err(error) => return Err(error.into()),
                    },
                };
                required.push(Required { object: applied.object, applied: applied.observed });
            }
        }
        Ok(required)
    }

    /// Goes on with an action that a process before us began.
    pub(super) async fn resume(
        &mut self,
        session: &mut Session,
        pending: ReleaseStatus,
        stored: Option<Stored>,
        wanted: &Wanted,
    ) -> Result<(), EngineError> {
        let Some(stored) = stored else { return Ok(()) };
        let release = self.object.release_name();
        let Some(record) = self.storage.get(&release, stored.snapshot.version).await? else { return Ok(()) };
        let spec = self.object.spec.clone();
        tracing::info!(revision = stored.snapshot.version, status = pending.word(), "resuming an interrupted action");
        let resumed = |action: Action, settings: &ActionSettings, record: &Record| {
            let stages = action.stages(settings.hooks, settings.apply.wait);
            Machine::new(action, stages, settings.timeout, hooks::of_release(&record.release, true))
        };
        let mut running = match pending {
            ReleaseStatus::PendingInstall => {
                let settings = release_settings(&spec, ReleaseAction::Install);
                let machine = resumed(Action::Install, &settings, &record);
                self.running(
                    Purpose::Release(ReleaseAction::Install),
                    machine,
                    record,
                    settings.apply,
                    settings.timeout,
                )
            }
            ReleaseStatus::PendingUpgrade => {
                let settings = release_settings(&spec, ReleaseAction::Upgrade);
                let machine = resumed(Action::Upgrade, &settings, &record);
                self.running(
                    Purpose::Release(ReleaseAction::Upgrade),
                    machine,
                    record,
                    settings.apply,
                    settings.timeout,
                )
            }
            _ => {
                let settings = rollback_settings(&spec);
                let machine = resumed(Action::Rollback, &settings, &record);
                let target = rollback_target(&record.release.info.description);
                let target = self.status().history.into_iter().find(|snapshot| Some(snapshot.version) == target);
                let target = target.unwrap_or_else(|| stored.snapshot.clone());
                self.running(Purpose::Rollback(Box::new(target)), machine, record, settings.apply, settings.timeout)
            }
        };
        // Objects that the revision before had are taken away by comparison with it.
        let version = stored.snapshot.version;
        let revisions = self.storage.revisions(&release).await?;
        let base = revisions
            .iter()
            .rev()
            .filter(|(other, _)| **other < version)
            .find(|(_, revision)| matches!(&*revision.status, "deployed" | "failed"));
        if let Some((base, _)) = base {
            running.previous = self.storage.get(&release, *base).await?.map(|record| record.release.manifest);
        }
        let action = running.machine.action();
        let timeout = running.deadline.duration_since(running.started).unsigned_abs();
        self.ledger().running(action.word(), timeout, matches!(running.purpose, Purpose::Release(_)));
        let _ = wanted;
        session.running = Some(running);
        Ok(())
    }

    /// Begins the tests of the newest revision.
    pub(super) async fn start_test(
        &mut self,
        session: &mut Session,
        stored: Option<Stored>,
    ) -> Result<(), EngineError> {
        let Some(stored) = stored else { return Ok(()) };
        let Some(record) = self.storage.get(&stored.snapshot.name, stored.snapshot.version).await? else {
            return Ok(());
        };
        let spec = self.object.spec.clone();
        let timeout = spec.test_timeout().to_std();
        self.ledger().running("test", timeout, false);
        let machine = Machine::new(
            Action::Test,
            Action::Test.stages(true, true),
            timeout,
            hooks::of_release(&record.release, false),
        )
        .with_test_filter(test_filters(&spec));
        session.running = Some(self.running(Purpose::Test, machine, record, ApplySettings::default(), timeout));
        Ok(())
    }

    /// Begins a rollback. False when the target is not in storage any more or not what it was.
    pub(super) async fn start_rollback(
        &mut self,
        session: &mut Session,
        target: &Snapshot,
        stored: Option<Stored>,
    ) -> Result<bool, EngineError> {
        let Some(stored) = stored else { return Ok(false) };
        let Some(record) = self.storage.get(&target.name, target.version).await? else { return Ok(false) };
        let now_says = crate::snapshot::observe(&record.release, target.oci_digest.as_deref().unwrap_or_default());
        if target.api_version.as_deref() == Some(crate::plan::state::SNAPSHOT_API_VERSION)
            && now_says.digest != target.digest
        {
            return Ok(false);
        }
        let spec = self.object.spec.clone();
        let settings = rollback_settings(&spec);
        let now = self.now();
        let failed = self.storage.get(&stored.snapshot.name, stored.snapshot.version).await?;
        let mut release = record.release;
        release.version = stored.snapshot.version + 1;
        release.info.first_deployed = Some(stored.snapshot.first_deployed.0.into());
        release.info.last_deployed = Some(now.into());
        release.info.set_status(Status::PendingRollback, format!("Rollback to {}", target.version));
        release.apply_method = ApplyMethod::ServerSide;
        hooks::reset(&mut release);
        let mut record = Record { release, packed: record.packed };
        self.ledger().running("rollback", settings.timeout, false);
        let snapshot =
            Snapshot { action: Some("rollback".to_owned()), ..crate::snapshot::observe(&record.release, "") };
        history::record(self.status_mut(), snapshot);
        self.save().await?;
        self.storage.create(&mut record, now).await?;
        self.remember(&record, true);
        let stages = Action::Rollback.stages(settings.hooks, settings.apply.wait);
        let machine =
            Machine::new(Action::Rollback, stages, settings.timeout, hooks::of_release(&record.release, false));
        let mut running = self.running(
            Purpose::Rollback(Box::new(target.clone())),
            machine,
            record,
            settings.apply,
            settings.timeout,
        );
        running.previous = failed.map(|failed| failed.release.manifest);
        session.running = Some(running);
        Ok(true)
    }

    /// Begins to take the release away.
    pub(super) async fn start_uninstall(
        &mut self,
        session: &mut Session,
        purpose: Purpose,
        stored: Option<Stored>,
    ) -> Result<(), EngineError> {
        let Some(stored) = stored else { return Ok(()) };
        let Some(mut record) = self.storage.get(&stored.snapshot.name, stored.snapshot.version).await? else {
            return Ok(());
        };
        let spec = self.object.spec.clone();
        let uninstall = spec.uninstall.clone().unwrap_or_default();
        let timeout = spec.uninstall_timeout().to_std();
        let resumed = record.release.info.status() == Status::Uninstalling;
        let now = self.now();
        self.ledger().running("uninstall", timeout, false);
        if purpose == Purpose::Remediate {
            self.save().await?;
        }
        if !resumed {
            record.release.info.deleted = Some(now.into());
            record.release.info.set_status(Status::Uninstalling, "Deletion in progress (or silently failed)");
            self.storage.update(&mut record, now).await?;
            self.remember(&record, true);
        }
        let stages = Action::Uninstall.stages(!uninstall.disable_hooks, !uninstall.disable_wait);
        let machine = Machine::new(Action::Uninstall, stages, timeout, hooks::of_release(&record.release, resumed));
        let apply = ApplySettings {
            strict: false,
            wait: !uninstall.disable_wait,
            propagation: match uninstall.deletion_propagation.unwrap_or_default() {
                DeletionPropagation::Background => Propagation::Background,
                DeletionPropagation::Foreground => Propagation::Foreground,
                DeletionPropagation::Orphan => Propagation::Orphan,
            },
            keep_history: uninstall.keep_history,
            ..ApplySettings::default()
        };
        session.running = Some(self.running(purpose, machine, record, apply, timeout));
        Ok(())
    }
}

fn rollback_settings(spec: &HelmReleaseSpec) -> ActionSettings {
    let rollback = spec.rollback.clone().unwrap_or_default();
    ActionSettings {
        timeout: spec.rollback_timeout().to_std(),
        hooks: !rollback.disable_hooks,
        crds: CrdsPolicy::Skip,
        skip_schema: true,
        apply: ApplySettings {
            strict: false,
            wait: !rollback.disable_wait,
            wait_for_jobs: !rollback.disable_wait_for_jobs,
            take_ownership: true,
            cleanup_on_fail: rollback.cleanup_on_fail,
            ..ApplySettings::default()
        },
    }
}

/// The revision that a rollback's description names.
fn rollback_target(description: &str) -> Option<i64> {
    description.strip_prefix("Rollback to ")?.trim().parse().ok()
}

/// The tests a spec selects.
pub(super) fn test_filters(spec: &HelmReleaseSpec) -> Vec<TestFilter> {
    let filters = spec.test.as_ref().map(|test| test.filters.as_slice()).unwrap_or_default();
    filters.iter().map(|filter| TestFilter { name: filter.name.clone(), exclude: filter.exclude }).collect()
}
