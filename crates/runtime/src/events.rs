//! Kubernetes Events and their copies for a notification-controller: sent in the background, aggregated, rate limited.

use std::{collections::BTreeMap, collections::HashMap, sync::Arc, time::Duration};

use common::names::{annotation::EVENT_METADATA_PREFIX, event as names};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{Event as KubernetesEvent, EventSource, ObjectReference},
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams, PostParams},
};
use serde::Serialize;
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};
use tracing::{debug, warn};

use crate::{client::Load, clock::Clock};

/// Events waiting to be sent. 500 objects failing at once with two events each fit; more are dropped and counted in the log.
const QUEUE: usize = 1024;
/// The same event within this time is counted up on the stored one, as client-go's correlator does.
const AGGREGATION: Duration = Duration::from_secs(600);
/// Events an object may send at once, and the time that gives it one more (client-go's spam filter).
const BURST: f64 = 25.0;
const REFILL: Duration = Duration::from_secs(300);
/// How long an event gives way to the requests of reconciles, and how often it looks whether it still has to.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);
/// With more than this many waiting, none gives way any more.
const BACKLOG: usize = QUEUE / 2;
/// Bytes of a message on a Kubernetes Event; longer ones are cut.
const MESSAGE_LIMIT: usize = 4096;
/// Characters of an outbound message, by upstream's schema.
const OUTBOUND_LIMIT: usize = 39_000;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// A Kubernetes Event only; never posted outward.
    Trace,
    /// Normal.
    Info,
    /// Warning.
    Error,
}

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// The object.
    pub object: ObjectReference,
    /// How much it matters.
    pub severity: Severity,
    /// One word, the same as the condition's reason where there is one.
    pub reason: String,
    /// For people. Must hold no secret.
    pub message: String,
    /// Annotations of the Event and metadata of the outbound copy; full keys.
    pub metadata: BTreeMap<String, String>,
}

/// A reference to an object for an [`Event`], with its resource version and uid.
pub fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    ObjectReference { resource_version: object.meta().resource_version.clone(), ..object.object_ref(&()) }
}

