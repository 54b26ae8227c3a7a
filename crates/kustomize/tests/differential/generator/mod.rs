//! Random trees: a base, perhaps a component, and an overlay, with resources that refer to each other.

mod more;

use std::{collections::BTreeMap, sync::Arc};

use kustomize::{Options, Reorder, build, fs::MemoryFileSystem};
use serde_json::{Map, Value, json};

/// Files and what to build.
#[derive(Clone)]
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) root: &'static str,
    pub(crate) legacy: bool,
    /// Brings an OpenAPI schema of its own.
    pub(crate) schema: bool,
}

/// A small generator of random numbers that repeats for a seed (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// True once in `n`.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list.get(self.below(list.len())).unwrap()
    }
}

pub(crate) const NAMES: [&str; 4] = ["web", "api", "db", "web-2"];
const NAMESPACES: [&str; 4] = ["", "", "prod", "default"];
const KINDS: [(&str, &str); 14] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "Ingress"),
    ("example.com/v1", "Widget"),
    ("v1", "Namespace"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"),
];
/// Scalars as they are written in YAML; what they mean is the point.
pub(crate) const SCALARS: [&str; 26] = [
    "a",
    "yes",
    "\"yes\"",
    "1",
    "'1'",
    "1.0",
    "1e3",
    "0x1f",
    "0o17",
    "017",
    "null",
    "~",
    "\"\"",
    "true",
    "2001-01-01",
    "1_000",
    "'a: b'",
    "\"line\\n\"",
    "!!str 5",
    "a b  c",
    "'#x'",
    "1234567.5",
    "12345678901234567890",
    "-0",
    "\"tab\\tx\"",
    "1:30",
];
const IMAGES: [&str; 5] = ["nginx", "nginx:1.0", "registry.local:5000/app:v1", "nginx@sha256:abcdef", "app"];

/// A resource that was made, so that others can name it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) api_version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Tree {
    /// The tree of a seed.
    pub(crate) fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        let r = &mut random;
        let mut draft = Draft { files: Files::new(), made: Vec::new(), root: "base" };
        let count = 1 + r.below(5);
        let resources = resources_file(r, &mut draft.made, count);
        draft.files.insert("base/resources.yaml".into(), resources);
        draft.begin("base", &json!({"resources": ["resources.yaml"], "commonAnnotations": {"from": "base"}}));
        if r.one_in(2) {
            fields(r, &mut draft, "base");
        }
        let with_component = r.one_in(3);
        let mut overlay = json!({"resources": ["../base"]});
        if with_component {
            overlay["components"] = json!(["../comp"]);
            draft.begin(
                "comp",
                &json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "commonAnnotations": {"from": "comp"}}),
            );
        }
        draft.begin("overlay", &overlay);
        draft.root = "overlay";
        if with_component {
            fields(r, &mut draft, "comp");
        }
        if r.one_in(3) {
            draft.attempt(r, |r, draft| {
                let more = resources_file(r, &mut draft.made, 2);
                draft.files.insert("overlay/more.yaml".into(), more);
                draft.change("overlay", |k| more::push(k, "resources", json!("more.yaml")));
            });
        }
        fields(r, &mut draft, "overlay");
        if r.one_in(4) {
            let metadata = r.pick(&["originAnnotations", "transformerAnnotations", "managedByLabel"]);
            draft.change("overlay", |k| drop(k.insert("buildMetadata".into(), json!([metadata]))));
        }
        if r.one_in(2) {
            more::extend(r, &mut draft);
        }
        let schema = draft.files.values().any(|text| text.contains("\"openapi\""));
        Self { files: draft.files, root: "overlay", legacy: r.one_in(2), schema }
    }
}

impl Tree {
    /// What this crate makes of it.
    pub(crate) fn ours(&self) -> Result<String, String> {
        let mut fs = MemoryFileSystem::default();
        for (path, text) in &self.files {
            fs.insert(path, text.as_str());
        }
        let reorder = if self.legacy { Reorder::Legacy } else { Reorder::None };
        let options = Options { reorder, ..Options::default() };
        let built = build(Arc::new(fs), &format!("/{}", self.root), options);
        built.and_then(|built| built.to_yaml()).map_err(|error| error.to_string())
    }
}

/// Paths and texts.
pub(crate) type Files = BTreeMap<String, String>;

/// One step in this many stays although the tree no longer builds with it, as refusing is to be compared too.
const KEPT_WRONG: usize = 12;

/// A tree in the making.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) files: Files,
    pub(crate) made: Vec<Made>,
    root: &'static str,
}

impl Draft {
    fn begin(&mut self, directory: &str, kustomization: &Value) {
        self.files.insert(format!("{directory}/kustomization.yaml"), kustomization.to_string());
    }

