//! The servers, asked by the real clients.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use testkit::http_server::{Credentials, Fault, Settings};
use testkit::ssh::ClientKey;
use testkit::{Authority, GitServer, HelmRepositoryServer, Proxy, SshGitServer, TempDir, git};

/// Runs git away from the test's runtime, which serves it.
async fn run_git(directory: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let directory = directory.to_owned();
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        git::git(&directory, &arguments)
    })
    .await?
}

#[tokio::test]
async fn git_clones_shallowly_over_http_and_pushes() {
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("team/app").unwrap();
    for number in 0..3 {
        repository.write("file.txt", format!("{number}\n")).unwrap();
        repository.commit_and_push(&format!("change {number}")).unwrap();
    }
    repository.tag("v1.0.0", Some("first")).unwrap();
    let head = repository.head().unwrap();
    let place = TempDir::new("clone").unwrap();
    let url = server.url("team/app");
    run_git(place.path(), &["clone", "--quiet", "--depth=1", &url, "."]).await.unwrap();
    assert_eq!(run_git(place.path(), &["rev-parse", "HEAD"]).await.unwrap().trim(), head.to_string());
    assert_eq!(run_git(place.path(), &["rev-list", "--count", "HEAD"]).await.unwrap().trim(), "1");
    let listed = run_git(place.path(), &["ls-remote", "--tags", &url]).await.unwrap();
    assert!(listed.contains("refs/tags/v1.0.0^{}"), "{listed}");
    run_git(place.path(), &["commit", "--quiet", "--allow-empty", "-m", "from a client"]).await.unwrap();
    run_git(place.path(), &["push", "--quiet", "origin", "HEAD:other"]).await.unwrap();
    let branches = run_git(repository.bare(), &["branch", "--list", "other"]).await.unwrap();
    assert!(branches.contains("other"));
    assert!(server.http().requests().iter().any(|request| request.path.contains("info/refs")));
}

#[tokio::test]
async fn git_needs_the_right_password_and_the_right_authority() {
    let authority = Arc::new(Authority::new("test authority").unwrap());
    let settings = Settings::default().credentials(Credentials::basic("ada", "secret")).tls(&authority);
    let server = GitServer::start_with(testkit::git::Repositories::new().unwrap(), settings).await.unwrap();
    server.repository("app").unwrap().commit_and_push("first").unwrap();
    let place = TempDir::new("clone").unwrap();
    let file = place.join("ca.crt");
    fs_err::write(&file, authority.certificate()).unwrap();
    let trusting = format!("http.sslCAInfo={}", file.display());
    let url = server.url("app");
    let open = run_git(place.path(), &["-c", &trusting, "ls-remote", &url]).await;
    assert!(open.is_err());
    let with_password = url.replace("https://", "https://ada:secret@");
    run_git(place.path(), &["-c", &trusting, "ls-remote", &with_password]).await.unwrap();
    let untrusted = run_git(place.path(), &["ls-remote", &with_password]).await.unwrap_err().to_string();
    assert!(untrusted.contains("certificate"), "{untrusted}");
    let statuses: Vec<u16> = server.http().requests().iter().map(|request| request.status).collect();
    assert!(statuses.contains(&401) && statuses.contains(&200), "{statuses:?}");
}

