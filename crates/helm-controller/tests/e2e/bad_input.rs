//! What users get wrong: a clear condition on the one object, and recovery by itself.

use anyhow::Result;
use serde_json::json;

use crate::world::{CONFIG, World, condition};

#[tokio::test(flavor = "multi_thread")]
async fn charts_and_values_that_cannot_be_released() -> Result<()> {
    let world = World::start().await?;
    world.chart("good", "1.0.0", CONFIG);
    world.chart("template", "1.0.0", &[("templates/a.yaml", "a: b\n{{ fail \"told so\" }}\n")]);
    world.chart("yaml", "1.0.0", &[("templates/a.yaml", "apiVersion: v1\nkind: [\n")]);
    world.chart("kind", "1.0.0", &[("templates/a.yaml", "apiVersion: v1\nmetadata: {name: a}\n")]);
    world.chart(
        "unknown",
        "1.0.0",
        &[("templates/a.yaml", "apiVersion: example.invalid/v1\nkind: Thing\nmetadata: {name: a}\n")],
    );
    world.chart(
        "removed",
        "1.0.0",
        &[("templates/a.yaml", "apiVersion: rbac.authorization.k8s.io/v1beta1\nkind: Role\nmetadata: {name: a}\n")],
    );
    let schema = r#"{"type": "object", "properties": {"replicas": {"type": "integer"}}}"#;
    world.chart("schema", "1.0.0", &[CONFIG[0], CONFIG[1], ("values.schema.json", schema)]);
    world.archive("notachart", "1.0.0", b"this is no archive".to_vec());
    let cases = [
        ("template", json!({}), "InstallFailed", "template/templates/a.yaml:2"),
        ("yaml", json!({}), "InstallFailed", "yaml/templates/a.yaml"),
        ("kind", json!({}), "InstallFailed", "kind is not set"),
        ("unknown", json!({}), "InstallFailed", "Thing"),
        ("removed", json!({}), "InstallFailed", "rbac.authorization.k8s.io/v1"),
        ("schema", json!({"values": {"replicas": "three"}}), "InstallFailed", "replicas"),
        ("notachart", json!({}), "ArtifactFailed", "Could not load chart"),
        ("missing", json!({}), "SourceNotReady", "no chart missing"),
        ("good", json!({"valuesFrom": [{"kind": "Secret", "name": "absent"}]}), "ValuesError", "absent"),
        ("good", json!({"targetNamespace": "no-such-namespace"}), "InstallFailed", "no-such-namespace"),
        ("good", json!({"waitStrategy": {"name": "legacy"}}), "NotSupported", "spec.waitStrategy"),
        (
            "good",
            json!({"postRenderers": [{"kustomize": {"patches": [{"patch": "- op: no-such\n"}]}}]}),
            "InstallFailed",
            "error while running post render",
        ),
        ("good", json!({"kubeConfig": {"secretRef": {"name": "absent"}}}), "RESTClientError", "absent"),
    ];
    for (number, (chart, spec, _, _)) in cases.iter().enumerate() {
        world.release(&format!("r{number}"), chart, "1.0.0", spec.clone()).await?;
    }
    for (number, (chart, _, reason, text)) in cases.iter().enumerate() {
        let release = world.until(&format!("r{number}"), |release| condition(release, "Ready").1 == *reason).await?;
        let (status, _, message) = condition(&release, "Ready");
        assert_eq!(status, "False", "{chart}");
        assert!(message.contains(text), "{chart}: {message:?} does not name {text:?}");
    }
    // A good release beside them is not disturbed, and what is mended recovers.
    world.release("good", "good", "1.0.0", json!({})).await?;
    world.ready("good").await?;
    world
        .kubectl(&["create", "secret", "generic", "absent", "--from-literal=values.yaml=greeting: secret-greeting"])
        .await?;
    world.annotate("r8", json!({"reconcile.fluxcd.io/requestedAt": "1"})).await?;
    world.ready("r8").await?;
    world
        .kubectl(&[
            "patch",
            "secret",
            "absent",
            "--type=merge",
            "-p",
            r#"{"stringData":{"values.yaml":"s3cr3t-t3xt"}}"#,
        ])
        .await?;
    world.annotate("r8", json!({"reconcile.fluxcd.io/requestedAt": "2"})).await?;
    world.until("r8", |release| condition(release, "Ready").1 == "ValuesError").await?;
    let everything = world.kubectl(&["get", "helmreleases.v2.helm.toolkit.fluxcd.io,events", "-o", "yaml"]).await?;
    assert!(!everything.contains("s3cr3t"), "the Secret's content was quoted");
    assert!(!world.controller.log().contains("s3cr3t"), "the Secret's content was logged");
    Ok(())
}
