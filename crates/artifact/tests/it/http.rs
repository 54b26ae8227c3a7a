//! Plain HTTP, as upstream's consumers use it.

use artifact::client::{FetchError, Fetcher, FetcherConfig};
use reqwest::{Client, StatusCode, header};

use crate::fixture::{Fixture, Settings};

#[tokio::test]
async fn files_are_served_with_ranges_and_dates() {
    let fixture = Fixture::start(Settings::default()).await;
    let client = Client::new();
    let url = &fixture.artifact.url;
    let whole = client.get(url).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()[header::CONTENT_LENGTH], fixture.content.len().to_string());
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "application/gzip");
    let modified = whole.headers()[header::LAST_MODIFIED].clone();
    assert_eq!(whole.bytes().await.unwrap(), fixture.content);

    let part = client.get(url).header(header::RANGE, "bytes=4-7").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[header::CONTENT_RANGE], format!("bytes 4-7/{}", fixture.content.len()));
    assert_eq!(part.bytes().await.unwrap(), fixture.content[4..8]);

    let head = client.head(url).send().await.unwrap();
    assert_eq!(head.headers()[header::CONTENT_LENGTH], fixture.content.len().to_string());
    assert!(head.bytes().await.unwrap().is_empty());
    let cached = client.get(url).header(header::IF_MODIFIED_SINCE, modified).send().await.unwrap();
    assert_eq!(cached.status(), StatusCode::NOT_MODIFIED);
    let latest = client.get(format!("{}/helmchart/apps/web/latest.tar.gz", fixture.address)).send().await.unwrap();
    assert_eq!(latest.bytes().await.unwrap(), fixture.content);
    assert_eq!(client.post(url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn nothing_is_listed_and_nothing_outside_is_served() {
    let fixture = Fixture::start(Settings::default()).await;
    let client = Client::new();
    let root = client.get(format!("{}/", fixture.address)).send().await.unwrap();
    assert_eq!(root.status(), StatusCode::OK, "the readiness probe");
    assert!(!root.text().await.unwrap().contains("apps"));
    for path in [
        "/helmchart",
        "/helmchart/",
        "/helmchart/apps",
        "/helmchart/apps/web",
        "/helmchart/apps/web/",
        "/helmchart/apps/web/escape.tgz",
        "/helmchart/apps/web/../web/web-1.0.0.tgz/x",
        "/helmchart/apps/%2e%2e/secret",
        "/../../secret",
        "/etc/passwd",
    ] {
        let status = client.get(format!("{}{path}", fixture.address)).send().await.unwrap().status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn http_can_be_turned_off() {
    let fixture = Fixture::start(Settings { no_http: true, ..Settings::default() }).await;
    let client = Client::new();
    assert_eq!(client.get(&fixture.artifact.url).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(client.get(format!("{}/", fixture.address)).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn the_client_checks_what_it_gets() {
    let fixture = Fixture::start(Settings::default()).await;
    let fetcher = Fetcher::new(FetcherConfig { limit: 3_000_000, ..FetcherConfig::default() }).unwrap();
    assert_eq!(fetcher.fetch(&fixture.artifact).await.unwrap(), fixture.content);

    let mut wrong = fixture.artifact.clone();
    wrong.digest = format!("sha256:{}", "0".repeat(64));
    assert!(matches!(fetcher.fetch(&wrong).await, Err(FetchError::Mismatch { .. })));
    let mut gone = fixture.artifact.clone();
    gone.url.push('x');
    assert!(matches!(fetcher.fetch(&gone).await, Err(FetchError::NotFound { .. })));
    let mut bad = fixture.artifact.clone();
    bad.digest = String::new();
    assert!(matches!(fetcher.fetch(&bad).await, Err(FetchError::Digest { .. })));
    bad.digest = format!("blake3:{}", "0".repeat(64));
    assert!(matches!(fetcher.fetch(&bad).await, Err(FetchError::Algorithm { .. })));
    // The declared size is only a hint: the bytes that come are counted.
    let small = Fetcher::new(FetcherConfig { limit: 1000, ..FetcherConfig::default() }).unwrap();
    let mut silent = fixture.artifact.clone();
    silent.size = None;
    assert!(matches!(small.fetch(&silent).await, Err(FetchError::TooLarge { limit: 1000, .. })));
}
