//! `towline template --dependency-update` fetches and writes what `helm template --dependency-update` does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fs_err as fs;
use testkit::{HelmRepositoryServer, OciRegistry};

use crate::chart::{Place, text};

const MAP: &str = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: {{ .Chart.Name }}}\ndata: {version: {{ .Chart.Version | quote }}}\n";

fn chart_yaml(name: &str, version: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: {version}\n")
}

async fn repository() -> HelmRepositoryServer {
    let server = HelmRepositoryServer::start().await.unwrap();
    for version in ["1.0.0", "1.2.0", "2.0.0"] {
        server.add_chart(&[("Chart.yaml", &chart_yaml("dep", version)), ("templates/map.yaml", MAP)]).unwrap();
    }
    server
}

/// A chart as a directory.
fn write(directory: &Path, name: &str, metadata: &str) {
    fs::create_dir_all(directory.join(name).join("templates")).unwrap();
    fs::write(directory.join(name).join("Chart.yaml"), metadata).unwrap();
    fs::write(directory.join(name).join("templates/map.yaml"), MAP).unwrap();
}

/// What is below `charts/`, and the lock without its time.
fn state(app: &Path) -> (BTreeSet<String>, String) {
    let entries = fs::read_dir(app.join("charts"))
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect());
    let lock = ["Chart.lock", "requirements.lock"]
        .iter()
        .find_map(|name| Some(format!("{name}\n{}", fs::read_to_string(app.join(name)).ok()?)));
    let lock = lock.unwrap_or_default();
    let lines = lock.lines().filter(|line| !line.starts_with("generated:")).collect::<Vec<_>>();
    (entries.unwrap_or_default(), lines.join("\n"))
}

/// Has both update charts of the same content, and holds ours against Helm's: the manifests, what is in `charts/`, the lock,
/// or the first line of the error. `prepare` adds to the chart.
async fn agree(place: &Place, metadata: &str, prepare: impl Fn(&Path)) -> String {
    agree_with(place, metadata, &[], prepare).await
}

