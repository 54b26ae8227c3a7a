//! Prometheus metrics: upstream's names (`gotk_*`, `controller_runtime_*`, `workqueue_*`) and the process's own.

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use parking_lot::RwLock;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::key::ObjectKey;

/// The process's registry; parts register their own metrics under it.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    /// Metrics of the reconcile loops.
    pub reconcile: ReconcileMetrics,
    /// Requests to the Kubernetes API.
    pub api_requests: Family<ApiRequest, Counter>,
}

/// Labels of `towline_api_requests_total`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ApiRequest {
    /// HTTP method, or `WATCH`.
    pub method: String,
    /// Resource as in the URL (`helmreleases`, `helmreleases/status`), no names.
    pub resource: String,
    /// Status code, or `error`.
    pub code: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let reconcile = ReconcileMetrics::register(&mut registry);
        let api_requests = Family::default();
        registry.register("towline_api_requests", "Requests sent to the Kubernetes API", api_requests.clone());
        registry.register_collector(Box::new(ProcessCollector));
        Self { registry: Arc::new(RwLock::new(registry)), reconcile, api_requests }
    }
}

impl Metrics {
    /// Lets a part register its metrics.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.write());
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry.read());
        text
    }
}

/// Serves `/metrics` until `shutdown`.
pub async fn serve(listener: TcpListener, metrics: Metrics, shutdown: CancellationToken) {
    async fn scrape(State(metrics): State<Metrics>) -> impl IntoResponse {
        ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.render())
    }
    let router = Router::new().route("/metrics", get(scrape)).with_state(metrics);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await {
        tracing::error!(error = %error, "metrics server ended");
    }
}

/// Labels of an object.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ObjectLabels {
    kind: String,
    name: String,
    namespace: String,
}

/// Labels of `gotk_reconcile_condition`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ConditionLabels {
    kind: String,
    name: String,
    namespace: String,
    r#type: String,
    status: String,
}

/// Labels of a controller's totals.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ControllerLabels {
    controller: String,
}

/// Labels of a controller's totals by result.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ResultLabels {
    controller: String,
    result: String,
}

/// Labels of the work queue.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct QueueLabels {
    name: String,
}

/// What the reconcile loops count.
#[derive(Clone, Debug)]
pub struct ReconcileMetrics {
    duration: Family<ObjectLabels, Histogram, fn() -> Histogram>,
    condition: Family<ConditionLabels, Gauge>,
    suspend: Family<ObjectLabels, Gauge>,
    total: Family<ResultLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
    depth: Family<QueueLabels, Gauge<i64, AtomicI64>>,
}

/// Upstream's buckets: 10 ms doubling to 20 s.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 12))
}

impl ReconcileMetrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            duration: Family::new_with_constructor(duration_histogram),
            condition: Family::default(),
            suspend: Family::default(),
            total: Family::default(),
            errors: Family::default(),
            depth: Family::default(),
        };
        registry.register_with_unit(
            "gotk_reconcile_duration",
            "The duration of a reconciliation",
            Unit::Seconds,
            metrics.duration.clone(),
        );
        registry.register(
            "gotk_reconcile_condition",
            "The current condition status of a resource",
            metrics.condition.clone(),
        );
        registry.register("gotk_suspend_status", "The current suspend status of a resource", metrics.suspend.clone());
        registry.register(
            "controller_runtime_reconcile",
            "Total number of reconciliations per controller",
            metrics.total.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Total number of reconciliation errors per controller",
            metrics.errors.clone(),
        );
        registry.register("workqueue_depth", "Current depth of the work queue", metrics.depth.clone());
        metrics
    }

    pub(crate) fn reconciled(&self, kind: &str, key: &ObjectKey, took: Duration, result: &str) {
        self.duration.get_or_create(&labels(kind, key)).observe(took.as_secs_f64());
        let controller = kind.to_lowercase();
        if result == "error" {
            self.errors.get_or_create(&ControllerLabels { controller: controller.clone() }).inc();
        }
        self.total.get_or_create(&ResultLabels { controller, result: result.to_owned() }).inc();
    }

    pub(crate) fn depth(&self, kind: &str, depth: usize) {
        self.depth
            .get_or_create(&QueueLabels { name: kind.to_lowercase() })
            .set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// Records an object's condition: 1 for the status it has, 0 for the other two.
    pub fn condition(&self, kind: &str, key: &ObjectKey, condition: &str, status: &str) {
        for possible in ["True", "False", "Unknown"] {
            self.condition
                .get_or_create(&condition_labels(kind, key, condition, possible))
                .set(i64::from(possible == status));
        }
    }

    /// Records whether an object is suspended.
    pub fn suspended(&self, kind: &str, key: &ObjectKey, suspended: bool) {
        self.suspend.get_or_create(&labels(kind, key)).set(i64::from(suspended));
    }

    /// Drops the series of an object that is gone.
    pub(crate) fn forget(&self, kind: &str, key: &ObjectKey) {
        self.duration.remove(&labels(kind, key));
        self.suspend.remove(&labels(kind, key));
        for condition in ["Ready", "Reconciling", "Stalled"] {
            for status in ["True", "False", "Unknown"] {
                self.condition.remove(&condition_labels(kind, key, condition, status));
            }
        }
    }
}

