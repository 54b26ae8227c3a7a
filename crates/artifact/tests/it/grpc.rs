//! The gRPC service: tokens, permissions, streams, health.

use std::time::Duration;

use artifact::client::{FetchError, Fetcher, FetcherConfig, GrpcConfig};
use artifact::proto::v1;
use artifact::proto::v1::artifact_service_client::ArtifactServiceClient;
use artifact::server::TlsFiles;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

use crate::fixture::{Fixture, Settings};

async fn channel(fixture: &Fixture) -> Channel {
    Endpoint::from_shared(fixture.address.clone()).unwrap().connect().await.unwrap()
}

fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn fetcher(fixture: &Fixture, token: &str, limit: u64) -> Fetcher {
    let grpc = GrpcConfig { address: fixture.address.clone(), token_file: fixture.token(token), ca_file: None };
    Fetcher::new(FetcherConfig { grpc: Some(grpc), limit, ..FetcherConfig::default() }).unwrap()
}

fn source(fixture: &Fixture) -> Option<v1::SourceRef> {
    Some((&fixture.source).into())
}

#[tokio::test]
async fn content_is_streamed_and_verified() {
    let fixture = Fixture::start(Settings { no_http: true, ..Settings::default() }).await;
    let content = fetcher(&fixture, "reader", u64::MAX).fetch(&fixture.artifact).await.unwrap();
    assert_eq!(content, fixture.content);

    let mut client = ArtifactServiceClient::new(channel(&fixture).await);
    let request = v1::FetchArtifactRequest { source: source(&fixture), digest: String::new() };
    let mut stream = client.fetch_artifact(with_token(request, "reader")).await.unwrap().into_inner();
    let mut chunks = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        if let Some(v1::fetch_artifact_response::Message::Chunk(chunk)) = message.message {
            chunks.push(chunk.len());
        }
    }
    assert_eq!(chunks.iter().sum::<usize>(), fixture.content.len());
    assert_eq!(chunks.iter().max(), Some(&(256 << 10)), "chunks are as large as agreed: {chunks:?}");

    let too_large = fetcher(&fixture, "reader", 1000).fetch(&fixture.artifact).await.unwrap_err();
    assert!(matches!(too_large, FetchError::TooLarge { limit: 1000, .. }), "{too_large}");
}

