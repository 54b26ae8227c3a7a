//! What random trees have besides the everyday fields: vars, configuration files of every kind, schemas, generators from
//! files, replacements with all options, sort options, legacy fields, a second base.

use serde_json::{Map, Value, json};

use super::{Draft, Files, Made, NAMES, Random, SCALARS, any};

/// Adds some of it to the directories of a tree.
pub(crate) fn extend(r: &mut Random, draft: &mut Draft) {
    let directories: Vec<String> =
        draft.files.keys().filter_map(|path| path.strip_suffix("/kustomization.yaml").map(str::to_owned)).collect();
    for directory in &directories {
        if r.one_in(2) {
            continue;
        }
        for _ in 0..=r.below(3) {
            draft.attempt(r, |r, draft| {
                let (mut files, made) = (draft.files.clone(), draft.made.clone());
                draft.change(directory, |k| one(r, &mut files, directory, k, &made));
                let path = format!("{directory}/kustomization.yaml");
                let kustomization = draft.files.get(&path).cloned().unwrap_or_default();
                files.insert(path, kustomization);
                draft.files = files;
            });
        }
    }
}

fn one(r: &mut Random, files: &mut Files, directory: &str, k: &mut Map<String, Value>, made: &[Made]) {
    match r.below(17) {
        0 => vars(r, k, made),
        1 => {
            files.insert(format!("{directory}/config.yaml"), configuration(r));
            push(k, "configurations", json!("config.yaml"));
        }
        2 => transformers(r, files, directory, k, made),
        3 => {
            files.insert(format!("{directory}/made.yaml"), generator_object(r, made));
            push(k, "generators", json!("made.yaml"));
        }
        4 => {
            files.insert(format!("{directory}/check.yaml"), validator(r));
            push(k, "validators", json!("check.yaml"));
        }
        5 => {
            let kind = r.pick(&["ConfigMap", "Secret"]);
            let known = any(r, made, &[kind]);
            let entry = generator(r, files, directory, known);
            push(k, if kind == "Secret" { "secretGenerator" } else { "configMapGenerator" }, entry);
        }
        6 => {
            if let Some(entry) = replacement(r, made) {
                push(k, "replacements", entry);
            }
        }
        7 => {
            if let Some(entry) = replacement(r, made) {
                files.insert(format!("{directory}/replace.yaml"), json!([entry]).to_string());
                push(k, "replacements", json!({"path": "replace.yaml"}));
            }
        }
        8 => {
            k.insert("sortOptions".into(), sort_options(r));
        }
        9 => {
            k.insert(
                "buildMetadata".into(),
                json!(["originAnnotations", "transformerAnnotations", "managedByLabel"][r.below(3)..]),
            );
        }
        10 => push(k, "labels", labels(r)),
        11 => legacy_patches(r, files, directory, k, made),
        12 => patch_file(r, files, directory, k, made),
        13 => {
            files.insert(format!("{directory}/schema.json"), schema(r).to_string());
            k.insert("openapi".into(), json!({"path": "schema.json"}));
        }
        14 => {
            files.insert(format!("{directory}/crd.json"), crd(r).to_string());
            push(k, "crds", json!("crd.json"));
        }
        15 => {
            k.insert("imageTags".into(), json!([{"name": "nginx", "newTag": r.pick(&["v7", "1.2"])}]));
        }
        _ => second_base(r, files, directory, k),
    }
}

pub(crate) fn push(k: &mut Map<String, Value>, field: &str, entry: Value) {
    if let Value::Array(list) = k.entry(field).or_insert_with(|| json!([])) {
        list.push(entry);
    }
}

fn vars(r: &mut Random, k: &mut Map<String, Value>, made: &[Made]) {
    for name in ["ONE", "TWO"] {
        let Some(target) = any(r, made, &[]) else { return };
        let mut objref = json!({"apiVersion": target.api_version, "kind": target.kind, "name": target.name});
        if !target.namespace.is_empty() && r.one_in(2) {
            objref["namespace"] = json!(target.namespace);
        }
        let mut var = json!({"name": name, "objref": objref});
        match r.below(4) {
            0 => {
                var["fieldref"] =
                    json!({"fieldpath": r.pick(&["spec.ports[0].port", "data.k", "metadata.namespace", "kind"])});
            }
            1 => {
                var["fieldref"] =
                    json!({"fieldPath": r.pick(&["metadata.name", "spec.size", "data.other", "metadata.labels.app"])});
            }
            _ => {}
        }
        push(k, "vars", var);
    }
    let text = r.pick(&["$(ONE)", "x-$(TWO)", "$$(ONE)", "$(ONE)$(TWO)", "$(NONE)"]);
    push(k, "labels", json!({"pairs": {"var": text}}));
    k.insert("commonAnnotations".into(), json!({"var": text, "w": "$(TWO)"}));
}

