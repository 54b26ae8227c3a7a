//! `cargo xtask demo`: from a Git push to a running Helm release, on a real Kubernetes API server, as it happens.

mod parts;
mod screen;
mod traces;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use testkit::{GitServer, OtlpReceiver, Repository};

use parts::{Cluster, Controllers, SYSTEM_NAMESPACE};
use screen::Screen;

/// The namespace of the example.
const NAMESPACE: &str = "hello";

/// Where the demo runs, and what is left of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Use this cluster instead of starting a control plane.
    #[arg(long, env = "DEMO_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Leave everything running at the end until Ctrl-C, and say where to look.
    #[arg(long, env = "KEEP", value_parser = clap::builder::FalseyValueParser::new())]
    keep: bool,
}

/// Runs the demo.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        tokio::select! {
            outcome = demo(arguments) => outcome,
            // Everything the demo started ends with it.
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    })
}

async fn demo(arguments: &Arguments) -> Result<()> {
    let mut screen = Screen::new();

    screen.step("Build the controllers and the command line");
    let binaries = parts::build().await?;

    screen.step(if arguments.kubeconfig.is_some() {
        "Use an existing cluster"
    } else {
        "Start a Kubernetes control plane"
    });
    let cluster = Cluster::start(arguments.kubeconfig.as_deref()).await?;
    let version = cluster.run("kubectl", &["version", "-o", "json"]).await?;
    let version: serde_json::Value = serde_json::from_str(&version)?;
    screen.say(&format!("Kubernetes {}", version["serverVersion"]["gitVersion"].as_str().unwrap_or_default()));

    screen.step("Install the CRDs");
    let crds = testkit::workspace().join("deploy/crds");
    screen.command("kubectl", &["apply", "--server-side", "-k", "deploy/crds"]);
    let said =
        cluster.run("kubectl", &["apply", "--server-side", "--force-conflicts", "-k", &crds.to_string_lossy()]).await?;
    screen.output(&said);
    cluster.run("kubectl", &["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;

    screen.step("Create the controllers' ServiceAccounts and roles, as deploy/ has them");
    screen.output(&cluster.apply_roles().await?);
    cluster.apply(&format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {NAMESPACE}}}\n")).await?;

    screen.step("Start source-controller and helm-controller, each a process of its own");
    let traces = OtlpReceiver::start().await?;
    let mut controllers = Controllers::start(&cluster, &binaries, &traces.endpoint()).await?;
    screen.say(&format!(
        "source-controller is pid {}, helm-controller pid {}; artifacts are served at {}",
        controllers.source.pid(),
        controllers.helm.pid(),
        controllers.artifacts
    ));

    let outcome = story(&mut screen, &cluster, &binaries).await;
    if outcome.is_err() {
        screen.say(&format!("source-controller's last words:\n{}", controllers.source.log_tail(10)));
        screen.say(&format!("helm-controller's last words:\n{}", controllers.helm.log_tail(10)));
    }
    let git = outcome?;
    screen.summary();
    look(&screen, &cluster, &controllers, &git, &traces, arguments.keep);
    if arguments.keep {
        screen.say("\nCtrl-C ends it all.");
        std::future::pending::<()>().await;
    }
    if !cluster.is_own() {
        // The release is uninstalled by the controller that still runs; CRDs and roles stay, others may use them.
        cluster.run("kubectl", &["delete", "namespace", NAMESPACE, "--timeout=60s"]).await?;
    }
    controllers.stop().await
}

/// What a team does with its repository.
async fn story(screen: &mut Screen, cluster: &Cluster, binaries: &BTreeMap<String, PathBuf>) -> Result<GitServer> {
    let towline = binaries.get("towline").context("towline was not built")?;

    screen.step("Push the example repository to a Git server");
    let git = GitServer::start().await?;
    let repository = git.repository("hello")?;
    repository.copy_directory(&testkit::workspace().join("examples/hello"), "")?;
    let source = repository.read("cluster/source.yaml")?;
    repository.write("cluster/source.yaml", source.replace("https://git.example.org/hello.git", &git.url("hello")))?;
    push(screen, &repository, "A greeting")?;
    screen.say(&format!("served at {}", git.url("hello")));

    screen.step("Apply the GitRepository and the HelmRelease, and follow until the release is ready");
    for file in ["cluster/source.yaml", "cluster/release.yaml"] {
        screen.command("kubectl", &["apply", "-f", file]);
        screen.output(&cluster.apply(&repository.read(file)?).await?);
    }
    sync(screen, cluster, towline, 0).await?;
    show(screen, cluster, "kubectl", &["get", "deployments,services,pods", "-n", NAMESPACE]).await?;
    show(screen, cluster, "helm", &["list", "-n", NAMESPACE]).await?;

    screen.step("Change a value, push, and sync");
    let values = "environments/production.yaml";
    repository.write(values, "replicas: 3\ngreeting: Good morning from production\n")?;
    push(screen, &repository, "Three replicas, and a better greeting")?;
    sync(screen, cluster, towline, 0).await?;
    let replicas = jsonpath(cluster, "deployment", "{.spec.replicas}").await?;
    let greeting = jsonpath(cluster, "configmap", "{.data.index\\.html}").await?;
    screen.say(&format!("the Deployment has {replicas} replicas; the page says {}", greeting.trim()));
    if replicas != "3" {
        bail!("the Deployment should have 3 replicas, and has {replicas}");
    }

    screen.step("Push a commit that cannot work: reported, and rolled back");
    let good = repository.read(values)?;
    repository.write(values, format!("{}service:\n  port: 99999\n", good.replace("morning", "evening")))?;
    push(screen, &repository, "Serve on another port")?;
    sync(screen, cluster, towline, 1).await?;
    show(screen, cluster, "helm", &["history", "hello", "-n", NAMESPACE]).await?;
    let after = jsonpath(cluster, "configmap", "{.data.index\\.html}").await?;
    screen.say(&format!("the page still says {}", after.trim()));
    if after != greeting {
        bail!("the failed upgrade was not rolled back");
    }

    screen.step("Revert the commit, and sync");
    screen.command("git", &["revert", "--no-edit", "HEAD"]);
    repository.git(&["revert", "--no-edit", "HEAD"])?;
    repository.push()?;
    sync(screen, cluster, towline, 0).await?;

    screen.step("Everything as it now is");
    screen.command("towline", &["get", "all", "-n", NAMESPACE]);
    cluster.towline(towline, &["get", "all", "-n", NAMESPACE]).await?;
    show(screen, cluster, "helm", &["history", "hello", "-n", NAMESPACE]).await?;
    Ok(git)
}

fn push(screen: &Screen, repository: &Repository, message: &str) -> Result<()> {
    screen.command("git", &["commit", "--all", "--message", message]);
    let commit = repository.commit_and_push(message)?;
    screen.command("git", &["push"]);
    screen.say(&format!("commit {}", commit.0.get(..12).unwrap_or(&commit.0)));
    Ok(())
}

async fn sync(screen: &Screen, cluster: &Cluster, towline: &Path, expected: i32) -> Result<()> {
    let arguments = ["sync", "hello", "-n", NAMESPACE, "--timeout", "2m"];
    screen.command("towline", &arguments);
    let code = cluster.towline(towline, &arguments).await?;
    if code != expected {
        bail!("towline sync exited with {code} instead of {expected}");
    }
    Ok(())
}

async fn show(screen: &Screen, cluster: &Cluster, program: &str, arguments: &[&str]) -> Result<()> {
    if let Err(reason) = cluster.tool(program).await {
        screen.say(&format!("(`{program} {}` is left out: {reason})", arguments.join(" ")));
        return Ok(());
    }
    screen.command(program, arguments);
    screen.output(&cluster.run(program, arguments).await?);
    Ok(())
}

async fn jsonpath(cluster: &Cluster, kind: &str, path: &str) -> Result<String> {
    let output = format!("jsonpath={path}");
    cluster.run("kubectl", &["get", kind, "hello", "-n", NAMESPACE, "-o", &output]).await
}

/// Where to look further, and the trace of the last change.
fn look(
    screen: &Screen,
    cluster: &Cluster,
    controllers: &Controllers,
    git: &GitServer,
    receiver: &OtlpReceiver,
    keep: bool,
) {
    if let Some(trace) = traces::last_change(&receiver.spans()) {
        println!("\n━━ The last change as one trace, as the controllers exported it (OTLP)");
        screen.output(&trace);
    }
    println!("\n━━ Where to look");
    if !keep {
        screen.say("KEEP=1 make demo leaves everything running");
        return;
    }
    screen.say(&format!("export KUBECONFIG={}", cluster.kubeconfig.display()));
    screen.say(&format!("git clone {}", git.url("hello")));
    screen.say(&format!("source-controller's log: {}", controllers.source.log_path().display()));
    screen.say(&format!("helm-controller's log:   {}", controllers.helm.log_path().display()));
    screen.say(&format!(
        "TOKEN=$(kubectl create token helm-controller -n {SYSTEM_NAMESPACE} --audience towline-artifact)\n\
         grpcurl -plaintext -H \"authorization: Bearer $TOKEN\" {} list",
        controllers.artifacts
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `make demo` does, to its end: every step of it checks what it shows.
    #[test]
    fn the_demo_runs_to_its_end() {
        run(&Arguments { kubeconfig: None, keep: false }).unwrap();
    }

    /// `DEMO_KUBECONFIG=… make demo`, whose controllers elect leaders because others may be there.
    #[test]
    fn the_demo_runs_on_an_existing_cluster() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let plane = runtime.block_on(testkit::ControlPlane::start(testkit::Options::default())).unwrap();
        run(&Arguments { kubeconfig: Some(plane.kubeconfig()), keep: false }).unwrap();
        let left = runtime.block_on(plane.kubectl(&["get", "namespaces", "-o", "name"])).unwrap();
        assert!(!left.contains("namespace/hello"), "the example is taken away again: {left}");
    }
}