    /// Changes the kustomization of a directory.
    pub(crate) fn change(&mut self, directory: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        let path = format!("{directory}/kustomization.yaml");
        let text = self.files.get(&path).map_or("{}", String::as_str);
        let Ok(Value::Object(mut kustomization)) = serde_json::from_str(text) else { return };
        change(&mut kustomization);
        self.files.insert(path, Value::Object(kustomization).to_string());
    }

    /// Takes a step, and back again when it leads to a tree that does not build. Without that, half the trees would prove
    /// no more than that both refuse them.
    pub(crate) fn attempt(&mut self, r: &mut Random, step: impl FnOnce(&mut Random, &mut Self)) {
        let before = self.clone();
        step(r, self);
        if self.files != before.files && !self.builds() && !r.one_in(KEPT_WRONG) {
            *self = before;
        }
    }

    fn builds(&self) -> bool {
        let tree = Tree { files: self.files.clone(), root: self.root, legacy: false, schema: false };
        tree.ours().is_ok()
    }
}

fn resources_file(r: &mut Random, made: &mut Vec<Made>, count: usize) -> String {
    let mut out = String::new();
    for _ in 0..count {
        let (api_version, kind) = *KINDS.get(r.below(KINDS.len())).unwrap();
        let one =
            Made { api_version, kind, name: r.pick(&NAMES).to_owned(), namespace: r.pick(&NAMESPACES).to_owned() };
        let same = |known: &Made| known.kind == one.kind && known.name == one.name;
        if made.iter().any(same) && !r.one_in(60) {
            continue;
        }
        out.push_str("---\n");
        out.push_str(&resource(r, &one));
        made.push(one);
    }
    if out.is_empty() {
        out.push_str("# nothing\n");
    }
    out
}

fn resource(r: &mut Random, one: &Made) -> String {
    let Made { api_version, kind, name, namespace } = one;
    let mut out = format!("apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n");
    if !namespace.is_empty() {
        out.push_str(&format!("  namespace: {namespace}\n"));
    }
    if r.one_in(3) {
        out.push_str(&format!("  annotations: {{note: \"{}\"}}\n", r.pick(&NAMES)));
    }
    if r.one_in(3) {
        out.push_str(&format!("  labels: {{app: {}}}\n", r.pick(&NAMES)));
    }
    let other = r.pick(&NAMES);
    let body = match *kind {
        "Deployment" | "StatefulSet" => {
            let pod = pod(r, 6);
            let service = if *kind == "StatefulSet" { format!("  serviceName: {other}\n") } else { String::new() };
            let selector = if r.one_in(2) { "  selector: {matchLabels: {app: x}}\n" } else { "" };
            format!("spec:\n{service}{selector}  template:\n    spec:\n{pod}")
        }
        "CronJob" => format!("spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n{}", pod(r, 10)),
        "Service" => format!(
            "spec:\n  selector: {{app: x}}\n  ports:\n  - port: 80\n{}",
            if r.one_in(2) { "    protocol: TCP\n    name: http\n" } else { "" }
        ),
        "ConfigMap" => format!("data:\n  k: {}\n  other: {}\n", r.pick(&SCALARS), r.pick(&SCALARS)),
        "Secret" => "stringData:\n  p: secret\n".to_owned(),
        "RoleBinding" | "ClusterRoleBinding" => format!(
            "roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {other}}}\nsubjects:\n- kind: ServiceAccount\n  name: {}\n{}",
            r.pick(&["web", "api", "default"]),
            if r.one_in(2) { "  namespace: prod\n" } else { "" }
        ),
        "ClusterRole" => format!("rules:\n- resources: [configmaps]\n  resourceNames: [{other}]\n  verbs: [get]\n"),
        "Ingress" => format!(
            "spec:\n  tls:\n  - secretName: {other}\n  rules:\n  - http:\n      paths:\n      - path: /\n        backend: {{service: {{name: {other}, port: {{number: 80}}}}}}\n"
        ),
        "HorizontalPodAutoscaler" => {
            format!("spec:\n  scaleTargetRef: {{kind: Deployment, name: {other}}}\n  maxReplicas: 3\n")
        }
        "Widget" => format!("spec:\n  size: {}\n  list: [{}, b]\n  blank:\n", r.pick(&SCALARS), r.pick(&["1", "x"])),
        _ => String::new(),
    };
    out + &body
}

