//! GitRepository over HTTP.

use std::sync::Arc;

use common::conditions;
use common::meta::SourceObject as _;
use common::names::condition;
use common::source::v1::GitRepository;
use serde_json::{Value, json};
use testkit::git::Repositories;
use testkit::http_server::{Credentials, Settings};
use testkit::{Authority, GitServer, Proxy};

use crate::fixture::Fixture;

#[expect(clippy::needless_pass_by_value, reason = "called with json!")]
fn spec(url: &str, reference: Value) -> Value {
    json!({"url": url, "ref": reference})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_reference_is_followed() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("team/app").unwrap();
    repository.write("deploy/app.yaml", "kind: List\n").unwrap();
    let first = repository.commit_and_push("first").unwrap().0;
    repository.tag("v1.0.0", None).unwrap();
    repository.write("deploy/app.yaml", "kind: ConfigMap\n").unwrap();
    let second = repository
        .commit_and_push("second commit with a subject that is longer than fifty characters\n\nbody")
        .unwrap()
        .0;
    repository.tag("v1.2.0", Some("an annotated tag")).unwrap();
    repository.git(&["push", "origin", "--tags"]).unwrap();

    let url = server.url("team/app");
    let cases = [
        ("branch", json!({"branch": "main"}), format!("main@sha1:{second}")),
        ("tag", json!({"tag": "v1.0.0"}), format!("v1.0.0@sha1:{first}")),
        ("annotated", json!({"tag": "v1.2.0"}), format!("v1.2.0@sha1:{second}")),
        ("semver", json!({"semver": "1.x"}), format!("v1.2.0@sha1:{second}")),
        ("name", json!({"name": "refs/heads/main"}), format!("refs/heads/main@sha1:{second}")),
        ("commit", json!({"branch": "main", "commit": first}), format!("main@sha1:{first}")),
        ("bare-commit", json!({"commit": first}), format!("sha1:{first}")),
    ];
    for (name, reference, _) in &cases {
        fixture.create::<GitRepository>(name, spec(&url, reference.clone())).await;
    }
    for (name, _, revision) in &cases {
        let object: GitRepository = fixture.ready(name).await;
        let artifact = object.artifact().unwrap();
        assert_eq!(&artifact.revision, revision, "{name}");
        let message = format!("stored artifact for revision '{revision}'");
        for type_ in [condition::READY, condition::ARTIFACT_IN_STORAGE] {
            assert_eq!(conditions::message(object.conditions(), type_), message);
            assert_eq!(conditions::reason(object.conditions(), type_), "Succeeded");
        }
        assert_eq!(object.conditions().len(), 2, "{:?}", object.conditions());
        let commit = revision.rsplit(':').next().unwrap();
        assert_eq!(artifact.path, format!("gitrepository/{}/{name}/{commit}.tar.gz", fixture.namespace));
        let expected = if commit == first { "kind: List\n" } else { "kind: ConfigMap\n" };
        assert_eq!(fixture.files(artifact).await["deploy/app.yaml"], expected, "{name}");
    }
    assert_eq!(
        fixture.event("branch", "NewArtifact").await,
        "stored artifact for commit 'second commit with a subject that is longer than f...'"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_costs_one_listing_and_a_push_is_picked_up() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    fixture.create::<GitRepository>("app", spec(&server.url("app"), json!({"branch": "main"}))).await;
    let before: GitRepository = fixture.ready("app").await;
    server.http().forget_requests();
    let unchanged: GitRepository = fixture.sync("app", "1").await;
    assert_eq!(unchanged.artifact(), before.artifact());
    assert_eq!(server.http().request_count(), 1, "{:?}", server.http().requests());

    repository.write("a.yaml", "a: 2\n").unwrap();
    let commit = repository.commit_and_push("two").unwrap().0;
    let changed: GitRepository = fixture.sync("app", "2").await;
    let artifact = changed.artifact().unwrap();
    assert_eq!(artifact.revision, format!("main@sha1:{commit}"));
    assert_eq!(fixture.files(artifact).await["a.yaml"], "a: 2\n");
    // Both the current artifact and the one before are kept for those who are just reading it.
    assert_eq!(fixture.stored(&format!("gitrepository/{}/app", fixture.namespace)).len(), 2);

    fixture.patch::<GitRepository>("app", json!({"spec": {"suspend": true}})).await;
    repository.write("a.yaml", "a: 3\n").unwrap();
    repository.commit_and_push("three").unwrap();
    fixture.patch::<GitRepository>("app", json!({"spec": {"suspend": false}})).await;
    fixture
        .until("app", |object: &GitRepository| {
            object.artifact().is_some_and(|new| new.revision != artifact.revision) && object.is_ready()
        })
        .await;
    fixture.delete::<GitRepository>("app").await;
    assert!(fixture.stored(&format!("gitrepository/{}/app", fixture.namespace)).is_empty());
}

use common::meta::FluxObject as _;

#[tokio::test(flavor = "multi_thread")]
async fn ignore_rules_links_and_modes() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    for (path, text) in [
        ("deploy/a.yaml", "a"),
        ("deploy/b.txt", "b"),
        ("docs/readme.md", "r"),
        ("logo.png", "p"),
        (".sourceignore", "*.md\n"),
        ("deploy/.sourceignore", "/*.txt\n"),
        (".gitignore", "x"),
    ] {
        repository.write(path, text).unwrap();
    }
    repository.write("run.sh", "#!/bin/sh\n").unwrap();
    repository.git(&["add", "-A"]).unwrap();
    repository.git(&["update-index", "--chmod=+x", "run.sh"]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repository.work().join("link")).unwrap();
    repository.git(&["add", "link"]).unwrap();
    repository.git(&["commit", "-m", "files"]).unwrap();
    repository.push().unwrap();
    fixture.create::<GitRepository>("app", spec(&server.url("app"), json!({"branch": "main"}))).await;
    let object: GitRepository = fixture.ready("app").await;
    let paths = |files: std::collections::BTreeMap<String, String>| files.into_keys().collect::<Vec<_>>();
    assert_eq!(
        paths(fixture.files(object.artifact().unwrap()).await),
        [".sourceignore", "deploy/.sourceignore", "deploy/a.yaml", "logo.png", "run.sh"],
        "the repository's own patterns replace the default list"
    );
    let content = fixture.content(object.artifact().unwrap()).await;
    let entries = archive::read_tar_gz(content.as_slice(), &archive::Policy::source()).unwrap();
    assert!(entries.iter().all(|entry| entry.executable == (entry.path == "run.sh")));

    let digest = object.artifact().unwrap().digest.clone();
    fixture.patch::<GitRepository>("app", json!({"spec": {"ignore": "/*\n!/deploy\n"}})).await;
    let object: GitRepository = fixture
        .until("app", |object: &GitRepository| object.is_ready() && object.artifact().unwrap().digest != digest)
        .await;
    assert_eq!(
        paths(fixture.files(object.artifact().unwrap()).await),
        ["deploy/.sourceignore", "deploy/a.yaml", "deploy/b.txt"]
    );
    assert_eq!(object.status.unwrap().observed_ignore.as_deref(), Some("/*\n!/deploy\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn includes_submodules_and_sparse_checkouts() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let lib = server.repository("lib").unwrap();
    lib.write("lib.yaml", "lib: 1\n").unwrap();
    lib.write("sub/x.yaml", "x: 1\n").unwrap();
    lib.commit_and_push("lib").unwrap();
    let app = server.repository("app").unwrap();
    app.write("app.yaml", "app: 1\n").unwrap();
    app.write("env/prod/p.yaml", "p: 1\n").unwrap();
    app.commit("app").unwrap();
    app.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "--name",
        "lib",
        &lib.bare().to_string_lossy(),
        "deps/lib",
    ])
    .unwrap();
    app.git(&["config", "-f", ".gitmodules", "submodule.lib.url", "../lib.git"]).unwrap();
    app.commit_and_push("with a submodule").unwrap();

    let url = server.url("app");
    let with = |extra: Value| {
        let mut spec = spec(&url, json!({"branch": "main"}));
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        spec
    };
    fixture
        .create::<GitRepository>(
            "includer",
            with(json!({"include": [{"repository": {"name": "lib"}, "fromPath": "sub", "toPath": "inc"}]})),
        )
        .await;
    let message = fixture.failed::<GitRepository>("includer", "NotFound").await;
    assert!(message.starts_with("could not get resource for include 'lib'"), "{message}");
    fixture.create::<GitRepository>("lib", spec(&server.url("lib"), json!({"branch": "main"}))).await;
    fixture.create::<GitRepository>("modules", with(json!({"recurseSubmodules": true}))).await;
    fixture.create::<GitRepository>("plain", with(json!({}))).await;
    fixture.create::<GitRepository>("sparse", with(json!({"sparseCheckout": ["./env/prod"]}))).await;
    fixture.create::<GitRepository>("sparse-missing", with(json!({"sparseCheckout": ["nope"]}))).await;

    let keys = async |name: &str| {
        let object: GitRepository = fixture.ready(name).await;
        fixture.files(object.artifact().unwrap()).await.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(keys("modules").await, ["app.yaml", "deps/lib/lib.yaml", "deps/lib/sub/x.yaml", "env/prod/p.yaml"]);
    assert_eq!(keys("plain").await, ["app.yaml", "env/prod/p.yaml"]);
    assert_eq!(keys("sparse").await, ["env/prod/p.yaml"]);
    assert_eq!(keys("includer").await, ["app.yaml", "env/prod/p.yaml", "inc/x.yaml"]);
    let message = fixture.failed::<GitRepository>("sparse-missing", "GitOperationFailed").await;
    assert_eq!(message, "failed to sparse checkout directories : sparse checkout dir 'nope' does not exist");

    // A change of the included repository reaches the includer at once, not at its next interval.
    lib.write("sub/y.yaml", "y: 1\n").unwrap();
    lib.commit_and_push("more").unwrap();
    let before: GitRepository = fixture.ready("includer").await;
    let lib: GitRepository = fixture.sync("lib", "1").await;
    let revision = lib.artifact().unwrap().revision.clone();
    let included = fixture
        .until("includer", |object: &GitRepository| {
            object.is_ready()
                && object.status.as_ref().unwrap().included_artifacts.iter().any(|other| other.revision == revision)
        })
        .await;
    assert_ne!(included.artifact().unwrap().digest, before.artifact().unwrap().digest);
    // The same commit with other content has a file of its own: whoever is just fetching the one before is not cut off.
    fixture.content(before.artifact().unwrap()).await;
    assert!(fixture.files(included.artifact().unwrap()).await.contains_key("inc/y.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_certificates_and_their_failures() {
    let fixture = Fixture::start().await;
    let authority = Arc::new(Authority::new("git test").unwrap());
    let repositories = Repositories::new().unwrap();
    let repository = repositories.create("app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    let basic = GitServer::start_with(
        Arc::clone(&repositories),
        Settings::default().credentials(Credentials::basic("ada", "pass-4711-word")).tls(&authority),
    )
    .await
    .unwrap();
    let bearer = GitServer::start_with(
        Arc::clone(&repositories),
        Settings::default().credentials(Credentials::Bearer("token-0815-bearer".to_owned())),
    )
    .await
    .unwrap();
    let mutual =
        GitServer::start_with(Arc::clone(&repositories), Settings::default().mutual_tls(&authority)).await.unwrap();
    let ca = authority.certificate();
    let client = authority.client("ada", None).unwrap();
    fixture.secret("basic", &[("username", "ada"), ("password", "pass-4711-word"), ("ca.crt", ca)]).await;
    fixture.secret("no-ca", &[("username", "ada"), ("password", "pass-4711-word")]).await;
    fixture.secret("wrong", &[("username", "ada"), ("password", "wrong-1234-word"), ("ca.crt", ca)]).await;
    fixture.secret("bearer", &[("bearerToken", "token-0815-bearer")]).await;
    fixture.secret("mutual", &[("caFile", ca), ("tls.crt", &client.certificate), ("tls.key", &client.key)]).await;
    fixture.secret("only-ca", &[("ca.crt", ca)]).await;

    let create = async |name: &str, url: String, secret: &str| {
        let mut spec = spec(&url, json!({"branch": "main"}));
        spec["secretRef"] = json!({"name": secret});
        fixture.create::<GitRepository>(name, spec).await;
    };
    create("basic", basic.url("app"), "basic").await;
    create("bearer", bearer.url("app"), "bearer").await;
    create("mutual", mutual.url("app"), "mutual").await;
    create("wrong", basic.url("app"), "wrong").await;
    create("no-ca", basic.url("app"), "no-ca").await;
    create("no-identity", mutual.url("app"), "only-ca").await;
    create("missing", basic.url("app"), "later").await;
    let embedded = bearer.url("app").replace("http://", "http://ada:embedded-99-secret@");
    fixture.create::<GitRepository>("embedded", spec(&embedded, json!({"branch": "main"}))).await;

    for name in ["basic", "bearer", "mutual"] {
        fixture.ready::<GitRepository>(name).await;
    }
    let message = fixture.failed::<GitRepository>("wrong", "GitOperationFailed").await;
    assert!(
        message.contains("failed to checkout and determine revision: authentication required: https://"),
        "{message}"
    );
    assert!(
        fixture.failed::<GitRepository>("embedded", "GitOperationFailed").await.contains("authentication required")
    );
    let message = fixture.failed::<GitRepository>("no-ca", "GitOperationFailed").await;
    assert!(message.contains("certificate"), "{message}");
    fixture.failed::<GitRepository>("no-identity", "GitOperationFailed").await;
    let message = fixture.failed::<GitRepository>("missing", "AuthenticationFailed").await;
    assert!(message.contains(&format!("failed to get secret '{}/later'", fixture.namespace)), "{message}");

    // Recovery by itself once mended.
    fixture.secret("later", &[("username", "ada"), ("password", "pass-4711-word"), ("ca.crt", ca)]).await;
    fixture.ready::<GitRepository>("missing").await;
    fixture
        .assert_not_leaked(&[
            "pass-4711-word",
            "wrong-1234-word",
            "token-0815-bearer",
            "embedded-99-secret",
            "PRIVATE KEY",
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_do_not_follow_a_redirect_to_another_origin() {
    let fixture = Fixture::start().await;
    let repositories = Repositories::new().unwrap();
    repositories.create("app").unwrap();
    let credentials = Credentials::basic("ada", "redirect-secret-1");
    let first =
        GitServer::start_with(Arc::clone(&repositories), Settings::default().credentials(credentials)).await.unwrap();
    let other = GitServer::start_with(repositories, Settings::default()).await.unwrap();
    first.http().fault("info/refs", testkit::http_server::Fault::Redirect(other.http().origin()));
    fixture.secret("auth", &[("username", "ada"), ("password", "redirect-secret-1")]).await;
    let mut spec = spec(&first.url("app"), json!({"branch": "main"}));
    spec["secretRef"] = json!({"name": "auth"});
    fixture.create::<GitRepository>("app", spec).await;
    fixture.failed::<GitRepository>("app", "EmptyGitRepository").await;
    assert!(first.http().requests().iter().any(|request| request.authorization.is_some()));
    assert!(!other.http().requests().is_empty());
    assert!(other.http().requests().iter().all(|request| request.authorization.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_is_used() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    let proxy = Proxy::start(Credentials::basic("proxy-user", "proxy-secret-77")).await.unwrap();
    fixture
        .secret("proxy", &[("address", &proxy.url()), ("username", "proxy-user"), ("password", "proxy-secret-77")])
        .await;
    let mut spec = spec(&server.url("app"), json!({"branch": "main"}));
    spec["proxySecretRef"] = json!({"name": "proxy"});
    fixture.create::<GitRepository>("app", spec).await;
    fixture.ready::<GitRepository>("app").await;
    assert!(proxy.targets().iter().any(|target| target.ends_with(&format!(":{}", server.http().port()))));
    fixture.assert_not_leaked(&["proxy-secret-77"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_used() {
    let proxy = Proxy::start(Credentials::basic("proxy-user", "proxy-secret-78")).await.unwrap();
    let address = proxy.url().replacen("://", "://proxy-user:proxy-secret-78@", 1);
    // The API server, which has an address and not a name here, is left out.
    let environment = [("HTTPS_PROXY", address.as_str()), ("NO_PROXY", "127.0.0.1")];
    let fixture = Fixture::start_with(&[], &environment).await;
    let authority = Arc::new(Authority::new("git").unwrap());
    let repositories = Repositories::new().unwrap();
    let repository = repositories.create("app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    let server = GitServer::start_with(Arc::clone(&repositories), Settings::default().tls(&authority)).await.unwrap();
    fixture.secret("ca", &[("ca.crt", authority.certificate())]).await;
    let mut spec = spec(&server.url("app").replace("127.0.0.1", "localhost"), json!({"branch": "main"}));
    spec["secretRef"] = json!({"name": "ca"});
    fixture.create::<GitRepository>("app", spec).await;
    fixture.ready::<GitRepository>("app").await;
    assert_eq!(
        proxy.targets().into_iter().collect::<std::collections::BTreeSet<_>>(),
        [format!("localhost:{}", server.http().port())].into()
    );
    fixture.assert_not_leaked(&["proxy-secret-78"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_references_are_reported_and_recover() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    fixture.create::<GitRepository>("empty", spec(&server.url("app"), json!({"branch": "main"}))).await;
    assert_eq!(fixture.failed::<GitRepository>("empty", "EmptyGitRepository").await, "git repository is empty");
    repository.write("a.yaml", "a: 1\n").unwrap();
    repository.commit_and_push("one").unwrap();
    fixture.ready::<GitRepository>("empty").await;

    fixture.create::<GitRepository>("branch", spec(&server.url("app"), json!({"branch": "later"}))).await;
    let message = fixture.failed::<GitRepository>("branch", "GitOperationFailed").await;
    assert_eq!(message, "failed to checkout and determine revision: couldn't find remote ref \"refs/heads/later\"");
    let object = fixture.until("branch", |object: &GitRepository| !object.conditions().is_empty()).await;
    assert!(conditions::is_true(object.conditions(), condition::FETCH_FAILED));
    assert_eq!(conditions::reason(object.conditions(), condition::RECONCILING), "ProgressingWithRetry");
    assert_eq!(object.observed_generation(), -1, "a generation that failed was not observed");
    fixture.create::<GitRepository>("commit", spec(&server.url("app"), json!({"commit": "0".repeat(40)}))).await;
    fixture.failed::<GitRepository>("commit", "GitOperationFailed").await;
    fixture.create::<GitRepository>("gone", spec(&server.url("nope"), json!({"branch": "main"}))).await;
    let message = fixture.failed::<GitRepository>("gone", "GitOperationFailed").await;
    assert!(message.contains("repository not found"), "{message}");
    assert_eq!(
        fixture.event("branch", "GitOperationFailed").await,
        conditions::message(object.conditions(), condition::READY)
    );

    repository.branch("later").unwrap();
    repository.git(&["push", "origin", "later"]).unwrap();
    fixture.ready::<GitRepository>("branch").await;
    fixture.event("branch", "NewArtifact").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_files() {
    let fixture = Fixture::start().await;
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("large").unwrap();
    // Written by fast-import: creating the files themselves would take longer than the test.
    let mut stream = String::from(
        "blob\nmark :1\ndata 5\na: 1\n\ncommit refs/heads/main\ncommitter A <a@b> 0 +0000\ndata 4\nmany\n",
    );
    for index in 0..100_000 {
        stream.push_str(&format!("M 100644 :1 d{}/f{index}.yaml\n", index % 300));
    }
    let file = repository.work().join("stream");
    fs_err::write(&file, stream).unwrap();
    let status = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(repository.bare())
        .stdin(std::fs::File::from(fs_err::File::open(&file).unwrap()))
        .status()
        .unwrap();
    assert!(status.success());
    fixture.create::<GitRepository>("large", spec(&server.url("large"), json!({"branch": "main"}))).await;
    let object: GitRepository = fixture.ready("large").await;
    assert_eq!(fixture.files(object.artifact().unwrap()).await.len(), 100_000);
    let peak = fixture.process.peak_memory().unwrap();
    testkit::notice(&format!("peak memory with 1e5 files: {} MiB", peak >> 20));
    assert!(peak < 250 << 20, "{peak}");
}
