//! Putting the parts together: watches, stores, reconcilers, and what stops them.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use apply::access::KubeconfigPolicy;
use artifact::client::{Fetcher, FetcherConfig, GrpcConfig};
use common::{helm::v2::HelmRelease, helm_operator::v1::HelmRelease as LegacyRelease};
use futures::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api,
    core::PartialObjectMeta,
    runtime::{WatchStreamExt, watcher},
};
use parking_lot::Mutex;
use runtime::{Controller, ObjectKey, Shell, controller::Trigger, store::Store};
use tokio_util::sync::CancellationToken;

use crate::{
    charts::Charts,
    clusters::{AccessSettings, Clusters},
    engine::Engine,
    legacy::LegacyReconciler,
    reconcile::{Context, ReleaseReconciler},
    settings::Flags,
    sources,
    storage::{Index, Packer},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the controller until it is asked to stop.
pub async fn run(shell: Shell, flags: Flags) -> Result<(), Failure> {
    let (gates, notes) = flags.validate()?;
    for note in notes {
        tracing::warn!(note);
    }
    if !shell.lead().await {
        return Ok(());
    }
    let controller = Controller::<HelmRelease>::new(
        shell.watched(),
        shell.controller_options(),
        shell.health.gate("HelmRelease"),
        shell.metrics.reconcile.clone(),
    );
    let trigger: Trigger = controller.trigger();
    let legacy = Controller::<LegacyRelease>::new(
        shell.watched(),
        shell.controller_options(),
        shell.health.gate("HelmRelease.helm.fluxcd.io"),
        shell.metrics.reconcile.clone(),
    );
    let legacy_trigger: Trigger = legacy.trigger();
    let index = Index::default();
    let only = (!shell.flags.watch_all_namespaces).then(|| shell.flags.runtime_namespace.clone());
    let shared: Arc<OnceLock<Weak<Context>>> = Arc::default();
    let known = Arc::clone(&shared);
    let clusters = Clusters::new(
        shell.client.clone(),
        shell.config.clone(),
        Arc::new(move |namespace, name| {
            if let Some(context) = known.get().and_then(Weak::upgrade) {
                context.wake_active(&ObjectKey::new(namespace, name));
            }
        }),
        AccessSettings {
            default_service_account: flags.default_service_account.clone(),
            default_kubeconfig_service_account: flags.default_kubeconfig_service_account.clone(),
            kubeconfig: KubeconfigPolicy {
                allow_exec: flags.insecure_kubeconfig_exec,
                allow_insecure_tls: flags.insecure_kubeconfig_tls,
            },
        },
    );
    let engine = Engine {
        clusters,
        charts: Charts::new(fetcher(&flags)?),
        packer: Packer::default(),
        index: index.clone(),
        index_namespace: only,
        clock: shell.clock.clone(),
        gates,
        sessions: Mutex::default(),
        active: Mutex::default(),
        known: Mutex::default(),
    };
    let context = Arc::new(Context {
        engine,
        client: shell.client.clone(),
        events: shell.events.clone(),
        flags,
        charts: Store::default(),
        releases: controller.store(),
        legacy: legacy.store(),
        trigger,
        legacy_trigger,
        settled: Mutex::new(HashMap::new()),
        unready: Mutex::new(HashMap::new()),
    });
    let _ = shared.set(Arc::downgrade(&context));
    background(&shell, &context, index).await;
    let reconciler = Arc::new(ReleaseReconciler::new(Arc::clone(&context)));
    let legacy_reconciler = Arc::new(LegacyReconciler::new(context));
    tokio::join!(
        controller.run(reconciler, shell.shutdown.clone()),
        legacy.run(legacy_reconciler, shell.shutdown.clone()),
    );
    Ok(())
}

fn fetcher(flags: &Flags) -> Result<Fetcher, Failure> {
    let grpc = (!flags.artifact_addr.is_empty()).then(|| GrpcConfig {
        address: flags.artifact_addr.clone(),
        token_file: flags.artifact_token_file.clone(),
        ca_file: flags.artifact_ca_file.clone(),
    });
    Ok(Fetcher::new(FetcherConfig { grpc, limit: 64 << 20, timeout: flags.http_timeout.max(Duration::from_secs(1)) })?)
}

/// Starts the watches beside the main one, and waits until the index of release records may be relied on.
async fn background(shell: &Shell, context: &Arc<Context>, index: Index) {
    let shutdown = shell.shutdown.clone();
    let records: Api<PartialObjectMeta<Secret>> = shell.watched();
    shell.spawn(index.clone().run(records, shutdown.clone()));
    let wake: sources::Wake = {
        let context = Arc::downgrade(context);
        Arc::new(move |owner, chart| {
            let Some(context) = context.upgrade() else { return };
            if let Some(owner) = owner {
                context.trigger.wake(owner.clone());
                context.legacy_trigger.wake(owner);
            }
            context.wake_referring(chart);
        })
    };
    shell.spawn(sources::watch(
        shell.watched(),
        context.charts.clone(),
        wake,
        shell.health.gate("HelmChart"),
        shutdown.clone(),
    ));
    shell.spawn(watch_configs::<ConfigMap>(shell.watched(), "ConfigMap", Arc::clone(context), shutdown.clone()));
    shell.spawn(watch_configs::<Secret>(shell.watched(), "Secret", Arc::clone(context), shutdown.clone()));
    shell.spawn(watch_definitions(Arc::clone(context), shutdown.clone()));
    shell.spawn(sweep(Arc::clone(context), shutdown.clone()));
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = index.synced() => {}
        // Without the right to watch Secrets records are listed when they are needed.
        () = tokio::time::sleep(Duration::from_secs(10)) => {}
    }
}

