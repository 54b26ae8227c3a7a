//! Plain HTTP, as every Flux source-controller serves artifacts.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use common::meta::Artifact;
use reqwest::StatusCode;

use super::{Collector, FetchError};

/// How often a transfer is tried in all.
const ATTEMPTS: u32 = 4;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, Default)]
pub(super) struct HttpFetcher {
    /// Made when first needed: it holds the system's trust anchors, and where gRPC works nobody needs it.
    client: Arc<OnceLock<reqwest::Client>>,
}

impl HttpFetcher {
    fn client(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4)
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()?;
        Ok(self.client.get_or_init(|| client))
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
        let client = self.client().map_err(transport)?;
        let mut request = client.get(&artifact.url).build().map_err(transport)?;
        crate::trace::inject(request.headers_mut());
        let mut response = client.execute(request).await.map_err(transport)?;
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
