//! Waiting for a condition of the outside world with a deadline and an error that says what did not come.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::Instant;

/// Calls `check` until it answers `Some`, at most for `limit`; the error then names `what` was waited for.
pub async fn until<T, F, Fut>(what: &str, limit: Duration, mut check: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = check().await {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what} did not happen within {} s", limit.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Watches one object until `condition` holds for it (an absent object is `None`) and returns it as it then was.
pub async fn object<K>(
    api: kube::Api<K>,
    name: &str,
    limit: Duration,
    mut condition: impl FnMut(Option<&K>) -> bool,
) -> Result<Option<K>>
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let mut last = None;
    let waiting = async {
        let mut changes = watcher::watch_object(api, name).default_backoff().boxed();
        while let Some(change) = changes.next().await {
            // A watch that breaks (the API server restarts) goes on by itself.
            let Ok(object) = change else { continue };
            let met = condition(object.as_ref());
            last = object;
            if met {
                return true;
            }
        }
        false
    };
    let met = tokio::time::timeout(limit, waiting).await;
    match met {
        Ok(true) => Ok(last),
        _ => Err(anyhow::anyhow!("last seen: {last:#?}"))
            .with_context(|| format!("{name} did not get there within {} s", limit.as_secs())),
    }
}
