//! Starts the programs of a control plane with their certificates and flags, everything at once.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::access::{self, User};
use super::{ControlPlane, Options};
use crate::process::{Process, ProcessCommand};
use crate::scratch::TempDir;
use crate::tls::{Authority, signing_key};
use crate::{programs, wait};

/// Names under which the API server is reached; also what kwok serves under.
const SERVER_NAMES: &[&str] = &[
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "10.96.0.1",
];

const READY_LIMIT: Duration = Duration::from_secs(120);

struct Ports {
    etcd: u16,
    peer: u16,
    api: u16,
    kwok: u16,
}

pub(super) async fn launch(options: &Options) -> Result<ControlPlane> {
    let directory = TempDir::new("control-plane")?;
    let ports = free_ports()?;
    let server = format!("https://127.0.0.1:{}", ports.api);
    let authority = credentials(&directory, &server)?;

    let mut others = vec![etcd(&directory, &ports)?.start()?];
    let mut api_server = api_server(&directory, &ports, options)?.start()?;
    if !options.api_only {
        // They retry until the API server answers; started now, their own start-up costs no extra time.
        others.push(controller_manager(&directory)?.start()?);
        others.push(scheduler(&directory)?.start()?);
    }
    let kubeconfig = directory.join("kubeconfig");
    wait_ready(&mut api_server, &kubeconfig).await?;
    if !options.api_only {
        others.push(kwok(&directory, &ports)?.start()?);
        populate(&kubeconfig, options.nodes, &mut others).await?;
    }
    Ok(ControlPlane {
        api_server: Mutex::new(api_server),
        others,
        directory,
        server,
        authority,
        crds: tokio::sync::OnceCell::new(),
    })
}

