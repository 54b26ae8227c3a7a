//! Releases that something else made: the real Flux controllers, or Helm's command line.

use std::time::Duration;

use anyhow::{Context as _, Result};
use common::{helm::v2::HelmRelease, meta::FluxObject as _, names::lease};
use kube::Api;
use serde_json::{Value, json};
use testkit::{ControlPlane, HelmRepositoryServer, Process, TempDir};

use crate::world::{LIMIT, World, condition};

/// A chart of which much goes away when a value does: a key of a map, an item of a keyed list, an annotation.
const NOTED: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"9\"\n"),
    ("values.yaml", "greeting: hello\nnote: \"\"\n"),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  {{- with .Values.note }}\n  annotations: {example.com/note: {{ . | quote }}}\n  {{- end }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n  {{- with .Values.note }}\n  note: {{ . | quote }}\n  {{- end }}\n",
    ),
    (
        "templates/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  selector: {app: {{ .Release.Name }}}\n  ports:\n  - {name: web, port: 80}\n  {{- if .Values.note }}\n  - {name: note, port: 81}\n  {{- end }}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  selector:\n    matchLabels: {app: {{ .Release.Name }}}\n  template:\n    metadata:\n      labels: {app: {{ .Release.Name }}}\n      {{- with .Values.note }}\n      annotations: {example.com/note: {{ . | quote }}}\n      {{- end }}\n    spec:\n      {{- if .Values.note }}\n      terminationGracePeriodSeconds: 7\n      {{- end }}\n      containers:\n      - name: web\n        image: example.invalid/web:1\n        env:\n        - {name: GREETING, value: {{ .Values.greeting | quote }}}\n        {{- with .Values.note }}\n        - {name: NOTE, value: {{ . | quote }}}\n        {{- end }}\n",
    ),
];

/// The objects of the chart.
const OBJECTS: [&str; 3] = ["configmap/web", "service/web", "deployment/web"];

/// Who held the Leases before.
const FLUX_POD: &str = "helm-controller-7f4b9_5b0c";

/// The real Flux controllers on one namespace.
struct Flux {
    source: Process,
    helm: Process,
    _files: TempDir,
}

impl Flux {
    async fn start(plane: &ControlPlane, namespace: &str, helm_flags: &[&str]) -> Result<Self> {
        let files = TempDir::new("flux")?;
        let mut ports = Vec::new();
        for _ in 0..5 {
            ports.push(testkit::free_port()?);
        }
        let controller = |name: &'static str, health: u16, metrics: u16| {
            let program = testkit::tool(name)?;
            let command = Process::command(program)
                .env("KUBECONFIG", plane.kubeconfig())
                .env("RUNTIME_NAMESPACE", namespace)
                .env("HOME", files.path())
                .directory(files.path())
                .args([
                    "--watch-all-namespaces=false".to_owned(),
                    format!("--health-addr=127.0.0.1:{health}"),
                    format!("--metrics-addr=127.0.0.1:{metrics}"),
                ]);
            Ok::<_, anyhow::Error>(command)
        };
        let storage = format!("127.0.0.1:{}", ports[4]);
        let mut source = controller("flux-source-controller", ports[0], ports[1])?
            .args([
                format!("--storage-path={}", files.path().display()),
                format!("--storage-addr={storage}"),
                format!("--storage-adv-addr={storage}"),
            ])
            .start()?;
        // By default it would try for minutes to fetch from a source-controller that is gone.
        let mut helm = controller("flux-helm-controller", ports[2], ports[3])?
            .args(["--http-retry=1", "--requeue-dependency=1s"])
            .args(helm_flags.iter().map(|flag| (*flag).to_owned()))
            .start()?;
        source.wait_ready(&format!("http://127.0.0.1:{}/healthz", ports[0]), LIMIT).await?;
        helm.wait_ready(&format!("http://127.0.0.1:{}/healthz", ports[2]), LIMIT).await?;
        Ok(Self { source, helm, _files: files })
    }

    async fn stop(mut self) -> Result<()> {
        self.helm.terminate(LIMIT).await?;
        self.source.terminate(LIMIT).await?;
        Ok(())
    }
}

