//! One test's namespace, controller process and charts.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, Result};
use common::{helm::v2::HelmRelease, meta::FluxObject, source::v1::HelmChart};
use futures::StreamExt as _;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    runtime::{WatchStreamExt as _, watcher},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{ControlPlane, Process, TempDir, helm_repository::pack, process::ProcessCommand};

/// Longest any single expectation may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(240);

type Charts = Arc<Mutex<BTreeMap<(String, String), Vec<u8>>>>;

pub(crate) struct World {
    pub(crate) namespace: String,
    pub(crate) client: Client,
    pub(crate) controller: Process,
    pub(crate) metrics: String,
    charts: Charts,
    source: Source,
    // Dropped last: what runs on it ends before.
    pub(crate) plane: Plane,
}

/// The control plane of a test.
pub(crate) enum Plane {
    /// The one that tests share, each in its namespace.
    Shared(&'static ControlPlane),
    /// One of the test's own, for those that do to it what others would notice.
    Own(Box<ControlPlane>),
}

impl std::ops::Deref for Plane {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Shared(plane) => plane,
            Self::Own(plane) => plane,
        }
    }
}

/// Who does source-controller's part.
enum Source {
    /// A map of archives, for tests of what comes after.
    Map(tokio::task::JoinHandle<()>),
    /// The real controller, with its storage and the token for it.
    Controller { process: Box<Process>, _files: TempDir },
}

impl Drop for World {
    fn drop(&mut self) {
        if let Source::Map(task) = &self.source {
            task.abort();
        }
        if std::thread::panicking() {
            if let Source::Controller { process, .. } = &self.source {
                eprintln!("--- source-controller of {} ---\n{}", self.namespace, process.log_tail(60));
            }
            eprintln!("--- controller of {} ---\n{}", self.namespace, self.controller.log_tail(60));
        }
    }
}

