//! The loop: observe, decide, act, until nothing is left to do or something has to be waited for.

use std::time::Duration;

use common::names::condition::{READY, RECONCILING};
use common::{conditions, names::reason};
use jiff::Timestamp;

use super::{EngineError, InputsKey, Known, Session, Sink, Subject, Wanted};
use crate::plan::{
    self, Decision, Inputs, Performed, ReleaseStatus, Stored,
    decide::{after_remediation, decide},
    outcome,
};
use crate::postrender;

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All is as it should be.
    Settled,
    /// An action is under way; look again at this time at the latest.
    Until(Timestamp),
    /// Look again after this long.
    After(Duration),
    /// Look again now.
    Again,
    /// Only a change helps.
    Stalled,
}

/// Actions in one reconcile; a bound on the loop, far above what any sequence needs.
const MOST_ROUNDS: usize = 16;

impl<S: Sink> Subject<'_, S> {
    /// Brings the release closer to what is wanted.
    pub async fn advance(&mut self, wanted: &Wanted) -> Result<Progress, EngineError> {
        self.chart_version.clone_from(&wanted.chart.metadata.version);
        self.config_digest.clone_from(&wanted.config_digest);
        let mut session = self.session();
        let key = InputsKey {
            generation: self.generation(),
            chart: wanted.chart_digest.clone(),
            config_digest: wanted.config_digest.clone(),
        };
        if session.inputs.as_ref() != Some(&key) {
            self.preempt(&mut session, wanted).await?;
            session.inputs = Some(key);
            session.performed.clear();
            session.definitions = None;
        }
        let outcome = self.rounds(&mut session, wanted).await;
        self.keep_session(session);
        outcome
    }

    /// A newer input ends the wait for the older one at once.
    async fn preempt(&mut self, session: &mut Session, wanted: &Wanted) -> Result<(), EngineError> {
        let Some(mut running) = session.running.take() else { return Ok(()) };
        if matches!(running.purpose, super::Purpose::Remove | super::Purpose::Remediate) {
            session.running = Some(running);
            return Ok(());
        }
        let newer = format!("generation {} with chart version {}", self.generation(), wanted.chart.metadata.version);
        running.machine.fail(crate::action::Failure::Superseded(newer));
        self.abandon(*running).await
    }

    async fn rounds(&mut self, session: &mut Session, wanted: &Wanted) -> Result<Progress, EngineError> {
        for _ in 0..MOST_ROUNDS {
            if let Some(mut running) = session.running.take() {
                let driven = match self.drive(&mut running).await {
                    Ok(driven) => driven,
                    Err(error) => {
                        session.running = Some(running);
                        return Err(error);
                    }
                };
                match driven {
                    None => {
                        session.performed.push(Self::kind(&running.purpose));
                        if let Some(progress) = self.conclude(*running, session, wanted).await? {
                            return Ok(progress);
                        }
                    }
                    Some(until) => {
                        session.running = Some(running);
                        return Ok(Progress::Until(until));
                    }
                }
                continue;
            }
            if let Some(progress) = self.round(session, wanted).await? {
                return Ok(progress);
            }
        }
        Ok(Progress::After(Duration::from_secs(5)))
    }

    fn kind(purpose: &super::Purpose) -> Performed {
        match purpose {
            super::Purpose::Release(_) => Performed::Release,
            super::Purpose::Rollback(_) | super::Purpose::Remediate | super::Purpose::Remove => Performed::Remediate,
            super::Purpose::Test => Performed::Test,
        }
    }

    async fn round(&mut self, session: &mut Session, wanted: &Wanted) -> Result<Option<Progress>, EngineError> {
        let spec = self.object.spec.clone();
        let digests = (
            postrender::renderers_digest(&spec.post_renderers),
            postrender::common_metadata_digest(spec.common_metadata.as_ref()),
        );
        let inputs = Inputs {
            spec: &spec,
            generation: self.generation(),
            chart_name: wanted.chart.name(),
            chart_version: &wanted.chart.metadata.version,
            config_digest: &wanted.config_digest,
            post_renderers_digest: &digests.0,
            common_metadata_digest: &digests.1,
        };
        let stored = self.stored().await?;
        if session.performed.is_empty() {
            let requested = self.requests.reset;
            outcome::reset_failures(&inputs, self.status_mut(), requested);
        }
        let status = self.status();
        let state = plan::state(&inputs, &status, stored.as_ref());
        let (storage_namespace, digest) = (self.object.storage_namespace(), String::new());
        outcome::record_attempt(&inputs, self.status_mut(), &storage_namespace, &digest);
        let (requests, gates) = (self.requests, self.engine.gates);
        let decision = decide(&state, &inputs, self.status_mut(), requests, &session.performed, gates);
        tracing::debug!(?state, ?decision, "decided");
        match decision {
            Decision::Nothing => {
                self.ledger().in_sync(&spec);
                self.settle(&inputs).await?;
                Ok(Some(Progress::Settled))
            }
            Decision::CheckDrift { correct } => self.check_drift(&inputs, stored, correct).await.map(Some),
            Decision::Record => {
                self.record_finished(&inputs, stored)?;
                Ok(None)
            }
            Decision::Resume(pending) => {
                self.resume(session, pending, stored, wanted).await?;
                Ok(None)
            }
            Decision::Unlock(pending) => {
                session.performed.push(Performed::Unlock);
                self.unlock(pending, stored).await?;
                Ok(None)
            }
            Decision::Install(why) => {
                tracing::info!(why, "running 'install' action");
                self.start_release(session, common::helm::v2::ReleaseAction::Install, &inputs, stored, wanted).await
            }
            Decision::Upgrade { why, forget_history } => {
                tracing::info!(why, "running 'upgrade' action");
                if forget_history {
                    self.status_mut().history.clear();
                }
                self.start_release(session, common::helm::v2::ReleaseAction::Upgrade, &inputs, stored, wanted).await
            }
            Decision::Test => {
                self.ledger().replace_remediated();
                self.start_test(session, stored).await?;
                Ok(None)
            }
            Decision::Rollback(target) => {
                tracing::info!(version = target.version, "running 'rollback' action");
                if !self.start_rollback(session, &target, stored.clone()).await? {
                    return self
                        .start_release(session, common::helm::v2::ReleaseAction::Upgrade, &inputs, stored, wanted)
                        .await;
                }
                Ok(None)
            }
            Decision::UninstallRemediation => {
                self.start_uninstall(session, super::Purpose::Remediate, stored).await?;
                Ok(None)
            }
            Decision::Stall { reason, message } => {
                self.ledger().summarize(&inputs);
                self.ledger().stalled(reason, &message, false);
                self.observe_generation();
                self.save().await?;
                Ok(Some(Progress::Stalled))
            }
            Decision::RetryAfter(interval) => {
                let message = format!("retrying after {}", common::duration::GoDuration::from(interval));
                self.ledger().summarize(&inputs);
                self.ledger().set(RECONCILING, true, reason::PROGRESSING_WITH_RETRY, message);
                self.save().await?;
                Ok(Some(Progress::After(interval)))
            }
            Decision::Requeue => {
                self.ledger().summarize(&inputs);
                let message = conditions::message(&self.status().conditions, READY).to_owned();
                self.ledger().set(RECONCILING, true, reason::PROGRESSING_WITH_RETRY, message);
                self.save().await?;
                Ok(Some(Progress::Again))
            }
            Decision::Rest => {
                self.ledger().summarize(&inputs);
                self.ledger().remove(RECONCILING);
                self.observe_generation();
                self.save().await?;
                Ok(Some(Progress::Settled))
            }
        }
    }

    /// Writes down that all is as it should be.
    pub(super) async fn settle(&mut self, inputs: &Inputs<'_>) -> Result<(), EngineError> {
        self.ledger().remove(RECONCILING);
        self.ledger().summarize(inputs);
        self.observe_generation();
        self.save().await
    }

    /// The status speaks of this generation, and the requests made so far are handled.
    pub(super) fn observe_generation(&mut self) {
        let generation = self.generation();
        let annotations = self.object.metadata.annotations.clone();
        let status = self.status_mut();
        status.observed_generation = Some(generation);
        plan::requests::handled(annotations.as_ref(), status);
        // Handled once: the rest of this reconcile must not force again.
        self.requests = plan::requests::Requests::default();
    }

    /// The newest stored revision.
    pub(super) async fn stored(&mut self) -> Result<Option<Stored>, EngineError> {
        let release = self.object.release_name();
        let revisions = self.storage.revisions(&release).await?;
        let Some((version, revision)) = revisions.last_key_value() else { return Ok(None) };
        if let Some(known) = self.engine.known.lock().get(&self.key)
            && known.version == *version
            && known.resource_version == revision.resource_version
        {
            return Ok(Some(known.stored.clone()));
        }
        let Some(record) = self.storage.get(&release, *version).await? else { return Ok(None) };
        let oci_digest = self
            .status()
            .history
            .iter()
            .find(|snapshot| snapshot.version == *version)
            .and_then(|snapshot| snapshot.oci_digest.clone())
            .unwrap_or_default();
        let stored = Stored {
            status: ReleaseStatus::parse(&record.release.info.status),
            snapshot: crate::snapshot::observe(&record.release, &oci_digest),
            ours: revision.ours,
        };
        let known = Known { version: *version, resource_version: revision.resource_version, stored: stored.clone() };
        self.engine.known.lock().insert(self.key.clone(), known);
        Ok(Some(stored))
    }

    /// Continues conclusions that need the inputs again.
    pub(super) fn after_remediation(&mut self, wanted: &Wanted) -> Decision {
        let spec = self.object.spec.clone();
        let inputs = Inputs {
            spec: &spec,
            generation: self.generation(),
            chart_name: wanted.chart.name(),
            chart_version: &wanted.chart.metadata.version,
            config_digest: &wanted.config_digest,
            post_renderers_digest: "",
            common_metadata_digest: "",
        };
        after_remediation(&inputs, &self.status(), self.engine.gates)
    }
}
