//! `towline build` fetches what the real kustomize fetches, and prints the same.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use fs_err as fs;
use testkit::git::Repositories;
use testkit::http_server::{Credentials, Fault, Settings};
use testkit::ssh::ClientKey;
use testkit::{FileServer, GitServer, HelmRepositoryServer, SshGitServer, TempDir};

/// A place with a home directory, a cache and a kustomization.
struct Place(TempDir);

impl Place {
    fn new(kustomization: &str) -> Self {
        let place = TempDir::new("remote").unwrap();
        for directory in ["home/.ssh", "app"] {
            fs::create_dir_all(place.join(directory)).unwrap();
        }
        fs::write(place.join("app/kustomization.yaml"), kustomization).unwrap();
        Self(place)
    }

    fn path(&self, below: &str) -> std::path::PathBuf {
        self.0.join(below)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("GIT_SSL_CAINFO");
        command
    }

    async fn ours(&self, flags: &[&str]) -> Output {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_towline")));
        command.arg("build").args(flags).arg(self.path("app"));
        run(command).await
    }

    /// Both programs with one more variable in their environment; the first is ours.
    async fn both_with(&self, name: &str, value: &Path) -> [Output; 2] {
        let mut outputs = Vec::new();
        for program in [Path::new(env!("CARGO_BIN_EXE_towline")).to_owned(), testkit::tool("kustomize").unwrap()] {
            let mut command = self.command(&program);
            let ssh = format!("ssh -o UserKnownHostsFile={}", self.path("home/.ssh/known_hosts").display());
            command.arg("build").arg(self.path("app")).env("GIT_SSH_COMMAND", ssh).env(name, value);
            outputs.push(run(command).await);
        }
        outputs.try_into().unwrap()
    }

    async fn theirs(&self, flags: &[&str]) -> Output {
        let mut command = self.command(&testkit::tool("kustomize").unwrap());
        let ssh = format!(
            "ssh -i {0}/id_ed25519 -o UserKnownHostsFile={0}/known_hosts -o IdentitiesOnly=yes",
            self.path("home/.ssh").display()
        );
        command.arg("build").args(flags).arg(self.path("app")).env("GIT_SSH_COMMAND", ssh);
        run(command).await
    }

    /// Both succeed and print the same, which has this text in it.
    async fn agree(&self, flags: &[&str], needle: &str) {
        let (ours, theirs) = (self.ours(flags).await, self.theirs(flags).await);
        assert!(theirs.status.success(), "{}", text(&theirs.stderr));
        assert!(ours.status.success(), "{}", text(&ours.stderr));
        assert_eq!(text(&ours.stdout), text(&theirs.stdout));
        assert!(text(&ours.stdout).contains(needle), "{}", text(&ours.stdout));
    }
}

async fn run(mut command: Command) -> Output {
    // The servers live on this thread's runtime, which must go on.
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: {value}}}\n")
}

