//! The Kubernetes client of a controller: counts its requests and keeps to a rate.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use kube::{Client, Config, client::ClientBuilder, config::Kubeconfig};
use parking_lot::Mutex;
use prometheus_client::metrics::{counter::Counter, family::Family};
use tokio::time::{Instant, Sleep};

use crate::metrics::ApiRequest;

/// Builds a client on `config` that counts in `requests` and sends at most `rate` requests a second after `burst`.
pub fn build(
    config: Config,
    requests: Family<ApiRequest, Counter>,
    rate: f64,
    burst: u32,
) -> Result<(Client, Load), kube::Error> {
    let load = Load::default();
    let known = load.clone();
    let layer = tower::layer::layer_fn(move |inner| ApiService {
        inner,
        requests: requests.clone(),
        bucket: Arc::new(Mutex::new(Bucket::new(rate, burst))),
        waiting: None,
        load: known.clone(),
    });
    Ok((ClientBuilder::try_from(config)?.with_layer(&layer).build(), load))
}

/// How many requests of a client wait for their answer at the moment, watches apart.
#[derive(Clone, Debug, Default)]
pub struct Load {
    under_way: Arc<AtomicUsize>,
}

impl Load {
    /// The number of requests under way.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn begin(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }
}

/// Counts a request until it is dropped.
struct UnderWay(Load);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The API server is reached directly: proxies of the environment are for sources. (The library takes `HTTPS_PROXY` for every
/// kubeconfig, whatever `NO_PROXY` says.) A kubeconfig's own `proxy-url` stays, and is refused by the client.
pub fn direct(mut config: Config) -> Config {
    let own = Kubeconfig::read().is_ok_and(|read| {
        read.clusters.iter().filter_map(|named| named.cluster.as_ref()).any(|cluster| cluster.proxy_url.is_some())
    });
    if !own {
        config.proxy_url = None;
    }
    config
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(rate: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self { rate, burst, tokens: burst, filled: Instant::now() }
    }

    /// Takes a token; `Some(delay)` says how long to wait before asking again.
    fn take(&mut self, now: Instant) -> Option<Duration> {
        if self.rate <= 0.0 {
            return None;
        }
        let refill = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + refill).min(self.burst);
        self.filled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.tokens) / self.rate))
    }
}

struct ApiService<S> {
    inner: S,
    requests: Family<ApiRequest, Counter>,
    bucket: Arc<Mutex<Bucket>>,
    waiting: Option<Pin<Box<Sleep>>>,
    load: Load,
}

impl<S, B, R> tower::Service<http::Request<B>> for ApiService<S>
where
    S: tower::Service<http::Request<B>, Response = http::Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        loop {
            if let Some(sleep) = self.waiting.as_mut() {
                std::task::ready!(sleep.as_mut().poll(context));
                self.waiting = None;
            }
            std::task::ready!(self.inner.poll_ready(context))?;
            match self.bucket.lock().take(Instant::now()) {
                None => return Poll::Ready(Ok(())),
                Some(delay) => self.waiting = Some(Box::pin(tokio::time::sleep(delay))),
            }
        }
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let method = verb_of(request.method(), request.uri().query());
        let resource = resource_of(request.uri().path());
        let requests = self.requests.clone();
        let under_way = (method != "WATCH").then(|| self.load.begin());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(under_way);
            let code =
                answer.as_ref().map_or_else(|_| "error".to_owned(), |answer| answer.status().as_u16().to_string());
            requests.get_or_create(&ApiRequest { method, resource, code }).inc();
            answer
        })
    }
}

/// The method; a watch, which stays open for minutes, is told apart from a list.
fn verb_of(method: &http::Method, query: Option<&str>) -> String {
    let is_watch = query.is_some_and(|query| query.split('&').any(|pair| pair == "watch=true" || pair == "watch=1"));
    if is_watch { "WATCH".to_owned() } else { method.to_string() }
}

/// The resource (and subresource) of an API path, without names.
fn resource_of(path: &str) -> String {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    match parts.next() {
        Some("api") => {
            parts.next();
        }
        Some("apis") => {
            parts.next();
            parts.next();
        }
        other => return other.unwrap_or_default().to_owned(),
    }
    if parts.peek() == Some(&"namespaces") {
        parts.next();
        let namespace_only = (parts.next(), parts.clone().count());
        if matches!(namespace_only, (_, 0)) {
            return "namespaces".to_owned();
        }
    }
    let resource = parts.next().unwrap_or("discovery");
    parts.next();
    match parts.next() {
        Some(subresource) => format!("{resource}/{subresource}"),
        None => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_of_paths() {
        let cases = [
            ("/api/v1/namespaces/apps/secrets/x", "secrets"),
            ("/api/v1/namespaces", "namespaces"),
            ("/api/v1/namespaces/apps", "namespaces"),
            ("/apis/helm.toolkit.fluxcd.io/v2/helmreleases", "helmreleases"),
            ("/apis/helm.toolkit.fluxcd.io/v2/namespaces/a/helmreleases/b/status", "helmreleases/status"),
            ("/apis/apps/v1", "discovery"),
            ("/version", "version"),
        ];
        for (path, resource) in cases {
            assert_eq!(resource_of(path), resource, "{path}");
        }
    }

    #[test]
    fn watches_are_told_apart_from_lists() {
        assert_eq!(verb_of(&http::Method::GET, Some("&watch=true&timeoutSeconds=290")), "WATCH");
        assert_eq!(verb_of(&http::Method::GET, Some("&limit=500")), "GET");
        assert_eq!(verb_of(&http::Method::PATCH, None), "PATCH");
    }

    #[test]
    fn requests_under_way_are_counted() {
        let load = Load::default();
        let (first, second) = (load.begin(), load.begin());
        assert_eq!(load.under_way(), 2);
        drop((first, second));
        assert_eq!(load.under_way(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_bucket_lets_a_burst_through_and_then_keeps_the_rate() {
        let mut bucket = Bucket::new(10.0, 3);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(bucket.take(start), None);
        }
        let delay = bucket.take(start).unwrap();
        assert_eq!(delay, Duration::from_millis(100));
        assert_eq!(bucket.take(start + delay), None);
        assert_eq!(Bucket::new(-1.0, 0).take(start), None);
    }
}
