//! `towline template` prints what the real `helm template` prints.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::TempDir;

fn helm(arguments: &[&str]) -> Output {
    let home = TempDir::new("helm").unwrap();
    Command::new(testkit::tool("helm").unwrap())
        .arg("template")
        .args(arguments)
        .env("HELM_CACHE_HOME", home.join("cache"))
        .env("HELM_CONFIG_HOME", home.join("config"))
        .env("HELM_DATA_HOME", home.join("data"))
        .output()
        .unwrap()
}

fn towline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).arg("template").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn example() -> PathBuf {
    testkit::workspace().join("examples/hello")
}

#[test]
fn flags_mean_what_they_mean_to_helm() {
    let chart = example().join("charts/hello").display().to_string();
    let production = example().join("environments/production.yaml").display().to_string();
    let greeting = TempDir::new("greeting").unwrap();
    fs_err::write(greeting.join("text"), "from a file").unwrap();
    let from_file = format!("greeting={}", greeting.join("text").display());
    for flags in [
        vec![],
        vec!["-f", &production],
        vec!["--values", &production, "--set", "replicas=5,greeting=hi\\, there", "--namespace", "apps"],
        vec!["--set-string", "replicas=7", "--set-json", r#"resources={"limits":{"cpu":"1"}}"#],
        vec!["--set-file", &from_file, "--set-literal", "image.tag=a,b"],
        vec!["--show-only", "templates/service.yaml", "--kube-version", "1.30"],
        vec!["--no-hooks", "--skip-tests", "--is-upgrade", "--include-crds", "-a", "example.org/v1"],
    ] {
        for positional in [vec!["web", chart.as_str()], vec![chart.as_str()]] {
            let arguments: Vec<&str> = positional.iter().chain(&flags).copied().collect();
            let (theirs, ours) = (helm(&arguments), towline(&arguments));
            assert!(theirs.status.success(), "{arguments:?}: {}", text(&theirs.stderr));
            assert_eq!(text(&ours.stdout), text(&theirs.stdout), "{arguments:?}: {}", text(&ours.stderr));
            assert!(ours.status.success());
        }
    }
}

#[test]
fn packed_charts_are_rendered_too() {
    let place = TempDir::new("packed").unwrap();
    let packaged = Command::new(testkit::tool("helm").unwrap())
        .args(["package", "-d"])
        .arg(place.path())
        .arg(example().join("charts/hello"))
        .output()
        .unwrap();
    assert!(packaged.status.success());
    let archive = place.join("hello-0.1.0.tgz").display().to_string();
    assert_eq!(text(&towline(&["web", &archive]).stdout), text(&helm(&["web", &archive]).stdout));
}

#[test]
fn files_are_written_where_helm_writes_them() {
    let place = TempDir::new("output").unwrap();
    let chart = example().join("charts/hello").display().to_string();
    let (ours, theirs) = (place.join("ours"), place.join("theirs"));
    assert!(towline(&["web", &chart, "--output-dir", &ours.to_string_lossy()]).status.success());
    assert!(helm(&["web", &chart, "--output-dir", &theirs.to_string_lossy()]).status.success());
    let names = ["configmap.yaml", "deployment.yaml", "service.yaml"];
    for name in names {
        let path = Path::new("hello/templates").join(name);
        let read = |root: &Path| fs_err::read_to_string(root.join(&path)).unwrap();
        assert_eq!(read(&ours).trim_end(), read(&theirs).trim_end(), "{name}");
    }
}

#[test]
fn mistakes_have_helms_words_and_exit_code() {
    let chart = example().join("charts/hello").display().to_string();
    for (arguments, needle) in [
        (vec!["web", "/nonexistent/chart"], "not found"),
        (vec!["WEB", chart.as_str()], "invalid release name"),
        (vec!["web", chart.as_str(), "--set", "a[x]=1"], "error parsing index"),
        (
            vec!["web", chart.as_str(), "-s", "templates/absent.yaml"],
            "could not find template templates/absent.yaml in chart",
        ),
        (vec!["web", chart.as_str(), "--kube-version", "nonsense"], "invalid kube version 'nonsense'"),
    ] {
        let (theirs, ours) = (helm(&arguments), towline(&arguments));
        assert_eq!((theirs.status.code(), ours.status.code()), (Some(1), Some(1)), "{arguments:?}");
        for output in [&theirs, &ours] {
            assert!(text(&output.stderr).contains(needle), "{arguments:?}: {}", text(&output.stderr));
        }
    }
    assert_eq!(towline(&[]).status.code(), Some(2));
}
