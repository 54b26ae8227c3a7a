//! Reconcilers: from a HelmRelease of either API group to the engine and back to its status.

mod prerequisites;
mod release;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use common::{
    helm::v2::{HelmRelease, HelmReleaseStatus},
    names::{condition::READY, field_manager},
    source::v1::HelmChart,
};
use kube::{Api, Client};
use parking_lot::Mutex;
use runtime::{
    Action, ObjectKey,
    controller::Trigger,
    events::{Event, Recorder, Severity},
    store::Store,
};
use tokio::time::Instant;

use crate::{
    engine::{Engine, EngineError, Progress, Sink},
    plan::outcome::Notice,
    settings::Flags,
};

pub use release::ReleaseReconciler;

/// What the reconcilers share.
pub struct Context {
    /// The engine.
    pub engine: Engine,
    /// The controller's own client.
    pub client: Client,
    /// Events.
    pub events: Recorder,
    /// Flags.
    pub flags: Flags,
    /// HelmCharts as last seen.
    pub charts: Store<HelmChart>,
    /// Releases as last seen.
    pub releases: Store<HelmRelease>,
    /// Releases of the Helm operator's group as last seen.
    pub legacy: Store<common::helm_operator::v1::HelmRelease>,
    /// Wakes releases.
    pub trigger: Trigger,
    /// Wakes releases of the Helm operator's group.
    pub legacy_trigger: Trigger,
    /// What each settled release was settled with.
    pub settled: Mutex<HashMap<ObjectKey, Settled>>,
    /// Since when a release has waited for a chart that was changed a moment ago.
    pub unready: Mutex<HashMap<ObjectKey, Instant>>,
}

/// The inputs with which a release was found to be as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Generation of the HelmRelease.
    pub generation: i64,
    /// Digest of the chart's artifact.
    pub chart: String,
    /// Digest of the composed values.
    pub config_digest: String,
}

impl Context {
    fn jittered(&self, interval: Duration) -> Duration {
        let random = f64::from(jitter_seed(interval, self.engine.clock.now())) / f64::from(u32::MAX);
        runtime::backoff::jittered_interval(interval, self.flags.common.interval_jitter_percentage, random)
    }

    /// What follows from how far the engine came. `Again` goes through the backoff, as every retry does.
    pub(crate) fn action(&self, progress: Progress, interval: Duration) -> Result<Action, EngineError> {
        Ok(match progress {
            Progress::Settled => Action::RequeueAfter(self.jittered(interval)),
            Progress::Until(at) => {
                let delay = at.duration_since(self.engine.clock.now());
                Action::RequeueAfter(Duration::try_from(delay).unwrap_or_default())
            }
            Progress::After(delay) => Action::RequeueAfter(self.jittered(delay)),
            Progress::Again => {
                return Err(EngineError::Failed("the release failed and was remediated; it is tried again".to_owned()));
            }
            Progress::Stalled => Action::Await,
        })
    }

    /// Wakes a release, of either group, that has an action under way: one of its objects changed.
    pub fn wake_active(&self, key: &ObjectKey) {
        if self.engine.is_active(key) {
            self.trigger.wake(key.clone());
        }
        if self.engine.is_active(&crate::legacy::engine_key(key)) {
            self.legacy_trigger.wake(key.clone());
        }
    }

    /// Wakes the releases that depend on this one.
    pub fn wake_dependents(&self, key: &ObjectKey) {
        let depends = |release: &HelmRelease| {
            release.spec.depends_on.iter().any(|dependency| {
                let namespace =
                    dependency.namespace.as_deref().or(release.metadata.namespace.as_deref()).unwrap_or_default();
                dependency.name == key.name && namespace == key.namespace
            })
        };
        for dependent in self.releases.keys_where(depends) {
            self.trigger.wake(dependent);
        }
    }

    /// Wakes the releases that take their chart from this HelmChart by reference.
    pub fn wake_referring(&self, chart: &ObjectKey) {
        let refers = |release: &HelmRelease| {
            release.spec.chart_ref.as_ref().is_some_and(|reference| {
                let namespace =
                    reference.namespace.as_deref().or(release.metadata.namespace.as_deref()).unwrap_or_default();
                reference.name == chart.name && namespace == chart.namespace
            })
        };
        for release in self.releases.keys_where(refers) {
            self.trigger.wake(release);
        }
    }

    /// Wakes the releases that read this ConfigMap or Secret.
    pub fn wake_readers(&self, kind: &str, object: &ObjectKey) {
        let reads = |release: &HelmRelease| {
            release.metadata.namespace.as_deref() == Some(object.namespace.as_str())
                && (release
                    .spec
                    .values_from
                    .iter()
                    .any(|reference| reference.kind.as_str() == kind && reference.name == object.name)
                    || release.spec.kube_config.as_ref().is_some_and(|reference| {
                        kind == "Secret"
                            && reference.secret_ref.as_ref().is_some_and(|secret| secret.name == object.name)
                    }))
        };
        for release in self.releases.keys_where(reads) {
            self.settled.lock().remove(&release);
            self.trigger.wake(release);
        }
        for release in self.legacy.keys_where(|release| crate::legacy::reads(release, kind, object)) {
            self.settled.lock().remove(&crate::legacy::engine_key(&release));
            self.legacy_trigger.wake(release);
        }
    }
}

/// Spreads intervals: any number that differs from object to object and time to time will do.
fn jitter_seed(interval: Duration, now: jiff::Timestamp) -> u32 {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    (interval, now.as_nanosecond()).hash(&mut hasher);
    u32::try_from(hasher.finish() >> 32).unwrap_or_default()
}

/// Writes a HelmRelease's status and sends its events.
pub(crate) struct ReleaseSink {
    context: Arc<Context>,
    api: Api<HelmRelease>,
    key: ObjectKey,
    reference: k8s_openapi::api::core::v1::ObjectReference,
    inherited: BTreeMap<String, String>,
}

impl ReleaseSink {
    fn new(context: &Arc<Context>, release: &HelmRelease) -> Self {
        let key = ObjectKey::of(release);
        Self {
            context: Arc::clone(context),
            api: Api::namespaced(context.client.clone(), &key.namespace),
            key,
            reference: runtime::events::reference(release),
            inherited: runtime::events::inherited_metadata(&release.metadata),
        }
    }
}

impl Sink for ReleaseSink {
    async fn save(&self, old: &HelmReleaseStatus, new: &HelmReleaseStatus) -> Result<(), EngineError> {
        let written = runtime::status::patch_status(&self.api, &self.key.name, field_manager::HELM, old, new, None)
            .await
            .map_err(EngineError::object("write the status"))?;
        if let Some(object) = written {
            let _ = self.context.releases.observe(object);
            let ready = |status: &HelmReleaseStatus| {
                common::conditions::find(&status.conditions, READY)
                    .map(|condition| (condition.status.clone(), status.observed_generation))
            };
            if ready(old) != ready(new) {
                self.context.wake_dependents(&self.key);
            }
        }
        Ok(())
    }

    fn notify(&self, notice: &Notice, metadata: &[(&'static str, String)]) {
        let mut all = self.inherited.clone();
        all.extend(metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.context.events.publish(Event {
            object: self.reference.clone(),
            severity: if notice.warning { Severity::Error } else { Severity::Info },
            reason: notice.reason.to_owned(),
            message: notice.message.clone(),
            metadata: all,
        });
    }
}