async fn agree_with(place: &Place, metadata: &str, flags: &[&str], prepare: impl Fn(&Path)) -> String {
    let mut outputs = Vec::new();
    for side in ["ours", "theirs"] {
        let directory = place.path(side);
        drop(fs::remove_dir_all(&directory));
        write(&directory, "loc", &chart_yaml("loc", "0.3.0"));
        write(&directory, "app", &chart_yaml("app", "1.0.0"));
        fs::write(directory.join("app/Chart.yaml"), chart_yaml("app", "1.0.0") + metadata).unwrap();
        prepare(&directory.join("app"));
        let app = directory.join("app");
        let shown = app.to_string_lossy();
        let arguments: Vec<&str> = [&*shown, "--dependency-update"].iter().chain(flags).copied().collect();
        let output = if side == "ours" { place.ours(&arguments).await } else { place.theirs(&arguments).await };
        let stdout = text(&output.stdout);
        // Helm tells what it fetches on standard output, before the manifests.
        let manifests = stdout.find("---\n").map_or("", |start| &stdout[start..]).to_owned();
        let stderr = text(&output.stderr);
        let error = stderr.lines().find(|line| line.starts_with("Error: ")).unwrap_or_default();
        let error = error.replace(side, "SIDE");
        outputs.push((output.status.code(), error, manifests, state(&app)));
    }
    let theirs = outputs.pop().unwrap();
    let ours = outputs.pop().unwrap();
    assert_eq!(ours, theirs, "{metadata}");
    format!("{} {:?} {}", ours.1, ours.3, ours.2)
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_are_fetched_as_helm_fetches_them() {
    let server = repository().await;
    let url = server.url();
    let place = Place::new();
    let nothing = |_: &Path| {};
    let one = |version: &str| format!("dependencies:\n- {{name: dep, version: {version:?}, repository: {url:?}}}\n");
    let local = "- {name: loc, version: '>=0.1.0', repository: 'file://../loc'}\n";
    let first = agree(&place, &(one("1.x") + local), nothing).await;
    assert!(first.contains("dep-1.2.0.tgz") && first.contains("loc-0.3.0.tgz"), "{first}");
    agree(&place, &one("1.0.0"), nothing).await;
    agree(&place, &one("^2"), nothing).await;
    // One chart under two names, and two versions of it.
    let twice = one("1.0.0") + &format!("- {{name: dep, version: 2.x, repository: '{url}/', alias: second}}\n");
    agree(&place, &twice, nothing).await;
    // What is there is not asked for; what lies there of other versions gives way; what has no repository stays.
    let present = |app: &Path| {
        write(&app.join("charts"), "mine", &chart_yaml("mine", "0.1.0"));
        write(&app.join("charts"), "dep", &chart_yaml("dep", "1.0.0"));
    };
    agree(&place, &(one("1.x") + "- {name: mine, version: 0.x}\n"), present).await;
    let files = BTreeMap::from([("Chart.yaml".into(), chart_yaml("dep", "2.0.0").into_bytes())]);
    let outdated = testkit::helm_repository::pack("dep", &files).unwrap();
    let some = |app: &Path| {
        write(&app.join("charts"), "mine", &chart_yaml("mine", "0.1.0"));
        fs::write(app.join("charts/old.tgz"), &outdated).unwrap();
    };
    let tidied = agree(&place, &(one("1.x") + local + "- {name: mine, version: 0.x}\n"), some).await;
    assert!(tidied.contains("mine") && !tidied.contains("old.tgz"), "{tidied}");
    // A directory whose chart has another name than the dependency.
    let renamed = "dependencies:\n- {name: other, version: 0.x, repository: 'file://../loc'}\n";
    let renamed = agree(&place, renamed, nothing).await;
    assert!(renamed.contains("kind: ConfigMap"), "{renamed}");
    // The lock of another choice is written anew; the old form has its own.
    let locked = |app: &Path| fs::write(app.join("Chart.lock"), "digest: sha256:00\n").unwrap();
    agree(&place, &one("1.x"), locked).await;
    let old_form = |app: &Path| {
        fs::write(app.join("Chart.yaml"), "apiVersion: v1\nname: app\nversion: 1.0.0\n").unwrap();
        fs::write(app.join("requirements.yaml"), one("1.x")).unwrap();
    };
    let old_form = agree(&place, "", old_form).await;
    assert!(old_form.contains("requirements.lock"), "{old_form}");
    // By the name of a repository that was added.
    let added = place.helm(&["repo", "add", "shop", &url]).await;
    assert!(added.status.success(), "{}", text(&added.stderr));
    for name in ["@shop", "alias:shop"] {
        agree(&place, &format!("dependencies:\n- {{name: dep, version: 1.x, repository: '{name}'}}\n"), nothing).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_that_cannot_be_fetched() {
    let server = repository().await;
    let url = server.url();
    let place = Place::new();
    for (name, version, repository) in [
        ("dep", "9.x", url.as_str()),
        ("absent", "1.x", &url),
        ("dep", "a b", &url),
        ("dep", "", &url),
        ("dep", "1.x", ""),
        ("loc", "9.x", "file://../loc"),
        ("loc", "0.x", "file://../none"),
        ("loc", "0.x", "file://../loc/Chart.yaml"),
        ("dep", "1.x", "@none"),
        ("dep", "1.x", "git://host/x"),
        ("dep", "1.x", "nonsense"),
    ] {
        let metadata = format!("dependencies:\n- {{name: {name}, version: {version:?}, repository: {repository:?}}}\n");
        let error = agree(&place, &metadata, |_| {}).await;
        assert!(error.starts_with("Error: "), "{error}");
    }
    let one =
        format!("dependencies:\n- {{name: dep, version: 1.x, repository: {url:?}}}\n- {{name: mine, version: 9.x}}\n");
    agree(&place, &one, |app| write(&app.join("charts"), "mine", &chart_yaml("mine", "0.1.0"))).await;
    // Whoever does not answer is named, and nothing is changed.
    let app = place.path("ours/app");
    fs::write(
        app.join("Chart.yaml"),
        chart_yaml("app", "1.0.0") + "dependencies:\n- {name: dep, version: 1.x, repository: 'http://127.0.0.1:1/x'}\n",
    )
    .unwrap();
    fs::remove_dir_all(app.join("charts")).unwrap();
    let output = place.ours(&[app.to_str().unwrap(), "--dependency-update"]).await;
    let error = text(&output.stderr);
    assert!(error.contains("unable to get an update from the \"http://127.0.0.1:1/x\" chart repository"), "{error}");
    assert!(error.contains("dependency \"dep\""), "{error}");
    assert_eq!(state(&app), (BTreeSet::new(), String::new()));
    // A packed chart stays as it is.
    server.add_chart(&[("Chart.yaml", &(chart_yaml("needy", "1.0.0") + &one))]).unwrap();
    let arguments = ["needy", "--repo", &url, "--dependency-update"];
    place.both_fail(&arguments, "only unpacked charts can be updated").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_of_a_registry() {
    let registry = OciRegistry::start().await.unwrap();
    let place = Place::new();
    let target = format!("oci://{}/charts", registry.host());
    let packed = place.path("packed").to_string_lossy().into_owned();
    for version in ["1.0.0", "1.2.0"] {
        write(&place.path("src"), "dep", &chart_yaml("dep", version));
        let packaged = place.helm(&["package", "-d", &packed, &place.path("src/dep").to_string_lossy()]).await;
        assert!(packaged.status.success(), "{}", text(&packaged.stderr));
        let pushed = place.helm(&["push", "--plain-http", &format!("{packed}/dep-{version}.tgz"), &target]).await;
        assert!(pushed.status.success(), "{}", text(&pushed.stderr));
    }
    for version in ["1.0.0", "1.x"] {
        let metadata = format!("dependencies:\n- {{name: dep, version: {version:?}, repository: {target:?}}}\n");
        agree_with(&place, &metadata, &["--plain-http"], |_| {}).await;
    }
}
