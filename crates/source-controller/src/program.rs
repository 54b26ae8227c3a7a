//! Wiring: from flags to running controllers and the artifact server.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use artifact::catalogue::Catalogue;
use artifact::kubernetes::{AccessReviewer, TokenReviewer};
use artifact::server::{Server, TlsFiles};
use artifact::source::SourceKind;
use common::digest::Algorithm;
use common::names::{controller, port};
use common::source::v1::{GitRepository, HelmChart, HelmRepository};
use kube::Resource;
use runtime::controller::Controller;
use runtime::flags::Address;
use runtime::store::Store as Objects;
use runtime::{ObjectKey, Shell};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::flags::{FetchFlags, Flags, StorageFlags};
use crate::mirror::Mirrors;
use crate::reconcile::Context;
use crate::reconcile::context::{Kinds, Settings};
use crate::reconcile::git_repository::GitRepositoryReconciler;
use crate::reconcile::helm_chart::HelmChartReconciler;
use crate::reconcile::helm_repository::HelmRepositoryReconciler;
use crate::store::{Retention, Store};
use chart_repository::lookup::IndexTables;
use git::SshAlgorithms;
use http_client::ClientPool;

/// Blocking works at a time: packing and parsing keep a core busy, more would only take memory.
const BLOCKING: usize = 2;

/// Runs the controller until it is asked to stop.
pub async fn run(shell: Shell, flags: Flags) -> anyhow::Result<()> {
    let Flags { common, storage, fetch } = flags;
    for (gate, is_on) in common.gates().map_err(anyhow::Error::msg)? {
        if is_on {
            tracing::warn!(gate, "this feature gate is not known and has no effect");
        }
    }
    let settings = settings(&fetch, common.interval_jitter_percentage)?;
    if !shell.lead().await {
        return Ok(());
    }

    let listener = listen(&storage).await?;
    let address = advertised(&storage, listener.as_ref(), &common.runtime_namespace)?;
    let algorithm = Algorithm::from_name(&storage.artifact_digest_algo)
        .with_context(|| format!("--artifact-digest-algo: unknown algorithm {:?}", storage.artifact_digest_algo))?;
    let retention = Retention { ttl: storage.artifact_retention_ttl, records: storage.artifact_retention_records };
    let store = Store::new(storage.storage_path.clone(), &address, algorithm, retention)
        .with_context(|| format!("cannot use --storage-path {}", storage.storage_path.display()))?;
    store.remove_leftovers().context("cannot remove what an earlier process left in the storage")?;

    let catalogue = Arc::new(Catalogue::default());
    if let Some(listener) = listener {
        serve(&shell, &storage, listener, &catalogue, &store);
    }

    let git = controller::<GitRepository>(&shell);
    let repositories = controller::<HelmRepository>(&shell);
    let charts = controller::<HelmChart>(&shell);
    let context = Arc::new(Context {
        client: shell.client.clone(),
        store: store.clone(),
        catalogue,
        events: shell.events.clone(),
        clock: shell.clock.clone(),
        metrics: shell.metrics.reconcile.clone(),
        http: ClientPool::default(),
        mirrors: Mirrors::new(fetch.mirror),
        tables: IndexTables::default(),
        kinds: Kinds {
            git_repositories: git.store(),
            helm_repositories: repositories.store(),
            helm_charts: charts.store(),
            wake_git_repository: git.trigger(),
            wake_helm_chart: charts.trigger(),
        },
        settings,
        blocking: Arc::new(Semaphore::new(BLOCKING)),
    });
    if common.watch_label_selector.is_empty() && common.watch_all_namespaces {
        sweep_when_synced(&shell, &store, SourceKind::GitRepository, git.store(), git.synced());
        sweep_when_synced(&shell, &store, SourceKind::HelmRepository, repositories.store(), repositories.synced());
        sweep_when_synced(&shell, &store, SourceKind::HelmChart, charts.store(), charts.synced());
    }

    let (git_synced, repositories_synced) = (git.synced(), repositories.synced());
    let stop = shell.shutdown.clone();
    let charts = async {
        // A chart that is looked at before its source is known would be called sourceless.
        for mut synced in [git_synced, repositories_synced] {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = synced.wait_for(|synced| *synced) => {}
            }
        }
        charts.run(Arc::new(HelmChartReconciler(Arc::clone(&context))), stop.clone()).await;
    };
    tokio::join!(
        git.run(Arc::new(GitRepositoryReconciler(Arc::clone(&context))), stop.clone()),
        repositories.run(Arc::new(HelmRepositoryReconciler::new(Arc::clone(&context))), stop.clone()),
        charts,
    );
    Ok(())
}

