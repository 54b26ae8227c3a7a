//! GitRepository over SSH.

use std::sync::Arc;

use common::meta::SourceObject as _;
use common::source::v1::GitRepository;
use serde_json::{Value, json};
use testkit::SshGitServer;
use testkit::git::Repositories;
use testkit::ssh::ClientKey;

use crate::fixture::Fixture;

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_known_hosts_are_checked_strictly() {
    let fixture = Fixture::start().await;
    let repositories = Repositories::new().unwrap();
    let repository = repositories.create("team/app").unwrap();
    repository.write("a.yaml", "a: 1\n").unwrap();
    let commit = repository.commit_and_push("one").unwrap().0;
    let (ours, strangers) = (ClientKey::new().unwrap(), ClientKey::new().unwrap());
    let locked = ClientKey::encrypted("key-pass-2468").unwrap();
    let server = SshGitServer::start(Arc::clone(&repositories), &[&ours, &locked]).await.unwrap();
    let known = server.known_hosts();
    fixture.secret("good", &[("identity", &ours.private), ("known_hosts", &known)]).await;
    fixture.secret("stranger", &[("identity", &strangers.private), ("known_hosts", &known)]).await;
    fixture
        .secret("mismatch", &[("identity", &ours.private), ("known_hosts", &server.wrong_known_hosts().unwrap())])
        .await;
    fixture.secret("unknown", &[("identity", &ours.private), ("known_hosts", "other.example ssh-ed25519 AAAA")]).await;
    fixture.secret("no-hosts", &[("identity", &ours.private)]).await;
    fixture.secret("junk", &[("identity", "not a key"), ("known_hosts", &known)]).await;
    let known = known.as_str();
    for (name, password) in
        [("locked", Some("key-pass-2468")), ("locked-out", None), ("misremembered", Some("guess-1357"))]
    {
        let mut pairs = vec![("identity", locked.private.as_str()), ("known_hosts", known)];
        pairs.extend(password.map(|password| ("password", password)));
        fixture.secret(name, &pairs).await;
    }
    let spec = |secret: &str, name: &str| -> Value {
        json!({"url": server.url(name), "ref": {"branch": "main"}, "secretRef": {"name": secret}})
    };
    for secret in
        ["good", "stranger", "mismatch", "unknown", "no-hosts", "junk", "locked", "locked-out", "misremembered"]
    {
        fixture.create::<GitRepository>(secret, spec(secret, "team/app")).await;
    }
    fixture.create::<GitRepository>("absent", spec("good", "team/nope")).await;
    fixture.create::<GitRepository>("no-secret", json!({"url": server.url("team/app")})).await;

    let object: GitRepository = fixture.ready("good").await;
    assert_eq!(object.artifact().unwrap().revision, format!("main@sha1:{commit}"));
    assert_eq!(fixture.files(object.artifact().unwrap()).await["a.yaml"], "a: 1\n");
    let unlocked: GitRepository = fixture.ready("locked").await;
    assert_eq!(
        unlocked.artifact().unwrap().revision,
        format!("main@sha1:{commit}"),
        "an encrypted key with its password"
    );
    for (name, reason, expected) in [
        ("locked-out", "AuthenticationFailed", "is encrypted but no 'password'"),
        ("misremembered", "AuthenticationFailed", "or its password is wrong"),
        ("stranger", "GitOperationFailed", "does not accept the SSH identity"),
        ("mismatch", "GitOperationFailed", "knownhosts: key mismatch"),
        ("unknown", "GitOperationFailed", "knownhosts: key is unknown"),
        ("no-hosts", "AuthenticationFailed", "'known_hosts' is required"),
        ("junk", "AuthenticationFailed", "is not a private key"),
        ("no-secret", "AuthenticationFailed", "'identity' is required"),
    ] {
        let message = fixture.failed::<GitRepository>(name, reason).await;
        assert!(message.contains(expected), "{name}: {message}");
    }
    fixture.failed::<GitRepository>("absent", "GitOperationFailed").await;

    // A no-op needs one command on the server and no pack.
    let before = server.command_count();
    let unchanged: GitRepository = fixture.sync("good", "1").await;
    assert_eq!(unchanged.artifact(), object.artifact());
    assert!(server.command_count() > before);
    let key: String = ours.private.lines().nth(1).unwrap().to_owned();
    fixture.assert_not_leaked(&[&key, "PRIVATE KEY", "key-pass-2468", "guess-1357"]).await;
}
