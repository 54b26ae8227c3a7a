//! What a build says besides its output: who set each field, what had no effect, which files it read and which it parsed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use kustomize::{Built, Cache, Options, Setter, build, fs::MemoryFileSystem};

fn built(files: &[(&str, &str)], explain: bool) -> Built {
    let fs: MemoryFileSystem =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    build(Arc::new(fs), "/app", Options { explain, ..Options::default() }).unwrap()
}

fn named(setter: &Setter) -> String {
    format!("{}|{}|{}", setter.file, setter.transformer, setter.configured_in)
}

/// One line for each field, and those who set it, the last first.
fn lines(built: &Built) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in built.explained() {
        lines.push(resource.id.to_string());
        for field in resource.fields {
            let setters: Vec<String> = std::iter::once(&field.by).chain(field.before.iter().rev()).map(named).collect();
            lines.push(format!("{} = {} <- {}", field.path, field.value.trim_end(), setters.join(", ")));
        }
    }
    lines
}

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - {name: web, image: nginx, envFrom: [{configMapRef: {name: settings}}]}\n";
const PATCH: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: proxy, image: envoy}\n      - {name: web, args: [-v]}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";

#[test]
fn each_field_has_its_setters() {
    let files = [
        ("/app/base/kustomization.yaml", "resources: [web.yaml]\ncommonAnnotations: {a.b/c: base}\n"),
        ("/app/base/web.yaml", DEPLOYMENT),
        ("/app/patch.yaml", PATCH),
        (
            "/app/kustomization.yaml",
            "resources: [base]\nnamePrefix: p-\nreplicas: [{name: web, count: 3}]\nimages: [{name: nginx, newTag: '2'}]\n\
             commonAnnotations: {a.b/c: top}\nconfigMapGenerator: [{name: settings, literals: [k=v]}]\n\
             patches:\n- path: patch.yaml\n- target: {kind: Deployment}\n  patch: '- {op: add, path: /spec/paused, value: true}'\n",
        ),
    ];
    let expected = "\
Deployment.v1.apps/p-web.[noNs]
apiVersion = apps/v1 <- base/web.yaml||base/kustomization.yaml
kind = Deployment <- base/web.yaml||base/kustomization.yaml
metadata.annotations[\"a.b/c\"] = top <- kustomization.yaml|AnnotationsTransformer|, base/kustomization.yaml|AnnotationsTransformer|
metadata.name = p-web <- kustomization.yaml|PrefixTransformer|, base/web.yaml||base/kustomization.yaml
spec.paused = true <- kustomization.yaml|PatchTransformer|
spec.replicas = 3 <- kustomization.yaml|ReplicaCountTransformer|
spec.selector.matchLabels.app = web <- base/web.yaml||base/kustomization.yaml
spec.template.metadata.annotations[\"a.b/c\"] = top <- kustomization.yaml|AnnotationsTransformer|, base/kustomization.yaml|AnnotationsTransformer|
spec.template.metadata.labels.app = web <- base/web.yaml||base/kustomization.yaml
spec.template.spec.containers[name=proxy].image = envoy <- patch.yaml|PatchTransformer|kustomization.yaml
spec.template.spec.containers[name=proxy].name = proxy <- patch.yaml|PatchTransformer|kustomization.yaml
spec.template.spec.containers[name=web].args[0] = -v <- patch.yaml|PatchTransformer|kustomization.yaml
spec.template.spec.containers[name=web].envFrom[0].configMapRef.name = p-settings-bdg947hgcc <- kustomization.yaml|NameReferenceTransformer|, base/web.yaml||base/kustomization.yaml
spec.template.spec.containers[name=web].image = nginx:2 <- kustomization.yaml|ImageTagTransformer|, base/web.yaml||base/kustomization.yaml
spec.template.spec.containers[name=web].name = web <- base/web.yaml||base/kustomization.yaml
ConfigMap.v1.[noGrp]/p-settings-bdg947hgcc.[noNs]
apiVersion = v1 <- kustomization.yaml|ConfigMapGenerator|
data.k = v <- kustomization.yaml|ConfigMapGenerator|
kind = ConfigMap <- kustomization.yaml|ConfigMapGenerator|
metadata.annotations[\"a.b/c\"] = top <- kustomization.yaml|AnnotationsTransformer|
metadata.name = p-settings-bdg947hgcc <- kustomization.yaml|HashTransformer|, kustomization.yaml|PrefixTransformer|, kustomization.yaml|ConfigMapGenerator|";
    let explained = built(&files, true);
    assert_eq!(lines(&explained).join("\n"), expected);
    assert_eq!(explained.advice, [] as [String; 0]);
    let plain = built(&files, false);
    assert_eq!(plain.explained(), []);
    assert_eq!(plain.to_yaml().unwrap(), explained.to_yaml().unwrap());
}

#[test]
fn a_merged_generator_sets_only_what_it_brings() {
    let files = [
        ("/app/base/kustomization.yaml", "configMapGenerator: [{name: c, literals: [a=1, b=1]}]\n"),
        (
            "/app/kustomization.yaml",
            "resources: [base]\nconfigMapGenerator: [{name: c, behavior: merge, literals: [b=2]}]\n",
        ),
    ];
    let lines = lines(&built(&files, true));
    let data: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with("data")).collect();
    assert_eq!(
        data,
        [
            "data.a = 1 <- base/kustomization.yaml|ConfigMapGenerator|",
            "data.b = 2 <- kustomization.yaml|ConfigMapGenerator|, base/kustomization.yaml|ConfigMapGenerator|",
        ]
    );
}

#[test]
fn generated_data_is_of_the_files_it_is_from() {
    let files = [
        (
            "/app/base/kustomization.yaml",
            "configMapGenerator: [{name: c, literals: [a=1], files: [key.txt, k=key.txt], envs: [some.env]}]\n",
        ),
        ("/app/base/key.txt", "x"),
        ("/app/base/some.env", "E=1\nF=2\n"),
        (
            "/app/kustomization.yaml",
            "resources: [base]\nconfigMapGenerator: [{name: c, behavior: merge, literals: [a=2], files: [k=other.txt]}]\n",
        ),
        ("/app/other.txt", "y"),
    ];
    let lines = lines(&built(&files, true));
    let data: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with("data")).collect();
    assert_eq!(
        data,
        [
            "data.E = 1 <- base/some.env|ConfigMapGenerator|base/kustomization.yaml",
            "data.F = 2 <- base/some.env|ConfigMapGenerator|base/kustomization.yaml",
            "data.a = 2 <- kustomization.yaml|ConfigMapGenerator|, base/kustomization.yaml|ConfigMapGenerator|",
            "data.k = y <- other.txt|ConfigMapGenerator|kustomization.yaml, base/key.txt|ConfigMapGenerator|base/kustomization.yaml",
            "data[\"key.txt\"] = x <- base/key.txt|ConfigMapGenerator|base/kustomization.yaml",
        ]
    );
}

#[test]
fn what_has_no_effect_is_told() {
    let cases: &[(&str, &[&str])] = &[
        ("images: [{name: redis, newTag: '1'}]\n", &["kustomization.yaml: images: no image is named 'redis'"]),
        ("images: [{name: nginx, newTag: '1'}]\n", &[]),
        ("patches:\n- path: same.yaml\n", &["kustomization.yaml: patches: [path: \"same.yaml\"] changes nothing"]),
        (
            "patches:\n- target: {kind: Deployment}\n  patch: '- {op: replace, path: /metadata/name, value: web}'\n",
            &[
                "kustomization.yaml: patches: [patch: \"- {op: replace, path: /metadata/name, value: web}\"] changes nothing",
            ],
        ),
        ("patches:\n- path: patch.yaml\n", &[]),
        (
            "patchesStrategicMerge: [same.yaml]\n",
            &["kustomization.yaml: patchesStrategicMerge: [same.yaml] changes nothing"],
        ),
        (
            "configMapGenerator: [{name: unused, literals: [a=b]}, {name: settings, literals: [a=b]}]\n",
            &["kustomization.yaml: nothing refers to the generated ConfigMap unused"],
        ),
        ("configMapGenerator: [{name: fixed, literals: [a=b], options: {disableNameSuffixHash: true}}]\n", &[]),
        (
            "secretGenerator: [{name: source, literals: [a=b]}]\nreplacements:\n- source: {kind: Secret, name: source}\n  \
             targets: [{select: {kind: Service}, fieldPaths: [spec.externalName], options: {create: true}}]\n",
            &[],
        ),
    ];
    for (text, expected) in cases {
        let kustomization = format!("resources: [web.yaml, service.yaml]\n{text}");
        let files = [
            ("/app/kustomization.yaml", kustomization.as_str()),
            ("/app/web.yaml", DEPLOYMENT),
            ("/app/service.yaml", SERVICE),
            ("/app/patch.yaml", PATCH),
            ("/app/same.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"),
        ];
        assert_eq!(built(&files, false).advice, *expected, "{text}");
    }
}

#[test]
fn a_second_build_parses_what_changed_and_tells_what_it_read() {
    let cache = Cache::new(1 << 20);
    let build_with = |replicas: &str| {
        let deployment = DEPLOYMENT.replace("spec:\n  selector", &format!("spec:\n  replicas: {replicas}\n  selector"));
        let files = [
            ("/app/kustomization.yaml", "resources: [../base, web.yaml]\npatches: [{path: patch.yaml}]\n"),
            ("/app/web.yaml", deployment.as_str()),
            ("/app/patch.yaml", PATCH),
            ("/app/unread.yaml", SERVICE),
            (
                "/base/kustomization.yaml",
                "resources: [service.yaml]\nconfigMapGenerator: [{name: c, files: [key.txt]}]\n",
            ),
            ("/base/service.yaml", SERVICE),
            ("/base/key.txt", "x"),
        ];
        let fs: MemoryFileSystem =
            files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
        build(Arc::new(fs), "/app", Options { cache: Some(cache.clone()), ..Options::default() }).unwrap()
    };
    let first = build_with("1");
    let parsed = cache.parsed_files();
    let read: Vec<&str> = first.files.iter().map(String::as_str).collect();
    let expected = [
        "/app/kustomization.yaml",
        "/app/patch.yaml",
        "/app/web.yaml",
        "/base/key.txt",
        "/base/kustomization.yaml",
        "/base/service.yaml",
    ];
    assert_eq!(read, expected);
    let again = build_with("1");
    assert_eq!((again.to_yaml().unwrap(), cache.parsed_files()), (first.to_yaml().unwrap(), parsed));
    let changed = build_with("2");
    assert!(changed.to_yaml().unwrap().contains("replicas: 2"));
    assert_eq!(cache.parsed_files(), parsed + 1);
}