fn settings(flags: &FetchFlags, jitter: u8) -> anyhow::Result<Settings> {
    if flags.helm_chart_file_max_size != 5 << 20 {
        bail!("--helm-chart-file-max-size: only Helm's own limit of 5242880 bytes is supported");
    }
    let ssh = SshAlgorithms::parse(&flags.ssh_kex_algos, &flags.ssh_hostkey_algos)
        .map_err(|error| anyhow::anyhow!("--ssh-kex-algos, --ssh-hostkey-algos: {error}"))?;
    Ok(Settings {
        index_bytes: flags.helm_index_max_size,
        chart_bytes: flags.helm_chart_max_size,
        requeue_dependency: flags.requeue_dependency,
        jitter,
        ssh,
    })
}

fn controller<K>(shell: &Shell) -> Controller<K>
where
    K: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + serde::de::DeserializeOwned
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let gate = shell.health.gate(&K::plural(&()));
    Controller::new(shell.watched(), shell.controller_options(), gate, shell.metrics.reconcile.clone())
}

async fn listen(flags: &StorageFlags) -> anyhow::Result<Option<TcpListener>> {
    match flags.storage_addr {
        Address::Off => Ok(None),
        Address::Listen(address) => {
            let listener = TcpListener::bind(address).await;
            Ok(Some(listener.with_context(|| format!("cannot listen on --storage-addr {address}"))?))
        }
    }
}

/// Where others reach the artifacts: as given, or the service's usual name, or the port we were given.
fn advertised(flags: &StorageFlags, listener: Option<&TcpListener>, namespace: &str) -> anyhow::Result<String> {
    if !flags.storage_adv_addr.is_empty() {
        return Ok(flags.storage_adv_addr.clone());
    }
    match listener {
        Some(listener) if listener.local_addr()?.ip().is_loopback() => Ok(listener.local_addr()?.to_string()),
        Some(listener) if listener.local_addr()?.port() != port::ARTIFACTS => {
            Ok(format!("localhost:{}", listener.local_addr()?.port()))
        }
        _ => Ok(format!("{}.{namespace}.svc.cluster.local.", controller::SOURCE)),
    }
}

fn serve(shell: &Shell, flags: &StorageFlags, listener: TcpListener, catalogue: &Arc<Catalogue>, store: &Store) {
    let tls = flags.artifact_tls_cert.clone().zip(flags.artifact_tls_key.clone());
    let server = Server {
        catalogue: Arc::clone(catalogue),
        root: store.root().to_owned(),
        authenticator: Arc::new(TokenReviewer::new(shell.client.clone())),
        authoriser: Arc::new(AccessReviewer::new(shell.client.clone())),
        serve_http: flags.artifact_http,
        tls: tls.map(|(certificate, key)| TlsFiles { certificate, key }),
    };
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, http = flags.artifact_http, tls = server.tls.is_some(), "serving artifacts");
    }
    let shutdown = shell.shutdown.clone();
    shell.spawn(async move {
        if let Err(error) = server.serve(listener, shutdown.clone()).await {
            tracing::error!(error = %common::error::chain(&error), "the artifact server has ended");
            // Without it the controller is of no use, and a restart may help.
            shutdown.cancel();
        }
    });
}

/// Removes artifacts of objects that were deleted while no controller ran, once all objects are known.
fn sweep_when_synced<K: Resource + Send + Sync + 'static>(
    shell: &Shell,
    store: &Store,
    kind: SourceKind,
    objects: Objects<K>,
    mut synced: tokio::sync::watch::Receiver<bool>,
) {
    let (store, shutdown) = (store.clone(), shell.shutdown.clone());
    shell.spawn(async move {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = synced.wait_for(|synced| *synced) => {}
        }
        let known: HashSet<(String, String)> =
            objects.keys().into_iter().map(|ObjectKey { namespace, name }| (namespace, name)).collect();
        let swept = tokio::task::spawn_blocking(move || store.sweep(&kind.as_str().to_ascii_lowercase(), &known)).await;
        match swept {
            Ok(Ok(0)) | Err(_) => {}
            Ok(Ok(count)) => tracing::info!(count, kind = kind.as_str(), "removed artifacts of objects that are gone"),
            Ok(Err(error)) => tracing::warn!(error = %error, "cannot remove artifacts of objects that are gone"),
        }
    });
}
