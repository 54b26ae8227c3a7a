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
}

/// A chart with a hook, a test, CRDs, a file of two documents and what depends on the release.
fn whole() -> TempDir {
    let place = TempDir::new("whole").unwrap();
    let write = |path: &str, text: &str| {
        let path = place.join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    write("c/values.yaml", "image: {tag: one}\nextra: {}\n");
    write(
        "c/templates/a.yaml",
        "kind: A\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n\
         tag: {{ .Values.image.tag }}\nup: {{ .Release.IsUpgrade }}\ndns: \"{{ getHostByName \"localhost\" }}\"\n\
         ---\nkind: B\nmetadata:\n  name: b\nextra: {{ toJson .Values.extra }}\n",
    );
    write("c/templates/hook.yaml", "kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install}}\n");
    write("c/templates/tests/t.yaml", "kind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n");
    write("c/crds/c.yaml", "kind: CustomResourceDefinition\nmetadata: {name: x}\n");
    write("c/templates/_d.tpl", "{{ define \"d\" }}{{ .Values.deep.key }}{{ end }}");
    fs_err::create_dir(place.join("empty")).unwrap();
    write("notes.txt", "some text\n");
    write("long.txt", &"some text\n".repeat(60));
    fs_err::write(place.join("bytes.tgz"), [0_u8, 1, 2, 3, 255]).unwrap();
    write("badvalues/Chart.yaml", "apiVersion: v2\nname: badvalues\nversion: 1.0.0\n");
    write("badvalues/values.yaml", "a: [\n");
    write("library/Chart.yaml", "apiVersion: v2\nname: library\nversion: 1.0.0\ntype: library\n");
    write("depends/Chart.yaml", "apiVersion: v2\nname: d\nversion: 1.0.0\ndependencies: [{name: x}]\n");
    write("broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 1.0.0\n");
    write("broken/templates/a.yaml", "a: [\n");
    place
}

fn within(place: &TempDir, program: &str, arguments: &[&str]) -> Output {
    let mut command = match program {
        "helm" => Command::new(testkit::tool("helm").unwrap()),
        _ => Command::new(env!("CARGO_BIN_EXE_towline")),
    };
    command
        .arg("template")
        .args(arguments)
        .current_dir(place.path())
        .env("HELM_CACHE_HOME", place.join("cache"))
        .env("HELM_CONFIG_HOME", place.join("config"))
        .env("HELM_DATA_HOME", place.join("data"))
        .env("KUBECONFIG", place.join("absent"))
        .output()
        .unwrap()
}

fn first_error(output: &Output) -> String {
    text(&output.stderr).lines().find(|line| line.starts_with("Error: ")).unwrap_or_default().to_owned()
}

#[test]
fn every_flag_acts_as_with_helm() {
    let place = whole();
    for arguments in [
        "r c",
        "c",
        "c -g",
        "c --generate-name",
        "c --name-template n-{{\"A\"|lower}}",
        "c --dry-run=client",
        "c --dry-run",
        "c --dry-run=true",
        "c --dry-run=false",
        "c --dry-run=none",
        "c --dry-run=other",
        "c --is-upgrade",
        "c --is-upgrade=false",
        "c --is-upgrade=1",
        "c --no-hooks",
        "c --skip-tests",
        "c --skip-crds",
        "c --include-crds",
        "c --include-crds --skip-crds",
        "c --labels a=b,c=d -l e=f",
        "c -n apps --create-namespace --description words --replace --take-ownership --force-conflicts",
        "c --force-replace --rollback-on-failure --wait-for-jobs --disable-openapi-validation --server-side=false",
        "c --atomic --render-subchart-notes --dependency-update --skip-schema-validation --debug",
        "c --force --wait --timeout 5m",
        "c --wait=hookOnly --timeout=1h2m3s --post-renderer-args x --post-renderer-args=-y",
        "c --burst-limit 5 --qps 1.5 --color never --content-cache x --kube-context y --kube-token z",
        "c --kube-apiserver a --kube-as-group b --kube-as-user c --kube-ca-file d --kube-tls-server-name e",
        "c --kube-insecure-skip-tls-verify --kubeconfig absent",
        "c --release-name",
        "c -s templates/a.yaml",
        "c -s templates/hook.yaml --show-only templates/a.yaml",
        "c -s templates/absent.yaml",
        "c --set image.tag=two,image.other=3 --set=image.tag=three",
        "c --set-string image.tag=2 --set-literal image.x=a,b --set-json extra={\"a\":[1]}",
        "c --set-file image.tag=c/Chart.yaml",
        "c --set-file image.tag=absent",
        "c -f absent.yaml",
        "c -f c/values.yaml,c/Chart.yaml",
        "c --kube-version v1.31.2 -a x/v1,y/v2 --api-versions z/v1",
        "c --kube-version 1",
        "c --set a[=1",
        "c --set-json extra=x",
        "broken",
        "broken --debug",
        "r c extra",
        "r c -g",
        "r c --name-template x",
        "c --name-template {{nope}}",
        "c --name-template UPPER",
        "UPPER c",
        "./absent",
        "empty",
        "notes.txt",
        "long.txt",
        "bytes.tgz",
        "c/Chart.yaml",
        "c/values.yaml",
        "badvalues",
        "badvalues -f c/templates/a.yaml",
        "c -f empty",
        "library",
        "depends",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let (theirs, ours) = (within(&place, "helm", &arguments), within(&place, "towline", &arguments));
        assert_eq!(text(&ours.stdout), text(&theirs.stdout), "{arguments:?}: {}", text(&ours.stderr));
        assert_eq!(first_error(&ours), first_error(&theirs), "{arguments:?}");
        assert_eq!(ours.status.code(), theirs.status.code(), "{arguments:?}");
    }
}

#[test]
fn wrong_flags_end_as_with_helm() {
    let place = whole();
    for arguments in [
        "",
        "c --nonsense",
        "c -o json",
        "c --skip-tests=maybe",
        "c --labels a",
        "c --wait=nonsense",
        "c --timeout 5",
        "c --qps x",
        "c --server-side=auto",
        "c --color nope",
        "c --force-replace --force-conflicts",
        "c --api-versions",
        "c --post-renderer absent",
    ] {
        let arguments: Vec<&str> = arguments.split(' ').filter(|argument| !argument.is_empty()).collect();
        let (theirs, ours) = (within(&place, "helm", &arguments), within(&place, "towline", &arguments));
        assert_eq!((theirs.status.code(), ours.status.code()), (Some(1), Some(1)), "{arguments:?}");
        assert_eq!((text(&theirs.stdout), text(&ours.stdout)), Default::default(), "{arguments:?}");
    }
}

#[test]
fn what_needs_a_program_a_network_or_a_cluster_is_refused_with_the_reason() {
    let place = whole();
    for (arguments, reason) in [
        ("c --post-renderer x", "--post-renderer starts a program, and nothing is started here"),
        ("c --enable-dns", "--enable-dns makes the output depend on a network"),
        ("c --dry-run=server", "rendering against a cluster is not done here"),
        ("c --validate", "rendering against a cluster is not done here"),
    ] {
        let ours = within(&place, "towline", &arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(ours.status.code(), Some(1), "{arguments}");
        assert!(first_error(&ours).contains(reason), "{arguments}: {}", text(&ours.stderr));
        assert_eq!(text(&ours.stdout), "", "{arguments}");
    }
}

#[test]
fn output_directories_are_equal() {
    let place = whole();
    for (flags, fails) in [
        ("c --include-crds", false),
        ("rel c --release-name --no-hooks", false),
        ("c -s templates/a.yaml", true),
        ("c --include-crds --skip-tests", false),
    ] {
        let run = |program: &str| {
            let mut arguments: Vec<&str> = flags.split(' ').collect();
            arguments.extend(["--output-dir", program]);
            let output = within(&place, program, &arguments);
            assert_eq!(output.status.success(), !fails, "{flags}: {}", text(&output.stderr));
            (text(&output.stdout).replace(program, "DIR"), first_error(&output))
        };
        assert_eq!(run("towline"), run("helm"), "{flags}");
        let compared = Command::new("diff").args(["-r", "helm", "towline"]).current_dir(place.path()).output().unwrap();
        assert_eq!(text(&compared.stdout), "", "{flags}");
        // Over an earlier run's files Helm writes hooks twice, and we do not.
        for program in ["towline", "helm"] {
            fs_err::remove_dir_all(place.join(program)).unwrap();
        }
    }
}

#[test]
fn explanations_name_lines_and_values_in_both_forms() {
    let place = whole();
    let ours = within(&place, "towline", &["c", "--explain"]);
    assert_eq!(
        text(&ours.stdout),
        "A release-name\n  from  c/templates/a.yaml, lines 1 to 7\n  reads image.tag\n\n\
         B b\n  from  c/templates/a.yaml, lines 9 to 12\n  reads extra\n\n\
         Pod t (hook)\n  from  c/templates/tests/t.yaml, lines 1 to 2\n  reads nothing\n\n\
         Job h (hook)\n  from  c/templates/hook.yaml, lines 1 to 2\n  reads nothing\n"
    );
    let ours = within(&place, "towline", &["c", "--explain", "-o", "json", "--set", "image.tga=x"]);
    let json: serde_json::Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(json["manifests"][1]["firstLine"], 9);
    assert_eq!(json["manifests"][1]["values"], serde_json::json!(["extra"]));
    assert_eq!(json["unreadValues"][0], serde_json::json!({ "path": "image.tga", "closest": "image.tag" }));
    let yaml = within(&place, "towline", &["c", "--explain", "-o", "yaml"]);
    assert!(text(&yaml.stdout).contains("firstLine: 9\n"));
}

#[test]
fn warnings_change_neither_output_nor_exit_code() {
    let place = whole();
    fs_err::write(
        place.join("c/templates/old.yaml"),
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: o}\n",
    )
    .unwrap();
    let arguments = ["c", "--set", "image.tga=x,deep.key=1,extra.any=1", "--kube-version", "1.25"];
    let (theirs, ours) = (within(&place, "helm", &arguments), within(&place, "towline", &arguments));
    assert_eq!(text(&ours.stdout), text(&theirs.stdout));
    assert_eq!(ours.status.code(), Some(0));
    assert_eq!(
        text(&ours.stderr),
        "warning: no template reads the value image.tga; did you mean image.tag?\n\
         warning: c/templates/old.yaml: CronJob o: batch/v1beta1 is not served since Kubernetes 1.25; use batch/v1\n"
    );
}

#[test]
fn mistakes_are_explained_below_helms_own_text() {
    let place = whole();
    let write = |path: &str, text: &str| fs_err::write(place.join(path), text).unwrap();
    for (template, values, expected) in [
        (
            "a: {{ .Values.img.tag }}",
            "",
            "  --> c/templates/x.yaml:1\n   | a: {{ .Values.img.tag }}\n\
             help: img is not set or no map: set img.tag with --set or -f, or guard it with `if` or `default`\n",
        ),
        (
            "\na: {{ toYml .Values.image }}",
            "",
            "  --> c/templates/x.yaml:2\n   | a: {{ toYml .Values.image }}\n\
             help: there is no function toYml; did you mean toYaml?\n",
        ),
        (
            "a: {{ required \"set image.url\" .Values.image.url }}",
            "",
            "  --> c/templates/x.yaml:1\n   | a: {{ required \"set image.url\" .Values.image.url }}\n\
             help: the chart itself asks for this: set the value it names with --set or -f\n",
        ),
        (
            "a: {{ include \"absent\" . }}",
            "",
            "help: no file defines absent: is the chart that does so below charts/ and enabled?\n",
        ),
        (
            "a: {{ b64enc .Values.n }}",
            "n=5",
            "help: the value n has another type than the template takes; --set-string makes a string\n",
        ),
        ("a: {{ if }}", "", "  --> c/templates/x.yaml:1\n"),
        (
            "a:\n  b: c\n d: e\n",
            "",
            "  --> what c/templates/x.yaml rendered to\n   1 | a:\n   2 |   b: c\n   3 |  d: e\n",
        ),
    ] {
        write("c/templates/x.yaml", template);
        let mut arguments = vec!["c"];
        if !values.is_empty() {
            arguments.extend(["--set", values]);
        }
        let (theirs, ours) = (within(&place, "helm", &arguments), within(&place, "towline", &arguments));
        let (theirs, ours) = (text(&theirs.stderr), text(&ours.stderr));
        let helms: Vec<&str> = theirs.lines().filter(|line| !line.starts_with("level=")).collect();
        assert!(ours.starts_with(helms.join("\n").trim_end()), "{template}: {ours}");
        assert!(ours.contains(expected), "{template}: {ours}");
    }
}