/// A free loopback port.
fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(&["--log-level=debug"]).await
    }

    pub(crate) async fn start_with(flags: &[&str]) -> Result<Self> {
        let plane = ControlPlane::shared().await?;
        plane.apply_crds().await?;
        let namespace = plane.namespace().await?;
        Self::run(Plane::Shared(plane), namespace, flags).await
    }

    /// On a control plane of its own that has our definitions, in a namespace that is there.
    pub(crate) async fn start_on(plane: ControlPlane, namespace: &str) -> Result<Self> {
        Self::run(Plane::Own(Box::new(plane)), namespace.to_owned(), &["--log-level=debug"]).await
    }

    /// In a namespace that must not be there yet, beside the real source-controller, whose artifacts are to be had by gRPC only,
    /// with the token of the ServiceAccount `fetcher`.
    pub(crate) async fn start_with_sources(namespace: Option<&str>, source_flags: &[&str]) -> Result<Self> {
        Self::start_with_sources_and(namespace, source_flags, &[], &[]).await
    }

    /// The same with flags of our own controller and an environment for both.
    pub(crate) async fn start_with_sources_and(
        namespace: Option<&str>,
        source_flags: &[&str],
        own_flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let plane = ControlPlane::shared().await?;
        plane.apply_crds().await?;
        let namespace = match namespace {
            Some(name) => {
                plane.create_namespace(name).await?;
                name.to_owned()
            }
            None => plane.namespace().await?,
        };
        Self::start_beside_sources(&namespace, source_flags, own_flags, environment).await
    }

    /// The same in a namespace that is there.
    pub(crate) async fn start_beside_sources(
        namespace: &str,
        source_flags: &[&str],
        own_flags: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let plane = ControlPlane::shared().await?;
        plane.kubectl(&["create", "serviceaccount", "fetcher", "--namespace", namespace]).await?;
        let token = plane.token(namespace, "fetcher", &[artifact::AUDIENCE]).await?;
        let files = TempDir::new("sources")?;
        let token_file = files.path().join("token");
        fs_err::write(&token_file, token)?;
        let (health, storage) = (port(), port());
        let program = PathBuf::from(env!("CARGO_BIN_EXE_helm-controller")).with_file_name("source-controller");
        anyhow::ensure!(
            program.is_file(),
            "source-controller is not built: run `cargo build --workspace --bins` first"
        );
        let mut command = Process::command(program);
        for (name, value) in environment {
            command = command.env(*name, *value);
        }
        let mut process = command
            .env("KUBECONFIG", plane.kubeconfig())
            .args([
                "--watch-all-namespaces=false".to_owned(),
                format!("--runtime-namespace={namespace}"),
                format!("--storage-path={}", files.path().join("storage").display()),
                format!("--storage-addr=127.0.0.1:{storage}"),
                "--artifact-http=false".to_owned(),
                "--metrics-addr=0".to_owned(),
                format!("--health-addr=127.0.0.1:{health}"),
                "--log-level=debug".to_owned(),
            ])
            .args(source_flags.iter().map(|flag| (*flag).to_owned()))
            .start()?;
        process.wait_ready(&format!("http://127.0.0.1:{health}/readyz"), LIMIT).await?;
        let source = Source::Controller { process: Box::new(process), _files: files };
        let address = format!("--artifact-addr=http://127.0.0.1:{storage}");
        let token = format!("--artifact-token-file={}", token_file.display());
        let mut flags = vec!["--log-level=debug", &address, &token];
        flags.extend(own_flags);
        let namespace = namespace.to_owned();
        Self::run_beside(Plane::Shared(plane), namespace, &flags, environment, source, Charts::default()).await
    }

    /// Ends the controllers, as a rollout does.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        self.controller.terminate(LIMIT).await?;
        if let Source::Controller { process, .. } = &mut self.source {
            process.terminate(LIMIT).await?;
        }
        Ok(())
    }

    async fn run(plane: Plane, namespace: String, flags: &[&str]) -> Result<Self> {
        let charts = Charts::default();
        let served = serve_charts(plane.client().await?, namespace.clone(), Arc::clone(&charts)).await?;
        Self::run_beside(plane, namespace, flags, &[], Source::Map(tokio::spawn(served)), charts).await
    }

    async fn run_beside(
        plane: Plane,
        namespace: String,
        flags: &[&str],
        environment: &[(&str, &str)],
        source: Source,
        charts: Charts,
    ) -> Result<Self> {
        let client = plane.client().await?;
        let (health, metrics) = (port(), port());
        let mut command =
            command(&plane, &namespace, health, metrics).args(flags.iter().map(|flag| (*flag).to_owned()));
        for (name, value) in environment {
            command = command.env(*name, *value);
        }
        let mut controller = command.start()?;
        controller.wait_ready(&format!("http://127.0.0.1:{health}/readyz"), LIMIT).await?;
        Ok(Self {
            namespace,
            client,
            controller,
            metrics: format!("http://127.0.0.1:{metrics}/metrics"),
            charts,
            source,
            plane,
        })
    }

    /// Makes a chart available.
    pub(crate) fn chart(&self, name: &str, version: &str, files: &[(&str, &str)]) {
        let mut all: BTreeMap<PathBuf, Vec<u8>> =
            files.iter().map(|(path, content)| (PathBuf::from(path), content.as_bytes().to_vec())).collect();
        all.entry(PathBuf::from("Chart.yaml")).or_insert_with(|| {
            format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"9\"\n").into_bytes()
        });
        self.archive(name, version, pack(name, &all).unwrap());
    }

    pub(crate) fn archive(&self, name: &str, version: &str, archive: Vec<u8>) {
        self.charts.lock().unwrap().insert((name.to_owned(), version.to_owned()), archive);
    }

    pub(crate) fn releases(&self) -> Api<HelmRelease> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates a HelmRelease of a chart; `more` is merged into its spec.
    pub(crate) async fn release(&self, name: &str, chart: &str, version: &str, more: Value) -> Result<HelmRelease> {
        let mut object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"interval": "10m", "timeout": "60s", "chart": {"spec": {"chart": chart, "version": version,
                     "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}},
        });
        json_patch::merge(&mut object, &json!({"spec": more}));
        Ok(self.releases().create(&PostParams::default(), &serde_json::from_value(object)?).await?)
    }

    /// Merges a change into a release's spec.
    pub(crate) async fn change(&self, name: &str, spec: Value) -> Result<HelmRelease> {
        Ok(self.releases().patch(name, &PatchParams::default(), &Patch::Merge(json!({"spec": spec}))).await?)
    }

    pub(crate) async fn annotate(&self, name: &str, annotations: Value) -> Result<()> {
        self.releases()
            .patch(name, &PatchParams::default(), &Patch::Merge(json!({"metadata": {"annotations": annotations}})))
            .await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.releases().delete(name, &DeleteParams::default()).await?;
        testkit::wait::object(self.releases(), name, LIMIT, |release| release.is_none()).await?;
        Ok(())
    }

    /// Waits until a release meets a condition.
    pub(crate) async fn until(&self, name: &str, condition: impl FnMut(&HelmRelease) -> bool) -> Result<HelmRelease> {
        let mut condition = condition;
        let found =
            testkit::wait::object(self.releases(), name, LIMIT, |release| release.is_some_and(&mut condition)).await?;
        found.context("the release is gone")
    }

    pub(crate) async fn ready(&self, name: &str) -> Result<HelmRelease> {
        self.until(name, FluxObject::is_ready).await
    }

    pub(crate) async fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", &self.namespace];
        all.extend(arguments);
        self.plane.run("helm", &all).await
    }

    /// Statuses of the revisions, oldest first, as the real helm tells them.
    pub(crate) async fn history(&self, release: &str) -> Result<Vec<String>> {
        let list: Vec<Value> = serde_json::from_str(&self.helm(&["history", release, "-o", "json"]).await?)?;
        Ok(list.iter().map(|entry| entry["status"].as_str().unwrap_or_default().to_owned()).collect())
    }

    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", &self.namespace];
        all.extend(arguments);
        self.plane.kubectl(&all).await
    }

    /// Requests the controller has sent, but those of watches, leases and start-up.
    pub(crate) async fn requests(&self) -> Result<BTreeMap<String, f64>> {
        let text = reqwest::Client::new().get(&self.metrics).send().await?.text().await?;
        let mut counts = BTreeMap::new();
        for line in text.lines().filter(|line| line.starts_with("towline_api_requests_total{")) {
            let (labels, value) = line.rsplit_once(' ').context("a metric without value")?;
            let label = |name: &str| {
                labels.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
            };
            *counts.entry(format!("{} {}", label("method"), label("resource"))).or_default() += value.parse::<f64>()?;
        }
        Ok(counts)
    }

    /// Messages of the events about a release with a reason.
    pub(crate) async fn events(&self, release: &str, reason: &str) -> Result<Vec<String>> {
        let events: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let list = events.list(&kube::api::ListParams::default()).await?;
        Ok(list
            .into_iter()
            .filter(|event| {
                event.involved_object.name.as_deref() == Some(release) && event.reason.as_deref() == Some(reason)
            })
            .filter_map(|event| event.message)
            .collect())
    }
}

