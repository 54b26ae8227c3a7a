//! The built `towline` against a real API server. The controllers' side of the contract (status) is written by the tests.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod build;
mod chart;
mod dependency_update;
mod lint;
mod remote;
mod template;

use std::process::Output;
use std::time::Duration;

use futures::StreamExt as _;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::{Value, json};
use testkit::ControlPlane;

const GIT: (&str, &str, &str) = ("source.toolkit.fluxcd.io", "v1", "GitRepository");
const RELEASE: (&str, &str, &str) = ("helm.toolkit.fluxcd.io", "v2", "HelmRelease");

async fn plane() -> (&'static ControlPlane, String) {
    let plane = ControlPlane::shared().await.unwrap();
    plane.apply_crds().await.unwrap();
    let namespace = plane.namespace().await.unwrap();
    (plane, namespace)
}

/// Runs the built binary as the administrator in a namespace.
async fn towline(plane: &ControlPlane, namespace: &str, arguments: &[&str]) -> (i32, String, String) {
    let output: Output = tokio::process::Command::new(env!("CARGO_BIN_EXE_towline"))
        .args(arguments)
        .args(["--kubeconfig", &plane.kubeconfig().to_string_lossy(), "--namespace", namespace])
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn repository(namespace: &str, name: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{interval: 1h, url: 'https://git.example.org/{name}.git'}}\n"
    )
}

async fn api(plane: &ControlPlane, kind: (&str, &str, &str), namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(kind.0, kind.1, kind.2));
    Api::namespaced_with(plane.client().await.unwrap(), namespace, &resource)
}

/// Answers every request to reconcile with this Ready condition, as a controller does.
async fn answer(api: Api<DynamicObject>, status: &'static str, reason: &'static str, revision: &'static str) {
    let mut changes = watcher(api.clone(), watcher::Config::default()).applied_objects().boxed();
    while let Some(change) = changes.next().await {
        let object = change.unwrap();
        let requested = object.metadata.annotations.as_ref().and_then(|all| all.get("reconcile.fluxcd.io/requestedAt"));
        let handled = object.data.pointer("/status/lastHandledReconcileAt").and_then(Value::as_str);
        if requested.is_none() || requested.map(String::as_str) == handled {
            continue;
        }
        let mut patch = json!({ "status": {
            "observedGeneration": object.metadata.generation,
            "lastHandledReconcileAt": requested,
            "conditions": [{
                "type": "Ready", "status": status, "reason": reason, "message": format!("it is {reason}"),
                "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": object.metadata.generation,
            }],
        }});
        if !revision.is_empty() {
            patch["status"]["artifact"] = json!({
                "revision": revision, "path": "x", "url": "http://localhost/x",
                "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-01-01T00:00:00Z",
            });
        }
        let name = object.metadata.name.unwrap();
        api.patch_status(&name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }
}

#[tokio::test]
async fn sync_follows_until_ready() {
    let (plane, namespace) = plane().await;
    plane.apply(&repository(&namespace, "app")).await.unwrap();
    let repositories = api(plane, GIT, &namespace).await;
    let controller =
        tokio::spawn(answer(repositories, "True", "Succeeded", "main@sha1:0123456789012345678901234567890123456789"));
    let (code, out, err) = towline(plane, &namespace, &["sync", "git/app"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains(&format!("ready    GitRepository {namespace}/app: it is Succeeded")), "{out}");
    assert!(out.contains("1 ready in"), "{out}");
    let (_, table, _) = towline(plane, &namespace, &["get", "sources"]).await;
    assert!(table.contains("GitRepository   app    True    main@sha1:01234567"), "{table}");
    controller.abort();
}

#[tokio::test]
async fn a_failed_source_fails_the_sync_and_blocks_its_release() {
    let (plane, namespace) = plane().await;
    plane.apply(&repository(&namespace, "app")).await.unwrap();
    let release = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: {namespace}}}\n\
         spec: {{interval: 1h, chart: {{spec: {{chart: web, sourceRef: {{kind: GitRepository, name: app}}}}}}}}\n"
    );
    plane.apply(&release).await.unwrap();
    let controller = tokio::spawn(answer(api(plane, GIT, &namespace).await, "False", "GitOperationFailed", ""));
    let (code, out, err) = towline(plane, &namespace, &["sync", "web"]).await;
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains(&format!("failed   GitRepository {namespace}/app: GitOperationFailed: it is GitOperationFailed")),
        "{out}"
    );
    assert!(
        out.contains(&format!("blocked  HelmRelease {namespace}/web: GitRepository {namespace}/app is not ready")),
        "{out}"
    );
    assert!(err.contains("error: 2 of 2 not ready"), "{err}");
    controller.abort();
}