/// The annotations of an object that its outbound events carry.
pub fn inherited_metadata(meta: &ObjectMeta) -> BTreeMap<String, String> {
    meta.annotations
        .iter()
        .flatten()
        .filter(|(key, _)| key.starts_with(EVENT_METADATA_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Takes events and sends them in the background.
#[derive(Clone, Debug)]
pub struct Recorder {
    sender: mpsc::Sender<(Event, Instant)>,
}

impl Recorder {
    /// A recorder, and the task that sends; the task ends when the last recorder is dropped and all is sent.
    pub fn new(
        client: Client,
        controller: &str,
        instance: &str,
        outbound: Option<String>,
        clock: Clock,
        load: Load,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        // The HTTP client holds the system's trust anchors, so it is only made where it is used.
        let outbound = outbound.filter(|address| !address.is_empty()).map(|address| Receiver {
            address: Arc::from(address),
            http: reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap_or_default(),
        });
        let worker = Worker {
            client,
            controller: controller.to_owned(),
            instance: instance.to_owned(),
            outbound,
            clock,
            load,
            correlator: Correlator::default(),
        };
        (Self { sender }, worker.run(receiver))
    }

    /// Hands an event over; never waits. When the queue is full the event is dropped with a log line.
    pub fn publish(&self, event: Event) {
        if let Err(error) = self.sender.try_send((event, Instant::now())) {
            let (event, _) = match error {
                mpsc::error::TrySendError::Full(event) | mpsc::error::TrySendError::Closed(event) => event,
            };
            warn!(reason = event.reason, message = event.message, "event dropped: too many are waiting to be sent");
        }
    }
}

/// A notification-controller's event receiver.
struct Receiver {
    address: Arc<str>,
    http: reqwest::Client,
}

struct Worker {
    client: Client,
    controller: String,
    instance: String,
    outbound: Option<Receiver>,
    clock: Clock,
    load: Load,
    correlator: Correlator,
}

impl Worker {
    async fn run(mut self, mut events: mpsc::Receiver<(Event, Instant)>) {
        while let Some((event, published)) = events.recv().await {
            // Nobody waits for an event, but for the objects of a reconcile somebody does.
            while gives_way(self.load.under_way(), published.elapsed(), events.len()) {
                tokio::time::sleep(LOOK).await;
            }
            let waited = SignedDuration::try_from(published.elapsed()).unwrap_or_default();
            let now = self.clock.now().checked_sub(waited).unwrap_or(Timestamp::UNIX_EPOCH);
            let decision = self.correlator.decide(&event, now);
            if let Some(Receiver { address, http }) = &self.outbound
                && event.severity != Severity::Trace
                && matches!(decision, Decision::Create { .. })
            {
                let body = Outbound::new(&event, &self.controller, &self.instance, now);
                if let Ok(body) = serde_json::to_vec(&body) {
                    tokio::spawn(post(http.clone(), Arc::clone(address), body));
                }
            }
            if let Err(error) = self.send(&event, decision, now).await {
                debug!(error = %error, reason = event.reason, "event not recorded");
            }
        }
    }

    async fn send(&self, event: &Event, decision: Decision, now: Timestamp) -> Result<(), kube::Error> {
        let namespace = event.object.namespace.as_deref().unwrap_or("default");
        let api: Api<KubernetesEvent> = Api::namespaced(self.client.clone(), namespace);
        match decision {
            Decision::Drop => Ok(()),
            Decision::Count { name, count } => {
                let patch = json!({ "count": count, "lastTimestamp": Time(now) });
                match api.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
                    // The stored event has expired: the next occurrence starts a new one.
                    Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
                    answer => answer.map(drop),
                }
            }
            Decision::Create { name } => {
                api.create(&PostParams::default(), &self.kubernetes_event(event, name, namespace, now)).await.map(drop)
            }
        }
    }

    fn kubernetes_event(&self, event: &Event, name: String, namespace: &str, now: Timestamp) -> KubernetesEvent {
        KubernetesEvent {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(namespace.to_owned()),
                annotations: (!event.metadata.is_empty()).then(|| event.metadata.clone()),
                ..ObjectMeta::default()
            },
            involved_object: event.object.clone(),
            reason: Some(event.reason.clone()),
            message: Some(cut(&event.message, MESSAGE_LIMIT).to_owned()),
            type_: Some(
                if event.severity == Severity::Error { names::TYPE_WARNING } else { names::TYPE_NORMAL }.to_owned(),
            ),
            source: Some(EventSource { component: Some(self.controller.clone()), host: None }),
            reporting_component: Some(self.controller.clone()),
            reporting_instance: Some(self.instance.clone()),
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            count: Some(1),
            ..KubernetesEvent::default()
        }
    }
}

/// Whether an event of this age, with so many behind it, lets the requests that are under way go first.
fn gives_way(under_way: usize, age: Duration, behind: usize) -> bool {
    under_way > 0 && age < PATIENCE && behind < BACKLOG
}

/// What is to be done with an event.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Create { name: String },
    Count { name: String, count: i32 },
    Drop,
}

/// Remembers recent events so that repeats are counted and floods are cut.
#[derive(Default)]
struct Correlator {
    recent: HashMap<(String, String, String), Recent>,
    budgets: HashMap<String, (f64, Timestamp)>,
}

struct Recent {
    name: String,
    count: i32,
    last: Timestamp,
}

impl Correlator {
    fn decide(&mut self, event: &Event, now: Timestamp) -> Decision {
        let age = |then: Timestamp| Duration::try_from(now.duration_since(then)).unwrap_or_default();
        if self.recent.len() > QUEUE {
            self.recent.retain(|_, recent| age(recent.last) < AGGREGATION);
        }
        if self.budgets.len() > QUEUE {
            self.budgets.retain(|_, (_, then)| age(*then) < REFILL * 26);
        }
        let object = event.object.uid.clone().unwrap_or_default();
        let (tokens, then) = self.budgets.entry(object.clone()).or_insert((BURST, now));
        *tokens = (*tokens + age(*then).as_secs_f64() / REFILL.as_secs_f64()).min(BURST);
        *then = now;
        if *tokens < 1.0 {
            return Decision::Drop;
        }
        *tokens -= 1.0;
        let key = (object, event.reason.clone(), event.message.clone());
        match self.recent.get_mut(&key) {
            Some(recent) if age(recent.last) < AGGREGATION => {
                recent.count = recent.count.saturating_add(1);
                recent.last = now;
                Decision::Count { name: recent.name.clone(), count: recent.count }
            }
            _ => {
                let name = format!("{}.{:x}", event.object.name.as_deref().unwrap_or("unknown"), now.as_nanosecond());
                self.recent.insert(key, Recent { name: name.clone(), count: 1, last: now });
                Decision::Create { name }
            }
        }
    }
}

