//! Charts: fetched from source-controller by digest, read once, kept for a while.

use std::{collections::HashMap, sync::Arc, time::Duration};

use artifact::client::{FetchError, Fetcher};
use common::meta::Artifact;
use helm::chart::{Chart, ChartError, load_archive};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

/// Why a chart is not there.
#[derive(Debug, thiserror::Error)]
pub enum ChartFetchError {
    /// It could not be fetched.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// The archive is not a chart.
    #[error("{0}")]
    Read(#[from] ChartError),
    /// The reader broke.
    #[error("reading the chart was interrupted")]
    Interrupted,
}

/// A chart nobody used for this long is dropped.
const KEPT: Duration = Duration::from_secs(30);
/// Bytes of archives whose charts are kept.
const BUDGET: usize = 8 << 20;

struct Entry {
    chart: Arc<Chart>,
    size: usize,
    used: Instant,
}

/// Charts by digest. Shared behind an `Arc`.
pub struct Charts {
    fetcher: Fetcher,
    kept: Mutex<HashMap<String, Entry>>,
    flights: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Reading a chart takes a core for milliseconds; as many at a time as there are worker threads.
    readers: Semaphore,
    fetched: Notify,
}

impl Charts {
    /// Charts fetched with `fetcher`.
    pub fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            kept: Mutex::default(),
            flights: Mutex::default(),
            readers: Semaphore::new(2),
            fetched: Notify::new(),
        }
    }

    fn known(&self, digest: &str) -> Option<Arc<Chart>> {
        let mut kept = self.kept.lock();
        let entry = kept.get_mut(digest)?;
        entry.used = Instant::now();
        Some(Arc::clone(&entry.chart))
    }

    /// The chart of an artifact. One fetch per digest at a time.
    pub async fn get(&self, artifact: &Artifact) -> Result<Arc<Chart>, ChartFetchError> {
        if let Some(chart) = self.known(&artifact.digest) {
            return Ok(chart);
        }
        let flight = Arc::clone(self.flights.lock().entry(artifact.digest.clone()).or_default());
        let guard = flight.lock().await;
        let outcome = match self.known(&artifact.digest) {
            Some(chart) => Ok(chart),
            None => self.fetch(artifact).await,
        };
        drop(guard);
        self.flights.lock().remove(&artifact.digest);
        outcome
    }

    async fn fetch(&self, artifact: &Artifact) -> Result<Arc<Chart>, ChartFetchError> {
        let bytes = self.fetcher.fetch(artifact).await?;
        let size = bytes.len();
        let _permit = self.readers.acquire().await.map_err(|_| ChartFetchError::Interrupted)?;
        let mut chart = tokio::task::spawn_blocking(move || load_archive(&bytes))
            .await
            .map_err(|_| ChartFetchError::Interrupted)??;
        // The files as read are only for packing a chart again, which happens at the source.
        forget_raw(&mut chart);
        let chart = Arc::new(chart);
        let mut kept = self.kept.lock();
        kept.insert(artifact.digest.clone(), Entry { chart: Arc::clone(&chart), size, used: Instant::now() });
        while kept.values().map(|entry| entry.size).sum::<usize>() > BUDGET && kept.len() > 1 {
            let oldest = kept.iter().min_by_key(|(_, entry)| entry.used).map(|(digest, _)| digest.clone());
            if let Some(oldest) = oldest {
                kept.remove(&oldest);
            }
        }
        self.fetched.notify_one();
        Ok(chart)
    }

    /// Waits until a chart has been fetched since this was asked last.
    pub async fn fetched(&self) {
        self.fetched.notified().await;
    }

    /// Drops what was not used lately; says whether nothing is left.
    pub fn sweep(&self) -> bool {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        kept.retain(|_, entry| now.duration_since(entry.used) < KEPT);
        if kept.is_empty() {
            kept.shrink_to_fit();
        }
        kept.is_empty()
    }
}

fn forget_raw(chart: &mut Chart) {
    chart.raw = Vec::new();
    chart.dependencies.iter_mut().for_each(forget_raw);
}