impl Drop for Flux {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for process in [&self.source, &self.helm] {
                eprintln!("--- {} ---\n{}", process.name(), process.log_tail(40));
            }
        }
    }
}

/// All that must be the same after another controller has looked at a release.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Name, identity and version of each release Secret.
    records: Vec<Value>,
    /// What the release's status says about what is deployed.
    status: Value,
    /// Labels, annotations, content and version of its objects.
    objects: Vec<Value>,
    /// Its generated HelmChart's specification and finalizers.
    chart: Value,
    finalizers: Value,
}

async fn seen(plane: &ControlPlane, namespace: &str) -> Result<Seen> {
    let get = async |arguments: &[&str]| {
        let mut all = vec!["get", "--namespace", namespace, "-o", "json"];
        all.extend(arguments);
        Ok::<Value, anyhow::Error>(serde_json::from_str(&plane.kubectl(&all).await?)?)
    };
    let identity = |object: &Value| {
        let metadata = &object["metadata"];
        json!([metadata["name"], metadata["uid"], metadata["resourceVersion"], metadata["labels"]])
    };
    let list = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
    let records = list(&get(&["secrets", "--selector=owner=helm"]).await?).iter().map(identity).collect();
    let objects = list(&get(&["configmap,service,deployment", "--field-selector=metadata.name=web"]).await?);
    let objects = objects
        .iter()
        .map(|object| {
            let of = |path| object.pointer(path).unwrap_or(&Value::Null);
            // A Deployment's own status moves on; its generation does not.
            json!([
                identity(object)[1],
                of("/metadata/labels"),
                of("/metadata/annotations"),
                of("/metadata/generation"),
                of("/metadata/managedFields"),
                of("/spec"),
                of("/data")
            ])
        })
        .collect();
    let release = get(&["helmreleases.v2.helm.toolkit.fluxcd.io", "web"]).await?;
    let mut status = release["status"].clone();
    let fields = status.as_object_mut().context("no status")?;
    // What was asked for and when conditions were told is each controller's own.
    for own in ["conditions", "lastHandledReconcileAt"] {
        fields.remove(own);
    }
    let charts = list(&get(&["helmcharts.source.toolkit.fluxcd.io"]).await?);
    let chart = charts.iter().map(|chart| json!([chart["metadata"]["name"], chart["spec"]])).collect();
    let finalizers = json!([release["metadata"]["finalizers"], charts[0]["metadata"]["finalizers"]]);
    Ok(Seen { records, status, objects, chart, finalizers })
}

/// Asks for a reconcile and waits until it is done.
async fn reconcile(plane: &ControlPlane, namespace: &str, token: &str) -> Result<HelmRelease> {
    let releases: Api<HelmRelease> = Api::namespaced(plane.client().await?, namespace);
    for kind in
        ["helmrepository/charts", &format!("helmchart/{namespace}-web"), "helmrelease.v2.helm.toolkit.fluxcd.io/web"]
    {
        let annotation = format!("reconcile.fluxcd.io/requestedAt={token}");
        plane.kubectl(&["annotate", "--namespace", namespace, "--overwrite", kind, &annotation]).await?;
        let handled = testkit::until("the request is handled", LIMIT, async || {
            let path = "jsonpath={.status.lastHandledReconcileAt} {.status.conditions[?(@.type=='Ready')].status}";
            let text = plane.kubectl(&["get", "--namespace", namespace, kind, "-o", path]).await.ok()?;
            (text == format!("{token} True")).then_some(())
        });
        if let Err(error) = handled.await {
            let object = plane.kubectl(&["get", "--namespace", namespace, kind, "-o", "yaml"]).await?;
            // A panic, so that what runs shows its log.
            panic!("{kind} by {token}: {error}\n{object}");
        }
    }
    Ok(releases.get("web").await?)
}