/// Waits until the API server says that it is ready.
pub(super) async fn wait_ready(api_server: &mut Process, kubeconfig: &Path) -> Result<()> {
    let client = access::client(kubeconfig).await?;
    let deadline = Instant::now() + READY_LIMIT;
    loop {
        if ready(&client).await {
            return Ok(());
        }
        if let Some(code) = api_server.try_exit() {
            bail!("kube-apiserver exited with {code}:\n{}", api_server.log_tail(20));
        }
        if Instant::now() > deadline {
            bail!("kube-apiserver is not ready after {READY_LIMIT:?}:\n{}", api_server.log_tail(20));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn ready(client: &Client) -> bool {
    let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else { return false };
    let asked = tokio::time::timeout(Duration::from_secs(2), client.request_text(request));
    matches!(asked.await, Ok(Ok(_)))
}

/// Creates the fake nodes and waits until pods are admitted to namespace `default`.
async fn populate(kubeconfig: &Path, nodes: usize, programs: &mut [Process]) -> Result<()> {
    let client = access::client(kubeconfig).await?;
    let api = Api::<Node>::all(client.clone());
    for index in 1..=nodes {
        let name = format!("node-{index}");
        let node = Node {
            metadata: ObjectMeta {
                labels: Some(
                    [
                        ("kubernetes.io/hostname".to_owned(), name.clone()),
                        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
                        ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
                        ("type".to_owned(), "kwok".to_owned()),
                    ]
                    .into(),
                ),
                annotations: Some([("kwok.x-k8s.io/node".to_owned(), "fake".to_owned())].into()),
                name: Some(name),
                ..ObjectMeta::default()
            },
            ..Node::default()
        };
        api.create(&PostParams::default(), &node).await.context("creating a fake node")?;
    }
    let accounts = Api::<ServiceAccount>::namespaced(client, "default");
    let admitted = wait::object(accounts, "default", Duration::from_secs(60), |account| account.is_some());
    if let Err(error) = admitted.await {
        for program in programs.iter_mut() {
            if let Some(code) = program.try_exit() {
                bail!("{} exited with {code}:\n{}", program.name(), program.log_tail(20));
            }
        }
        return Err(error).context("waiting for ServiceAccount default");
    }
    Ok(())
}

/// Writes all certificates and kubeconfigs; returns the authority's certificate.
fn credentials(directory: &TempDir, server: &str) -> Result<String> {
    let pki = directory.join("pki");
    fs::create_dir_all(&pki)?;
    let authority = Authority::new("ca")?;
    authority.identity().write(&pki, "ca")?;
    authority.server(SERVER_NAMES)?.write(&pki, "apiserver")?;
    authority.client("kube-apiserver-kubelet-client", Some("system:masters"))?.write(&pki, "kubelet-client")?;
    let front_proxy = Authority::new("front-proxy-ca")?;
    front_proxy.identity().write(&pki, "front-proxy-ca")?;
    front_proxy.client("front-proxy-client", None)?.write(&pki, "front-proxy-client")?;
    let (private, public) = signing_key()?;
    fs::write(pki.join("sa.key"), private)?;
    fs::write(pki.join("sa.pub"), public)?;
    for (file, user, group) in [
        ("kubeconfig", "admin", Some("system:masters")),
        ("controller-manager.kubeconfig", "system:kube-controller-manager", None),
        ("scheduler.kubeconfig", "system:kube-scheduler", None),
        ("kwok.kubeconfig", "kwok", Some("system:masters")),
    ] {
        let identity = authority.client(user, group)?;
        let text = access::kubeconfig(server, authority.certificate(), user, &User::Certificate(&identity));
        access::write_private(&directory.join(file), &text)?;
    }
    Ok(authority.certificate().to_owned())
}

fn free_ports() -> Result<Ports> {
    let mut listeners = Vec::new();
    for _ in 0..4 {
        listeners.push(TcpListener::bind("127.0.0.1:0").context("binding a loopback port")?);
    }
    // Held together until all are known, so that they differ.
    let mut ports = listeners.iter().map(|listener| listener.local_addr().map(|address| address.port()));
    let mut next = || ports.next().context("too few ports")?.context("reading a port");
    Ok(Ports { etcd: next()?, peer: next()?, api: next()?, kwok: next()? })
}

fn program(directory: &TempDir, name: &str) -> Result<ProcessCommand> {
    Ok(Process::command(programs::tool(name)?).log_to(directory.join(format!("{name}.log"))))
}

fn flag(name: &str, path: impl AsRef<Path>) -> String {
    format!("--{name}={}", path.as_ref().display())
}

fn etcd(directory: &TempDir, ports: &Ports) -> Result<ProcessCommand> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.peer);
    Ok(program(directory, "etcd")?.args([
        "--name=testkit".to_owned(),
        flag("data-dir", directory.join("etcd")),
        // The state dies with the test: syncing to disk and slow elections only cost time.
        "--unsafe-no-fsync".to_owned(),
        "--heartbeat-interval=20".to_owned(),
        "--election-timeout=200".to_owned(),
        "--snapshot-count=10000".to_owned(),
        "--log-level=warn".to_owned(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=testkit={peer}"),
    ]))
}

fn api_server(directory: &TempDir, ports: &Ports, options: &Options) -> Result<ProcessCommand> {
    let pki = directory.join("pki");
    let mut command = program(directory, "kube-apiserver")?.args([
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.api),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // Loopback addresses are refused as endpoints of Service kubernetes.
        "--endpoint-reconciler-type=none".to_owned(),
        flag("tls-cert-file", pki.join("apiserver.crt")),
        flag("tls-private-key-file", pki.join("apiserver.key")),
        flag("client-ca-file", pki.join("ca.crt")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        flag("service-account-key-file", pki.join("sa.pub")),
        flag("service-account-signing-key-file", pki.join("sa.key")),
        flag("requestheader-client-ca-file", pki.join("front-proxy-ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        flag("proxy-client-cert-file", pki.join("front-proxy-client.crt")),
        flag("proxy-client-key-file", pki.join("front-proxy-client.key")),
        flag("kubelet-client-certificate", pki.join("kubelet-client.crt")),
        flag("kubelet-client-key", pki.join("kubelet-client.key")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ]);
    if options.audit {
        let policy = directory.join("audit-policy.json");
        fs::write(
            &policy,
            r#"{"apiVersion":"audit.k8s.io/v1","kind":"Policy","omitStages":["RequestReceived"],"rules":[{"level":"Metadata"}]}"#,
        )?;
        command =
            command.arg(flag("audit-policy-file", policy)).arg(flag("audit-log-path", directory.join("audit.log")));
    }
    Ok(command.args(&options.api_server_arguments))
}

fn controller_manager(directory: &TempDir) -> Result<ProcessCommand> {
    let pki = directory.join("pki");
    Ok(program(directory, "kube-controller-manager")?
        .args([
            flag("kubeconfig", directory.join("controller-manager.kubeconfig")),
            "--use-service-account-credentials=true".to_owned(),
            flag("service-account-private-key-file", pki.join("sa.key")),
            flag("root-ca-file", pki.join("ca.crt")),
            flag("cluster-signing-cert-file", pki.join("ca.crt")),
            flag("cluster-signing-key-file", pki.join("ca.key")),
            "--controllers=*,-nodeipam,-cloud-node-lifecycle".to_owned(),
            "--allocate-node-cidrs=false".to_owned(),
        ])
        .args(SINGLE_INSTANCE))
}

fn scheduler(directory: &TempDir) -> Result<ProcessCommand> {
    Ok(program(directory, "kube-scheduler")?
        .arg(flag("kubeconfig", directory.join("scheduler.kubeconfig")))
        .args(SINGLE_INSTANCE))
}

/// With the default client limits (20 requests a second) 100 Deployments take 27 s to become Available.
const SINGLE_INSTANCE: [&str; 5] =
    ["--leader-elect=false", "--secure-port=0", "--profiling=false", "--kube-api-qps=500", "--kube-api-burst=1000"];

/// kwok is the kubelet of the nodes that carry its annotation: it plays the stages of its configuration.
fn kwok(directory: &TempDir, ports: &Ports) -> Result<ProcessCommand> {
    let pki = directory.join("pki");
    Ok(program(directory, "kwok")?.args([
        flag("kubeconfig", directory.join("kwok.kubeconfig")),
        flag("config", programs::kwok_stages()?),
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        "--cidr=10.244.0.0/16".to_owned(),
        "--node-ip=127.0.0.1".to_owned(),
        format!("--node-port={}", ports.kwok),
        format!("--server-address=127.0.0.1:{}", ports.kwok),
        flag("tls-cert-file", pki.join("apiserver.crt")),
        flag("tls-private-key-file", pki.join("apiserver.key")),
    ]))
}
