//! Bad indexes and hostile archives: one object fails clearly, the controller and everything else go on.

use std::io::Write as _;

use common::source::v1::{HelmChart, HelmRepository};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use tar::{EntryType, Header};
use testkit::HelmRepositoryServer;
use testkit::http_server::Fault;

use crate::charts::{add, spec};
use crate::fixture::Fixture;

fn archive(entries: &[(&str, EntryType, &str, Vec<u8>)]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for (name, kind, link, data) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(data.len() as u64);
        header.set_cksum();
        encoder.write_all(header.as_bytes()).unwrap();
        encoder.write_all(data).unwrap();
        encoder.write_all(&vec![0; data.len().next_multiple_of(512) - data.len()]).unwrap();
    }
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_chart_archives_are_refused() {
    let fixture = Fixture::start().await;
    let server = HelmRepositoryServer::start().await.unwrap();
    let metadata = |name: &str| {
        (
            "web/Chart.yaml",
            EntryType::Regular,
            "",
            format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n").into_bytes(),
        )
    };
    let cases = [
        ("parent", vec![("../evil", EntryType::Regular, "", b"x".to_vec())], "'..' element"),
        ("absolute", vec![("/etc/evil", EntryType::Regular, "", b"x".to_vec())], "absolute path"),
        ("symlink", vec![("web/link", EntryType::Symlink, "/etc/passwd", vec![])], "is a link to"),
        ("hardlink", vec![("web/link", EntryType::Link, "/etc/passwd", vec![])], "is a link to"),
        ("device", vec![("web/dev", EntryType::Char, "", vec![])], "character device"),
        ("large", vec![("web/large", EntryType::Regular, "", vec![0; 6 << 20])], "5242880"),
        (
            "bomb",
            [
                "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t",
                "u", "v", "w", "x", "y",
            ]
            .map(|name| (name, EntryType::Regular, "", vec![0; 5 << 20]))
            .to_vec(),
            "",
        ),
    ];
    for (name, entries, _) in &cases {
        let mut all = vec![metadata(name)];
        all.extend(entries.iter().cloned());
        server.add_raw(name, "1.0.0", &archive(&all)).unwrap();
    }
    server.add_raw("junk", "1.0.0", b"this is not an archive").unwrap();
    server.add_raw("huge", "1.0.0", &vec![7; 11 << 20]).unwrap();
    add(&server, "1.0.0");
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    let names = cases
        .iter()
        .map(|(name, _, expected)| (*name, *expected))
        .chain([("junk", ""), ("huge", "exceeds the maximum size")]);
    for (name, _) in names.clone() {
        let mut spec = spec("1.0.0");
        spec["chart"] = json!(name);
        fixture.create::<HelmChart>(name, spec).await;
    }
    fixture.create::<HelmChart>("good", spec("1.0.0")).await;
    for (name, expected) in names {
        let message = fixture.failed::<HelmChart>(name, "ChartPullError").await;
        assert!(message.starts_with("chart pull error: ") && message.contains(expected), "{name}: {message}");
    }
    fixture.ready::<HelmChart>("good").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_indexes_are_reported_and_recover() {
    let fixture = Fixture::start_with(&["--helm-index-max-size=100000"], &[]).await;
    let server = HelmRepositoryServer::start().await.unwrap();
    add(&server, "1.0.0");
    fixture.create::<HelmRepository>("repo", json!({"url": server.url()})).await;
    let good: HelmRepository = fixture.ready("repo").await;
    let cases = [
        ("<html>gateway</html>".to_owned(), "IndexationFailed", "failed to load Helm repository from index YAML"),
        ("entries: {}\n".to_owned(), "IndexationFailed", "no API version specified"),
        (String::new(), "IndexationFailed", "empty index.yaml file"),
        ("apiVersion: v1\nentries:\n  a: [\n".to_owned(), "IndexationFailed", "not valid YAML"),
        ("#".repeat(200_000), "Failed", "exceeds the maximum size of 100000 bytes"),
    ];
    for (number, (index, reason, expected)) in cases.into_iter().enumerate() {
        server.set_index(index);
        fixture.sync::<HelmRepository>("repo", &format!("bad-{number}")).await;
        let message = fixture.failed::<HelmRepository>("repo", reason).await;
        assert!(message.contains(expected), "{message}");
    }
    // What was stored is still there for those who use it.
    let failed = fixture.until("repo", |_: &HelmRepository| true).await;
    assert_eq!(failed.status.unwrap().artifact, good.status.unwrap().artifact);
    server.http().fault("index.yaml", Fault::Endless(1 << 30));
    fixture.sync::<HelmRepository>("repo", "endless").await;
    fixture.failed::<HelmRepository>("repo", "Failed").await;
    server.http().mend();
    server.reset_index();
    fixture.ready::<HelmRepository>("repo").await;
    fixture.event("repo", "Succeeded").await;
    assert!(fixture.process.peak_memory().unwrap() < 100 << 20);
}
