//! The parts of the demo: the cluster, the built binaries, the controllers as processes of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use testkit::process::ProcessCommand;
use testkit::{ControlPlane, Process, TempDir};

/// Where the controllers' ServiceAccounts live, as `deploy/` has it.
pub(super) const SYSTEM_NAMESPACE: &str = "flux-system";

/// What of `deploy/` the demo applies: everything but the workloads, which run here as processes.
const APPLIED_KINDS: [&str; 6] =
    ["Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];

const READY_LIMIT: Duration = Duration::from_secs(60);

/// Builds the workspace's binaries and returns where they are.
pub(super) async fn build() -> Result<BTreeMap<String, PathBuf>> {
    // The one Cargo that runs us: another version would build everything again.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = tokio::process::Command::new(cargo)
        .current_dir(testkit::workspace())
        // The same selection as `make` builds: another one has other features and would compile everything again.
        .args(["build", "--workspace", "--bins", "--message-format=json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("running cargo build")?;
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

    /// Where a tool is. With a cluster of the user's, their programs do where there is no Go to build ours.
    pub(super) async fn tool(&self, name: &str) -> Result<PathBuf> {
        let name = name.to_owned();
        tokio::task::spawn_blocking(move || testkit::programs::tool_or_installed(&name)).await?
    }

    /// Runs a tool against the cluster and returns its output.
    pub(super) async fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let path = self.tool(program).await?;
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

    /// Applies the controllers' ServiceAccounts and roles as they are deployed; returns what was said.
    pub(super) async fn apply_roles(&self) -> Result<String> {
        let overlay = testkit::workspace().join("deploy/overlays/default");
        let built = self.run("kubectl", &["kustomize", &overlay.to_string_lossy()]).await?;
        let applied: Vec<&str> = built
            .split("\n---\n")
            .filter(|document| {
                let kind = document.lines().find_map(|line| line.strip_prefix("kind: "));
                kind.is_some_and(|kind| APPLIED_KINDS.contains(&kind))
            })
            .collect();
        self.apply(&applied.join("\n---\n")).await
    }

    /// A kubeconfig with which a process acts as a ServiceAccount.
    async fn kubeconfig_of(&self, account: &str) -> Result<String> {
        let view = self.run("kubectl", &["config", "view", "--raw", "--minify", "-o", "json"]).await?;
        let mut config: serde_json::Value = serde_json::from_str(&view)?;
        let token =
            self.run("kubectl", &["create", "token", account, "-n", SYSTEM_NAMESPACE, "--duration", "24h"]).await?;
        config["users"][0]["user"] = serde_json::json!({ "token": token.trim() });
        Ok(config.to_string())
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
    _files: TempDir,
}

impl Controllers {
    /// Starts both, each as its own ServiceAccount, and waits until they say they are ready.
    pub(super) async fn start(cluster: &Cluster, binaries: &BTreeMap<String, PathBuf>, traces: &str) -> Result<Self> {
        let files = TempDir::new("controllers")?;
        let artifacts = format!("127.0.0.1:{}", testkit::free_port()?);
        let (source, source_health) = common(cluster, binaries, "source-controller", traces, &files).await?;
        let source = source
            .arg(format!("--storage-path={}", files.join("artifacts").display()))
            .arg(format!("--storage-addr={artifacts}"))
            .arg(format!("--storage-adv-addr={artifacts}"));
        let (helm, helm_health) = common(cluster, binaries, "helm-controller", traces, &files).await?;
        let token = ["create", "token", "helm-controller", "-n", SYSTEM_NAMESPACE, "--audience", "towline-artifact"];
        let token_file = files.join("artifact-token");
        write_private(&token_file, &cluster.run("kubectl", &token).await?)?;
        let helm = helm
            .arg(format!("--artifact-addr=http://{artifacts}"))
            .arg(format!("--artifact-token-file={}", token_file.display()));
        let (mut source, mut helm) = (source.start()?, helm.start()?);
        source.wait_ready(&source_health, READY_LIMIT).await?;
        helm.wait_ready(&helm_health, READY_LIMIT).await?;
        Ok(Self { source, helm, artifacts, _files: files })
    }
}

impl Controllers {
    /// Ends both as a kubelet does, so that they finish what they are at and give up their leases.
    pub(super) async fn stop(&mut self) -> Result<()> {
        for process in [&mut self.helm, &mut self.source] {
            let code = process.terminate(Duration::from_secs(30)).await?;
            if code != 0 {
                bail!("{} ended with {code}:\n{}", process.name(), process.log_tail(5));
            }
        }
        Ok(())
    }
}

/// What both controllers are given; also where their readiness is asked.
async fn common(
    cluster: &Cluster,
    binaries: &BTreeMap<String, PathBuf>,
    name: &str,
    traces: &str,
    files: &TempDir,
) -> Result<(ProcessCommand, String)> {
    let binary = binaries.get(name).with_context(|| format!("{name} was not built"))?;
    let kubeconfig = files.join(format!("{name}.kubeconfig"));
    write_private(&kubeconfig, &cluster.kubeconfig_of(name).await?)?;
    let (metrics, health) = (testkit::free_port()?, testkit::free_port()?);
    let command = Process::command(binary)
        .env("KUBECONFIG", &kubeconfig)
        .env("RUNTIME_NAMESPACE", SYSTEM_NAMESPACE)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", traces)
        // The demo is over before the usual five seconds between exports.
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        // On a cluster of the user's there may be controllers already; two must not work on the same objects.
        .arg(format!("--enable-leader-election={}", !cluster.is_own()))
        .arg(format!("--metrics-addr=127.0.0.1:{metrics}"))
        .arg(format!("--health-addr=127.0.0.1:{health}"));
    Ok((command, format!("http://127.0.0.1:{health}/readyz")))
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::write(path, text.trim_end())?;
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
