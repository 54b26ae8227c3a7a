//! Releases of the Helm operator's group: the seed's own file, and a small chart with the same traits.

use anyhow::Result;
use common::helm_operator::v1::{ConditionStatus, ConditionType, HelmRelease, Phase};
use kube::{Api, api::DeleteParams};
use testkit::HelmRepositoryServer;

use crate::world::{LIMIT, World};

/// A chart of 2019: a v1 chart whose roles are of an API version that is no longer served.
const OLD: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v1\nname: old-ingress\nversion: 1.25.0\nappVersion: 0.26.1\n"),
    ("values.yaml", "controller:\n  service:\n    type: ClusterIP\n  metrics:\n    enabled: false\n"),
    (
        "templates/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role\nmetadata:\n  name: {{ .Release.Name }}\nrules:\n- apiGroups: [\"\"]\n  resources: [configmaps]\n  verbs: [get]\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: 1\n  template:\n    metadata:\n      labels: {app: {{ .Release.Name }}}\n    spec:\n      containers:\n      - name: controller\n        image: example.invalid/ingress:0.26.1\n",
    ),
    (
        "templates/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  type: {{ .Values.controller.service.type }}\n  selector: {app: {{ .Release.Name }}}\n  ports: [{port: 80}]\n",
    ),
];

fn state(release: &HelmRelease, wanted: ConditionType) -> Option<ConditionStatus> {
    release
        .status
        .as_ref()?
        .conditions
        .iter()
        .find(|condition| condition.type_ == wanted)
        .map(|condition| condition.status)
}

fn succeeded(release: &HelmRelease) -> bool {
    release.status.as_ref().and_then(|status| status.phase) == Some(Phase::Succeeded)
        && state(release, ConditionType::Released) == Some(ConditionStatus::True)
        && state(release, ConditionType::Ready) == Some(ConditionStatus::True)
}

