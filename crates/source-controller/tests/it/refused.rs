//! What this release does not do is said in a condition, and never passed over.

use common::source::v1::{GitRepository, HelmChart, HelmRepository};
use serde_json::json;
use testkit::{HelmRepositoryServer, git::Repositories};

use crate::charts::{add, spec};
use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_settings_are_refused() {
    let fixture = Fixture::start().await;
    drop(Repositories::new());
    let url = "https://git.example.invalid/app";
    for (name, provider) in [("azure", "azure"), ("github", "github"), ("aws", "aws")] {
        fixture.create::<GitRepository>(name, json!({"url": url, "provider": provider})).await;
        let message = fixture.stalled::<GitRepository>(name, "InvalidProviderConfiguration").await;
        assert!(message.contains("not supported"), "{message}");
    }
    fixture
        .create::<GitRepository>(
            "verify",
            json!({"url": url, "verify": {"mode": "HEAD", "secretRef": {"name": "keys"}}}),
        )
        .await;
    fixture.stalled::<GitRepository>("verify", "VerificationError").await;
    fixture
        .create::<HelmRepository>("oci", json!({"url": "oci://registry.example.invalid/charts", "type": "oci"}))
        .await;
    fixture.stalled::<HelmRepository>("oci", "UnsupportedSourceKind").await;
    fixture.create::<HelmRepository>("scheme", json!({"url": "oci://registry.example.invalid/charts"})).await;
    fixture.stalled::<HelmRepository>("scheme", "URLInvalid").await;
    let mut bucket = spec("*");
    bucket["sourceRef"] = json!({"kind": "Bucket", "name": "b"});
    fixture.create::<HelmChart>("bucket", bucket).await;
    fixture.stalled::<HelmChart>("bucket", "UnsupportedSourceKind").await;
    let server = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    let mut verified = spec("*");
    verified["verify"] = json!({"provider": "cosign"});
    fixture.create::<HelmChart>("verified", verified).await;
    fixture.stalled::<HelmChart>("verified", "VerificationError").await;
}
