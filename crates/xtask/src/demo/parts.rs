//! The parts of the demo: the cluster, the built binaries, the controllers as processes of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use testkit::{ControlPlane, Process, TempDir};

/// Where the controllers' ServiceAccounts live.
pub(super) const SYSTEM_NAMESPACE: &str = "towline-system";

const READY_LIMIT: Duration = Duration::from_secs(60);

/// The binaries the demo runs.
pub(super) const BINARIES: [&str; 3] = ["source-controller", "helm-controller", "towline"];

/// Builds the workspace's binaries and returns where they are.
pub(super) async fn build() -> Result<BTreeMap<String, PathBuf>> {
    // The one Cargo that runs us: another version would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = tokio::process::Command::new(cargo);
    command.current_dir(testkit::workspace()).args(["build", "--message-format=json-render-diagnostics"]);
    for name in BINARIES {
        command.args(["-p", name]);
    }
    let output = command.stderr(Stdio::inherit()).output().await.context("running cargo build")?;
    if !output.status.success() {
        bail!("the binaries do not build");
    }
    let mut found = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let name = message.pointer("/target/name").and_then(serde_json::Value::as_str);
        let path = message.get("executable").and_then(serde_json::Value::as_str);
        if let (Some(name), Some(path)) = (name, path) {
            found.insert(name.to_owned(), PathBuf::from(path));
        }
    }
    Ok(found)
}

/// The cluster of the demo: one of its own, or the user's.
pub(super) struct Cluster {
    /// Ended with the demo.
    plane: Option<ControlPlane>,
    pub(super) kubeconfig: PathBuf,
}

impl Cluster {
    /// Uses an existing cluster, or starts a control plane.
    pub(super) async fn start(existing: Option<&Path>) -> Result<Self> {
        if let Some(kubeconfig) = existing {
            return Ok(Self { plane: None, kubeconfig: kubeconfig.to_owned() });
        }
        let plane = ControlPlane::start(testkit::Options::default()).await.context(
            "the demo needs Go 1.26 (to build a control plane once), KUBEBUILDER_ASSETS, or DEMO_KUBECONFIG",
        )?;
        let kubeconfig = plane.kubeconfig();
        Ok(Self { plane: Some(plane), kubeconfig })
    }

    /// Whether the cluster ends with the demo.
    pub(super) fn is_own(&self) -> bool {
        self.plane.is_some()
    }

    /// Runs a tool against the cluster and returns its output.
    pub(super) async fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let name = program.to_owned();
        let path = tokio::task::spawn_blocking(move || testkit::tool(&name)).await??;
        let output = tokio::process::Command::new(path)
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .output()
            .await
            .with_context(|| format!("running {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Applies manifests.
    pub(super) async fn apply(&self, manifests: &str) -> Result<String> {
        let place = TempDir::new("manifests")?;
        let path = place.join("all.yaml");
        fs_err::write(&path, manifests)?;
        self.run("kubectl", &["apply", "--server-side", "--force-conflicts", "-f", &path.to_string_lossy()]).await
    }

    /// Runs the built `towline` on the terminal, as a user would; returns its exit code.
    pub(super) async fn towline(&self, binary: &Path, arguments: &[&str]) -> Result<i32> {
        let status = tokio::process::Command::new(binary)
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .status()
            .await
            .context("running towline")?;
        Ok(status.code().unwrap_or(1))
    }
}

/// The running controllers.
pub(super) struct Controllers {
    pub(super) source: Process,
    pub(super) helm: Process,
    /// Where artifacts are served over gRPC and HTTP.
    pub(super) artifacts: String,
    _storage: TempDir,
}

impl Controllers {
    /// Starts both and waits until they say they are ready.
    pub(super) async fn start(cluster: &Cluster, binaries: &BTreeMap<String, PathBuf>, traces: &str) -> Result<Self> {
        let storage = TempDir::new("artifacts")?;
        let artifacts = format!("127.0.0.1:{}", testkit::free_port()?);
        let (source, source_health) = common(cluster, binaries, "source-controller", traces)?;
        let source = source
            .arg(format!("--storage-path={}", storage.path().display()))
            .arg(format!("--storage-addr={artifacts}"))
            .arg(format!("--storage-adv-addr={artifacts}"));
        let (helm, helm_health) = common(cluster, binaries, "helm-controller", traces)?;
        let (mut source, mut helm) = (source.start()?, helm.start()?);
        source.wait_ready(&source_health, READY_LIMIT).await?;
        helm.wait_ready(&helm_health, READY_LIMIT).await?;
        Ok(Self { source, helm, artifacts, _storage: storage })
    }
}

/// What both controllers are given; also where their readiness is asked.
fn common(
    cluster: &Cluster,
    binaries: &BTreeMap<String, PathBuf>,
    name: &str,
    traces: &str,
) -> Result<(testkit::process::ProcessCommand, String)> {
    let binary = binaries.get(name).with_context(|| format!("{name} was not built"))?;
    let (metrics, health) = (testkit::free_port()?, testkit::free_port()?);
    let command = Process::command(binary)
        .env("KUBECONFIG", &cluster.kubeconfig)
        .env("RUNTIME_NAMESPACE", SYSTEM_NAMESPACE)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", traces)
        .arg(format!("--metrics-addr=127.0.0.1:{metrics}"))
        .arg(format!("--health-addr=127.0.0.1:{health}"));
    Ok((command, format!("http://127.0.0.1:{health}/readyz")))
}
