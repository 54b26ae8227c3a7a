//! `towline template` finds charts where `helm template` finds them, and prints the same.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use fs_err as fs;
use testkit::http_server::{Credentials, Settings};
use testkit::{Authority, FileServer, HelmRepositoryServer, OciRegistry, TempDir};

/// Helm's directories and ours, away from everybody's.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::new("charts").unwrap())
    }

    pub(crate) fn path(&self, below: &str) -> std::path::PathBuf {
        self.0.join(below)
    }

    async fn run(&self, program: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("HOME", self.path("home"))
            .env("HELM_CACHE_HOME", self.path("helm/cache"))
            .env("HELM_CONFIG_HOME", self.path("helm/config"))
            .env("HELM_DATA_HOME", self.path("helm/data"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DOCKER_CONFIG", self.path("docker"));
        // The servers live on this thread's runtime, which must go on.
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    pub(crate) async fn helm(&self, arguments: &[&str]) -> Output {
        self.run(&testkit::tool("helm").unwrap(), arguments).await
    }

    pub(crate) async fn ours(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<&str> = ["template", "web"].iter().chain(arguments).copied().collect();
        self.run(Path::new(env!("CARGO_BIN_EXE_towline")), &arguments).await
    }

    pub(crate) async fn theirs(&self, arguments: &[&str]) -> Output {
        let arguments: Vec<&str> = ["template", "web"].iter().chain(arguments).copied().collect();
        self.helm(&arguments).await
    }

    /// Both succeed and print the same, which has this text in it.
    async fn agree(&self, arguments: &[&str], needle: &str) {
        let (ours, theirs) = (self.ours(arguments).await, self.theirs(arguments).await);
        assert!(theirs.status.success(), "{arguments:?}: {}", text(&theirs.stderr));
        assert!(ours.status.success(), "{arguments:?}: {}", text(&ours.stderr));
        // Helm 4 prints what it has pulled from a registry before the manifests; that is no YAML, and we do not.
        let theirs = text(&theirs.stdout);
        let manifests = if theirs.starts_with("Pulled: ") { theirs.find("---\n").unwrap_or(0) } else { 0 };
        assert_eq!(text(&ours.stdout), theirs[manifests..], "{arguments:?}");
        assert!(text(&ours.stdout).contains(needle), "{arguments:?}: {}", text(&ours.stdout));
    }

    /// Both fail, with this text in our message and, where given, in Helm's too.
    pub(crate) async fn both_fail(&self, arguments: &[&str], needle: &str) {
        let (ours, theirs) = (self.ours(arguments).await, self.theirs(arguments).await);
        assert_eq!((ours.status.code(), theirs.status.code()), (Some(1), Some(1)), "{arguments:?}");
        for output in [&ours, &theirs] {
            assert!(text(&output.stderr).contains(needle), "{arguments:?}: {}", text(&output.stderr));
        }
        assert!(!text(&ours.stderr).contains("s3cret"), "{}", text(&ours.stderr));
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const VERSIONS: [&str; 4] = ["1.0.0", "1.2.0", "1.2.1+build.7", "2.0.0-rc.1"];
const TEMPLATE: &str =
    "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\ndata: {version: {{ .Chart.Version | quote }}}\n";

fn files(version: &str) -> [(&'static str, String); 3] {
    [
        ("Chart.yaml", format!("apiVersion: v2\nname: web\nversion: {version}\n")),
        ("values.yaml", String::new()),
        ("templates/map.yaml", TEMPLATE.to_owned()),
    ]
}

fn fill(server: &HelmRepositoryServer) {
    for version in VERSIONS {
        let files = files(version);
        let files: Vec<(&str, &str)> = files.iter().map(|(path, content)| (*path, content.as_str())).collect();
        server.add_chart(&files).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_of_a_repository_by_url_and_by_name() {
    let server = HelmRepositoryServer::start().await.unwrap();
    fill(&server);
    let url = server.url();
    let place = Place::new();
    let added = place.helm(&["repo", "add", "shop", &url]).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    for reference in [vec!["web", "--repo", &url], vec!["shop/web"]] {
        for (flags, version) in [
            (vec![], "1.2.1+build.7"),
            (vec!["--version", "1.0.0"], "1.0.0"),
            (vec!["--version", "~1.2.0"], "1.2.1+build.7"),
            (vec!["--version", "<1.2"], "1.0.0"),
            (vec!["--devel"], "2.0.0-rc.1"),
            (vec!["--devel", "--version", "^1"], "1.2.1+build.7"),
            (vec!["--version", "1.2.1+build.7"], "1.2.1+build.7"),
        ] {
            let arguments: Vec<&str> = reference.iter().chain(&flags).copied().collect();
            place.agree(&arguments, &format!("version: \"{version}\"")).await;
        }
    }
    let direct = format!("{url}/web-1.0.0.tgz");
    place.agree(&[&direct], "version: \"1.0.0\"").await;
    for (arguments, needle) in [
        (vec!["web", "--repo", &url, "--version", "9.x"], "chart \"web\" version \"9.x\" not found in"),
        (vec!["absent", "--repo", &url], "chart \"absent\" not found in"),
        (vec!["shop/absent"], "chart \"absent\" matching  not found in shop index. (try 'helm repo update')"),
        (vec!["other/web"], "repo other not found"),
        (vec!["web"], "non-absolute URLs should be in form of repo_name/path_to_chart, got: web"),
        (vec!["./web"], "path \"./web\" not found"),
        (vec!["web", "--repo", "http://127.0.0.1:1/x"], "is not a valid chart repository or cannot be reached"),
    ] {
        place.both_fail(&arguments, needle).await;
    }
    // The index is the one that was fetched last, and the chart is kept, as with Helm.
    server.remove("web");
    place.agree(&["shop/web", "--version", "1.0.0", "--skip-tests"], "version: \"1.0.0\"").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_certificates() {
    let authority = Arc::new(Authority::new("test").unwrap());
    let settings = Settings::default().credentials(Credentials::basic("jane", "s3cret")).mutual_tls(&authority);
    let server = HelmRepositoryServer::start_with(settings).await.unwrap();
    fill(&server);
    let place = Place::new();
    let client = authority.client("jane", None).unwrap();
    for (name, content) in
        [("ca.pem", authority.certificate()), ("cert.pem", &client.certificate), ("key.pem", &client.key)]
    {
        fs::write(place.path(name), content).unwrap();
    }
    let [ca, certificate, key] =
        ["ca.pem", "cert.pem", "key.pem"].map(|name| place.path(name).to_string_lossy().into_owned());
    let url = server.url();
    let tls = ["--ca-file", &ca, "--cert-file", &certificate, "--key-file", &key];
    let basic = ["--username", "jane", "--password", "s3cret"];
    let with = |more: &[&[&str]]| -> Vec<String> {
        ["web", "--repo", url.as_str()]
            .iter()
            .chain(more.iter().copied().flatten())
            .map(|text| (*text).to_owned())
            .collect()
    };
    for arguments in [with(&[&tls, &basic]), with(&[&tls[2..], &basic, &["--insecure-skip-tls-verify"]])] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.agree(&arguments, "1.2.1").await;
    }
    for (arguments, needle) in [
        (with(&[&tls]), "401"),
        (with(&[&tls, &["--username", "jane", "--password", "s3cret1"]]), "401"),
        (with(&[&tls[2..], &basic]), "cannot be reached"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.both_fail(&arguments, needle).await;
    }
    // Helm writes them down once; we read the same file.
    let add: Vec<&str> = ["repo", "add", "shop", &url].iter().chain(&tls).chain(&basic).copied().collect();
    let added = place.helm(&add).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    place.agree(&["shop/web"], "1.2.1").await;
    // Helm would want the certificates again for a chart's own URL.
    let output = place.ours(&[&format!("{url}/web-1.0.0.tgz")]).await;
    assert!(text(&output.stdout).contains("1.0.0"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_stay_with_the_origin_they_are_for() {
    let settings = Settings::default().credentials(Credentials::basic("jane", "s3cret"));
    let index = HelmRepositoryServer::start_with(settings).await.unwrap();
    let elsewhere = HelmRepositoryServer::start().await.unwrap();
    fill(&index);
    fill(&elsewhere);
    index.set_base(&format!("{}/", elsewhere.url()));
    let (place, url) = (Place::new(), index.url());
    let arguments = ["web", "--repo", &url, "--username", "jane", "--password", "s3cret"];
    place.agree(&arguments, "1.2.1").await;
    assert!(elsewhere.http().requests().iter().all(|request| request.authorization.is_none()));
    let passed: Vec<&str> = arguments.iter().copied().chain(["--pass-credentials"]).collect();
    place.agree(&passed, "1.2.1").await;
    assert!(elsewhere.http().requests().iter().any(|request| request.authorization.is_some()));
}

/// Pushes every version with the real helm.
async fn push(place: &Place, registry: &OciRegistry, flags: &[&str]) {
    for version in VERSIONS {
        let directory = place.path(&format!("src/{version}/web"));
        for (path, content) in files(version) {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let packed = place.path("packed").to_string_lossy().into_owned();
        let packaged = place.helm(&["package", "-d", &packed, &directory.to_string_lossy()]).await;
        assert!(packaged.status.success(), "{}", text(&packaged.stderr));
        let archive = format!("{packed}/web-{version}.tgz");
        let target = format!("oci://{}/team/charts", registry.host());
        let arguments: Vec<&str> = ["push", "--plain-http", &archive, &target].iter().chain(flags).copied().collect();
        let pushed = place.helm(&arguments).await;
        assert!(pushed.status.success(), "{}", text(&pushed.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_of_a_registry() {
    let registry = OciRegistry::start().await.unwrap();
    let place = Place::new();
    push(&place, &registry, &[]).await;
    let base = format!("oci://{}/team/charts/web", registry.host());
    let directory = place.path("packed").to_string_lossy().into_owned();
    let pulled = place.helm(&["pull", "--plain-http", &base, "--version", "1.0.0", "-d", &directory]).await;
    let said = format!("{}{}", text(&pulled.stdout), text(&pulled.stderr));
    let digest = said.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    for (suffix, flags, version) in [
        (String::new(), vec![], "1.2.1+build.7"),
        (String::new(), vec!["--version", "1.0.0"], "1.0.0"),
        (String::new(), vec!["--version", "1.2.1+build.7"], "1.2.1+build.7"),
        (String::new(), vec!["--version", "<1.2"], "1.0.0"),
        (String::new(), vec!["--devel"], "2.0.0-rc.1"),
        (":1.2.0".to_owned(), vec![], "1.2.0"),
        (":1.2.0".to_owned(), vec!["--version", "1.2.0"], "1.2.0"),
    ]
    .into_iter()
    .chain([(format!("@{digest}"), vec![], "1.0.0")])
    {
        let reference = format!("{base}{suffix}");
        let arguments: Vec<&str> = [reference.as_str(), "--plain-http"].iter().chain(&flags).copied().collect();
        place.agree(&arguments, &format!("version: \"{version}\"")).await;
    }
    let tagged = format!("{base}:1.2.0");
    for (arguments, needle) in [
        (vec![base.as_str(), "--plain-http", "--version", "9.9.9"], "not found"),
        (
            vec![tagged.as_str(), "--plain-http", "--version", "1.0.0"],
            "chart reference and version mismatch: 1.0.0 is not 1.2.0",
        ),
        (vec!["oci://bad"], "invalid reference: missing registry or repository"),
    ] {
        place.both_fail(&arguments, needle).await;
    }
}

/// A kustomization has no way to ask a registry without TLS, so that both must trust its certificate.
#[tokio::test(flavor = "multi_thread")]
async fn charts_of_a_registry_in_kustomizations() {
    let authority = Arc::new(Authority::new("test").unwrap());
    let registry = OciRegistry::start_with(Settings::default().tls(&authority)).await.unwrap();
    let place = Place::new();
    fs::write(place.path("ca.pem"), authority.certificate()).unwrap();
    let ca = place.path("ca.pem").to_string_lossy().into_owned();
    push(&place, &registry, &["--plain-http=false", "--ca-file", &ca]).await;
    let helm = testkit::tool("helm").unwrap();
    for version in ["version: 1.2.1+build.7", "version: ~1.0.0", "releaseName: r"] {
        let app = place.path("app");
        fs::create_dir_all(&app).unwrap();
        let entry = format!("{{name: web, repo: 'oci://{}/team/charts', {version}}}", registry.host());
        fs::write(app.join("kustomization.yaml"), format!("helmCharts: [{entry}]\n")).unwrap();
        let mut outputs = Vec::new();
        for (program, flags) in [
            (Path::new(env!("CARGO_BIN_EXE_towline")).to_owned(), vec![]),
            (testkit::tool("kustomize").unwrap(), vec!["--helm-command".to_owned(), helm.display().to_string()]),
        ] {
            let mut command = Command::new(program);
            command.args(["build", "--enable-helm"]).args(flags).arg(&app);
            command.env("HOME", place.path("home")).env("XDG_CACHE_HOME", place.path("cache"));
            command.env("SSL_CERT_FILE", place.path("ca.pem"));
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            assert!(output.status.success(), "{version}: {}", text(&output.stderr));
            outputs.push(text(&output.stdout));
        }
        assert_eq!(outputs[0], outputs[1], "{version}");
        fs::remove_dir_all(&app).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registries_that_want_to_know_who_asks() {
    let basic = Credentials::basic("jane", "s3cret");
    let registry = OciRegistry::start().await.unwrap();
    let place = Place::new();
    push(&place, &registry, &[]).await;
    let reference = format!("oci://{}/team/charts/web", registry.host());
    let plain = [reference.as_str(), "--plain-http"];
    let flags: Vec<&str> = plain.iter().copied().chain(["--username", "jane", "--password", "s3cret"]).collect();
    for by_token in [false, true] {
        if by_token {
            registry.http().set_credentials(Credentials::Open);
            registry.demand_token(basic.clone());
        } else {
            registry.http().set_credentials(basic.clone());
        }
        let refused = place.ours(&plain).await;
        assert!(text(&refused.stderr).contains("401"), "{}", text(&refused.stderr));
        let output = place.ours(&flags).await;
        assert!(text(&output.stdout).contains("1.2.1+build.7"), "{}", text(&output.stderr));
        // What `helm registry login` and `docker login` have written down is used by both.
        for (directory, file) in
            [("helm/config/registry", "helm/config/registry/config.json"), ("docker", "docker/config.json")]
        {
            fs::create_dir_all(place.path(directory)).unwrap();
            let config = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"amFuZTpzM2NyZXQ=\"}}}}}}", registry.host());
            fs::write(place.path(file), config).unwrap();
            place.agree(&plain, "1.2.1+build.7").await;
            fs::remove_file(place.path(file)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_token_is_exchanged_at_the_token_service() {
    let registry = OciRegistry::start().await.unwrap();
    let place = Place::new();
    push(&place, &registry, &[]).await;
    registry.demand_token(Credentials::Bearer("s3cret-identity".to_owned()));
    let reference = format!("oci://{}/team/charts/web", registry.host());
    let plain = [reference.as_str(), "--plain-http"];
    fs::create_dir_all(place.path("docker")).unwrap();
    for (token, is_good) in [("s3cret-wrong", false), ("s3cret-identity", true)] {
        let config = format!("{{\"auths\": {{\"{}\": {{\"identitytoken\": \"{token}\"}}}}}}", registry.host());
        fs::write(place.path("docker/config.json"), config).unwrap();
        if is_good {
            place.agree(&plain, "1.2.1+build.7").await;
        } else {
            place.both_fail(&plain, "401").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_tags_are_read_to_their_last_page() {
    let registry = OciRegistry::start().await.unwrap();
    let place = Place::new();
    push(&place, &registry, &[]).await;
    registry.page_tags(1);
    let reference = format!("oci://{}/team/charts/web", registry.host());
    for (flags, version) in
        [(vec![], "1.2.1+build.7"), (vec!["--devel"], "2.0.0-rc.1"), (vec!["--version", "<1.2"], "1.0.0")]
    {
        let arguments: Vec<&str> = [reference.as_str(), "--plain-http"].iter().chain(&flags).copied().collect();
        place.agree(&arguments, &format!("version: \"{version}\"")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provenance_is_checked_before_anything_is_rendered() {
    let data = testkit::workspace().join("crates/provenance/tests/data");
    let file = |name: &str| data.join(name).to_string_lossy().into_owned();
    let (place, keyring) = (Place::new(), file("pubring.gpg"));
    let verify = ["--verify", "--keyring", &keyring];
    let with = |chart: &str| -> Vec<String> { [chart].iter().chain(&verify).map(|text| (*text).to_owned()).collect() };
    let signed = place.path("signed");
    let source = place.path("src/web");
    for (path, content) in files("1.2.1+build.7") {
        let path = source.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let secret = file("secring.gpg");
    let directory = signed.to_string_lossy().into_owned();
    let sign = ["package", "--sign", "--key", "ada", "--keyring", &secret, "-d", &directory, &source.to_string_lossy()];
    let packaged = place.helm(&sign).await;
    assert!(packaged.status.success(), "{}", text(&packaged.stderr));
    let archive = format!("{directory}/web-1.2.1+build.7.tgz");
    let provenance = fs::read(format!("{archive}.prov")).unwrap();

    let registry = OciRegistry::start().await.unwrap();
    let target = format!("oci://{}/charts", registry.host());
    let pushed = place.helm(&["push", "--plain-http", &archive, &target]).await;
    assert!(pushed.status.success(), "{}", text(&pushed.stderr));
    let server = FileServer::start().await.unwrap();
    let url = server.put("charts/web-1.2.1+build.7.tgz", fs::read(&archive).unwrap());
    server.put("charts/web-1.2.1+build.7.tgz.prov", provenance);
    // Other bytes, because Helm finds the provenance of bytes that it has seen before in its cache.
    let other = [fs::read(&archive).unwrap(), vec![0]].concat();
    let unsigned = server.put("other/web-1.2.1+build.7.tgz", other);

    let reference = format!("{target}/web");
    for arguments in [with(&archive), with(&url), [with(&reference), vec!["--plain-http".to_owned()]].concat()] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.agree(&arguments, "1.2.1+build.7").await;
    }
    let (source, renamed) = (source.to_string_lossy().into_owned(), format!("{directory}/other.tgz"));
    let no_keys = ["--verify", "--keyring", "absent.gpg"];
    let fail = async |arguments: &[String], needle: &str| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        place.both_fail(&arguments, needle).await;
    };
    fail(&with(&source), "unpacked charts cannot be verified").await;
    fail(&with(&unsigned), "failed to fetch provenance").await;
    fail(&[vec![archive.clone()], no_keys.map(str::to_owned).to_vec()].concat(), "failed to load keyring").await;
    fs::copy(&archive, &renamed).unwrap();
    fail(&with(&renamed), "could not load provenance file").await;
    fs::copy(format!("{archive}.prov"), format!("{renamed}.prov")).unwrap();
    fail(&with(&renamed), "provenance does not contain a SHA for a file named \"other.tgz\"").await;
    let others = [&archive, "--verify", "--keyring", &file("out.gpg")].map(str::to_owned);
    fail(&others, "openpgp: signature made by unknown entity").await;
    let mut bytes = fs::read(&archive).unwrap();
    bytes.push(0);
    fs::write(&archive, bytes).unwrap();
    fail(&with(&archive), "sha256 sum does not match for web-1.2.1+build.7.tgz").await;
}