/// Wakes releases when a labelled ConfigMap or Secret changes. Only metadata is read.
async fn watch_configs<K>(
    api: Api<PartialObjectMeta<K>>,
    kind: &'static str,
    context: Arc<Context>,
    shutdown: CancellationToken,
) where
    K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + 'static,
{
    let config = watcher::Config::default().labels(&context.flags.watch_configs_label_selector).page_size(100);
    let events = watcher(api, config).default_backoff().touched_objects();
    pin_mut!(events);
    let mut seen: HashMap<ObjectKey, String> = HashMap::new();
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => return,
            event = events.next() => event,
        };
        match event {
            Some(Ok(object)) => {
                let key = ObjectKey::of(&object);
                let version = object.metadata.resource_version.clone().unwrap_or_default();
                if seen.insert(key.clone(), version.clone()) != Some(version) {
                    context.wake_readers(kind, &key);
                }
            }
            Some(Err(error)) => tracing::debug!(%error, kind, "watch interrupted"),
            None => return,
        }
    }
}

/// Kinds come and go with their definitions: what is known of the cluster is then outdated.
async fn watch_definitions(context: Arc<Context>, shutdown: CancellationToken) {
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    let api: Api<PartialObjectMeta<CustomResourceDefinition>> = Api::all(context.client.clone());
    let events = watcher(api, watcher::Config::default().page_size(100)).default_backoff().touched_objects();
    pin_mut!(events);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            event = events.next() => match event {
                Some(Ok(_)) => context.engine.clusters.own().discovery().invalidate(),
                Some(Err(error)) => tracing::debug!(%error, "watch of definitions interrupted"),
                None => return,
            },
        }
    }
}

/// Gives memory back that was only needed while releases were under way.
async fn sweep(context: Arc<Context>, shutdown: CancellationToken) {
    /// How soon what is kept is looked at again; nothing ticks while nothing is kept.
    const EVERY: Duration = Duration::from_secs(15);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = context.engine.charts.fetched() => {}
        }
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if context.engine.charts.sweep() && context.engine.sessions.lock().is_empty() {
                break;
            }
        }
        context.engine.packer.clear();
        context.engine.clusters.forget_version();
    }
}