fn labels(kind: &str, key: &ObjectKey) -> ObjectLabels {
    ObjectLabels { kind: kind.to_owned(), name: key.name.clone(), namespace: key.namespace.clone() }
}

fn condition_labels(kind: &str, key: &ObjectKey, condition: &str, status: &str) -> ConditionLabels {
    ConditionLabels {
        kind: kind.to_owned(),
        name: key.name.clone(),
        namespace: key.namespace.clone(),
        r#type: condition.to_owned(),
        status: status.to_owned(),
    }
}

/// CPU seconds and memory of this process, read from `/proc` at each scrape.
#[derive(Debug)]
struct ProcessCollector;

impl Collector for ProcessCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(usage) = process_usage() else { return Ok(()) };
        let cpu = ConstGauge::new(usage.cpu_seconds);
        let metric = encoder.encode_descriptor(
            "process_cpu_seconds",
            "User and system CPU time spent, in seconds",
            None,
            cpu.metric_type(),
        )?;
        cpu.encode(metric)?;
        let memory = ConstGauge::new(usage.resident_bytes);
        let metric = encoder.encode_descriptor(
            "process_resident_memory_bytes",
            "Resident memory size, in bytes",
            None,
            memory.metric_type(),
        )?;
        memory.encode(metric)
    }
}

struct ProcessUsage {
    cpu_seconds: f64,
    resident_bytes: i64,
}

/// Linux counts CPU time in hundredths of a second for every user program and memory in pages of 4 KiB.
fn process_usage() -> Option<ProcessUsage> {
    let stat = fs_err::read_to_string("/proc/self/stat").ok()?;
    // The second field (the command) may hold spaces; fields are counted from behind its closing parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    let pages: i64 = fields.get(21)?.parse().ok()?;
    Some(ProcessUsage { cpu_seconds: ticks / 100.0, resident_bytes: pages * 4096 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashboards_find_upstreams_names() {
        let metrics = Metrics::default();
        let key = ObjectKey::new("apps", "podinfo");
        metrics.reconcile.reconciled("HelmRelease", &key, Duration::from_millis(20), "success");
        metrics.reconcile.condition("HelmRelease", &key, "Ready", "True");
        metrics.reconcile.suspended("HelmRelease", &key, false);
        metrics.reconcile.depth("HelmRelease", 3);
        let text = metrics.render();
        for line in [
            r#"gotk_reconcile_duration_seconds_count{kind="HelmRelease",name="podinfo",namespace="apps"} 1"#,
            r#"gotk_reconcile_condition{kind="HelmRelease",name="podinfo",namespace="apps",type="Ready",status="True"} 1"#,
            r#"gotk_reconcile_condition{kind="HelmRelease",name="podinfo",namespace="apps",type="Ready",status="False"} 0"#,
            r#"gotk_suspend_status{kind="HelmRelease",name="podinfo",namespace="apps"} 0"#,
            r#"controller_runtime_reconcile_total{controller="helmrelease",result="success"} 1"#,
            r#"workqueue_depth{name="helmrelease"} 3"#,
            "process_resident_memory_bytes ",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
        metrics.reconcile.forget("HelmRelease", &key);
        assert!(!metrics.render().contains("podinfo"), "series of a deleted object stay behind");
    }
}
