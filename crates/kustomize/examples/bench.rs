//! Times builds of many resources in process: `cargo run --release -p kustomize --example bench [RESOURCES...]`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use std::{fmt::Write as _, sync::Arc, time::Instant};

use kustomize::{Cache, Options, build, fs::MemoryFileSystem};

fn tree(count: usize) -> MemoryFileSystem {
    let mut text = String::new();
    for at in 0..count / 4 {
        write!(
            text,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{at}\nspec:\n  replicas: 1\n  selector:\n    matchLabels:\n      app: app-{at}\n  template:\n    metadata:\n      labels:\n        app: app-{at}\n    spec:\n      serviceAccountName: app-{at}\n      containers:\n      - name: main\n        image: nginx:1.0\n        envFrom:\n        - configMapRef:\n            name: app-{at}\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: app-{at}\nspec:\n  selector:\n    app: app-{at}\n  ports:\n  - port: 80\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app-{at}\ndata:\n  key: value-{at}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: app-{at}\n"
        )
        .unwrap();
    }
    let mut fs = MemoryFileSystem::default();
    fs.insert("base/all.yaml", text);
    fs.insert("base/kustomization.yaml", "resources: [all.yaml]\n");
    fs.insert(
        "overlay/kustomization.yaml",
        "resources: [../base]\nnamespace: prod\nnamePrefix: p-\nlabels:\n- pairs: {team: x}\n  includeSelectors: true\nimages:\n- name: nginx\n  newTag: '2.0'\npatches:\n- target: {kind: Deployment}\n  patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: any}\n    spec:\n      template:\n        spec:\n          containers:\n          - name: main\n            resources: {limits: {cpu: 100m}}\n",
    );
    fs
}

fn main() {
    let mut counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![1_000, 2_000, 10_000];
    }
    for count in counts {
        let fs = Arc::new(tree(count));
        let options = Options { cache: Some(Cache::new(1 << 30)), ..Options::default() };
        for run in ["first", "again"] {
            let start = Instant::now();
            let built = build(fs.clone(), "/overlay", options.clone()).unwrap();
            let made = start.elapsed();
            let text = built.to_yaml().unwrap();
            println!(
                "{count} resources, {run}: build {made:?}, with output {:?}, {} bytes",
                start.elapsed(),
                text.len()
            );
        }
    }
}