/// Who holds a Lease, after how many changes.
async fn holder(plane: &ControlPlane, namespace: &str, name: &str) -> Result<(String, String)> {
    let path = "jsonpath={.spec.holderIdentity} {.spec.leaseTransitions}";
    let text = plane.kubectl(&["get", "lease", name, "--namespace", namespace, "-o", path]).await?;
    let (holder, transitions) = text.split_once(' ').context("a Lease has a holder and a number of changes")?;
    Ok((holder.to_owned(), transitions.to_owned()))
}

/// Who has written the objects, and how.
async fn managers(plane: &ControlPlane, namespace: &str) -> Result<Vec<String>> {
    let mut found = std::collections::BTreeSet::new();
    for object in OBJECTS {
        let path = "jsonpath={range .metadata.managedFields[*]}{.manager} {.operation} {.subresource}{'\\n'}{end}";
        let text =
            plane.kubectl(&["get", "--show-managed-fields", "--namespace", namespace, object, "-o", path]).await?;
        found.extend(text.lines().map(str::trim).filter(|line| !line.ends_with("status")).map(str::to_owned));
    }
    Ok(found.into_iter().collect())
}

/// What the note leaves in the objects; nothing when all of it is gone.
async fn notes(plane: &ControlPlane, namespace: &str) -> Result<String> {
    let arguments = [&["get", "--namespace", namespace, "-o", "yaml"], &OBJECTS[..]].concat();
    let objects = plane.kubectl(&arguments).await?;
    Ok(objects.lines().filter(|line| line.to_lowercase().contains("note") || line.ends_with("Seconds: 7")).collect())
}

/// Whether the programs are there or can be built; says so if not.
fn obtainable(test: &str) -> Result<bool> {
    let obtainable = testkit::programs::obtainable(&["flux-source-controller", "flux-helm-controller"])?;
    if !obtainable {
        testkit::skip(test, "the real Flux controllers are not built and Go is not installed");
    }
    Ok(obtainable)
}