fn pod(r: &mut Random, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = format!("{pad}containers:\n");
    for at in 0..=r.below(2) {
        out.push_str(&format!("{pad}- name: c{at}\n{pad}  image: {}\n", r.pick(&IMAGES)));
        if r.one_in(2) {
            out.push_str(&format!("{pad}  env:\n{pad}  - {{name: A, value: \"1\"}}\n{pad}  - name: B\n{pad}    valueFrom: {{configMapKeyRef: {{name: {}, key: k}}}}\n", r.pick(&NAMES)));
        }
        if r.one_in(3) {
            out.push_str(&format!("{pad}  envFrom:\n{pad}  - secretRef: {{name: {}}}\n", r.pick(&NAMES)));
        }
        if r.one_in(3) {
            out.push_str(&format!("{pad}  ports:\n{pad}  - containerPort: 80\n"));
            if r.one_in(2) {
                out.push_str(&format!("{pad}    protocol: TCP\n"));
            }
        }
        if r.one_in(4) {
            out.push_str(&format!("{pad}  args: [--x, {}]\n", r.pick(&SCALARS)));
        }
    }
    if r.one_in(3) {
        out.push_str(&format!("{pad}serviceAccountName: {}\n", r.pick(&NAMES)));
    }
    if r.one_in(3) {
        out.push_str(&format!("{pad}volumes:\n{pad}- name: v\n{pad}  configMap: {{name: {}}}\n", r.pick(&NAMES)));
    }
    out
}

/// Everyday fields, each with its own odds.
const FIELDS: [(&str, usize); 14] = [
    ("namespace", 3),
    ("namePrefix", 3),
    ("nameSuffix", 4),
    ("labels", 3),
    ("commonLabels", 5),
    ("commonAnnotations", 4),
    ("images", 3),
    ("replicas", 4),
    ("patches", 2),
    ("configMapGenerator", 3),
    ("secretGenerator", 4),
    ("generatorOptions", 5),
    ("replacements", 4),
    ("sortOptions", 8),
];

fn fields(r: &mut Random, draft: &mut Draft, directory: &str) {
    for (name, odds) in FIELDS {
        if r.one_in(odds) {
            draft.attempt(r, |r, draft| {
                if let Some(value) = field(r, &draft.made, name) {
                    draft.change(directory, |k| drop(k.insert(name.to_owned(), value)));
                }
            });
        }
    }
}

fn field(r: &mut Random, made: &[Made], name: &str) -> Option<Value> {
    Some(match name {
        "namespace" => json!(r.pick(&["prod", "other", "default"])),
        "namePrefix" => json!(r.pick(&["p-", "my-", "1"])),
        "nameSuffix" => json!(r.pick(&["-s", "-v2"])),
        "labels" => {
            let value = r.pick(&["x", "1", "true"]);
            json!([{"pairs": {"team": value, "app": "l"}, "includeSelectors": r.one_in(3), "includeTemplates": r.one_in(3)}])
        }
        "commonLabels" => json!({"env": "test"}),
        "commonAnnotations" => json!({"owner": "me", "b/c": "1"}),
        "images" => Value::Array((0..=r.below(2)).map(|_| image(r)).collect()),
        "replicas" => {
            let one = any(r, made, &["Deployment", "StatefulSet"])?;
            json!([{"name": one.name, "count": r.below(5)}])
        }
        "patches" => {
            let patches: Vec<Value> = (0..=r.below(2)).filter_map(|_| patch(r, made)).collect();
            if patches.is_empty() {
                return None;
            }
            Value::Array(patches)
        }
        "configMapGenerator" => json!([generator(r, made, "ConfigMap")]),
        "secretGenerator" => json!([generator(r, made, "Secret")]),
        "generatorOptions" => {
            json!({"labels": {"g": "1"}, "disableNameSuffixHash": r.one_in(2), "immutable": r.one_in(3)})
        }
        "replacements" => json!([replacement(r, made)?]),
        _ => json!({"order": r.pick(&["legacy", "fifo"])}),
    })
}

fn image(r: &mut Random) -> Value {
    let mut out = serde_json::Map::new();
    out.insert("name".into(), json!(r.pick(&["nginx", "app", "registry.local:5000/app"])));
    for (key, value) in [("newName", "other/nginx"), ("newTag", "v9"), ("digest", "sha256:0123"), ("tagSuffix", "-x")] {
        if r.one_in(3) {
            out.insert(key.into(), json!(value));
        }
    }
    Value::Object(out)
}

pub(crate) fn any<'a>(r: &mut Random, made: &'a [Made], kinds: &[&str]) -> Option<&'a Made> {
    let list: Vec<&Made> = made.iter().filter(|one| kinds.is_empty() || kinds.contains(&one.kind)).collect();
    if list.is_empty() { None } else { list.get(r.below(list.len())).copied() }
}