fn configuration(r: &mut Random) -> String {
    let create = r.one_in(2);
    let all = [
        json!({"namePrefix": [{"kind": "Widget", "path": "spec/size"}]}),
        json!({"nameSuffix": [{"path": "metadata/annotations/note"}, {"kind": "Widget", "path": "spec/list", "create": create}]}),
        json!({"namespace": [{"kind": "Widget", "path": "spec/ns", "create": true}, {"kind": "Ingress", "path": "spec/ns"}]}),
        json!({"commonLabels": [{"kind": "Widget", "path": "spec/labels", "create": create}, {"path": "spec/selector", "kind": "Ingress"}]}),
        json!({"labels": [{"kind": "ConfigMap", "path": "spec/labels", "create": create}]}),
        json!({"templateLabels": [{"kind": "Widget", "path": "spec/template/labels", "create": true}]}),
        json!({"commonAnnotations": [{"kind": "Widget", "path": "spec/annotations", "create": create}]}),
        json!({"nameReference": [{"kind": "ConfigMap", "version": "v1", "fieldSpecs": [{"kind": "Widget", "path": "spec/list"}, {"path": "metadata/annotations/note"}]},
                                 {"kind": "Widget", "group": "example.com", "fieldSpecs": [{"kind": "Deployment", "path": "metadata/labels/app"}]}]}),
        json!({"varReference": [{"kind": "Widget", "path": "spec/size"}, {"kind": "ConfigMap", "path": "data"}]}),
        json!({"images": [{"kind": "Widget", "path": "spec/size"}, {"kind": "ConfigMap", "path": "data/k"}]}),
        json!({"replicas": [{"kind": "Widget", "group": "example.com", "path": "spec/count", "create": true}]}),
    ];
    let mut out = Map::new();
    for _ in 0..=r.below(2) {
        if let Some(Value::Object(one)) = all.get(r.below(all.len())) {
            out.extend(one.clone());
        }
    }
    Value::Object(out).to_string()
}

fn field_specs(r: &mut Random, leaf: &str) -> Value {
    match r.below(3) {
        0 => json!([{"path": format!("metadata/{leaf}"), "create": true}]),
        1 => {
            json!([{"path": format!("metadata/{leaf}")}, {"kind": "Deployment", "path": format!("spec/template/metadata/{leaf}"), "create": true}])
        }
        _ => json!([{"kind": "Widget", "group": "example.com", "path": format!("spec/{leaf}"), "create": true}]),
    }
}

