//! HelmRepository and HelmChart.

use std::sync::Arc;

use common::conditions;
use common::meta::SourceObject as _;
use common::names::condition;
use common::source::v1::{GitRepository, HelmChart, HelmRepository};
use serde_json::{Value, json};
use testkit::http_server::{Credentials, Settings};
use testkit::{Authority, GitServer, HelmRepositoryServer};

use crate::fixture::Fixture;

pub(crate) fn chart(version: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Chart.yaml", format!("apiVersion: v2\nname: web\nversion: {version}\n")),
        ("values.yaml", "replicas: 1\n".to_owned()),
        ("prod.yaml", "replicas: 3\n".to_owned()),
        ("templates/a.yaml", "a: {{ .Values.replicas }}\n".to_owned()),
    ]
}

pub(crate) fn add(server: &HelmRepositoryServer, version: &str) {
    let files = chart(version);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    server.add_chart(&files).unwrap();
}

pub(crate) fn spec(version: &str) -> Value {
    json!({"chart": "web", "version": version, "sourceRef": {"kind": "HelmRepository", "name": "repo"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_of_a_repository() {
    let fixture = Fixture::start().await;
    let server = HelmRepositoryServer::start().await.unwrap();
    for version in ["1.0.0", "1.2.0", "2.0.0-rc.1"] {
        add(&server, version);
    }
    // Created before its repository: woken by it, not by an interval.
    fixture.create::<HelmChart>("range", spec("1.x")).await;
    fixture.failed::<HelmChart>("range", "SourceUnavailable").await;
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    let repository: HelmRepository = fixture.ready("repo").await;
    let index = repository.artifact().unwrap().clone();
    assert_eq!(
        conditions::message(repository.conditions(), condition::READY),
        format!("stored artifact: revision '{}'", index.revision)
    );
    let status = repository.status.clone().unwrap();
    assert!(status.url.unwrap().ends_with(&format!("/helmrepository/{}/repo/index.yaml", fixture.namespace)));
    let stored: Value = serde_json::from_slice(&fixture.content(&index).await).unwrap();
    assert_eq!(stored["entries"]["web"].as_array().unwrap().len(), 3);

    let ranged: HelmChart = fixture.ready("range").await;
    let artifact = ranged.artifact().unwrap().clone();
    assert_eq!(artifact.revision, "1.2.0");
    assert_eq!(artifact.path, format!("helmchart/{}/range/web-1.2.0.tgz", fixture.namespace));
    assert_eq!(conditions::reason(ranged.conditions(), condition::READY), "ChartPullSucceeded");
    assert_eq!(conditions::message(ranged.conditions(), condition::READY), "pulled 'web' chart with version '1.2.0'");
    assert_eq!(fixture.event("range", "ChartPullSucceeded").await, "pulled 'web' chart with version '1.2.0'");
    let status = ranged.status.clone().unwrap();
    assert_eq!(status.observed_chart_name.as_deref(), Some("web"));
    assert_eq!(status.observed_source_artifact_revision.as_deref(), Some(index.revision.as_str()));

    let mut values = spec("1.0.0");
    values["valuesFiles"] = json!(["values.yaml", "prod.yaml"]);
    fixture.create::<HelmChart>("values", values).await;
    let merged: HelmChart = fixture.ready("values").await;
    assert_eq!(
        conditions::message(merged.conditions(), condition::READY),
        "packaged 'web' chart with version '1.0.0+1' and merged values files [values.yaml prod.yaml]"
    );
    assert_eq!(fixture.files(merged.artifact().unwrap()).await["web/values.yaml"], "replicas: 3\n");

    for (name, version, chart, reason, expected) in [
        ("no-version", "9.x", "web", "InvalidChartReference", "no 'web' chart with version matching '9.x' found"),
        ("no-chart", "*", "nope", "InvalidChartReference", "no chart name found"),
        ("bad-name", "*", "Web!", "InvalidChartReference", "invalid chart name"),
        ("bad-range", "not a range", "web", "InvalidChartReference", "invalid chart reference"),
    ] {
        let mut spec = spec(version);
        spec["chart"] = json!(chart);
        fixture.create::<HelmChart>(name, spec).await;
        let message = fixture.stalled::<HelmChart>(name, reason).await;
        assert!(message.contains(expected), "{name}: {message}");
    }
    let mut missing = spec("1.0.0");
    missing["valuesFiles"] = json!(["nope.yaml"]);
    fixture.create::<HelmChart>("no-values", missing).await;
    fixture.stalled::<HelmChart>("no-values", "ValuesFilesError").await;

    // The next interval costs no download and no write.
    server.http().forget_requests();
    let again: HelmChart = fixture.sync("range", "1").await;
    assert_eq!((again.artifact(), server.http().request_count()), (Some(&artifact), 0));

    // A new version in the index wakes the chart, also the one that had stalled.
    add(&server, "1.3.0");
    add(&server, "9.0.0");
    fixture.sync::<HelmRepository>("repo", "1").await;
    fixture.until("range", |chart: &HelmChart| chart.is_ready() && chart.artifact().unwrap().revision == "1.3.0").await;
    fixture.ready::<HelmChart>("no-version").await;
    fixture.delete::<HelmRepository>("repo").await;
    fixture.delete::<HelmChart>("range").await;
    assert!(fixture.stored(&format!("helmchart/{}/range", fixture.namespace)).is_empty());
}

use common::meta::FluxObject as _;

#[tokio::test(flavor = "multi_thread")]
async fn charts_of_a_git_repository() {
    let fixture = Fixture::start().await;
    let git = GitServer::start().await.unwrap();
    let charts = HelmRepositoryServer::start().await.unwrap();
    charts.add_chart(&[("Chart.yaml", "apiVersion: v2\nname: db\nversion: 2.1.0\n")]).unwrap();
    let repository = git.repository("app").unwrap();
    let metadata = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: lib, version: 1.x, repository: \"file://../lib\"}}\n- {{name: db, version: 2.x, repository: \"{}\"}}\n",
        charts.url()
    );
    for (path, text) in [
        ("charts/web/Chart.yaml", metadata.as_str()),
        ("charts/web/values.yaml", "a: 1\n"),
        ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.4.0\ntype: library\n"),
        ("env/prod.yaml", "a: 2\n"),
    ] {
        repository.write(path, text).unwrap();
    }
    let commit = repository.commit_and_push("one").unwrap().0;
    fixture.create::<GitRepository>("app", json!({"url": git.url("app"), "ref": {"branch": "main"}})).await;
    let spec = |extra: Value| {
        let mut spec = json!({"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "app"}});
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        spec
    };
    fixture.create::<HelmChart>("plain", spec(json!({}))).await;
    fixture
        .create::<HelmChart>(
            "revision",
            spec(json!({"reconcileStrategy": "Revision", "valuesFiles": ["env/prod.yaml"]})),
        )
        .await;
    fixture.create::<HelmChart>("nowhere", spec(json!({"chart": "charts/nope"}))).await;
    let plain: HelmChart = fixture.ready("plain").await;
    assert_eq!(plain.artifact().unwrap().revision, "1.0.0");
    assert_eq!(conditions::reason(plain.conditions(), condition::READY), "ChartPackageSucceeded");
    let files = fixture.files(plain.artifact().unwrap()).await;
    assert!(
        files.contains_key("web/charts/lib/Chart.yaml") && files.contains_key("web/charts/db/Chart.yaml"),
        "{files:?}"
    );
    let revised: HelmChart = fixture.ready("revision").await;
    assert_eq!(revised.artifact().unwrap().revision, format!("1.0.0+{}.1", &commit[..12]));
    assert_eq!(fixture.files(revised.artifact().unwrap()).await["web/values.yaml"], "a: 2\n");
    fixture.stalled::<HelmChart>("nowhere", "InvalidChartReference").await;

    repository.write("charts/web/values.yaml", "a: 5\n").unwrap();
    let commit = repository.commit_and_push("two").unwrap().0;
    fixture.sync::<GitRepository>("app", "1").await;
    let expected = format!("1.0.0+{}.1", &commit[..12]);
    fixture
        .until("revision", |chart: &HelmChart| chart.is_ready() && chart.artifact().unwrap().revision == expected)
        .await;
    let unchanged: HelmChart = fixture.ready("plain").await;
    assert_eq!(unchanged.artifact(), plain.artifact(), "the strategy ChartVersion waits for another version");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_bound_to_the_repository() {
    let fixture = Fixture::start().await;
    let authority = Arc::new(Authority::new("charts test").unwrap());
    let credentials = Credentials::basic("ada", "chart-secret-4711");
    let settings = Settings::default().credentials(credentials).mutual_tls(&authority);
    let server = HelmRepositoryServer::start_with(settings).await.unwrap();
    let elsewhere = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    add(&elsewhere, "1.0.0");
    let client = authority.client("ada", None).unwrap();
    fixture
        .secret(
            "tls",
            &[("ca.crt", authority.certificate()), ("tls.crt", &client.certificate), ("tls.key", &client.key)],
        )
        .await;
    fixture.secret("basic", &[("username", "ada"), ("password", "chart-secret-4711")]).await;
    fixture.secret("wrong", &[("username", "ada"), ("password", "wrong-secret-4711")]).await;
    let repository = |secret: &str, pass: bool| {
        json!({
            "url": server.url(), "secretRef": {"name": secret}, "certSecretRef": {"name": "tls"}, "passCredentials": pass,
        })
    };
    fixture.create::<HelmRepository>("repo", repository("basic", false)).await;
    fixture.create::<HelmRepository>("wrong", repository("wrong", false)).await;
    fixture.create::<HelmRepository>("missing", repository("nope", false)).await;
    fixture.create::<HelmRepository>("no-tls", json!({"url": server.url(), "secretRef": {"name": "basic"}})).await;
    fixture.ready::<HelmRepository>("repo").await;
    fixture.create::<HelmChart>("own", spec("1.0.0")).await;
    fixture.ready::<HelmChart>("own").await;
    let message = fixture.failed::<HelmRepository>("wrong", "Failed").await;
    assert!(message.contains("401 Unauthorized"), "{message}");
    let message = fixture.failed::<HelmRepository>("missing", "AuthenticationFailed").await;
    assert!(message.contains("failed to get authentication secret"), "{message}");
    let message = fixture.failed::<HelmRepository>("no-tls", "Failed").await;
    assert!(message.contains("certificate"), "{message}");

    // The index now points to another host, which gets neither password nor certificate unless that is asked for.
    server.set_base(&format!("{}/", elsewhere.url()));
    fixture.sync::<HelmRepository>("repo", "1").await;
    fixture.create::<HelmChart>("other", spec("1.0.0")).await;
    fixture.ready::<HelmChart>("other").await;
    let seen =
        |server: &HelmRepositoryServer| server.http().requests().iter().any(|request| request.authorization.is_some());
    assert!(!elsewhere.http().requests().is_empty() && !seen(&elsewhere));
    fixture.patch::<HelmRepository>("repo", json!({"spec": {"passCredentials": true}})).await;
    fixture.until("repo", |object: &HelmRepository| object.observed_generation() == object.generation()).await;
    fixture.create::<HelmChart>("passed", spec("1.0.0")).await;
    fixture.ready::<HelmChart>("passed").await;
    assert!(seen(&elsewhere));
    fixture.assert_not_leaked(&["chart-secret-4711", "wrong-secret-4711", "PRIVATE KEY"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_repository_is_mirrored() {
    let server = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    server.set_base("https://charts.example.invalid/stable/");
    let mirror = format!("--mirror=https://charts.example.invalid/stable={}", server.url());
    let fixture = Fixture::start_with(&[&mirror], &[]).await;
    fixture.create::<HelmRepository>("repo", json!({"url": "https://charts.example.invalid/stable/"})).await;
    fixture.create::<HelmChart>("web", spec("1.0.0")).await;
    fixture.ready::<HelmChart>("web").await;
}
