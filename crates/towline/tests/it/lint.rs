//! `towline lint` prints what the real `helm lint` prints.

use std::path::Path;
use std::process::{Command, Output};

use testkit::TempDir;

fn helm(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(testkit::tool("helm").unwrap())
        .arg("lint")
        .args(arguments)
        .current_dir(directory)
        .env("HELM_CACHE_HOME", directory.join("cache"))
        .env("HELM_CONFIG_HOME", directory.join("config"))
        .env("HELM_DATA_HOME", directory.join("data"))
        .output()
        .unwrap()
}

fn towline(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_towline")).arg("lint").args(arguments).current_dir(directory).output().unwrap()
}

/// Standard output and the line that begins with `Error:`, without names of temporary directories.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let error = text(&output.stderr).lines().find(|line| line.starts_with("Error:")).unwrap_or_default().to_owned();
    let lines = text(&output.stdout);
    let lines: Vec<&str> = lines
        .lines()
        .map(|line| line.find("chart directory is missing").map_or(line, |start| &line[start..]))
        .collect();
    format!("{}\n{error}", lines.join("\n"))
}

fn place() -> TempDir {
    let place = TempDir::new("lint").unwrap();
    let write = |path: &str, text: &str| {
        let path = place.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    let chart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    write("good/Chart.yaml", &(chart("good") + "icon: https://example.org/i.png\n"));
    write("good/values.yaml", "a: b\n");
    write("good/templates/a.yaml", "kind: A\nmetadata: {name: \"{{ .Values.a }}\"}\n");
    write("warned/Chart.yaml", &(chart("warned") + "dependencies: [{name: one}, {name: absent}]\n"));
    write("warned/templates/a.yaml", "kind: Service\nmetadata: {name: UPPER}\n");
    write("warned/charts/one/Chart.yaml", &chart("one"));
    write("warned/charts/one/templates/a.yaml", "{{ nope }}");
    write("warned/charts/one/charts/two/Chart.yaml", &chart("two"));
    write("bad/Chart.yaml", "name: [\n");
    write("mine.yaml", "a: UPPER\n");
    write("notes.txt", "text");
    write("broken.tgz", "not gzip, not tar, but long enough to look at");
    for chart in ["good", "warned/charts/one/charts/two"] {
        let packed = Command::new(testkit::tool("helm").unwrap())
            .args(["package", chart, "-d", "packed"])
            .current_dir(place.path())
            .output()
            .unwrap();
        assert!(packed.status.success());
    }
    fs_err::copy(place.join("packed/two-1.0.0.tgz"), place.join("warned/charts/three.tgz")).unwrap();
    place
}

#[test]
fn charts_are_judged_as_by_helm() {
    let place = place();
    for arguments in [
        "good",
        "./good/",
        "warned",
        "bad",
        "good warned bad",
        "absent",
        "notes.txt",
        "absent.tgz",
        "packed/good-1.0.0.tgz",
        "packed/good-1.0.0.tgz good packed/two-1.0.0.tgz",
        "--strict warned",
        "--strict good",
        "--quiet good",
        "--quiet good warned absent",
        "--with-subcharts warned good",
        "--with-subcharts --quiet --strict good warned",
        "--with-subcharts packed/good-1.0.0.tgz",
        "good -f mine.yaml",
        "good --values mine.yaml --set a=ok",
        "good --set-string a=5 --set-json b={}",
        "good --set a[x]=1",
        "good -f absent.yaml",
        "good --set-file a=absent",
        "good --kube-version 1",
        "good --kube-version 1.20 --namespace apps --strict=false --quiet=true",
        "good --debug --skip-schema-validation --color never --kube-context x",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let (theirs, ours) = (helm(place.path(), &arguments), towline(place.path(), &arguments));
        assert_eq!(said(&ours), said(&theirs), "{arguments:?}");
        assert_eq!(ours.status.code(), theirs.status.code(), "{arguments:?}");
    }
}

#[test]
fn wrong_usage_ends_as_with_helm() {
    let place = place();
    for arguments in [&[][..], &["--nonsense"], &["good", "--strict=maybe"], &["broken.tgz"]] {
        let (theirs, ours) = (helm(place.path(), arguments), towline(place.path(), arguments));
        assert_eq!((theirs.status.code(), ours.status.code()), (Some(1), Some(1)), "{arguments:?}");
    }
}
