//! What every reconciler finds around it.

use std::sync::Arc;
use std::time::Duration;

use artifact::catalogue::Catalogue;
use common::source::v1::{GitRepository, HelmChart, HelmRepository};
use kube::Client;
use runtime::clock::Clock;
use runtime::controller::Trigger;
use runtime::events::Recorder;
use runtime::metrics::ReconcileMetrics;
use runtime::store::Store as Objects;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::mirror::Mirrors;
use crate::store::Store;
use chart_repository::lookup::IndexTables;
use git::SshAlgorithms;
use http_client::ClientPool;

/// Bounds and intervals given by flags.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Largest index.
    pub index_bytes: u64,
    /// Largest chart archive.
    pub chart_bytes: u64,
    /// When to look again at what waits for something else, in case nothing wakes it.
    pub requeue_dependency: Duration,
    /// Percentage by which intervals are moved.
    pub jitter: u8,
    /// SSH algorithms.
    pub ssh: SshAlgorithms,
}

/// The objects of all three kinds as last seen, and how to wake them.
pub struct Kinds {
    /// GitRepositories.
    pub git_repositories: Objects<GitRepository>,
    /// HelmRepositories.
    pub helm_repositories: Objects<HelmRepository>,
    /// HelmCharts.
    pub helm_charts: Objects<HelmChart>,
    /// Wakes GitRepositories.
    pub wake_git_repository: Trigger,
    /// Wakes HelmCharts.
    pub wake_helm_chart: Trigger,
}

/// Shared by all reconcilers.
pub struct Context {
    /// The Kubernetes API.
    pub client: Client,
    /// Artifacts on disk.
    pub store: Store,
    /// Artifacts as the server knows them.
    pub catalogue: Arc<Catalogue>,
    /// Events.
    pub events: Recorder,
    /// Time.
    pub clock: Clock,
    /// Metrics.
    pub metrics: ReconcileMetrics,
    /// HTTP clients.
    pub http: ClientPool,
    /// Moved URLs.
    pub mirrors: Mirrors,
    /// Tables of chart indexes.
    pub tables: IndexTables,
    /// Objects.
    pub kinds: Kinds,
    /// Settings.
    pub settings: Settings,
    /// Blocking work at the same time.
    pub blocking: Arc<Semaphore>,
}

impl Context {
    /// Runs blocking work, a bounded number of such works at a time.
    pub async fn block<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let interrupted = |_| Failure::storage(common::names::reason::FAILED, "the work was interrupted");
        let permit = Arc::clone(&self.blocking)
            .acquire_owned()
            .await
            .map_err(|_| Failure::storage(common::names::reason::FAILED, "the process is stopping"))?;
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(work)
        })
        .await
        .map_err(interrupted)?
    }
}