/// The JSON that a notification-controller receives.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outbound<'a> {
    involved_object: &'a ObjectReference,
    severity: &'static str,
    timestamp: String,
    message: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'a BTreeMap<String, String>,
    reporting_controller: &'a str,
    reporting_instance: &'a str,
}

impl<'a> Outbound<'a> {
    fn new(event: &'a Event, controller: &'a str, instance: &'a str, now: Timestamp) -> Self {
        Self {
            involved_object: &event.object,
            severity: match event.severity {
                Severity::Trace => names::SEVERITY_TRACE,
                Severity::Info => names::SEVERITY_INFO,
                Severity::Error => names::SEVERITY_ERROR,
            },
            timestamp: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            message: cut(&event.message, OUTBOUND_LIMIT),
            reason: &event.reason,
            metadata: &event.metadata,
            reporting_controller: controller,
            reporting_instance: instance,
        }
    }
}

/// Posts with up to three tries. 429 means that the receiver has seen the same event already.
async fn post(http: reqwest::Client, address: Arc<str>, body: Vec<u8>) {
    for wait in [1, 3, 0] {
        let request = http.post(&*address).header("Content-Type", "application/json").body(body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() || answer.status().as_u16() == 429 => return,
            Ok(answer) if !answer.status().is_server_error() => {
                warn!(status = answer.status().as_u16(), "the event receiver refused an event");
                return;
            }
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_secs(wait)).await,
        }
    }
    warn!("the event receiver did not take an event");
}

/// The longest prefix of at most `limit` bytes that ends at a character.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &str) -> Event {
        Event {
            object: ObjectReference {
                uid: Some("u".into()),
                name: Some("podinfo".into()),
                ..ObjectReference::default()
            },
            severity: Severity::Info,
            reason: "Reason".into(),
            message: message.into(),
            metadata: BTreeMap::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn repeats_are_counted_and_expire() {
        let mut correlator = Correlator::default();
        let Decision::Create { name } = correlator.decide(&event("a"), at(0)) else { panic!("first is created") };
        assert_eq!(correlator.decide(&event("a"), at(1)), Decision::Count { name, count: 2 });
        assert!(matches!(correlator.decide(&event("b"), at(2)), Decision::Create { .. }));
        assert!(matches!(correlator.decide(&event("a"), at(700)), Decision::Create { .. }));
    }

    #[test]
    fn a_flood_is_cut_and_refills() {
        let mut correlator = Correlator::default();
        let sent = (0..100).filter(|i| correlator.decide(&event(&i.to_string()), at(0)) != Decision::Drop).count();
        assert_eq!(sent, 25);
        assert!(correlator.decide(&event("later"), at(301)) != Decision::Drop);
        assert_eq!(correlator.decide(&event("again"), at(302)), Decision::Drop);
    }

    #[test]
    fn events_give_way_to_requests_for_a_while() {
        let (young, old) = (Duration::from_millis(10), PATIENCE);
        for (under_way, age, behind, expected) in
            [(0, young, 0, false), (1, young, 0, true), (1, old, 0, false), (1, young, BACKLOG, false)]
        {
            assert_eq!(gives_way(under_way, age, behind), expected, "{under_way} {age:?} {behind}");
        }
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        assert_eq!(cut("aäö", 2), "a");
        assert_eq!(cut("aäö", 3), "aä");
        assert_eq!(cut("short", 100), "short");
    }

    #[test]
    fn outbound_json_has_upstreams_keys() {
        let event = event("hello");
        let text = serde_json::to_value(Outbound::new(&event, "helm-controller", "pod-1", at(0))).unwrap();
        assert_eq!(
            text,
            json!({
                "involvedObject": {"uid": "u", "name": "podinfo"}, "severity": "info", "timestamp": "2023-11-14T22:13:20Z",
                "message": "hello", "reason": "Reason", "reportingController": "helm-controller", "reportingInstance": "pod-1",
            })
        );
    }
}