#[tokio::test]
async fn client_certificates_are_demanded() {
    let authority = Arc::new(Authority::new("test authority").unwrap());
    let server = HelmRepositoryServer::start_with(Settings::default().mutual_tls(&authority)).await.unwrap();
    let url = format!("{}/index.yaml", server.url());
    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root.clone()]).no_proxy().build().unwrap();
    client.get(&url).send().await.unwrap_err();
    let own = authority.client("ada", None).unwrap();
    let identity = reqwest::Identity::from_pem(format!("{}{}", own.certificate, own.key).as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).identity(identity).no_proxy().build().unwrap();
    assert!(client.get(&url).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn git_clones_over_ssh_with_a_known_host_and_an_allowed_key() {
    let repositories = testkit::git::Repositories::new().unwrap();
    let repository = repositories.create("app").unwrap();
    repository.write("file.txt", "content\n".repeat(50_000)).unwrap();
    let head = repository.commit_and_push("first").unwrap();
    let (allowed, refused) = (ClientKey::new().unwrap(), ClientKey::new().unwrap());
    let server = SshGitServer::start(repositories, &[&allowed]).await.unwrap();
    let place = TempDir::new("ssh").unwrap();

    let known = clone_over_ssh(&place, "known", &server.url("app"), &allowed, &server.known_hosts()).await;
    assert!(known.status.success(), "{}", String::from_utf8_lossy(&known.stderr));
    let cloned = run_git(&place.join("known"), &["rev-parse", "HEAD"]).await.unwrap();
    assert_eq!(cloned.trim(), head.to_string());
    let other_key = clone_over_ssh(&place, "key", &server.url("app"), &refused, &server.known_hosts()).await;
    assert!(!other_key.status.success());
    let hosts = server.wrong_known_hosts().unwrap();
    let other_host = clone_over_ssh(&place, "host", &server.url("app"), &allowed, &hosts).await;
    assert!(!other_host.status.success());
    assert_eq!(server.command_count(), 1);
}

async fn clone_over_ssh(
    place: &TempDir,
    name: &str,
    url: &str,
    key: &ClientKey,
    known_hosts: &str,
) -> std::process::Output {
    use std::os::unix::fs::PermissionsExt as _;
    let (identity, hosts) = (place.join(format!("{name}.key")), place.join(format!("{name}.hosts")));
    fs_err::write(&identity, &key.private).unwrap();
    fs_err::set_permissions(&identity, std::fs::Permissions::from_mode(0o600)).unwrap();
    fs_err::write(&hosts, known_hosts).unwrap();
    let ssh = format!(
        "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o UserKnownHostsFile={} -o StrictHostKeyChecking=yes -o BatchMode=yes",
        identity.display(),
        hosts.display()
    );
    let mut command = Command::new("git");
    command
        .args(["clone", "--quiet", "--depth=1", url])
        .arg(place.join(name))
        .env("GIT_SSH_COMMAND", ssh)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Runs the real helm with a home of its own.
async fn helm(home: &Path, arguments: &[&str]) -> (bool, String) {
    let program = tokio::task::spawn_blocking(|| testkit::tool("helm")).await.unwrap().unwrap();
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"))
        .current_dir(home)
        .output()
        .await
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

const CHART: &str = "apiVersion: v2\nname: small\nversion: 1.2.3\ndescription: A chart\nkeywords:\n- one\n- two\n";

#[tokio::test]
async fn helm_searches_and_pulls_charts() {
    let server = HelmRepositoryServer::start().await.unwrap();
    let templates = ("templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    server.add_chart(&[("Chart.yaml", CHART), templates]).unwrap();
    server.add_chart(&[("Chart.yaml", &CHART.replace("1.2.3", "1.3.0")), templates]).unwrap();
    let home = TempDir::new("helm").unwrap();
    let (added, said) = helm(home.path(), &["repo", "add", "test", &server.url()]).await;
    assert!(added, "{said}");
    let (_, found) = helm(home.path(), &["search", "repo", "test/small", "--versions", "-o", "json"]).await;
    assert!(found.contains("\"1.2.3\"") && found.contains("\"1.3.0\"") && found.contains("A chart"), "{found}");
    let (pulled, said) = helm(home.path(), &["pull", "test/small", "--version", "~1.2", "--untar"]).await;
    assert!(pulled, "{said}");
    assert_eq!(fs_err::read_to_string(home.join("small/Chart.yaml")).unwrap(), CHART);
    let (_, version) = helm(home.path(), &["version", "--template", "{{.Version}}"]).await;
    assert_eq!(version, "v4.2.4");
    assert!(server.http().requests().iter().any(|request| request.path.ends_with("/small-1.2.3.tgz")));
}

#[tokio::test]
async fn faults_come_and_go() {
    let server = HelmRepositoryServer::start().await.unwrap();
    server.add_chart(&[("Chart.yaml", CHART)]).unwrap();
    let elsewhere = HelmRepositoryServer::start().await.unwrap();
    elsewhere.add_chart(&[("Chart.yaml", CHART)]).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/small-1.2.3.tgz", server.url());
    let whole = client.get(&url).send().await.unwrap().bytes().await.unwrap();

    server.http().fault(".tgz", Fault::Truncated(10));
    let broken = client.get(&url).send().await.unwrap().bytes().await;
    assert!(broken.is_err());
    server.http().mend();
    server.http().fault(".tgz", Fault::Endless(1 << 20));
    assert!(client.get(&url).send().await.unwrap().bytes().await.unwrap().len() >= 1 << 20);
    server.http().mend();
    server.http().fault(".tgz", Fault::Status(503));
    assert_eq!(client.get(&url).send().await.unwrap().status().as_u16(), 503);
    server.http().mend();
    server.http().fault(".tgz", Fault::Redirect(elsewhere.http().origin()));
    assert_eq!(client.get(&url).send().await.unwrap().bytes().await.unwrap(), whole);
    assert_eq!(elsewhere.http().request_count(), 1);
    server.http().mend();
    assert_eq!(client.get(&url).send().await.unwrap().bytes().await.unwrap(), whole);
}

#[tokio::test]
async fn the_proxy_forwards_tunnels_and_demands_credentials() {
    let authority = Arc::new(Authority::new("test authority").unwrap());
    let plain = HelmRepositoryServer::start().await.unwrap();
    let secure = HelmRepositoryServer::start_with(Settings::default().tls(&authority)).await.unwrap();
    let proxy = Proxy::start(Credentials::basic("ada", "secret")).await.unwrap();
    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    let through = reqwest::Proxy::all(proxy.url()).unwrap();
    let with_password = through.clone().basic_auth("ada", "secret");
    let client = |proxy| reqwest::Client::builder().tls_certs_only([root.clone()]).proxy(proxy).build().unwrap();
    let index = |server: &HelmRepositoryServer| format!("{}/index.yaml", server.url());

    assert_eq!(client(through).get(index(&plain)).send().await.unwrap().status().as_u16(), 407);
    let known = client(with_password);
    assert!(known.get(index(&plain)).send().await.unwrap().status().is_success());
    assert!(known.get(index(&secure)).send().await.unwrap().status().is_success());
    let ports = [plain.http().port(), secure.http().port()];
    assert_eq!(proxy.targets(), ports.map(|port| format!("127.0.0.1:{port}")));
}

#[tokio::test]
async fn spans_are_received() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    let receiver = testkit::OtlpReceiver::start().await.unwrap();
    let mut client = TraceServiceClient::connect(receiver.endpoint()).await.unwrap();
    let span = Span { name: "fetch".to_owned(), trace_id: vec![1; 16], end_time_unix_nano: 5, ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let request =
        ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] };
    client.export(request).await.unwrap();
    let spans = receiver.spans();
    assert_eq!(spans.len(), 1);
    assert_eq!((spans[0].name.as_str(), spans[0].trace.as_str()), ("fetch", "01".repeat(16).as_str()));
}

#[tokio::test]
async fn the_judges_say_their_pinned_versions() {
    // flux is built only where a test drives it: it takes two minutes.
    for (program, argument, version) in [("kustomize", "version", "v5.8.1"), ("grpcurl", "-version", "v1.9.4")] {
        let path = tokio::task::spawn_blocking(move || testkit::tool(program)).await.unwrap().unwrap();
        let output = tokio::process::Command::new(path).arg(argument).output().await.unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains(version), "{program}: {said}");
    }
}
