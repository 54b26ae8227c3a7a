//! From the command line to a running controller and back out: what `main` of every controller calls.

use std::{future::Future, io::Write, process::ExitCode, sync::Arc, time::Duration};

use kube::{Client, Config};
use tokio::{net::TcpListener, signal::unix::SignalKind, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

use crate::{
    backoff::BackoffPolicy,
    client,
    clock::Clock,
    controller::Options,
    events::Recorder,
    flags::{Address, CommonFlags},
    health::{self, Health},
    leader::{Candidate, lease_name},
    metrics::{self, Metrics},
    telemetry,
};

/// What a controller finds around it.
#[derive(Clone)]
pub struct Shell {
    /// The controller's name; also its event source.
    pub name: &'static str,
    /// Talks to the Kubernetes API with the controller's own identity.
    pub client: Client,
    /// The same connection settings, for clients with another identity.
    pub config: Config,
    /// The common flags.
    pub flags: Arc<CommonFlags>,
    /// Readiness.
    pub health: Health,
    /// Metrics.
    pub metrics: Metrics,
    /// Events.
    pub events: Recorder,
    /// Time.
    pub clock: Clock,
    /// Cancelled when the process is asked to stop or loses its Lease.
    pub shutdown: CancellationToken,
    /// This process among the replicas.
    pub identity: String,
    tasks: TaskTracker,
    /// What waits for the tasks itself: the release of the Lease.
    afterwards: TaskTracker,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Shell {
    /// The settings of a [`crate::Controller`] of this process.
    pub fn controller_options(&self) -> Options {
        // Pages of the first list are held as text; small ones keep the peak of a restart with many objects low.
        let mut watch = kube::runtime::watcher::Config::default().page_size(100);
        if !self.flags.watch_label_selector.is_empty() {
            watch = watch.labels(&self.flags.watch_label_selector);
        }
        Options {
            concurrent: self.flags.concurrent.max(1),
            backoff: BackoffPolicy { min: self.flags.min_retry_delay, max: self.flags.max_retry_delay },
            watch,
            field_manager: self.name.to_owned(),
            clock: self.clock.clone(),
        }
    }

    /// An API handle that shows the namespaces this controller watches.
    pub fn watched<K>(&self) -> kube::Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        if self.flags.watch_all_namespaces {
            kube::Api::all(self.client.clone())
        } else {
            kube::Api::namespaced(self.client.clone(), &self.flags.runtime_namespace)
        }
    }

    /// Runs a task that the process waits for when it stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.tasks.spawn(task)
    }

    /// Waits until this replica may act: at once without leader election. `false` when asked to stop first.
    ///
    /// From then on the Lease is renewed in the background; losing it stops the process, because another replica acts.
    pub async fn lead(&self) -> bool {
        if !self.flags.leader_election.enable_leader_election {
            return !self.shutdown.is_cancelled();
        }
        let gate = self.health.gate("leader election");
        let name = lease_name(self.name, &self.flags.watch_label_selector);
        let timings = self.flags.leader_election.clone();
        let release = timings.leader_election_release_on_cancel;
        let mut candidate = Candidate::new(
            self.client.clone(),
            &self.flags.runtime_namespace,
            name,
            self.identity.clone(),
            timings,
            self.clock.clone(),
        );
        if !candidate.acquire(&gate, &self.shutdown).await {
            return false;
        }
        let (shutdown, tasks) = (self.shutdown.clone(), self.tasks.clone());
        // Not one of the tasks but of what comes after them: the Lease is held until all are done, and released then.
        self.afterwards.spawn(async move {
            let stopping = CancellationToken::new();
            let finished = stopping.clone();
            let watcher = tokio::spawn(async move {
                tasks.wait().await;
                finished.cancel();
            });
            if candidate.hold(&stopping).await {
                if release {
                    candidate.release().await;
                }
            } else {
                shutdown.cancel();
            }
            watcher.abort();
        });
        true
    }
}