fn transformers(r: &mut Random, files: &mut Files, directory: &str, k: &mut Map<String, Value>, made: &[Made]) {
    let one = any(r, made, &[]).cloned();
    let target = one.as_ref().map_or_else(
        || json!({"kind": "Widget"}),
        |one| json!({"kind": one.kind, "name": r.pick(&[one.name.as_str(), ".*"])}),
    );
    let mut object = match r.below(12) {
        0 => {
            json!({"kind": "AnnotationsTransformer", "annotations": {"t": "1", "note": "x"}, "fieldSpecs": field_specs(r, "annotations")})
        }
        1 => {
            json!({"kind": "LabelTransformer", "labels": {"t": "1", "app": "z"}, "fieldSpecs": field_specs(r, "labels")})
        }
        2 => json!({"kind": "PrefixTransformer", "prefix": "t-", "fieldSpecs": field_specs(r, "name")}),
        3 => json!({"kind": "SuffixTransformer", "suffix": "-t", "fieldSpecs": [{"path": "metadata/name"}]}),
        4 => {
            json!({"kind": "PrefixSuffixTransformer", "prefix": "a-", "suffix": "-b", "fieldSpecs": [{"path": "metadata/name"}]})
        }
        5 => {
            let mut out =
                json!({"kind": "NamespaceTransformer", "fieldSpecs": [{"path": "metadata/namespace", "create": true}]});
            out["unsetOnly"] = json!(r.one_in(2));
            out["setRoleBindingSubjects"] = json!(r.pick(&["defaultOnly", "allServiceAccounts", "none"]));
            out["metadata"] = json!({"name": "t", "namespace": "tns"});
            out
        }
        6 => {
            json!({"kind": "ImageTagTransformer", "imageTag": {"name": "nginx", "newTag": "t1"}, "fieldSpecs": [{"kind": "Widget", "path": "spec/size"}]})
        }
        7 => {
            json!({"kind": "ReplicaCountTransformer", "replica": {"name": r.pick(&NAMES), "count": 7}, "fieldSpecs": [{"kind": "Deployment", "path": "spec/replicas", "create": true}]})
        }
        8 => {
            json!({"kind": "PatchTransformer", "target": target, "patch": r#"[{"op": "add", "path": "/metadata/labels", "value": {"by": "t"}}]"#})
        }
        9 => {
            json!({"kind": "PatchTransformer", "target": target, "patch": "kind: x\nmetadata:\n  name: x\n  annotations: {by: t}\n", "options": {"allowNameChange": r.one_in(4)}})
        }
        10 => {
            json!({"kind": "ValueAddTransformer", "value": "added", "targets": [{"selector": target, "fieldPath": r.pick(&["metadata/annotations/v", "spec/size", "metadata/name"]), "filePathPosition": r.below(3)}]})
        }
        _ => {
            let Some(entry) = replacement(r, made) else { return };
            json!({"kind": "ReplacementTransformer", "replacements": [entry]})
        }
    };
    object["apiVersion"] = json!("builtin");
    if object.get("metadata").is_none() {
        object["metadata"] = json!({"name": "t"});
    }
    if r.one_in(3) {
        push(k, "transformers", json!(object.to_string() + "\n"));
    } else {
        files.insert(format!("{directory}/t.yaml"), object.to_string());
        let listed =
            k.get("transformers").and_then(Value::as_array).is_some_and(|list| list.contains(&json!("t.yaml")));
        if !listed {
            push(k, "transformers", json!("t.yaml"));
        }
    }
}

fn generator_object(r: &mut Random, made: &[Made]) -> String {
    let kind = r.pick(&["ConfigMap", "Secret"]);
    let known = any(r, made, &[kind]);
    let name = known.map_or("object", |one| one.name.as_str());
    let kind = format!("{kind}Generator");
    json!({
        "apiVersion": "builtin", "kind": kind, "metadata": {"name": name},
        "literals": ["o=1", format!("p={}", r.pick(&["x", "", "a b"]))],
        "behavior": if known.is_some() && !r.one_in(8) { r.pick(&["merge", "replace"]) } else { r.pick(&["", "create"]) },
    })
    .to_string()
}

fn validator(r: &mut Random) -> String {
    // A validator may add this one label, and nothing else.
    let label = if r.one_in(4) { "other" } else { "validated-by" };
    let kind = r.pick(&["ConfigMap", "Nothing", "Deployment", ""]);
    json!({
        "apiVersion": "builtin", "kind": "LabelTransformer", "metadata": {"name": "v"}, "labels": {label: "x"},
        "fieldSpecs": [{"kind": kind, "path": "metadata/labels", "create": true}],
    })
    .to_string()
}

fn generator(r: &mut Random, files: &mut Files, directory: &str, known: Option<&Made>) -> Value {
    files.insert(
        format!("{directory}/plain.txt"),
        format!("{}\nsecond line {}\n", r.pick(&["first", "  lead", "a: b", "# c"]), r.pick(&["", "\t", "é"])),
    );
    files.insert(
        format!("{directory}/some.env"),
        format!("A=1\n# c\n\n  B={}\nC=\nD=x=y \n", r.pick(&["", "two words", "'q'", "\"d\""])),
    );
    let known = if r.one_in(2) { known } else { None };
    let mut out = json!({"name": known.map_or("files", |one| one.name.as_str())});
    if r.one_in(2) {
        out["files"] = json!(["plain.txt", "k=plain.txt"]);
    }
    if r.one_in(2) {
        out["envs"] = json!(["some.env"]);
    } else if r.one_in(2) {
        out["env"] = json!("some.env");
    }
    if r.one_in(2) {
        let text = r.pick(&[
            "'x'",
            "\"y\"",
            "a=b",
            "'",
            "long long long long long long long long long long long long long long text",
        ]);
        out["literals"] = json!([format!("l={text}"), "k=again".to_owned()][..1 + r.below(2)]);
    }
    if let Some(one) = known {
        out["behavior"] = json!(r.pick(&["merge", "replace"]));
        out["namespace"] = json!(one.namespace);
    } else if r.one_in(3) {
        out["behavior"] = json!(r.pick(&["create", "other"]));
        out["namespace"] = json!(r.pick(&["prod", "default", "x"]));
    }
    if r.one_in(2) {
        out["options"] = json!({"labels": {"o": "1", "app": "g"}, "annotations": {"note": "g"}, "disableNameSuffixHash": r.one_in(2), "immutable": r.one_in(2)});
    }
    out
}

fn selector(r: &mut Random, made: &[Made]) -> Option<Value> {
    let one = any(r, made, &[])?;
    let mut out = Map::new();
    let group = one.api_version.split_once('/').map_or("", |(group, _)| group);
    for (key, value) in [
        ("kind", one.kind),
        ("name", one.name.as_str()),
        ("namespace", one.namespace.as_str()),
        ("group", group),
        ("version", "v1"),
    ] {
        if !value.is_empty() && r.one_in(2) {
            out.insert(key.into(), json!(value));
        }
    }
    if r.one_in(4) {
        out.insert("name".into(), json!(r.pick(&["w.*", "(web|api)", ".*-2", "we"])));
    }
    if r.one_in(5) {
        out.insert(
            "labelSelector".into(),
            json!(r.pick(&["app=web", "app in (api,db)", "!app", "app,app!=web", "app notin (x)"])),
        );
    }
    if r.one_in(5) {
        out.insert("annotationSelector".into(), json!(r.pick(&["note", "note!=db", "!note", "note==api"])));
    }
    Some(Value::Object(out))
}

fn replacement(r: &mut Random, made: &[Made]) -> Option<Value> {
    let paths = [
        "metadata.name",
        "metadata.annotations.note",
        "metadata.annotations.[a.b/c]",
        "metadata.labels.app",
        "data.k",
        "data.other",
        "spec.size",
        "spec.list.0",
        "spec.list.2",
        "spec.list.*",
        "spec.list.[=b]",
        "spec.blank",
        "spec.blank.x",
        "spec.ports.[port=80].name",
        "spec.ports.0.port",
        "spec.template.spec.containers.[name=c.].image",
        "spec.template.spec.containers.*.env.[name=A].value",
        "spec.template.spec.containers.0.env.[name=NEW].value",
        "spec.template.metadata.labels.app",
        "spec.selector.matchLabels.app",
        "rules.*.resourceNames.0",
        "data.k.inner",
        "subjects.*.namespace",
        "spec.rules.0.http.paths.*.path",
    ];
    let mut options = Map::new();
    if r.one_in(2) {
        options.insert("create".into(), json!(true));
    }
    if r.one_in(4) {
        options.insert("delimiter".into(), json!(r.pick(&[":", "-", "/"])));
        let at = i64::try_from(r.below(4)).ok()? - 1;
        options.insert("index".into(), json!(at));
    }
    let mut target = json!({"select": selector(r, made)?, "fieldPaths": [r.pick(&paths)], "options": options});
    if r.one_in(4) {
        target["reject"] = json!([selector(r, made)?]);
    }
    if r.one_in(4) {
        target["fieldPaths"] = json!([r.pick(&paths), r.pick(&paths)]);
    }
    if r.one_in(4) {
        return Some(json!({"sourceValue": r.pick(&["5", "text", "a: b", "true", "", "1.50"]), "targets": [target]}));
    }
    let source = any(r, made, &[])?;
    let mut from = json!({"kind": source.kind, "name": source.name});
    if r.one_in(2) {
        from["fieldPath"] = json!(r.pick(&[
            "metadata.name",
            "data.k",
            "data.other",
            "spec.size",
            "spec",
            "metadata.labels.app",
            "metadata.labels",
            "metadata.annotations",
            "metadata",
            "spec.list",
            "spec.list.0",
            "kind",
            "spec.ports.0.port",
            "spec.template.spec.containers.0.image"
        ]));
    }
    if r.one_in(5) {
        from["options"] = json!({"delimiter": r.pick(&["-", ":", "e"]), "index": r.below(2)});
    }
    if r.one_in(4) && !source.namespace.is_empty() {
        from["namespace"] = json!(source.namespace);
    }
    Some(json!({"source": from, "targets": [target]}))
}

fn sort_options(r: &mut Random) -> Value {
    match r.below(4) {
        0 => json!({"order": "fifo"}),
        1 => json!({"order": "legacy"}),
        2 => {
            json!({"order": "legacy", "legacySortOptions": {"orderFirst": ["Service", "Deployment"], "orderLast": ["Namespace", "ConfigMap"]}})
        }
        _ => json!({"order": "legacy", "legacySortOptions": {}}),
    }
}

fn labels(r: &mut Random) -> Value {
    let mut out = json!({"pairs": {"app": r.pick(&["again", "1"]), "zone": r.pick(&["a", "null"])}, "includeSelectors": r.one_in(3), "includeTemplates": r.one_in(3)});
    if r.one_in(3) {
        out["fields"] = json!([{"kind": "Widget", "path": "spec/labels", "create": r.one_in(2)}, {"kind": "Service", "version": "v1", "path": "spec/selector", "create": true}]);
    }
    out
}

fn head(one: &Made) -> String {
    let namespace = if one.namespace.is_empty() { String::new() } else { format!("  namespace: {}\n", one.namespace) };
    format!("apiVersion: {}\nkind: {}\nmetadata:\n  name: {}\n{namespace}", one.api_version, one.kind, one.name)
}

/// A patch of a resource's labels and of something of its kind.
fn merge_patch(r: &mut Random, one: &Made) -> String {
    let scalar = r.pick(&SCALARS);
    let body = match (one.kind, r.below(6)) {
        ("Deployment" | "StatefulSet", 0) => format!("spec:\n  template:\n    metadata:\n      labels: {{app: {scalar}}}\n"),
        ("Deployment" | "StatefulSet", 1) => format!("spec:\n  template:\n    spec:\n      containers:\n      - name: c1\n        args: [{scalar}]\n      - name: c0\n        ports:\n        - containerPort: 80\n          name: {}\n", r.pick(&["http", "x"])),
        ("Deployment" | "StatefulSet", 2) => "spec:\n  template:\n    spec:\n      containers:\n      - $patch: replace\n      - name: only\n        image: app\n".into(),
        ("Deployment" | "StatefulSet", 3) => "spec:\n  template:\n    spec:\n      containers:\n      - name: c0\n        $patch: replace\n        image: app\n      volumes:\n      - $patch: delete\n".into(),
        ("Service", _) => format!("spec:\n  ports:\n  - {{port: {}, protocol: {}, name: p}}\n  - {{port: 80, name: q}}\n", r.pick(&["80", "81"]), r.pick(&["TCP", "UDP"])),
        ("ConfigMap", _) => format!("data:\n  k: {scalar}\n  more: {scalar}\n  other:\n"),
        ("Widget", _) => format!("spec:\n  size: {scalar}\n  list: # {{\"type\":\"array\",\"x-kubernetes-patch-strategy\":\"merge\"}}\n  - {}\n  blank: {{a: null, b: {{c: null}}}}\n", r.pick(&["b", "new"])),
        (_, 4) => "$patch: delete\n".into(),
        (_, 5) => "  finalizers: [a, b]\n".into(),
        _ => format!("  annotations:\n    note: {scalar}\n    deep: {scalar}\n"),
    };
    format!("{}{body}", head(one))
}

fn json_patch(r: &mut Random) -> String {
    let operations = [
        r#"- {op: add, path: /metadata/annotations/note, value: "5"}"#,
        "- op: replace\n  path: /spec/size\n  value: 1.5e3",
        "- op: copy\n  from: /metadata/name\n  path: /copied",
        "- op: move\n  from: /spec\n  path: /moved",
        "- op: remove\n  path: /metadata/namespace",
        "- op: add\n  path: /spec/list/-\n  value: {a: 1}",
        "- op: add\n  path: /spec/list/-1\n  value: x",
        "- op: remove\n  path: /spec/ports/0",
        "- op: add\n  path: /spec/template/spec/containers/0/env/-\n  value: {name: J, value: \"1\"}",
        "- op: add\n  path: /metadata/labels/a~1b\n  value: c",
        "- op: test\n  path: /kind\n  value: ConfigMap",
        "- op: test\n  path: /kind\n  value: Deployment\n- op: replace\n  path: /kind\n  value: StatefulSet",
        "- op: test\n  path: /kind\n  value: Service\n- op: replace\n  path: /kind\n  value: Other",
        "- op: add\n  path: /data/json\n  value: 12345678901234567890",
    ];
    let mut out = String::new();
    for _ in 0..=r.below(2) {
        out.push_str(r.pick(&operations));
        out.push('\n');
    }
    out
}

fn legacy_patches(r: &mut Random, files: &mut Files, directory: &str, k: &mut Map<String, Value>, made: &[Made]) {
    let Some(one) = any(r, made, &[]).cloned() else { return };
    if r.one_in(2) {
        let patch = merge_patch(r, &one);
        if r.one_in(2) {
            push(k, "patchesStrategicMerge", json!(patch));
        } else {
            files.insert(format!("{directory}/old.yaml"), patch);
            push(k, "patchesStrategicMerge", json!("old.yaml"));
        }
    } else {
        let (group, version) = one.api_version.split_once('/').unwrap_or(("", one.api_version));
        let target = json!({"group": group, "version": version, "kind": one.kind, "name": one.name});
        push(k, "patchesJson6902", json!({"target": target, "patch": json_patch(r)}));
    }
}

fn patch_file(r: &mut Random, files: &mut Files, directory: &str, k: &mut Map<String, Value>, made: &[Made]) {
    let Some(one) = any(r, made, &[]).cloned() else { return };
    let mut entry = json!({"path": "patch.yaml"});
    if r.one_in(3) {
        files.insert(format!("{directory}/patch.yaml"), json_patch(r));
        let Some(target) = selector(r, made) else { return };
        entry["target"] = target;
    } else {
        let mut text = merge_patch(r, &one);
        if r.one_in(3) {
            let Some(target) = selector(r, made) else { return };
            entry["target"] = target;
            entry["options"] = json!({"allowNameChange": r.one_in(3), "allowKindChange": r.one_in(3)});
        } else if r.one_in(3)
            && let Some(other) = any(r, made, &[])
        {
            text = format!("# a comment\n{text}---\n{}", merge_patch(r, other));
        }
        files.insert(format!("{directory}/patch.yaml"), text);
    }
    let listed = k
        .get("patches")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|known| known["path"] == "patch.yaml"));
    if !listed {
        push(k, "patches", entry);
    }
}

