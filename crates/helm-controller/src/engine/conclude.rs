//! Ending actions: the release record, the status, the events, and what comes next.

use apply::{ApplyOptions, ErrorClass, FieldValidation, drift, drift::Exemption, inventory};
use common::{
    conditions,
    helm::v2::{ReleaseAction, Snapshot},
    meta::{ResourceInventory, ResourceReference},
    names::{
        annotation::{DISABLED, HELM_DRIFT_DETECTION},
        condition::{READY, RECONCILING},
        event, field_manager, reason,
    },
};
use helm::{manifest::HookEvent, release::Status};

use super::{EngineError, Progress, Purpose, Running, Session, Sink, Subject, Wanted};
use crate::{
    drift_rules, hooks, manifest,
    plan::{Decision, Inputs, ReleaseStatus, Stored, history, outcome::Notice},
    storage::surplus,
};

impl<S: Sink> Subject<'_, S> {
    /// Ends an action. Progress means that this reconcile is over.
    pub(super) async fn conclude(
        &mut self,
        mut running: Running,
        session: &mut Session,
        wanted: &Wanted,
    ) -> Result<Option<Progress>, EngineError> {
        let result = outcome(&running);
        hooks::record(&mut running.record.release, running.machine.hooks());
        let purpose = running.purpose.clone();
        match purpose {
            Purpose::Release(action) => {
                self.conclude_release(running, action, result, wanted).await?;
                Ok(None)
            }
            Purpose::Test => {
                self.conclude_test(running, result).await?;
                Ok(None)
            }
            Purpose::Rollback(target) => {
                let ok = self.conclude_rollback(running, &target, result).await?;
                self.after_remedy(ok, wanted, session).await.map(Some)
            }
            Purpose::Remediate => {
                let ok = self.conclude_uninstall(running, result, true).await?;
                self.after_remedy(ok, wanted, session).await.map(Some)
            }
            Purpose::Remove => {
                self.conclude_uninstall(running, result, false).await?;
                Ok(Some(Progress::Again))
            }
        }
    }

    async fn after_remedy(
        &mut self,
        _ok: bool,
        wanted: &Wanted,
        session: &mut Session,
    ) -> Result<Progress, EngineError> {
        session.performed.clear();
        let decision = self.after_remediation(wanted);
        self.summarize(wanted);
        match decision {
            Decision::RetryAfter(interval) => {
                let message = format!("retrying after {}", common::duration::GoDuration::from(interval));
                self.ledger().set(RECONCILING, true, reason::PROGRESSING_WITH_RETRY, message);
                self.save().await?;
                Ok(Progress::After(interval))
            }
            Decision::Stall { reason, message } => {
                self.ledger().stalled(reason, &message, false);
                self.observe_generation();
                self.save().await?;
                Ok(Progress::Stalled)
            }
            _ => {
                let message = conditions::message(&self.status().conditions, READY).to_owned();
                self.ledger().set(RECONCILING, true, reason::PROGRESSING_WITH_RETRY, message);
                self.save().await?;
                Ok(Progress::Again)
            }
        }
    }

    fn summarize(&mut self, wanted: &Wanted) {
        let spec = self.object.spec.clone();
        let renderers = crate::postrender::renderers_digest(&spec.post_renderers);
        let common = crate::postrender::common_metadata_digest(spec.common_metadata.as_ref());
        let inputs = Inputs {
            spec: &spec,
            generation: self.generation(),
            chart_name: wanted.chart.name(),
            chart_version: &wanted.chart.metadata.version,
            config_digest: &wanted.config_digest,
            post_renderers_digest: &renderers,
            common_metadata_digest: &common,
        };
        self.ledger().summarize(&inputs);
    }

    async fn conclude_release(
        &mut self,
        mut running: Running,
        action: ReleaseAction,
        result: Result<(), String>,
        wanted: &Wanted,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let name = running.record.release.name.clone();
        let version = running.record.release.version;
        match &result {
            Ok(()) => {
                if action == ReleaseAction::Upgrade {
                    self.supersede(&name, version).await?;
                }
                let description = match action {
                    ReleaseAction::Install => "Install complete",
                    ReleaseAction::Upgrade => "Upgrade complete",
                };
                running.record.release.info.set_status(Status::Deployed, description);
            }
            Err(problem) => {
                if running.apply.cleanup_on_fail {
                    self.clean_up_created(&running).await?;
                }
                let word = match action {
                    ReleaseAction::Install => "Release",
                    ReleaseAction::Upgrade => "Upgrade",
                };
                running.record.release.info.set_status(Status::Failed, format!("{word} \"{name}\" failed: {problem}"));
            }
        }
        self.storage.update(&mut running.record, now).await?;
        self.remember(&running.record, true);
        self.take_snapshot(&running, Some(action.as_str()));
        self.status_mut().last_attempted_release_action_duration =
            Some(now.duration_since(running.started).unsigned_abs().into());
        let spec = self.object.spec.clone();
        match result {
            Ok(()) => {
                self.take_inventory(&running, wanted).await;
                let gates = self.engine.gates;
                if let Some(notice) = self.ledger().released(&spec, action, gates) {
                    self.notify(&notice);
                }
                self.trim(&name, version).await;
            }
            Err(problem) => {
                let inputs = Inputs {
                    spec: &spec,
                    generation: self.generation(),
                    chart_name: wanted.chart.name(),
                    chart_version: &wanted.chart.metadata.version,
                    config_digest: &wanted.config_digest,
                    post_renderers_digest: "",
                    common_metadata_digest: "",
                };
                let namespace = self.object.release_namespace();
                let notice = self.ledger().release_failed(&inputs, (&namespace, &name), action, true, &problem);
                self.notify(&notice);
            }
        }
        self.summarize(wanted);
        Ok(())
    }

    /// Marks an action as failed because newer input replaced it; that is nobody's failure.
    pub(super) async fn abandon(&mut self, mut running: Running) -> Result<(), EngineError> {
        if running.purpose == Purpose::Test {
            return Ok(());
        }
        let problem = outcome(&running).err().unwrap_or_default();
        hooks::record(&mut running.record.release, running.machine.hooks());
        let name = running.record.release.name.clone();
        running.record.release.info.set_status(Status::Failed, format!("Upgrade \"{name}\" failed: {problem}"));
        let now = self.now();
        self.storage.update(&mut running.record, now).await?;
        self.remember(&running.record, true);
        self.take_snapshot(&running, None);
        let release = crate::plan::history::latest(&self.status()).map(Snapshot::full_release_name).unwrap_or_default();
        let message = format!("Health checks of release {release} canceled: {problem}");
        self.notify(&Notice::normal(reason::HEALTH_CHECK_CANCELED, message));
        Ok(())
    }

    /// Earlier deployed revisions are superseded by this one.
    async fn supersede(&mut self, name: &str, version: i64) -> Result<(), EngineError> {
        let revisions = self.storage.revisions(name).await?;
        let now = self.now();
        for (earlier, revision) in revisions {
            if earlier >= version || &*revision.status != "deployed" {
                continue;
            }
            let Some(mut record) = self.storage.get(name, earlier).await? else { continue };
            record.release.info.status = Status::Superseded.as_str().to_owned();
            self.storage.update(&mut record, now).await?;
            if let Some(known) = self.status_mut().history.iter_mut().find(|snapshot| snapshot.version == earlier) {
                let oci = known.oci_digest.clone().unwrap_or_default();
                let fresh = crate::snapshot::observe(&record.release, &oci);
                *known = Snapshot { action: known.action.clone(), test_hooks: known.test_hooks.clone(), ..fresh };
            }
        }
        Ok(())
    }

    /// Deletes revisions beyond the limit. A failure to do so is not the release's.
    async fn trim(&self, name: &str, newest: i64) {
        let Ok(mut revisions) = self.storage.revisions(name).await else { return };
        revisions.remove(&newest);
        let limit = self.object.spec.max_history();
        for version in surplus(&revisions, limit) {
            if let Err(error) = self.storage.delete(name, version).await {
                tracing::warn!(%error, "an old release record was not deleted");
            }
        }
    }

    fn take_snapshot(&mut self, running: &Running, action: Option<&str>) {
        let fresh = crate::snapshot::observe(&running.record.release, self.oci_digest());
        let action = action.map(str::to_owned).or_else(|| {
            self.status()
                .history
                .into_iter()
                .find(|snapshot| snapshot.version == fresh.version)
                .and_then(|snapshot| snapshot.action)
        });
        history::record(self.status_mut(), Snapshot { action, ..fresh });
    }

    async fn take_inventory(&mut self, running: &Running, wanted: &Wanted) {
        let mut entries = Vec::new();
        let namespace = running.record.release.namespace.clone();
        let mut objects: Vec<serde_json::Value> = manifest::parse(&running.record.release.manifest)
            .unwrap_or_default()
            .into_iter()
            .map(|document| document.object)
            .collect();
        for file in wanted.chart.crds() {
            let text = String::from_utf8_lossy(&file.data).into_owned();
            objects.extend(
                helm::manifest::split_manifests(&text)
                    .into_iter()
                    .filter_map(|document| manifest::parse_document(document).ok()),
            );
        }
        for object in objects {
            if let Ok(reference) = self.target.cluster.locate(&object, &namespace).await {
                entries.push(ResourceReference { id: inventory::id(&reference), v: reference.gvk.version });
            }
        }
        self.status_mut().inventory = Some(ResourceInventory { entries });
    }

    async fn conclude_test(&mut self, mut running: Running, result: Result<(), String>) -> Result<(), EngineError> {
        let now = self.now();
        let spec = self.object.spec.clone();
        self.storage.update(&mut running.record, now).await?;
        self.remember(&running.record, true);
        let hooks = crate::snapshot::test_hooks(&running.record.release, &super::start::test_filters(&spec));
        let count =
            running.record.release.hooks.iter().filter(|hook| hook.runs_at(HookEvent::Test)).count().min(hooks.len());
        let fresh = crate::snapshot::observe(&running.record.release, self.oci_digest());
        if let Some(known) = self.status_mut().history.iter_mut().find(|snapshot| snapshot.version == fresh.version) {
            *known = Snapshot { action: known.action.clone(), test_hooks: Some(hooks), ..fresh };
        }
        let notice = self.ledger().tested(&spec, result.as_ref().map(|()| count).map_err(String::as_str));
        if let Some(notice) = notice {
            self.notify(&notice);
        }
        Ok(())
    }

    async fn conclude_rollback(
        &mut self,
        mut running: Running,
        target: &Snapshot,
        result: Result<(), String>,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        let name = running.record.release.name.clone();
        let version = running.record.release.version;
        match &result {
            Ok(()) => {
                self.supersede(&name, version).await?;
                let description = running.record.release.info.description.clone();
                running.record.release.info.set_status(Status::Deployed, description);
            }
            Err(problem) => {
                if running.apply.cleanup_on_fail {
                    self.clean_up_created(&running).await?;
                }
                running
                    .record
                    .release
                    .info
                    .set_status(Status::Failed, format!("Rollback \"{name}\" failed: {problem}"));
            }
        }
        self.storage.update(&mut running.record, now).await?;
        self.remember(&running.record, true);
        self.take_snapshot(&running, Some("rollback"));
        let ok = result.is_ok();
        let notice = self.ledger().rolled_back(target, borrowed(&result));
        self.notify(&notice);
        Ok(ok)
    }

    async fn conclude_uninstall(
        &mut self,
        mut running: Running,
        result: Result<(), String>,
        remediation: bool,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        let name = running.record.release.name.clone();
        if result.is_ok() {
            running.record.release.info.set_status(Status::Uninstalled, "Uninstallation complete");
            if running.apply.keep_history {
                self.storage.update(&mut running.record, now).await?;
            } else {
                // The newest goes last: if we are killed in between, what remains still says "uninstalling".
                for version in self.storage.revisions(&name).await?.into_keys() {
                    self.storage.delete(&name, version).await?;
                }
            }
        } else {
            running.record.release.info.description =
                format!("Uninstallation failed: {}", result.as_ref().err().map(String::as_str).unwrap_or_default());
            self.storage.update(&mut running.record, now).await?;
        }
        self.remember(&running.record, true);
        self.take_snapshot(&running, Some(if remediation { "uninstall-remediation" } else { "uninstall" }));
        let snapshot = crate::snapshot::observe(&running.record.release, self.oci_digest());
        let ok = result.is_ok();
        if remediation {
            let notice = self.ledger().uninstalled_in_remediation(&snapshot, borrowed(&result));
            self.notify(&notice);
            return Ok(ok);
        }
        let (release, chart) = (snapshot.full_release_name(), snapshot.versioned_chart_name());
        match result {
            Ok(()) => {
                let message = format!("Helm uninstall succeeded for release {release} with chart {chart}");
                self.ledger().set(
                    common::names::condition::RELEASED,
                    false,
                    reason::UNINSTALL_SUCCEEDED,
                    message.as_str(),
                );
                self.notify(&Notice::normal(reason::UNINSTALL_SUCCEEDED, message));
                Ok(true)
            }
            Err(problem) => {
                let message = format!("Helm uninstall failed for release {release} with chart {chart}: {problem}");
                self.status_mut().failures += 1;
                self.ledger().set(
                    common::names::condition::RELEASED,
                    false,
                    reason::UNINSTALL_FAILED,
                    message.as_str(),
                );
                self.ledger().set(READY, false, reason::UNINSTALL_FAILED, message.as_str());
                self.save().await?;
                self.notify(&Notice::warning(reason::UNINSTALL_FAILED, message.as_str()));
                Err(EngineError::Failed(message))
            }
        }
    }

    /// Marks an abandoned record as failed.
    pub(super) async fn unlock(&mut self, pending: ReleaseStatus, stored: Option<Stored>) -> Result<(), EngineError> {
        let Some(stored) = stored else { return Ok(()) };
        let Some(mut record) = self.storage.get(&stored.snapshot.name, stored.snapshot.version).await? else {
            return Ok(());
        };
        record
            .release
            .info
            .set_status(Status::Failed, format!("Release unlocked from stale '{}' state", pending.word()));
        let now = self.now();
        self.storage.update(&mut record, now).await?;
        self.remember(&record, true);
        let fresh = crate::snapshot::observe(&record.release, self.oci_digest());
        history::record(self.status_mut(), fresh.clone());
        let notice = self.ledger().unlocked(&fresh, pending.word());
        self.notify(&notice);
        Ok(())
    }

    /// Takes a release into the status that was finished before the status could say so.
    pub(super) fn record_finished(&mut self, inputs: &Inputs<'_>, stored: Option<Stored>) -> Result<(), EngineError> {
        let Some(stored) = stored else { return Ok(()) };
        let action = self
            .status()
            .history
            .iter()
            .find(|snapshot| snapshot.version == stored.snapshot.version)
            .and_then(|snapshot| snapshot.action.clone());
        let was_rollback = action.as_deref() == Some("rollback");
        history::record(self.status_mut(), Snapshot { action, ..stored.snapshot.clone() });
        let gates = self.engine.gates;
        if was_rollback {
            let target = self.status().history.into_iter().nth(1).unwrap_or(stored.snapshot);
            let notice = self.ledger().rolled_back(&target, Ok(()));
            self.notify(&notice);
        } else if let Some(action) = self.status().last_attempted_release_action
            && let Some(notice) = self.ledger().released(inputs.spec, action, gates)
        {
            self.notify(&notice);
        }
        Ok(())
    }

    /// Compares the cluster with the release, and undoes what differs if so asked.
    pub(super) async fn check_drift(
        &mut self,
        inputs: &Inputs<'_>,
        stored: Option<Stored>,
        correct: bool,
    ) -> Result<Progress, EngineError> {
        let Some(stored) = stored else { return Ok(Progress::Again) };
        let Some(record) = self.storage.get(&stored.snapshot.name, stored.snapshot.version).await? else {
            return Ok(Progress::Again);
        };
        let (name, namespace) = (record.release.name.clone(), record.release.namespace.clone());
        let options = ApplyOptions {
            manager: field_manager::HELM.to_owned(),
            force: true,
            validation: FieldValidation::Ignore,
            dry_run: false,
            former: None,
        };
        let exemption = Exemption { key: HELM_DRIFT_DETECTION, value: DISABLED };
        let rules = inputs.spec.drift_detection.as_ref().map(|drift| drift.ignore.as_slice()).unwrap_or_default();
        let documents =
            manifest::parse(&record.release.manifest).map_err(|error| EngineError::Failed(error.to_string()))?;
        let mut found = Vec::new();
        let mut drifted = Vec::new();
        for mut object in documents.into_iter().map(|document| document.object) {
            apply::ownership::mark(&mut object, &name, &namespace);
            let ignored = drift_rules::pointers(rules, &object).map_err(EngineError::Failed)?;
            match drift::detect(&self.target.cluster, &object, &namespace, &options, exemption, &ignored).await {
                Ok(None) => {}
                Ok(Some(drift)) => {
                    found.push(drift.to_string());
                    drifted.push((drift, object, ignored));
                }
                Err(error) if error.class() == ErrorClass::Transient => return Err(error.into()),
                Err(error) => found.push(error.to_string()),
            }
        }
        self.ledger().in_sync(inputs.spec);
        if let Some(notice) = self.ledger().drift(&found) {
            self.notify(&notice);
        }
        if correct && !drifted.is_empty() {
            self.correct_drift(drifted, &namespace, &options).await?;
        }
        self.settle(inputs).await?;
        Ok(Progress::Settled)
    }

    async fn correct_drift(
        &mut self,
        drifted: Vec<(drift::Drift, serde_json::Value, Vec<String>)>,
        namespace: &str,
        options: &ApplyOptions,
    ) -> Result<(), EngineError> {
        let mut corrected = Vec::new();
        let mut failed = Vec::new();
        for (drift, mut object, ignored) in drifted {
            if matches!(drift, drift::Drift::Changed { .. }) {
                for pointer in &ignored {
                    drift_rules::remove(&mut object, pointer);
                }
            }
            match self.target.cluster.apply(&object, namespace, options).await {
                Ok(applied) => {
                    let word = if matches!(drift, drift::Drift::Missing { .. }) { "created" } else { "patched" };
                    corrected.push(format!("{} {word}", applied.object));
                }
                Err(error) => failed.push(error.to_string()),
            }
        }
        let release = history::latest(&self.status()).map(Snapshot::full_release_name).unwrap_or_default();
        if !failed.is_empty() {
            let message = format!("Failed to correct the cluster state of release {release}:\n{}", failed.join("\n"));
            self.notify(&Notice::warning(event::DRIFT_CORRECTION_FAILED, message.as_str()));
            return Err(EngineError::Failed(message));
        }
        let message = format!("Cluster state of release {release} has been corrected:\n{}", corrected.join("\n"));
        self.notify(&Notice::normal(event::DRIFT_CORRECTED, message));
        self.ledger().drift(&[]);
        Ok(())
    }

    /// Uninstalls the recorded release, because it goes elsewhere or for good. `true` once it is gone.
    pub async fn remove(&mut self, name: &str) -> Result<Option<Progress>, EngineError> {
        let mut session = self.session();
        if !session.running.as_ref().is_some_and(|running| running.purpose == Purpose::Remove) {
            session = Session::default();
            let revisions = self.storage.revisions(name).await?;
            let Some((version, _)) = revisions.last_key_value() else { return Ok(None) };
            let Some(record) = self.storage.get(name, *version).await? else { return Ok(None) };
            if record.release.info.status() == Status::Uninstalled {
                return Ok(None);
            }
            let stored = Stored {
                status: ReleaseStatus::parse(&record.release.info.status),
                snapshot: crate::snapshot::observe(&record.release, ""),
                ours: true,
            };
            self.start_uninstall(&mut session, Purpose::Remove, Some(stored)).await?;
        }
        let Some(mut running) = session.running.take() else { return Ok(None) };
        match self.drive(&mut running).await {
            Ok(Some(until)) => {
                session.running = Some(running);
                self.keep_session(session);
                Ok(Some(Progress::Until(until)))
            }
            Ok(None) => {
                let mut running = *running;
                let result = outcome(&running);
                hooks::record(&mut running.record.release, running.machine.hooks());
                self.conclude_uninstall(running, result, false).await?;
                Ok(None)
            }
            Err(error) => {
                session.running = Some(running);
                self.keep_session(session);
                Err(error)
            }
        }
    }
}

fn outcome(running: &Running) -> Result<(), String> {
    match running.machine.result() {
        Some(result) => result.clone().map_err(|failure| failure.to_string()),
        None => Err(format!("the {} was not finished", running.machine.action().word())),
    }
}

fn borrowed(result: &Result<(), String>) -> Result<(), &str> {
    match result {
        Ok(()) => Ok(()),
        Err(problem) => Err(problem),
    }
}
