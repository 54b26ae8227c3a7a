//! The HelmCharts that releases wait for: a watch that wakes them, and the judgement whether one is ready.

use std::sync::Arc;

use common::{
    conditions,
    meta::{Artifact, FluxObject, SourceObject},
    names::{
        condition::{READY, STALLED},
        label::{HELM_NAME, HELM_NAMESPACE},
    },
    source::v1::HelmChart,
    unread::Unread,
};
use futures::{StreamExt, pin_mut};
use kube::{
    Api, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use runtime::{ObjectKey, health::Gate, store::Store};
use tokio_util::sync::CancellationToken;

/// Says why a chart cannot be used yet, or gives its artifact.
pub fn ready(chart: &HelmChart) -> Result<&Artifact, String> {
    let name = format!("{}/{}", chart.namespace().unwrap_or_default(), chart.name_any());
    let not_ready = |why: &str| Err(format!("HelmChart '{name}' is not ready: {why}"));
    if chart.observed_generation() != chart.generation() {
        return not_ready("latest generation of object has not been reconciled");
    }
    if conditions::is_true(chart.conditions(), STALLED) {
        return not_ready(conditions::message(chart.conditions(), STALLED));
    }
    if conditions::is_false(chart.conditions(), READY) {
        return not_ready(conditions::message(chart.conditions(), READY));
    }
    chart.artifact().map_or_else(|| not_ready("does not have an artifact"), Ok)
}

/// Whether anything changed that a release would notice.
fn differs(old: Option<&HelmChart>, new: &HelmChart) -> bool {
    let Some(old) = old else { return true };
    let view = |chart: &HelmChart| ready(chart).map(|artifact| (artifact.digest.clone(), artifact.revision.clone()));
    view(old) != view(new)
}

/// Who is woken by a chart: the release it was made for, and those that refer to it.
pub type Wake = Arc<dyn Fn(Option<ObjectKey>, &ObjectKey) + Send + Sync>;

/// Watches HelmCharts until `shutdown`.
pub async fn watch(
    api: Api<Unread<HelmChart>>,
    store: Store<HelmChart>,
    wake: Wake,
    gate: Gate,
    shutdown: CancellationToken,
) {
    gate.waiting("the first list of HelmCharts has not been read yet");
    let events = watcher(api, watcher::Config::default().page_size(100)).default_backoff();
    pin_mut!(events);
    let mut listed: Vec<ObjectKey> = Vec::new();
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => return,
            event = events.next() => event,
        };
        match event {
            Some(Ok(watcher::Event::Init)) => listed.clear(),
            Some(Ok(watcher::Event::InitApply(object))) => {
                listed.push(ObjectKey::of(&object));
                seen(&store, &wake, &object);
            }
            Some(Ok(watcher::Event::InitDone)) => {
                for key in store.keys().into_iter().filter(|key| !listed.contains(key)) {
                    store.remove(&key);
                }
                listed = Vec::new();
                gate.ready();
            }
            Some(Ok(watcher::Event::Apply(object))) => seen(&store, &wake, &object),
            Some(Ok(watcher::Event::Delete(object))) => {
                let key = ObjectKey::of(&object);
                let owner = object.read().ok().as_ref().and_then(owner);
                store.remove(&key);
                wake(owner, &key);
            }
            Some(Err(error)) => {
                if gate.is_ready() {
                    tracing::debug!(%error, "watch of HelmCharts interrupted");
                } else {
                    let missing = runtime::controller::missing_definition::<HelmChart>(&error);
                    gate.waiting(&missing.unwrap_or_else(|| format!("cannot list HelmCharts: {error}")));
                }
            }
            None => return,
        }
    }
}

fn owner(chart: &HelmChart) -> Option<ObjectKey> {
    let labels = chart.metadata.labels.as_ref()?;
    Some(ObjectKey::new(labels.get(HELM_NAMESPACE)?, labels.get(HELM_NAME)?))
}

fn seen(store: &Store<HelmChart>, wake: &Wake, object: &Unread<HelmChart>) {
    if store.knows(kube::Resource::meta(object)) {
        return;
    }
    let key = ObjectKey::of(object);
    match object.read() {
        Ok(chart) => {
            let current = Arc::new(chart);
            if let Ok(old) = store.observe_shared(Arc::clone(&current))
                && differs(old.as_deref(), &current)
            {
                wake(owner(&current), &key);
            }
        }
        Err(invalid) => store.observe_invalid(*invalid),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chart(status: &serde_json::Value) -> HelmChart {
        serde_json::from_value(json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
            "metadata": {"name": "c", "namespace": "n", "generation": 2, "labels": {HELM_NAME: "web", HELM_NAMESPACE: "apps"}},
            "spec": {"chart": "web", "interval": "1m", "sourceRef": {"kind": "HelmRepository", "name": "r"}},
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn readiness_says_why_not() {
        let condition = |status: &str| json!([{"type": "Ready", "status": status, "reason": "X", "message": "no such chart", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
        let artifact = json!({"path": "p", "url": "u", "revision": "1.0.0", "digest": "sha256:00", "lastUpdateTime": "2026-01-01T00:00:00Z"});
        for (status, expected) in [
            (json!({"observedGeneration": 1}), Some("latest generation")),
            (json!({"observedGeneration": 2, "conditions": condition("False")}), Some("no such chart")),
            (json!({"observedGeneration": 2, "conditions": condition("True")}), Some("does not have an artifact")),
            (json!({"observedGeneration": 2, "conditions": condition("True"), "artifact": artifact}), None),
        ] {
            let chart = chart(&status);
            match (ready(&chart), expected) {
                (Ok(_), None) => {}
                (Err(text), Some(expected)) => {
                    assert!(text.contains(expected) && text.starts_with("HelmChart 'n/c' is not ready"), "{text}");
                }
                (outcome, expected) => panic!("{outcome:?}, expected {expected:?}"),
            }
        }
        assert_eq!(owner(&chart(&json!({}))), Some(ObjectKey::new("apps", "web")));
    }
}