async fn take_over_from_flux(flux_flags: &[&str], method: &str, written: &str) -> Result<()> {
    let plane = ControlPlane::shared().await?;
    plane.apply_crds().await?;
    let namespace = plane.namespace().await?;
    let charts = HelmRepositoryServer::start().await?;
    charts.add_chart(NOTED)?;
    let flux = Flux::start(plane, &namespace, flux_flags).await?;
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
         "metadata": {"name": "charts", "namespace": namespace}, "spec": {"url": charts.url(), "interval": "1h"}},
        {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "web", "namespace": namespace},
         "spec": {"interval": "1h", "chart": {"spec": {"chart": "web", "version": "1.x",
                  "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}, "values": {"note": "to go"}}},
    ]});
    let cpu = (flux.helm.cpu_time()?, flux.source.cpu_time()?);
    plane.apply(&objects.to_string()).await?;
    let releases: Api<HelmRelease> = Api::namespaced(plane.client().await?, &namespace);
    testkit::wait::object(releases, "web", LIMIT, |release| release.is_some_and(HelmRelease::is_ready)).await?;
    testkit::notice(&format!(
        "Flux for one release created: {:?} of CPU in helm-controller, {:?} in source-controller",
        flux.helm.cpu_time()?.saturating_sub(cpu.0),
        flux.source.cpu_time()?.saturating_sub(cpu.1),
    ));
    let metadata = plane.run("helm", &["get", "metadata", "web", "--namespace", &namespace]).await?;
    assert!(metadata.to_lowercase().contains(method), "{metadata}");
    assert_eq!(managers(plane, &namespace).await?, [written]);
    let before = seen(plane, &namespace).await?;
    flux.stop().await?;
    // Outside a cluster Flux elects no leader; in one, its Pods leave such Leases behind.
    for name in [lease::HELM, lease::SOURCE] {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": namespace},
                           "spec": {"holderIdentity": FLUX_POD, "leaseDurationSeconds": 3, "leaseTransitions": 4,
                                    "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z"}});
        plane.apply(&lease.to_string()).await?;
    }

    let mut world =
        World::start_beside_sources(&namespace, &["--enable-leader-election"], &["--enable-leader-election"], &[])
            .await?;
    crate::sources::allow_fetching(&world).await?;
    let release = reconcile(plane, &namespace, "towline").await?;
    assert_eq!(seen(plane, &namespace).await?, before, "nothing but who looks after it has changed");
    assert_eq!(condition(&release, "Ready").1, "InstallSucceeded");
    assert!(world.events("web", "UpgradeSucceeded").await?.is_empty());
    for name in [lease::HELM, lease::SOURCE] {
        let (holder, transitions) = holder(plane, &namespace, name).await?;
        assert!(!holder.is_empty() && holder != FLUX_POD && transitions == "5", "{name}: {holder} {transitions}");
    }

    assert!(!notes(plane, &namespace).await?.is_empty());
    let change = world.change("web", json!({"values": {"note": null, "greeting": "salut"}})).await?;
    let generation = change.generation();
    world.until("web", |release| release.observed_generation() == generation && release.is_ready()).await?;
    assert_eq!(world.history("web").await?, ["superseded", "deployed"]);
    assert_eq!(notes(plane, &namespace).await?, "", "what the chart no longer has is gone");
    assert_eq!(managers(plane, &namespace).await?, ["helm-controller Apply"]);
    // The digest in the history is of the record as it is now, so it is looked at before and after Flux has.
    let upgraded = seen(plane, &namespace).await?;
    world.stop().await?;

    let flux = Flux::start(plane, &namespace, flux_flags).await?;
    reconcile(plane, &namespace, "flux").await?;
    assert_eq!(seen(plane, &namespace).await?, upgraded, "Flux finds its own state");
    flux.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_of_the_real_flux_are_taken_over_and_given_back_without_an_upgrade() -> Result<()> {
    if !obtainable("releases_of_the_real_flux_are_taken_over_and_given_back_without_an_upgrade")? {
        return Ok(());
    }
    take_over_from_flux(&[], "server-side", "helm-controller Apply").await
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_that_flux_applied_on_the_client_are_taken_over_without_an_upgrade() -> Result<()> {
    if !obtainable("releases_that_flux_applied_on_the_client_are_taken_over_without_an_upgrade")? {
        return Ok(());
    }
    take_over_from_flux(&["--feature-gates=UseHelm3Defaults=true"], "client-side", "helm-controller Update").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_helm_installed_is_taken_over_with_its_fields() -> Result<()> {
    let world = World::start().await?;
    world.chart("web", "1.0.0", NOTED);
    let files = TempDir::new("chart")?;
    for (path, content) in NOTED {
        let path = files.path().join("web").join(path);
        fs_err::create_dir_all(path.parent().context("a chart file has a directory")?)?;
        fs_err::write(path, content)?;
    }
    let chart = files.path().join("web").display().to_string();
    for (server_side, written) in [("--server-side=false", "helm Update"), ("--server-side=true", "helm Apply")] {
        world.helm(&["install", "web", &chart, server_side, "--set=note=to go"]).await?;
        assert_eq!(managers(&world.plane, &world.namespace).await?, [written]);
        assert!(!notes(&world.plane, &world.namespace).await?.is_empty());
        world.kubectl(&["annotate", "configmap", "web", "example.com/kept=by another manager"]).await?;
        world.release("web", "web", "1.0.0", json!({})).await?;
        world.ready("web").await?;
        assert_eq!(world.history("web").await?, ["superseded", "deployed"], "{server_side}");
        assert_eq!(notes(&world.plane, &world.namespace).await?, "", "{server_side}");
        let kept = "jsonpath={.metadata.annotations.example\\.com/kept}";
        assert_eq!(world.kubectl(&["get", "configmap", "web", "-o", kept]).await?, "by another manager");
        let managers = managers(&world.plane, &world.namespace).await?;
        assert_eq!(managers, ["helm-controller Apply", "kubectl-annotate Update"], "{server_side}");
        world.delete("web").await?;
        let arguments = [&["get", "--ignore-not-found"], &OBJECTS[..]].concat();
        let gone = async || world.kubectl(&arguments).await.ok().filter(String::is_empty);
        testkit::until("the objects are gone", Duration::from_secs(60), gone).await?;
    }
    Ok(())
}