#[tokio::test]
async fn damage_is_noticed_on_both_sides() {
    let fixture = Fixture::start(Settings { no_http: true, ..Settings::default() }).await;
    let mut damaged = fixture.content.clone();
    damaged[100] ^= 1;
    fs_err::write(fixture.file(), damaged).unwrap();
    let error = fetcher(&fixture, "reader", u64::MAX).fetch(&fixture.artifact).await.unwrap_err();
    assert!(error.to_string().contains("the stored artifact is damaged"), "{error}");
    fs_err::remove_file(fixture.file()).unwrap();
    let error = fetcher(&fixture, "reader", u64::MAX).fetch(&fixture.artifact).await.unwrap_err();
    assert!(matches!(error, FetchError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn every_call_needs_a_token_and_a_permission() {
    let fixture = Fixture::start(Settings::default()).await;
    let mut client = ArtifactServiceClient::new(channel(&fixture).await);
    let get = || v1::GetArtifactRequest { source: source(&fixture) };
    let list = || v1::ListArtifactsRequest { kind: "HelmChart".to_owned(), ..Default::default() };
    let watch = || v1::WatchArtifactRequest { source: source(&fixture) };
    let fetch = |digest: &str| v1::FetchArtifactRequest { source: source(&fixture), digest: digest.to_owned() };

    assert_eq!(client.get_artifact(get()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.list_artifacts(list()).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.get_artifact(with_token(get(), "nobody")).await.unwrap_err().code(), Code::Unauthenticated);
    let denied = client.get_artifact(with_token(get(), "stranger")).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert_eq!(
        denied.message(),
        "\"stranger\" may not get helmcharts.source.toolkit.fluxcd.io \"web\" in namespace \"apps\""
    );
    let digest = fixture.artifact.digest.clone();
    for code in [
        client.list_artifacts(with_token(list(), "stranger")).await.map(drop).unwrap_err().code(),
        client.watch_artifact(with_token(watch(), "stranger")).await.map(drop).unwrap_err().code(),
        client.fetch_artifact(with_token(fetch(&digest), "stranger")).await.map(drop).unwrap_err().code(),
    ] {
        assert_eq!(code, Code::PermissionDenied);
    }
    let unknown = client.fetch_artifact(with_token(fetch("sha256:00"), "reader")).await.map(drop).unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let nameless = v1::GetArtifactRequest { source: None };
    assert_eq!(client.get_artifact(with_token(nameless, "reader")).await.unwrap_err().code(), Code::InvalidArgument);

    let got = client.get_artifact(with_token(get(), "reader")).await.unwrap().into_inner().artifact.unwrap();
    assert_eq!((got.revision.as_str(), got.digest), ("1.0.0", digest));
    let listed = client.list_artifacts(with_token(list(), "reader")).await.unwrap().into_inner();
    assert_eq!((listed.artifacts.len(), listed.next_page_token.as_str()), (1, ""));
}

#[tokio::test]
async fn a_watch_shows_the_latest() {
    let fixture = Fixture::start(Settings::default()).await;
    let mut client = ArtifactServiceClient::new(channel(&fixture).await);
    let request = with_token(v1::WatchArtifactRequest { source: source(&fixture) }, "reader");
    let mut stream = client.watch_artifact(request).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap().artifact.unwrap();
    assert_eq!(first.revision, "1.0.0");
    let mut next = fixture.artifact.clone();
    next.revision = "2.0.0".to_owned();
    next.digest = "sha256:2".to_owned();
    fixture.catalogue.publish(&fixture.source, &next);
    let second = tokio::time::timeout(Duration::from_secs(10), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(second.artifact.unwrap().revision, "2.0.0");
    fixture.catalogue.remove(&fixture.source);
    let third = tokio::time::timeout(Duration::from_secs(10), stream.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(third.artifact, None);
}

#[tokio::test]
async fn without_a_grpc_service_http_is_used() {
    let fixture = Fixture::start(Settings::default()).await;
    let grpc =
        GrpcConfig { address: "http://127.0.0.1:1".to_owned(), token_file: fixture.token("reader"), ca_file: None };
    let fetcher = Fetcher::new(FetcherConfig { grpc: Some(grpc), ..FetcherConfig::default() }).unwrap();
    assert_eq!(fetcher.fetch(&fixture.artifact).await.unwrap(), fixture.content);
}

#[tokio::test]
async fn tls_is_served_and_a_new_certificate_is_taken_up() {
    let directory = tempfile::tempdir().unwrap();
    let authority = testkit::Authority::new("artifact test").unwrap();
    authority.server(&["localhost"]).unwrap().write(directory.path(), "server").unwrap();
    let ca_file = directory.path().join("ca.pem");
    fs_err::write(&ca_file, authority.certificate()).unwrap();
    let files: Vec<_> = fs_err::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("server"))
        .collect();
    let find = |ending: &str| files.iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap().clone();
    let tls = TlsFiles { certificate: find(".crt"), key: find(".key") };
    let fixture = Fixture::start(Settings { tls: Some(tls), ..Settings::default() }).await;
    let fetch = async |ca_file: &std::path::Path| {
        let grpc = GrpcConfig {
            address: fixture.address.clone(),
            token_file: fixture.token("reader"),
            ca_file: Some(ca_file.to_owned()),
        };
        let config = FetcherConfig { grpc: Some(grpc), timeout: Duration::from_secs(10), ..FetcherConfig::default() };
        Fetcher::new(config).unwrap().fetch(&fixture.artifact).await
    };
    assert_eq!(fetch(&ca_file).await.unwrap(), fixture.content);

    let other = testkit::Authority::new("another").unwrap();
    let other_ca = directory.path().join("other-ca.pem");
    fs_err::write(&other_ca, other.certificate()).unwrap();
    assert!(fetch(&other_ca).await.is_err(), "a certificate of an unknown authority is not accepted");
    other.server(&["localhost"]).unwrap().write(directory.path(), "server").unwrap();
    assert_eq!(fetch(&other_ca).await.unwrap(), fixture.content);
}