#[tokio::test]
async fn nobody_answering_is_a_timeout_and_nonsense_is_a_usage_error() {
    let (plane, namespace) = plane().await;
    plane.apply(&repository(&namespace, "app")).await.unwrap();
    let (code, out, err) = towline(plane, &namespace, &["sync", "--timeout", "500ms"]).await;
    assert_eq!(code, 3, "{out}{err}");
    assert!(err.contains(&format!("waiting  GitRepository {namespace}/app: has no status yet")), "{err}");
    for (arguments, expected, text) in [
        (vec!["sync", "pod/app"], 2, "unknown kind"),
        (vec!["sync", "git/absent"], 1, "git/absent not found in namespace"),
        (vec!["sync", "--timeout", "soon"], 2, "invalid value"),
        (vec!["sync", "-A"], 2, "exclude each other"),
        (vec!["get", "nonsense"], 2, "unknown kind"),
        (vec!["suspend"], 2, "required"),
    ] {
        let (code, out, err) = towline(plane, &namespace, &arguments).await;
        assert_eq!(code, expected, "{arguments:?} {out}{err}");
        assert!(err.contains(text), "{arguments:?} {err}");
    }
}

#[tokio::test]
async fn suspended_objects_are_skipped_until_they_are_resumed() {
    let (plane, namespace) = plane().await;
    plane.apply(&repository(&namespace, "app")).await.unwrap();
    let (code, out, _) = towline(plane, &namespace, &["suspend", "git/app"]).await;
    assert_eq!((code, out), (0, format!("suspended GitRepository {namespace}/app\n")));
    let (code, out, _) = towline(plane, &namespace, &["sync"]).await;
    assert_eq!(code, 0);
    assert!(out.contains("0 ready, 1 suspended"), "{out}");
    let (code, out, _) = towline(plane, &namespace, &["sync", "app"]).await;
    assert_eq!(code, 1, "{out}");
    let (_, listed, _) = towline(plane, &namespace, &["get", "git", "-o", "json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["items"][0]["spec"]["suspend"], true);
    let controller = tokio::spawn(answer(api(plane, GIT, &namespace).await, "True", "Succeeded", ""));
    let (code, out, err) = towline(plane, &namespace, &["resume", "--all"]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with(&format!("resumed  GitRepository {namespace}/app\n")), "{out}");
    controller.abort();
}

#[tokio::test]
async fn events_of_our_objects_are_shown() {
    let (plane, namespace) = plane().await;
    let event = |name: &str, kind: &str, version: &str| {
        format!(
            "apiVersion: v1\nkind: Event\nmetadata: {{name: {name}, namespace: {namespace}}}\ntype: Normal\nreason: NewArtifact\n\
             message: stored something\ncount: 3\ninvolvedObject: {{apiVersion: {version}, kind: {kind}, name: app, namespace: {namespace}}}\n\
             lastTimestamp: '2026-01-01T00:00:00Z'\n"
        )
    };
    plane.apply(&event("one", GIT.2, "source.toolkit.fluxcd.io/v1")).await.unwrap();
    plane.apply(&event("two", "Pod", "v1")).await.unwrap();
    let (code, out, _) = towline(plane, &namespace, &["events"]).await;
    assert_eq!(code, 0);
    assert_eq!(out.lines().count(), 2, "{out}");
    assert!(out.contains("(x3)") && out.contains("GitRepository/app   stored something"), "{out}");
}

#[tokio::test]
async fn the_version_is_told_with_and_without_a_cluster() {
    let (plane, namespace) = plane().await;
    let (code, out, _) = towline(plane, &namespace, &["version", "--server"]).await;
    assert_eq!(code, 0);
    assert!(out.starts_with("towline: v") && out.contains("\nkubernetes: v1."), "{out}");
    let unreachable = tokio::process::Command::new(env!("CARGO_BIN_EXE_towline"))
        .args(["get", "--kubeconfig", "/nonexistent"])
        .output()
        .await
        .unwrap();
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unreachable.stderr).starts_with("error: reading the kubeconfig: "));
}

/// A push reaches the release in one command: the release is asked only after its source is done.
#[tokio::test]
async fn sources_are_asked_before_releases() {
    let (plane, namespace) = plane().await;
    plane.apply(&repository(&namespace, "app")).await.unwrap();
    let release = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web, namespace: {namespace}}}\n\
         spec: {{interval: 1h, chart: {{spec: {{chart: web, sourceRef: {{kind: GitRepository, name: app}}}}}}}}\n"
    );
    plane.apply(&release).await.unwrap();
    let controllers = [
        tokio::spawn(answer(api(plane, GIT, &namespace).await, "True", "Succeeded", "main@sha1:aa")),
        tokio::spawn(answer(api(plane, RELEASE, &namespace).await, "True", "InstallSucceeded", "")),
    ];
    let (code, out, err) =
        tokio::time::timeout(Duration::from_secs(60), towline(plane, &namespace, &["sync", "hr/web"])).await.unwrap();
    assert_eq!(code, 0, "{out}{err}");
    let position = |text: &str| out.find(text).unwrap_or_else(|| panic!("no {text:?} in {out}"));
    assert!(position("ready    GitRepository") < position("syncing  HelmRelease"), "{out}");
    assert!(out.contains("2 ready in"), "{out}");
    for controller in controllers {
        controller.abort();
    }
}