/// A repository with a base at its top and one below, a tag, a branch and a link.
fn fill(repository: &testkit::Repository) -> testkit::Commit {
    repository.write("kustomization.yaml", "namePrefix: top-\nresources: [map.yaml, deep/base]\n").unwrap();
    repository.write("map.yaml", map("one", "first")).unwrap();
    repository.write("deep/base/kustomization.yaml", "resources: [map.yaml, linked.yaml]\n").unwrap();
    repository.write("deep/base/map.yaml", map("two", "first")).unwrap();
    repository.write("deep/base/real.yaml", map("three", "linked")).unwrap();
    fs::os::unix::fs::symlink("real.yaml", repository.work().join("deep/base/linked.yaml")).unwrap();
    let first = repository.commit_and_push("first").unwrap();
    repository.tag("v1", Some("one")).unwrap();
    repository.branch("other").unwrap();
    repository.write("map.yaml", map("one", "branch")).unwrap();
    repository.commit_and_push("branch").unwrap();
    repository.branch("main").unwrap();
    repository.write("map.yaml", map("one", "second")).unwrap();
    repository.commit_and_push("second").unwrap();
    first
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_over_http_are_built_as_kustomize_builds_them() {
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("org/app").unwrap();
    let first = fill(&repository);
    let (url, bare) = (server.url("org/app"), server.url("org/app").trim_end_matches(".git").to_owned());
    for (reference, needle) in [
        (url.clone(), "value: second"),
        (format!("{url}?ref=v1"), "value: first"),
        (format!("{url}?ref=other&timeout=60s"), "value: branch"),
        (format!("{url}?version=refs/heads/other&submodules=false"), "value: branch"),
        (format!("{url}?ref={first}"), "value: first"),
        (format!("{url}//deep/base?ref=v1"), "value: linked"),
        (format!("{url}/deep/base"), "value: linked"),
        (format!("{bare}.git/deep/base/"), "value: linked"),
    ] {
        let place = Place::new(&format!("nameSuffix: -x\nresources: ['{reference}']\n"));
        place.agree(&[], needle).await;
    }
    // As a component, and as a base that names another repository by itself.
    let component = server.repository("org/component").unwrap();
    component
        .write("kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n")
        .unwrap();
    component.write("base/kustomization.yaml", format!("resources: ['{url}?ref=v1']\n")).unwrap();
    component.commit_and_push("first").unwrap();
    let other = server.url("org/component");
    let place = Place::new(&format!(
        "resources: ['{other}//base']\ncomponents: ['{other}']\nbuildMetadata: [originAnnotations]\n"
    ));
    place.agree(&[], "c-top-one").await;
    let place = Place::new(&format!("resources: ['{url}//deep/base?ref=v1']\nbuildMetadata: [originAnnotations]\n"));
    place.agree(&[], "path: deep/base/map.yaml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_of_this_machine() {
    let repositories = Repositories::new().unwrap();
    let repository = repositories.create("app").unwrap();
    let first = fill(&repository);
    let url = format!("file://{}", repository.bare().display());
    for (reference, needle) in [
        (url.clone(), "value: second"),
        (format!("{url}//deep/base?ref=v1"), "value: linked"),
        (format!("{url}?ref={first}"), "value: first"),
        (format!("{url}?ref=other"), "value: branch"),
    ] {
        Place::new(&format!("resources: ['{reference}']\n")).agree(&[], needle).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_is_kept() {
    let server = GitServer::start().await.unwrap();
    let repository = server.repository("app").unwrap();
    let first = fill(&repository);
    let packs = || server.http().requests().iter().filter(|request| request.method == "POST").count();
    let place = Place::new(&format!("resources: ['{}', other]\n", server.url("app")));
    fs::create_dir_all(place.path("app/other")).unwrap();
    fs::write(
        place.path("app/other/kustomization.yaml"),
        format!("namePrefix: o-\nresources: ['{}']\n", server.url("app")),
    )
    .unwrap();
    assert!(place.ours(&[]).await.status.success());
    assert_eq!(packs(), 1, "one build fetches a repository once");
    assert!(place.ours(&[]).await.status.success());
    assert_eq!(packs(), 1, "a second build finds the commit in the cache");
    repository.write("map.yaml", map("one", "third")).unwrap();
    repository.commit_and_push("third").unwrap();
    assert!(text(&place.ours(&[]).await.stdout).contains("value: third"));
    assert_eq!(packs(), 2, "a new commit is fetched");
    // A commit's id asks nobody once it is here.
    let pinned = Place::new(&format!("resources: ['{}?ref={first}']\n", server.url("app")));
    assert!(pinned.ours(&[]).await.status.success());
    server.http().fault("info/refs", Fault::Status(500));
    let output = pinned.ours(&[]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_home_matters_only_to_who_fetches() {
    let server = GitServer::start().await.unwrap();
    fill(&server.repository("app").unwrap());
    for (resource, expected) in [("map.yaml".to_owned(), 0), (server.url("app"), 1)] {
        let place = Place::new(&format!("resources: ['{resource}']\n"));
        fs::write(place.path("app/map.yaml"), map("near", "by")).unwrap();
        let mut command = place.command(Path::new(env!("CARGO_BIN_EXE_towline")));
        command.arg("build").arg(place.path("app")).env_remove("HOME").env_remove("XDG_CACHE_HOME");
        let output = run(command).await;
        assert_eq!(output.status.code(), Some(expected), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).contains("give --cache-dir"), expected == 1, "{}", text(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_come_with_their_repository() {
    let server = GitServer::start().await.unwrap();
    let library = server.repository("org/library").unwrap();
    library.write("kustomization.yaml", "resources: [map.yaml]\n").unwrap();
    library.write("map.yaml", map("library", "here")).unwrap();
    library.commit_and_push("first").unwrap();
    let app = server.repository("org/app").unwrap();
    app.git(&["-c", "protocol.allow=always", "submodule", "--quiet", "add", &server.url("org/library"), "lib"])
        .unwrap();
    app.git(&["config", "-f", ".gitmodules", "submodule.lib.url", "../library.git"]).unwrap();
    app.write("kustomization.yaml", "resources: [lib]\n").unwrap();
    app.commit_and_push("with a submodule").unwrap();
    let place = Place::new(&format!("resources: ['{}']\n", server.url("org/app")));
    place.agree(&[], "name: library").await;
    let without = Place::new(&format!("resources: ['{}?submodules=false']\n", server.url("org/app")));
    for output in [without.ours(&[]).await, without.theirs(&[]).await] {
        assert_eq!(output.status.code(), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_over_ssh_use_the_keys_of_the_home_directory() {
    let repositories = Repositories::new().unwrap();
    let key = ClientKey::new().unwrap();
    let server = SshGitServer::start(Arc::clone(&repositories), &[&key]).await.unwrap();
    fill(&repositories.create("app").unwrap());
    let place = Place::new(&format!("resources: ['{}?ref=v1']\n", server.url("app")));
    let key_file = place.path("home/.ssh/id_ed25519");
    fs::write(&key_file, &key.private).unwrap();
    fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let refused = place.ours(&[]).await;
    assert!(text(&refused.stderr).contains("known_hosts has no key for"), "{}", text(&refused.stderr));
    fs::write(place.path("home/.ssh/known_hosts"), server.known_hosts()).unwrap();
    place.agree(&[], "value: first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_over_ssh_use_the_keys_of_an_agent() {
    if Command::new("ssh-agent").arg("-h").output().is_err() {
        testkit::skip("repositories_over_ssh_use_the_keys_of_an_agent", "ssh-agent is not installed");
        return;
    }
    let repositories = Repositories::new().unwrap();
    let (key, other) = (ClientKey::new().unwrap(), ClientKey::new().unwrap());
    let server = SshGitServer::start(Arc::clone(&repositories), &[&key]).await.unwrap();
    fill(&repositories.create("app").unwrap());
    let place = Place::new(&format!("resources: ['{}?ref=v1']\n", server.url("app")));
    fs::write(place.path("home/.ssh/known_hosts"), server.known_hosts()).unwrap();
    let socket = place.path("agent");
    let _agent = testkit::Process::command("ssh-agent").args(["-D", "-a", socket.to_str().unwrap()]).start().unwrap();
    testkit::until("the agent listens", std::time::Duration::from_secs(30), async || socket.exists().then_some(()))
        .await
        .unwrap();
    // The second is the one that is let in: all of an agent's keys are tried.
    for (name, key, is_good) in [("other", &other, false), ("key", &key, true)] {
        let file = place.path(name);
        fs::write(&file, &key.private).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let mut add = Command::new("ssh-add");
        add.arg(&file).env("SSH_AUTH_SOCK", &socket);
        assert!(run(add).await.status.success());
        let [ours, theirs] = place.both_with("SSH_AUTH_SOCK", &socket).await;
        assert_eq!((ours.status.success(), theirs.status.success()), (is_good, is_good), "{}", text(&ours.stderr));
        assert_eq!(text(&ours.stdout), text(&theirs.stdout));
        assert_eq!(text(&ours.stdout).contains("value: first"), is_good);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_over_https_are_trusted_as_git_trusts_them() {
    let authority = Arc::new(testkit::Authority::new("test").unwrap());
    let settings = Settings::default().tls(&authority);
    let server = GitServer::start_with(Repositories::new().unwrap(), settings).await.unwrap();
    fill(&server.repository("org/app").unwrap());
    let place = Place::new(&format!("resources: ['{}?ref=v1']\n", server.url("org/app")));
    let (ours, theirs) = (place.ours(&[]).await, place.theirs(&[]).await);
    assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)), "nobody trusts this authority");
    assert!(text(&ours.stderr).contains("certificate"), "{}", text(&ours.stderr));
    let bundle = place.path("ca.pem");
    fs::write(&bundle, authority.certificate()).unwrap();
    let [ours, theirs] = place.both_with("GIT_SSL_CAINFO", &bundle).await;
    assert!(ours.status.success(), "{}", text(&ours.stderr));
    assert_eq!(text(&ours.stdout), text(&theirs.stdout));
    assert!(text(&ours.stdout).contains("value: first"), "{}", text(&ours.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_over_http_are_resources_patches_and_generator_sources() {
    let server = FileServer::start().await.unwrap();
    let resource = server.put("a/map.yaml", map("far", "away"));
    let patch =
        server.put("patch.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: far}\ndata: {more: patched}\n");
    let source = server.put("some.properties", "k=v\n");
    let place = Place::new(&format!(
        "resources: ['{resource}']\npatches: [{{path: '{patch}'}}]\nconfigMapGenerator: [{{name: made, files: ['x={source}']}}]\n"
    ));
    place.agree(&[], "more: patched").await;
    let asked = server.http().requests().iter().filter(|request| request.path == "/a/map.yaml").count();
    assert_eq!(asked, 2, "once by each");
    server.http().fault("map.yaml", Fault::Endless(100 << 20));
    let output = place.ours(&[]).await;
    assert!(text(&output.stderr).contains("larger than the limit of 67108864 bytes"), "{}", text(&output.stderr));
    server.http().mend();
    let page = server.put("page.html", "<html><body>: not: yaml</body></html>");
    for reference in [page, format!("{}/nope.yaml", server.http().origin())] {
        let place = Place::new(&format!("resources: ['{reference}']\n"));
        let (ours, theirs) = (place.ours(&[]).await, place.theirs(&[]).await);
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)));
        assert!(text(&ours.stderr).contains(&reference), "{}", text(&ours.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_used_and_never_shown() {
    let settings = Settings::default().credentials(Credentials::basic("jane", "s3cret"));
    let server = GitServer::start_with(Repositories::new().unwrap(), settings).await.unwrap();
    fill(&server.repository("org/app").unwrap());
    let url = server.url("org/app");
    let with = url.replace("http://", "http://jane:s3cret@");
    Place::new(&format!("resources: ['{with}?ref=v1']\n")).agree(&[], "value: first").await;
    let place = Place::new(&format!("resources: ['{url}?ref=v1']\n"));
    let refused = text(&place.ours(&[]).await.stderr);
    assert!(refused.contains("authentication required") && refused.contains("resources"), "{refused}");
    fs::write(place.path("home/.netrc"), "machine 127.0.0.1 login jane password s3cret\n").unwrap();
    place.agree(&[], "value: first").await;
    let wrong = Place::new(&format!("resources: ['{}']\n", with.replace("s3cret", "s3kret")));
    let refused = text(&wrong.ours(&[]).await.stderr);
    assert!(refused.contains("authentication required") && !refused.contains("s3kret"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_name_the_reference() {
    let server = GitServer::start().await.unwrap();
    fill(&server.repository("org/app").unwrap());
    let url = server.url("org/app");
    for (reference, flags, needles) in [
        (format!("{url}?ref=nope"), vec![], vec!["accumulating resources from", "couldn't find remote ref \"nope\""]),
        (format!("{url}//nope"), vec![], vec!["accumulating resources from", "/nope"]),
        (format!("{}?ref=v1", server.url("org/absent")), vec![], vec!["repository not found", "org/absent.git"]),
        (format!("{url}?ref=v1"), vec!["--no-remote"], vec!["remote bases are not allowed here"]),
        ("git@127.0.0.1/org/app.git".to_owned(), vec!["--no-remote"], vec!["remote bases are not allowed here"]),
        ("http://127.0.0.1:1/x.yaml".to_owned(), vec![], vec!["127.0.0.1:1/x.yaml", "onnect"]),
    ] {
        let place = Place::new(&format!("resources: ['{reference}']\n"));
        let output = place.ours(&flags).await;
        assert_eq!(output.status.code(), Some(1), "{reference}");
        for needle in needles {
            assert!(text(&output.stderr).contains(needle), "{reference}: {}", text(&output.stderr));
        }
    }
    server.http().fault("info/refs", Fault::Slow(std::time::Duration::from_secs(30)));
    let place = Place::new(&format!("resources: ['{url}?timeout=1']\n"));
    let stderr = text(&place.ours(&[]).await.stderr);
    assert!(stderr.contains("timed out after 1s"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_of_repositories_are_rendered() {
    let server = HelmRepositoryServer::start().await.unwrap();
    for version in ["1.0.0", "1.2.0", "2.0.0-rc.1"] {
        let chart = format!("apiVersion: v2\nname: web\nversion: {version}\n");
        let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {version: {{ .Chart.Version | quote }}, size: {{ .Values.size | quote }}}\n";
        let files = [
            ("Chart.yaml", chart.as_str()),
            ("values.yaml", "size: 1\n"),
            ("small.yaml", "size: 0\n"),
            ("templates/map.yaml", template),
        ];
        server.add_chart(&files).unwrap();
    }
    let url = server.url();
    let helm = testkit::tool("helm").unwrap();
    let flags = ["--enable-helm", "--helm-command", &helm.to_string_lossy()];
    for (fields, needle) in [
        ("version: 1.0.0", "version: 1.0.0"),
        ("releaseName: r", "version: 1.2.0"),
        ("version: '~1.0'", "version: 1.0.0"),
        ("version: 1.2.0, valuesInline: {size: 7}", "size: \"7\""),
        ("version: 1.2.0, valuesFile: charts/web-1.2.0/web/small.yaml", "size: \"0\""),
        ("devel: true", "version: 2.0.0-rc.1"),
    ] {
        let place = Place::new(&format!("helmCharts: [{{name: web, repo: {url}, {fields}}}]\n"));
        let ours = place.ours(&["--enable-helm"]).await;
        assert!(ours.status.success(), "{fields}: {}", text(&ours.stderr));
        assert!(!place.path("app/charts").exists(), "a build changes nothing in its tree");
        let theirs = place.theirs(&flags).await;
        assert!(theirs.status.success(), "{fields}: {}", text(&theirs.stderr));
        assert_eq!(text(&ours.stdout), text(&theirs.stdout), "{fields}");
        assert!(text(&ours.stdout).contains(needle), "{fields}: {}", text(&ours.stdout));
        // What the real one left there is used without asking anybody, by both.
        server.http().forget_requests();
        assert_eq!(place.ours(&["--enable-helm"]).await.stdout, ours.stdout);
        assert_eq!(server.http().request_count(), 0, "{fields}");
    }
    for (fields, needle) in [
        ("name: absent", "chart \"absent\" not found"),
        ("name: web, version: 9.x", "chart \"web\" version \"9.x\" not found"),
    ] {
        let place = Place::new(&format!("helmCharts: [{{{fields}, repo: {url}}}]\n"));
        let (ours, theirs) = (place.ours(&["--enable-helm"]).await, place.theirs(&flags).await);
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)));
        assert!(
            text(&ours.stderr).contains(needle) && text(&ours.stderr).contains("helmCharts entry"),
            "{}",
            text(&ours.stderr)
        );
    }
    // A version that was fetched once is not asked for again.
    let place = Place::new(&format!("helmCharts: [{{name: web, repo: {url}, version: 1.0.0}}]\n"));
    let first = place.ours(&["--enable-helm"]).await;
    server.http().forget_requests();
    assert_eq!(place.ours(&["--enable-helm"]).await.stdout, first.stdout);
    assert_eq!(server.http().request_count(), 0);
}