fn patch(r: &mut Random, made: &[Made]) -> Option<Value> {
    let one = any(r, made, &[])?;
    let target = json!({"kind": one.kind, "name": r.pick(&[one.name.as_str(), ".*"])});
    if r.one_in(3) {
        // The hash of a generated resource of another kind is not the one upstream computes.
        let is_generated = matches!(one.kind, "ConfigMap" | "Secret");
        let operations = match r.below(7) {
            0 => r#"[{"op": "add", "path": "/metadata/labels", "value": {"patched": "1"}}]"#,
            1 => r#"[{"op": "replace", "path": "/metadata/name", "value": "renamed"}]"#,
            2 => r#"[{"op": "remove", "path": "/metadata/annotations"}]"#,
            3 if !is_generated => r#"[{"op": "replace", "path": "/kind", "value": "Widget"}]"#,
            4 => {
                r#"[{"op": "replace", "path": "/kind", "value": "ConfigMap"}, {"op": "replace", "path": "/apiVersion", "value": "v1"}]"#
            }
            5 => r#"[{"op": "add", "path": "/spec", "value": {"x": [1, 2.5, "3"]}}]"#,
            _ => {
                r#"[{"op": "test", "path": "/spec/none", "value": null}, {"op": "add", "path": "/extra", "value": 1}]"#
            }
        };
        return Some(json!({"patch": operations, "target": target}));
    }
    let namespace = if one.namespace.is_empty() || r.one_in(4) {
        String::new()
    } else {
        format!("  namespace: {}\n", one.namespace)
    };
    let head =
        format!("apiVersion: {}\nkind: {}\nmetadata:\n  name: {}\n{namespace}", one.api_version, one.kind, one.name);
    let body = match (one.kind, r.below(5)) {
        _ if r.one_in(12) => "  annotations: null\n".to_owned(),
        (_, 0) => format!("  labels: {{patched: {}}}\n", r.pick(&["'1'", "x", "null"])),
        (_, 1) => return Some(json!({"patch": format!("$patch: delete\n{head}")})),
        ("Deployment" | "StatefulSet", 2) => "spec:\n  template:\n    spec:\n      containers:\n      - name: c1\n        $patch: delete\n      - name: side\n        image: nginx\n".into(),
        ("Deployment" | "StatefulSet", 3) => "spec:\n  template:\n    spec:\n      volumes:\n      - $patch: replace\n      - {name: w, emptyDir: {}}\n".into(),
        ("Deployment" | "StatefulSet", _) => "spec:\n  template:\n    spec:\n      containers:\n      - name: c0\n        env: [{name: C, value: x}, {name: A, value: null}]\n        ports: [{containerPort: 80, hostPort: 81}, {containerPort: 90, protocol: UDP}]\n".into(),
        ("ConfigMap", _) => "data:\n  k: null\n  new: \"1\"\n".into(),
        ("Service", _) => "spec:\n  ports:\n  - {port: 80, targetPort: 8080}\n".into(),
        ("Widget", _) => "spec:\n  list: [c]\n  deep: {a: {b: null, c: 1}}\n".into(),
        _ => "  annotations: {patched: yes please}\n".into(),
    };
    let patch = format!("{head}{body}");
    if r.one_in(3) { Some(json!({"patch": patch, "target": target})) } else { Some(json!({"patch": patch})) }
}

fn generator(r: &mut Random, made: &[Made], kind: &str) -> Value {
    let mut out = json!({"name": r.pick(&["gen", "web", "api"]), "literals": ["a=1", format!("b={}", r.pick(&["x", "'q'", "<&>", ""]))]});
    if r.one_in(4) {
        out["behavior"] = json!(r.pick(&["merge", "replace", "create"]));
        if let Some(one) = any(r, made, &[kind]) {
            out["name"] = json!(one.name);
            out["namespace"] = json!(one.namespace);
            return out;
        }
        out["behavior"] = json!("create");
    }
    if r.one_in(4) {
        out["namespace"] = json!("prod");
    }
    if r.one_in(4) {
        out["options"] = json!({"disableNameSuffixHash": r.one_in(2), "annotations": {"o": "1"}});
    }
    out
}

fn replacement(r: &mut Random, made: &[Made]) -> Option<Value> {
    let (source, target) = (any(r, made, &[])?, any(r, made, &[])?);
    let source_path = r.pick(&["metadata.name", "kind", "data.k", "spec", "metadata"]);
    let path = r.pick(&[
        "metadata.annotations.note",
        "metadata.labels.app",
        "spec.template.spec.containers.*.image",
        "spec.template.spec.containers.[name=c0].image",
        "data.k",
        "spec.size",
        "spec.list.1",
    ]);
    let mut options = serde_json::Map::new();
    if r.one_in(2) {
        options.insert("create".into(), json!(true));
    }
    if r.one_in(4) {
        options.insert("delimiter".into(), json!(r.pick(&[":", "-"])));
        options.insert("index".into(), json!(r.below(3)));
    }
    Some(json!({
        "source": {"kind": source.kind, "name": source.name, "fieldPath": source_path},
        "targets": [{"select": {"kind": target.kind, "name": r.pick(&[target.name.as_str(), ".*"])}, "fieldPaths": [path], "options": options}],
    }))
}