pub(crate) fn command(plane: &ControlPlane, namespace: &str, health: u16, metrics: u16) -> ProcessCommand {
    Process::command(env!("CARGO_BIN_EXE_helm-controller")).env("KUBECONFIG", plane.kubeconfig()).args([
        "--watch-all-namespaces=false".to_owned(),
        format!("--runtime-namespace={namespace}"),
        format!("--health-addr=127.0.0.1:{health}"),
        format!("--metrics-addr=127.0.0.1:{metrics}"),
        "--interval-jitter-percentage=0".to_owned(),
    ])
}

/// The condition's status, reason and message.
pub(crate) fn condition(release: &HelmRelease, kind: &str) -> (String, String, String) {
    release
        .conditions()
        .iter()
        .find(|condition| condition.type_ == kind)
        .map(|condition| (condition.status.clone(), condition.reason.clone(), condition.message.clone()))
        .unwrap_or_default()
}

/// Does source-controller's part for HelmCharts of one namespace: status and plain HTTP, from a map of archives.
async fn serve_charts(client: Client, namespace: String, charts: Charts) -> Result<impl Future<Output = ()>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let served = Arc::clone(&charts);
    let router = axum::Router::new().route(
        "/{name}/{version}",
        axum::routing::get(move |axum::extract::Path((name, version)): axum::extract::Path<(String, String)>| {
            let archive = served.lock().unwrap().get(&(name, version)).cloned();
            async move { archive.ok_or(axum::http::StatusCode::NOT_FOUND) }
        }),
    );
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(async move {
        let _server = server;
        let api: Api<HelmChart> = Api::namespaced(client, &namespace);
        let mut events = watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects().boxed();
        while let Some(event) = events.next().await {
            let Ok(chart) = event else { continue };
            if chart.observed_generation() == chart.generation() {
                continue;
            }
            let key = (chart.spec.chart.clone(), chart.spec.version.clone());
            let archive = charts.lock().unwrap().get(&key).cloned();
            let generation = chart.generation();
            let now = "2026-01-01T00:00:00Z";
            let condition = |status: &str, reason: &str, message: String| json!([{"type": "Ready", "status": status, "reason": reason, "message": message, "lastTransitionTime": now, "observedGeneration": generation}]);
            let status = match archive {
                Some(archive) => json!({
                    "observedGeneration": generation,
                    "artifact": {"path": format!("helmchart/{namespace}/{}/x.tgz", chart.name_any()), "url": format!("http://{address}/{}/{}", key.0, key.1),
                                 "revision": key.1, "digest": format!("sha256:{}", hex::encode(Sha256::digest(&archive))), "lastUpdateTime": now, "size": archive.len()},
                    "conditions": condition("True", "ChartPullSucceeded", "pulled".to_owned()),
                }),
                None => json!({
                    "observedGeneration": generation,
                    "conditions": condition("False", "InvalidChartReference", format!("no chart {} {}", key.0, key.1)),
                }),
            };
            let _ = api
                .patch_status(&chart.name_any(), &PatchParams::default(), &Patch::Merge(json!({"status": status})))
                .await;
        }
    })
}

/// A chart with a ConfigMap and a Deployment that kwok brings up.
pub(crate) const WEB: &[(&str, &str)] = &[
    ("values.yaml", "greeting: hello\nreplicas: 1\nextra: false\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n  revision: {{ .Release.Revision | quote }}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n  selector:\n    matchLabels: {app: {{ .Release.Name }}}\n  template:\n    metadata:\n      labels: {app: {{ .Release.Name }}}\n    spec:\n      containers:\n      - name: web\n        image: example.invalid/web:1\n        env:\n        - {name: GREETING, value: {{ .Values.greeting | quote }}}\n",
    ),
    (
        "templates/extra.yaml",
        "{{- if .Values.extra }}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-extra\n{{- end }}\n",
    ),
];

/// A chart without anything to wait for.
pub(crate) const CONFIG: &[(&str, &str)] = &[
    ("values.yaml", "greeting: hello\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n",
    ),
];
