//! Random trees: a base, perhaps a component, and an overlay, with resources that refer to each other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::more;

/// Files and what to build.
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
        let mut files = BTreeMap::new();
        let mut made = Vec::new();
        directory(r, &mut files, "base", &mut made, &[], None);
        let with_component = r.one_in(3);
        if with_component {
            let mut seen = made.clone();
            directory(r, &mut files, "comp", &mut seen, &[], Some("Component"));
        }
        let components: &[&str] = if with_component { &["../comp"] } else { &[] };
        let mut above = made.clone();
        overlay(r, &mut files, &mut above, components);
        if r.one_in(2) {
            more::extend(r, &mut files, &above);
        }
        let schema = files.values().any(|text| text.contains("\"openapi\""));
        Self { files, root: "overlay", legacy: r.one_in(2), schema }
    }
}

fn overlay(r: &mut Random, files: &mut BTreeMap<String, String>, made: &mut Vec<Made>, components: &[&str]) {
    let mut kustomization = fields(r, made);
    let mut resources = vec![json!("../base")];
    if r.one_in(3) {
        files.insert("overlay/more.yaml".into(), resources_file(r, made, 2));
        resources.push(json!("more.yaml"));
    }
    kustomization.insert("resources".into(), Value::Array(resources));
    if !components.is_empty() {
        kustomization.insert("components".into(), json!(components));
    }
    if r.one_in(4) {
        kustomization.insert(
            "buildMetadata".into(),
            json!([r.pick(&["originAnnotations", "transformerAnnotations", "managedByLabel"])]),
        );
    }
    files.insert("overlay/kustomization.yaml".into(), Value::Object(kustomization).to_string());
}

fn directory(
    r: &mut Random,
    files: &mut BTreeMap<String, String>,
    name: &str,
    made: &mut Vec<Made>,
    _: &[&str],
    kind: Option<&str>,
) {
    let mut kustomization;
    if kind.is_some() {
        kustomization = fields(r, made);
        kustomization.insert("apiVersion".into(), json!("kustomize.config.k8s.io/v1alpha1"));
        kustomization.insert("kind".into(), json!(kind));
    } else {
        let count = 1 + r.below(5);
        files.insert(format!("{name}/resources.yaml"), resources_file(r, made, count));
        kustomization = if r.one_in(2) { fields(r, made) } else { serde_json::Map::new() };
        kustomization.insert("resources".into(), json!(["resources.yaml"]));
    }
    if kustomization.len() < 3 {
        kustomization.insert("commonAnnotations".into(), json!({"from": name}));
    }
    files.insert(format!("{name}/kustomization.yaml"), Value::Object(kustomization).to_string());
}

fn resources_file(r: &mut Random, made: &mut Vec<Made>, count: usize) -> String {
    let mut out = String::new();
    for _ in 0..count {
        let (api_version, kind) = *KINDS.get(r.below(KINDS.len())).unwrap();
        let one =
            Made { api_version, kind, name: r.pick(&NAMES).to_owned(), namespace: r.pick(&NAMESPACES).to_owned() };
        let same = |known: &Made| known.kind == one.kind && known.name == one.name;
        if made.iter().any(same) && !r.one_in(8) {
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

fn fields(r: &mut Random, made: &[Made]) -> serde_json::Map<String, Value> {
    let mut out = serde_json::Map::new();
    let mut set = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    if r.one_in(3) {
        set("namespace", json!(r.pick(&["prod", "other", "default"])));
    }
    if r.one_in(3) {
        set("namePrefix", json!(r.pick(&["p-", "my-"])));
    }
    if r.one_in(4) {
        set("nameSuffix", json!(r.pick(&["-s", "-v2"])));
    }
    if r.one_in(3) {
        let value = r.pick(&["x", "1", "true"]);
        set(
            "labels",
            json!([{"pairs": {"team": value, "app": "l"}, "includeSelectors": r.one_in(3), "includeTemplates": r.one_in(3)}]),
        );
    }
    if r.one_in(5) {
        set("commonLabels", json!({"env": "test"}));
    }
    if r.one_in(4) {
        set("commonAnnotations", json!({"owner": "me", "b/c": "1"}));
    }
    if r.one_in(3) {
        set("images", Value::Array((0..=r.below(2)).map(|_| image(r)).collect()));
    }
    if r.one_in(4)
        && let Some(one) = any(r, made, &["Deployment", "StatefulSet"])
    {
        set("replicas", json!([{"name": one.name, "count": r.below(5)}]));
    }
    if r.one_in(2) {
        let patches: Vec<Value> = (0..=r.below(2)).filter_map(|_| patch(r, made)).collect();
        if !patches.is_empty() {
            set("patches", Value::Array(patches));
        }
    }
    if r.one_in(3) {
        set("configMapGenerator", json!([generator(r, made, "ConfigMap")]));
    }
    if r.one_in(4) {
        set("secretGenerator", json!([generator(r, made, "Secret")]));
    }
    if r.one_in(5) {
        set(
            "generatorOptions",
            json!({"labels": {"g": "1"}, "disableNameSuffixHash": r.one_in(2), "immutable": r.one_in(3)}),
        );
    }
    if r.one_in(4)
        && let Some(replacement) = replacement(r, made)
    {
        set("replacements", json!([replacement]));
    }
    if r.one_in(8) {
        set("sortOptions", json!({"order": r.pick(&["legacy", "fifo"])}));
    }
    out
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
        let operations = match r.below(5) {
            0 => r#"[{"op": "add", "path": "/metadata/labels", "value": {"patched": "1"}}]"#,
            1 => r#"[{"op": "replace", "path": "/metadata/name", "value": "renamed"}]"#,
            2 => r#"[{"op": "remove", "path": "/metadata/annotations"}]"#,
            3 => r#"[{"op": "add", "path": "/spec", "value": {"x": [1, 2.5, "3"]}}]"#,
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
    let source_path = r.pick(&["metadata.name", "kind", "data.k", "spec"]);
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