fn schema(r: &mut Random) -> Value {
    let key = r.pick(&["name", "id"]);
    json!({"definitions": {
        "com.example.v1.Widget": {
            "properties": {
                "spec": {"$ref": "#/definitions/com.example.v1.WidgetSpec"},
                "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            },
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Widget"}],
        },
        "com.example.v1.WidgetSpec": {"properties": {
            "list": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": r.pick(&["merge", "replace"])},
            "parts": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": key},
        }},
    }})
}

fn crd(r: &mut Random) -> Value {
    json!({"example.com/v1.Widget": {"Schema": {
        "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": "meta"},
            "spec": {"$ref": "example.com/v1.WidgetSpec"},
        },
    }}, "example.com/v1.WidgetSpec": {"Schema": {"properties": {
        "size": {"x-kubernetes-object-ref-api-version": "v1", "x-kubernetes-object-ref-kind": r.pick(&["ConfigMap", "Secret"]), "x-kubernetes-object-ref-name-key": "name"},
        "labels": {"x-kubernetes-label-selector": ""},
        "notes": {"x-kubernetes-annotation": ""},
    }}}})
}

fn second_base(r: &mut Random, files: &mut Files, directory: &str, k: &mut Map<String, Value>) {
    if directory == "comp" {
        return;
    }
    let name = format!("{directory}-second");
    let prefix = r.pick(&["s-", ""]);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  volumes:\n  - name: v\n    configMap: {name: gen}\n  - name: w\n    secret: {secretName: api}\n";
    files.insert(format!("{name}/pod.yaml"), pod.to_owned());
    let generated = json!([{"name": "gen", "literals": ["x=1"]}]);
    let mut second = json!({"resources": ["pod.yaml"], "namePrefix": prefix, "configMapGenerator": generated});
    if r.one_in(3) {
        second["namespace"] = json!("second");
    }
    files.insert(format!("{name}/kustomization.yaml"), second.to_string());
    push(k, r.pick(&["resources", "bases"]), json!(format!("../{name}")));
}
