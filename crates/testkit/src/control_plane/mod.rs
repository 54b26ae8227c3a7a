//! A real Kubernetes control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok as the nodes.

mod access;
mod launch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Api, Client};
use rand::Rng as _;
use tokio::sync::{Mutex, OnceCell};

use crate::process::Process;
use crate::scratch::TempDir;
use crate::{programs, wait};

pub use access::ServiceAccountAccess;

/// How a control plane is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Fake nodes to create.
    pub nodes: usize,
    /// Only etcd and the API server: no controllers, no nodes, and nobody makes ServiceAccounts.
    pub api_only: bool,
    /// Record every request (metadata only) in `audit.log`, to count what a controller asks for.
    pub audit: bool,
    /// Further flags of the API server.
    pub api_server_arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 1, api_only: false, audit: false, api_server_arguments: Vec::new() }
    }
}

/// A running control plane; dropped, it is gone.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields are dropped in this order: the programs end before their directory is removed.
    api_server: Mutex<Process>,
    others: Vec<Process>,
    directory: TempDir,
    server: String,
    authority: String,
    /// Set once the repository's own CRDs are served.
    crds: OnceCell<()>,
}

static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();

impl ControlPlane {
    /// The one control plane of this test binary, started at the first call. Tests keep apart by their own namespaces.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(|| Self::start(Options { audit: true, ..Options::default() })).await
    }

    /// Starts one; the first time on a machine its programs are built, which takes minutes.
    pub async fn start(options: Options) -> Result<Self> {
        tokio::task::spawn_blocking(|| programs::ensure(programs::CONTROL_PLANE)).await??;
        launch::launch(&options).await
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// The API server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Where its state and logs are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// One line per request, when started with `audit` (the shared one is).
    pub fn audit_log(&self) -> PathBuf {
        self.directory.join("audit.log")
    }

    /// A new administrator's client. Each belongs to the runtime it was made in, so it is not shared between tests.
    pub async fn client(&self) -> Result<Client> {
        access::client(&self.kubeconfig()).await
    }

    /// A namespace of its own with a random name, ready for pods (its ServiceAccount `default` exists).
    pub async fn namespace(&self) -> Result<String> {
        let suffix: u32 = rand::rng().random();
        let name = format!("test-{suffix:08x}");
        self.create_namespace(&name).await?;
        Ok(name)
    }

    /// Creates a namespace and waits until pods are admitted to it.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        let client = self.client().await?;
        let namespace = Namespace {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            ..Namespace::default()
        };
        Api::<Namespace>::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .with_context(|| format!("creating namespace {name}"))?;
        // Pods are refused until the controller manager has made it.
        wait::object(Api::<ServiceAccount>::namespaced(client, name), "default", Duration::from_secs(30), |account| {
            account.is_some()
        })
        .await
        .context("waiting for ServiceAccount default")?;
        Ok(())
    }

    /// Deletes a namespace without waiting for its end.
    pub async fn delete_namespace(&self, name: &str) -> Result<()> {
        Api::<Namespace>::all(self.client().await?).delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// A ServiceAccount's way in: made if needed, with a token for the API server and a kubeconfig of its own.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Result<ServiceAccountAccess> {
        access::service_account(self, namespace, name).await
    }

    /// A token of an existing ServiceAccount for other audiences, as `kubectl create token --audience` gives.
    pub async fn token(&self, namespace: &str, name: &str, audiences: &[&str]) -> Result<String> {
        access::token(&self.client().await?, namespace, name, audiences).await
    }

    /// Applies the repository's CRDs (`deploy/crds`) and waits until they are served.
    pub async fn apply_crds(&self) -> Result<()> {
        let once =
            self.crds.get_or_try_init(|| async { self.apply_crds_in(&crate::workspace().join("deploy/crds")).await });
        once.await.copied()
    }

    /// Applies the CRDs of a directory and waits until they are served.
    pub async fn apply_crds_in(&self, directory: &Path) -> Result<()> {
        let path = directory.to_string_lossy().into_owned();
        let how = if directory.join("kustomization.yaml").is_file() { "-k" } else { "-f" };
        let names = self.kubectl(&["apply", "--server-side", "--force-conflicts", "-o", "name", how, &path]).await?;
        let api = Api::<CustomResourceDefinition>::all(self.client().await?);
        for name in names.lines().filter_map(|line| line.split_once('/')).map(|(_, name)| name) {
            wait::object(api.clone(), name, Duration::from_secs(30), established).await?;
        }
        Ok(())
    }

    /// Applies manifests (YAML text) as the administrator by the real kubectl.
    pub async fn apply(&self, manifests: &str) -> Result<String> {
        let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(crate::scratch::root()?)?;
        fs_err::write(file.path(), manifests)?;
        let path = file.path().to_string_lossy().into_owned();
        self.kubectl(&["apply", "--server-side", "-f", &path]).await
    }

    /// Runs the real kubectl as the administrator; its standard output, or an error with its standard error.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.run("kubectl", arguments).await
    }

    /// Runs a program (`kubectl`, `helm`, …) with this control plane's kubeconfig.
    pub async fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let name = program.to_owned();
        let path = tokio::task::spawn_blocking(move || programs::tool(&name)).await??;
        let home = self.directory.join("home");
        let output = tokio::process::Command::new(path)
            .args(arguments)
            .env("KUBECONFIG", self.kubeconfig())
            .env("HOME", &home)
            .env("HELM_CACHE_HOME", home.join("helm/cache"))
            .env("HELM_CONFIG_HOME", home.join("helm/config"))
            .env("HELM_DATA_HOME", home.join("helm/data"))
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("running {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Kills the API server and starts it again on the same port, as a crash does; returns when it is ready.
    pub async fn restart_api_server(&self) -> Result<()> {
        self.stop_api_server().await?;
        self.resume_api_server().await
    }

    /// Kills the API server and leaves it down until `resume_api_server`.
    pub async fn stop_api_server(&self) -> Result<()> {
        self.api_server.lock().await.kill()
    }

    /// Starts the API server again after `stop_api_server`; returns when it is ready.
    pub async fn resume_api_server(&self) -> Result<()> {
        let mut api_server = self.api_server.lock().await;
        api_server.restart()?;
        launch::wait_ready(&mut api_server, &self.kubeconfig()).await
    }

    /// Memory and processor time are read from these: the API server is not among them.
    pub fn processes(&self) -> &[Process] {
        &self.others
    }

    /// Processor time that each program has used, the API server first.
    pub async fn cpu_times(&self) -> Result<Vec<(String, std::time::Duration)>> {
        let api_server = self.api_server.lock().await;
        std::iter::once(&*api_server)
            .chain(&self.others)
            .map(|process| Ok((process.name().to_owned(), process.cpu_time()?)))
            .collect()
    }

    /// How many nodes are registered.
    pub async fn nodes(&self) -> Result<usize> {
        let nodes = Api::<k8s_openapi::api::core::v1::Node>::all(self.client().await?);
        Ok(nodes.list(&ListParams::default()).await?.items.len())
    }
}

fn established(definition: Option<&CustomResourceDefinition>) -> bool {
    definition.and_then(|definition| definition.status.as_ref()?.conditions.as_ref()).is_some_and(|conditions| {
        conditions.iter().any(|condition| condition.type_ == "Established" && condition.status == "True")
    })
}