async fn until(world: &World, name: &str, mut condition: impl FnMut(&HelmRelease) -> bool) -> Result<HelmRelease> {
    let api: Api<HelmRelease> = Api::namespaced(world.client.clone(), &world.namespace);
    let found = testkit::wait::object(api, name, LIMIT, |release| release.is_some_and(&mut condition)).await?;
    Ok(found.expect("it was there a moment ago"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_manifest_of_an_old_chart_is_released() -> Result<()> {
    let world = World::start().await?;
    world.chart("old-ingress", "1.25.0", OLD);
    let manifest = format!(
        "apiVersion: helm.fluxcd.io/v1\nkind: HelmRelease\nmetadata:\n  name: ingress\n  namespace: {}\nspec:\n  releaseName: ingress\n  chart:\n    repository: https://charts.example.invalid/\n    name: old-ingress\n    version: 1.25.0\n  values:\n    controller:\n      service:\n        type: LoadBalancer\n",
        world.namespace
    );
    world.plane.apply(&manifest).await?;
    let release = until(&world, "ingress", succeeded).await?;
    let status = release.status.unwrap();
    assert_eq!(
        (status.release_name.as_deref(), status.release_status.as_deref(), status.revision.as_deref()),
        (Some("ingress"), Some("deployed"), Some("1.25.0"))
    );
    let role = world.kubectl(&["get", "role", "ingress", "-o", "yaml"]).await?;
    assert!(role.contains("helm.fluxcd.io/antecedent"), "{role}");
    let service = world.kubectl(&["get", "service", "ingress", "-o", "jsonpath={.spec.type}"]).await?;
    assert_eq!(service, "LoadBalancer");
    assert_eq!(world.history("ingress").await?, ["deployed"]);
    let repository =
        world.kubectl(&["get", "helmrepository", &format!("{}-ingress", world.namespace), "-o", "yaml"]).await?;
    assert!(repository.contains("ownerReferences"), "{repository}");
    let mapped = world.events("ingress", "RemovedAPIMapped").await?;
    assert!(mapped.iter().any(|message| message.contains("rbac.authorization.k8s.io/v1beta1")), "{mapped:?}");
    let api: Api<HelmRelease> = Api::namespaced(world.client.clone(), &world.namespace);
    api.delete("ingress", &DeleteParams::default()).await?;
    testkit::wait::object(api, "ingress", LIMIT, |release| release.is_none()).await?;
    assert!(world.history("ingress").await.is_err(), "deleting the object uninstalls the release");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_is_released_unchanged() -> Result<()> {
    const TEST: &str = "the_seed_is_released_unchanged";
    let Some(shared) = testkit::shared_material() else {
        testkit::skip(TEST, "the shared material is not there");
        return Ok(());
    };
    let (manifest, chart) =
        (shared.join("seed/helmrelease.yaml"), shared.join("corpus/charts/nginx-ingress-1.25.0.tgz"));
    if !manifest.is_file() || !chart.is_file() {
        testkit::skip(TEST, "the seed or its chart is not there");
        return Ok(());
    }
    let charts = HelmRepositoryServer::start().await?;
    charts.add_archive(&fs_err::read(chart)?)?;
    let mirror = format!("--mirror=https://kubernetes-charts.storage.googleapis.com/={}", charts.url());
    let world = World::start_with_sources(Some("ingress-nginx"), &[&mirror]).await?;
    crate::sources::allow_fetching(&world).await?;
    world.plane.apply(&fs_err::read_to_string(manifest)?).await?;
    let release = until(&world, "nginx-ingress", succeeded).await?;
    assert_eq!(release.status.unwrap().revision.as_deref(), Some("1.25.0"));
    assert_eq!(world.history("nginx-ingress").await?, ["deployed"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn towline_sync_follows_an_old_release_until_its_request_was_handled() -> Result<()> {
    let world = World::start_with_sources(None, &[]).await?;
    crate::sources::allow_fetching(&world).await?;
    let towline = std::path::PathBuf::from(env!("CARGO_BIN_EXE_helm-controller")).with_file_name("towline");
    anyhow::ensure!(towline.is_file(), "towline is not built: run `cargo build --workspace --bins` first");
    let charts = HelmRepositoryServer::start().await?;
    let mut files = crate::world::CONFIG.to_vec();
    files.push(("Chart.yaml", "apiVersion: v2\nname: config\nversion: 1.0.0\n"));
    charts.add_chart(&files)?;
    let manifest = |greeting: &str| {
        serde_json::json!({
            "apiVersion": "helm.fluxcd.io/v1", "kind": "HelmRelease",
            "metadata": {"name": "config", "namespace": world.namespace},
            "spec": {"releaseName": "config", "chart": {"repository": charts.url(), "name": "config", "version": "1.0.0"},
                     "valuesFrom": [{"configMapKeyRef": {"name": "values", "optional": true}}], "values": {"other": greeting}},
        })
        .to_string()
    };
    world.plane.apply(&manifest("one")).await?;
    let sync = async || {
        let output = tokio::process::Command::new(&towline)
            .args(["sync", "helmrelease.helm.fluxcd.io/config", "--timeout", "60s", "--namespace", &world.namespace])
            .arg("--kubeconfig")
            .arg(world.plane.kubeconfig())
            .output()
            .await?;
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        anyhow::Ok((output.status.code(), text))
    };
    let (code, text) = sync().await?;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("HelmRelease.helm.fluxcd.io"), "{text}");
    assert_eq!(world.history("config").await?, ["deployed"]);
    // What changed outside of the object is in the cluster when the command returns: it waited for the answer to its request.
    world.kubectl(&["create", "configmap", "values", "--from-literal=values.yaml=greeting: later"]).await?;
    let (code, text) = sync().await?;
    assert_eq!(code, Some(0), "{text}");
    let greeting = world.kubectl(&["get", "configmap", "config", "-o", "jsonpath={.data.greeting}"]).await?;
    assert_eq!(greeting, "later", "{text}");
    assert_eq!(world.history("config").await?, ["superseded", "deployed"]);
    Ok(())
}
