//! `/healthz`, `/readyz` and `/log-level`: what the kubelet asks, answered with the reasons.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    routing::get,
};
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::telemetry::LevelHandle;

/// What has to be ready before the process is; each part holds a [`Gate`].
#[derive(Clone, Debug, Default)]
pub struct Health {
    gates: Arc<RwLock<BTreeMap<String, Option<String>>>>,
}

impl Health {
    /// Adds a gate, closed until it is told otherwise.
    pub fn gate(&self, name: &str) -> Gate {
        self.gates.write().insert(name.to_owned(), Some("not started yet".to_owned()));
        Gate { name: name.to_owned(), health: self.clone() }
    }

    /// `Ok` when all gates are open; else a line for each closed one.
    pub fn check(&self) -> Result<(), String> {
        let gates = self.gates.read();
        let closed: Vec<String> = gates
            .iter()
            .filter_map(|(name, reason)| reason.as_ref().map(|reason| format!("{name}: {reason}")))
            .collect();
        if closed.is_empty() { Ok(()) } else { Err(closed.join("\n")) }
    }
}

/// One part's say in readiness.
#[derive(Clone, Debug)]
pub struct Gate {
    name: String,
    health: Health,
}

impl Gate {
    /// Opens the gate.
    pub fn ready(&self) {
        self.health.gates.write().insert(self.name.clone(), None);
    }

    /// Closes the gate and says why; returns whether that is news.
    pub fn waiting(&self, reason: &str) -> bool {
        let mut gates = self.health.gates.write();
        let earlier = gates.insert(self.name.clone(), Some(reason.to_owned()));
        earlier.flatten().as_deref() != Some(reason)
    }

    /// Whether the gate is open.
    pub fn is_ready(&self) -> bool {
        self.health.gates.read().get(&self.name).is_some_and(Option::is_none)
    }
}

/// Serves the health endpoints until `shutdown`.
pub async fn serve(listener: TcpListener, health: Health, level: LevelHandle, shutdown: CancellationToken) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/log-level", get(log_level).put(set_log_level))
        .with_state((health, level));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(shutdown.cancelled_owned()).await {
        tracing::error!(error = %error, "health server ended");
    }
}

async fn readyz(State((health, _)): State<(Health, LevelHandle)>) -> (StatusCode, String) {
    match health.check() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reasons) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reasons}\n")),
    }
}

async fn log_level(State((_, level)): State<(Health, LevelHandle)>) -> String {
    format!("{}\n", level.current())
}

/// Changes the level of a running process; only from the pod itself (`kubectl port-forward` arrives that way).
async fn set_log_level(
    State((_, level)): State<(Health, LevelHandle)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    body: String,
) -> (StatusCode, String) {
    if !peer.ip().is_loopback() {
        return (StatusCode::FORBIDDEN, "the log level can be set from the pod's own address only\n".to_owned());
    }
    match level.set(body.trim()) {
        Ok(()) => (StatusCode::OK, format!("{}\n", level.current())),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_names_every_closed_gate() {
        let health = Health::default();
        let (a, b) = (health.gate("a"), health.gate("b"));
        a.ready();
        assert!(b.waiting("CustomResourceDefinition x is not installed"));
        assert!(!b.waiting("CustomResourceDefinition x is not installed"));
        assert_eq!(health.check().unwrap_err(), "b: CustomResourceDefinition x is not installed");
        b.ready();
        assert_eq!(health.check(), Ok(()));
    }
}
