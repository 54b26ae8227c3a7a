//! Plain HTTP, as every Flux source-controller serves artifacts.

use std::time::Duration;

use bytes::Bytes;
use common::meta::Artifact;
use reqwest::StatusCode;

use super::{Collector, ConfigError, FetchError};

/// How often a transfer is tried in all.
const ATTEMPTS: u32 = 4;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);

#[derive(Clone, Debug)]
pub(super) struct HttpFetcher {
    client: reqwest::Client,
}

impl HttpFetcher {
    pub(super) fn new() -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()
            .map_err(ConfigError::Http)?;
        Ok(Self { client })
    }

    pub(super) async fn fetch(&self, artifact: &Artifact, limit: u64) -> Result<Bytes, FetchError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..ATTEMPTS {
            match self.attempt(artifact, limit).await {
                Err(error @ (FetchError::Transport { .. } | FetchError::Status { .. })) if error.is_transient() => {
                    tracing::debug!(error = %error, "trying again");
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                outcome => return outcome,
            }
        }
        self.attempt(artifact, limit).await
    }

    async fn attempt(&self, artifact: &Artifact, limit: u64) -> Result<Bytes, FetchError> {
        let path = || artifact.path.clone();
        let transport = |source: reqwest::Error| FetchError::Transport { path: path(), source };
        let mut collector = Collector::new(artifact, limit)?;
        let mut request = self.client.get(&artifact.url).build().map_err(transport)?;
        crate::trace::inject(request.headers_mut());
        let mut response = self.client.execute(request).await.map_err(transport)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::NotFound { path: path() }),
            status => return Err(FetchError::Status { path: path(), status: status.as_u16() }),
        }
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            collector.add(&chunk)?;
        }
        collector.finish()
    }
}
