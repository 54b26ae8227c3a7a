//! The artifact service for callers with and without permission, restarts, and objects that cannot be read.

use common::conditions;
use common::meta::{FluxObject as _, SourceObject as _};
use common::names::condition;
use common::source::v1::{GitRepository, HelmChart, HelmRepository};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::PostParams;
use serde_json::json;
use testkit::{ControlPlane, HelmRepositoryServer, Options};

use crate::charts::{add, spec};
use crate::fixture::{Fixture, LIMIT};

async fn grpcurl(arguments: &[&str]) -> (bool, String) {
    let program = testkit::tool("grpcurl").unwrap();
    let output = tokio::process::Command::new(program).args(arguments).output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn grpcurl_lists_describes_and_calls() {
    let fixture = Fixture::start().await;
    let server = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    fixture.create::<HelmChart>("web", spec("1.0.0")).await;
    let chart: HelmChart = fixture.ready("web").await;
    let artifact = chart.artifact().unwrap();
    let address = artifact.url.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();

    let namespace = fixture.namespace.as_str();
    for account in ["reader", "stranger"] {
        fixture.plane.kubectl(&["create", "serviceaccount", account, "-n", namespace]).await.unwrap();
    }
    let role: Role = serde_json::from_value(json!({
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": ["source.toolkit.fluxcd.io"], "resources": ["helmcharts"], "resourceNames": ["web"], "verbs": ["get"]}],
    }))
    .unwrap();
    fixture.api::<Role>().create(&PostParams::default(), &role).await.unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
    }))
    .unwrap();
    fixture.api::<RoleBinding>().create(&PostParams::default(), &binding).await.unwrap();
    let token = async |account: &str, audience: &str| {
        let token = fixture
            .plane
            .kubectl(&["create", "token", account, "-n", namespace, "--audience", audience])
            .await
            .unwrap();
        format!("authorization: Bearer {}", token.trim())
    };
    let (reader, stranger) = (token("reader", "towline-artifact").await, token("stranger", "towline-artifact").await);
    let other_audience = token("reader", "https://kubernetes.default.svc").await;

    let (_, listed) = grpcurl(&["-plaintext", "-H", &reader, &address, "list"]).await;
    assert!(listed.contains("towline.artifact.v1.ArtifactService"), "{listed}");
    assert!(listed.contains("grpc.health.v1.Health"), "{listed}");
    let (_, described) =
        grpcurl(&["-plaintext", "-H", &reader, &address, "describe", "towline.artifact.v1.ArtifactService"]).await;
    assert!(described.contains("rpc FetchArtifact"), "{described}");

    let source =
        format!("{{\"source\": {{\"kind\": \"HelmChart\", \"namespace\": \"{namespace}\", \"name\": \"web\"}}}}");
    let call = async |header: Option<&str>, method: &str| {
        let method = format!("towline.artifact.v1.ArtifactService/{method}");
        let mut arguments = vec!["-plaintext"];
        if let Some(header) = header {
            arguments.extend(["-H", header]);
        }
        arguments.extend(["-d", &source, &address, &method]);
        grpcurl(&arguments).await
    };
    let (is_ok, got) = call(Some(&reader), "GetArtifact").await;
    assert!(is_ok && got.contains(&artifact.digest), "{got}");
    let (is_ok, fetched) = call(Some(&reader), "FetchArtifact").await;
    assert!(is_ok && fetched.contains("\"end\""), "{fetched}");
    for method in ["GetArtifact", "FetchArtifact", "WatchArtifact"] {
        let (is_ok, refused) = call(Some(&stranger), method).await;
        assert!(!is_ok && refused.contains("PermissionDenied"), "{refused}");
        let (is_ok, refused) = call(Some(&other_audience), method).await;
        assert!(!is_ok && refused.contains("Unauthenticated"), "{refused}");
    }
    // Without a token not even the description of the service is given out; health is.
    let (is_ok, refused) = grpcurl(&["-plaintext", &address, "list"]).await;
    assert!(!is_ok && refused.contains("Unauthenticated"), "{refused}");
    let (is_ok, refused) = grpcurl(&[
        "-plaintext",
        "-H",
        &reader,
        "-d",
        "{\"kind\": \"HelmChart\"}",
        &address,
        "towline.artifact.v1.ArtifactService/ListArtifacts",
    ])
    .await;
    assert!(!is_ok && refused.contains("PermissionDenied"), "{refused}");
    let proto = testkit::workspace().join("proto").to_string_lossy().into_owned();
    let (is_ok, refused) = grpcurl(&[
        "-plaintext",
        "-import-path",
        &proto,
        "-proto",
        "towline/artifact/v1/artifact.proto",
        "-d",
        &source,
        &address,
        "towline.artifact.v1.ArtifactService/GetArtifact",
    ])
    .await;
    assert!(!is_ok && refused.contains("Unauthenticated"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_and_lost_or_damaged_storage() {
    let mut fixture = Fixture::start().await;
    let server = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    fixture.create::<HelmChart>("web", spec("1.0.0")).await;
    let chart: HelmChart = fixture.ready("web").await;
    let artifact = chart.artifact().unwrap().clone();

    // Killed and started again with its storage: verified, nothing written, nothing downloaded.
    let version = chart.metadata.resource_version.clone();
    fixture.process.kill().unwrap();
    server.http().forget_requests();
    fixture.process.restart().unwrap();
    fixture.process.wait_ready(&format!("http://{}/readyz", fixture.health), LIMIT).await.unwrap();
    let content =
        testkit::until("the artifact is served again", LIMIT, async || reqwest::get_bytes(&artifact.url).await)
            .await
            .unwrap();
    assert!(!content.is_empty());
    let unchanged: HelmChart = fixture.ready("web").await;
    assert_eq!(unchanged.metadata.resource_version, version);
    assert!(!server.http().requests().iter().any(|request| request.path.ends_with(".tgz")));

    // Without its storage everything is fetched anew.
    fixture.process.kill().unwrap();
    fs_err::remove_dir_all(fixture.storage.path()).unwrap();
    fixture.process.restart().unwrap();
    fixture.process.wait_ready(&format!("http://{}/readyz", fixture.health), LIMIT).await.unwrap();
    // Its status may stay as it is: times in it are whole seconds.
    let again = testkit::until("the artifact is built anew", LIMIT, async || reqwest::get_bytes(&artifact.url).await)
        .await
        .unwrap();
    assert_eq!(again, content);
    let rebuilt: HelmChart = fixture.ready("web").await;
    assert_eq!(rebuilt.artifact().unwrap().digest, artifact.digest);

    // A damaged file is noticed, said, and built again.
    let file = fixture.storage.path().join(&artifact.path);
    fs_err::write(&file, "damaged").unwrap();
    fixture.sync::<HelmChart>("web", "1").await;
    fixture.event("web", "ArtifactVerificationFailed").await;
    fixture.ready::<HelmChart>("web").await;
    assert_ne!(fs_err::read(&file).unwrap(), b"damaged");
}

mod reqwest {
    pub(super) async fn get_bytes(url: &str) -> Option<Vec<u8>> {
        let response = ::reqwest::Client::new().get(url).send().await.ok()?;
        Some(response.error_for_status().ok()?.bytes().await.ok()?.to_vec())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_read_stands_alone() {
    // A control plane of its own: its CRD is without the pattern that keeps junk out, as before 2022.
    let plane: &'static ControlPlane =
        Box::leak(Box::new(ControlPlane::start(Options { nodes: 0, ..Options::default() }).await.unwrap()));
    plane.apply_crds().await.unwrap();
    let crd = "gitrepositories.source.toolkit.fluxcd.io";
    let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/interval";
    let drop_pattern = json!([{"op": "remove", "path": format!("{path}/pattern")}]).to_string();
    plane.kubectl(&["patch", "crd", crd, "--type=json", "-p", &drop_pattern]).await.unwrap();
    plane.create_namespace("junk").await.unwrap();
    let object = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: junk, namespace: junk}\nspec: {url: \"https://example.invalid/x\", interval: \"one day\"}\n";
    testkit::until("the junk is accepted", LIMIT, async || plane.apply(object).await.ok()).await.unwrap();
    let restore =
        json!([{"op": "add", "path": format!("{path}/pattern"), "value": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"}])
            .to_string();
    plane.kubectl(&["patch", "crd", crd, "--type=json", "-p", &restore]).await.unwrap();

    let server = testkit::GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    let fixture = Fixture::start_on(plane, "junk".to_owned(), &[], &[]).await;
    fixture.create::<GitRepository>("good", json!({"url": server.url("app"), "ref": {"branch": "main"}})).await;
    fixture.ready::<GitRepository>("good").await;
    let status = testkit::until("the junk is reported", LIMIT, async || {
        let text = plane
            .kubectl(&["get", "gitrepository", "junk", "-n", "junk", "-o", "jsonpath={.status.conditions}"])
            .await
            .ok()?;
        text.contains("Stalled").then_some(text)
    })
    .await
    .unwrap();
    assert!(status.contains("InvalidObject") && status.contains("one day"), "{status}");

    // The API server goes away in the middle and comes back: nothing is lost, nobody restarts the controller.
    plane.stop_api_server().await.unwrap();
    repository.write("a.yaml", "a: 2\n").unwrap();
    let commit = repository.commit_and_push("two").unwrap().0;
    plane.resume_api_server().await.unwrap();
    let synced = testkit::until("a sync after the restart", LIMIT, async || {
        let annotate =
            ["annotate", "gitrepository", "good", "-n", "junk", "--overwrite", "reconcile.fluxcd.io/requestedAt=1"];
        plane.kubectl(&annotate).await.ok()
    });
    synced.await.unwrap();
    let revision = format!("main@sha1:{commit}");
    let object = fixture
        .until("good", |object: &GitRepository| object.artifact().is_some_and(|artifact| artifact.revision == revision))
        .await;
    assert!(conditions::is_true(object.conditions(), condition::READY));
    assert_eq!(object.last_handled_reconcile_at(), Some("1"));
}