/// Runs a controller: sets everything up, calls `body`, and stops in order when asked to.
///
/// `body` should return once `shell.shutdown` is cancelled and its work is done. The exit code is 0 after an orderly
/// stop and 1 after a failure.
pub fn run<B, F>(name: &'static str, flags: CommonFlags, body: B) -> ExitCode
where
    B: FnOnce(Shell) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    // Two workers keep the memory of thread stacks and allocator arenas small; blocking work has its own threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(start(name, flags, body)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Before logging is set up (and for people who start a controller by hand) plain text is all there is.
            let _ = writeln!(std::io::stderr(), "{name}: {}", common::error::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn start<B, F>(name: &'static str, flags: CommonFlags, body: B) -> Result<(), Failure>
where
    B: FnOnce(Shell) -> F,
    F: Future<Output = Result<(), Failure>>,
{
    // An error means that the program has chosen a provider before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let telemetry = telemetry::install(name, &flags.telemetry)?;
    let shutdown = CancellationToken::new();
    let health = Health::default();
    let metrics = Metrics::default();
    let servers = CancellationToken::new();
    if let Some(listener) = listen(&flags.health_addr, "--health-addr").await? {
        tokio::spawn(health::serve(listener, health.clone(), telemetry.level.clone(), servers.clone()));
    }
    if let Some(listener) = listen(&flags.metrics_addr, "--metrics-addr").await? {
        tokio::spawn(metrics::serve(listener, metrics.clone(), servers.clone()));
    }
    let config = client::direct(Config::infer().await?);
    let (client, load) =
        client::build(config.clone(), metrics.api_requests.clone(), flags.kube_api_qps, flags.kube_api_burst)?;
    let identity = identity();
    let outbound = Some(flags.events_addr.clone());
    let (events, sender) = Recorder::new(client.clone(), name, &identity, outbound, Clock::System, load);
    let sender = tokio::spawn(sender);
    let grace = flags.graceful_shutdown_timeout;
    let shell = Shell {
        name,
        client,
        config,
        flags: Arc::new(flags),
        health,
        metrics,
        events,
        clock: Clock::System,
        shutdown: shutdown.clone(),
        identity,
        tasks: TaskTracker::new(),
        afterwards: TaskTracker::new(),
    };
    info!(version = env!("CARGO_PKG_VERSION"), "starting");
    let (tasks, afterwards) = (shell.tasks.clone(), shell.afterwards.clone());
    let body = body(shell);
    tokio::pin!(body);
    let stop = asked_to_stop();
    let outcome = tokio::select! {
        outcome = &mut body => outcome,
        () = async { tokio::select! { () = stop => {}, () = shutdown.cancelled() => {} } } => {
            info!("stopping: running reconciles are finished first");
            shutdown.cancel();
            match tokio::time::timeout(grace, &mut body).await {
                Ok(outcome) => outcome,
                Err(_) => Err(format!("running reconciles did not finish within {grace:?}").into()),
            }
        }
    };
    shutdown.cancel();
    tasks.close();
    if tokio::time::timeout(grace, tasks.wait()).await.is_err() {
        error!("background tasks did not finish in time");
    }
    afterwards.close();
    if tokio::time::timeout(Duration::from_secs(5), afterwards.wait()).await.is_err() {
        warn!("the Lease was not released in time; it will expire");
    }
    // What is still queued goes out within a bounded time; `body` has dropped its recorder by now.
    let _ = tokio::time::timeout(Duration::from_secs(5), sender).await;
    servers.cancel();
    info!("stopped");
    drop(telemetry);
    outcome
}

async fn listen(address: &Address, flag: &str) -> Result<Option<TcpListener>, Failure> {
    match address {
        Address::Off => Ok(None),
        Address::Listen(address) => match TcpListener::bind(address).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => Err(format!("cannot listen on {address} ({flag}): {error}").into()),
        },
    }
}

/// Resolves on SIGTERM or SIGINT.
async fn asked_to_stop() {
    let signals =
        (tokio::signal::unix::signal(SignalKind::terminate()), tokio::signal::unix::signal(SignalKind::interrupt()));
    match signals {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

/// Host (pod) name and a random part, because two processes may share a host.
fn identity() -> String {
    let host = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}_{:016x}", if host.is_empty() { "unknown" } else { host }, rand::random::<u64>())
}
