//! Measures reading and writing 4,000 Deployments (2.5 MB): `cargo run --release -p yaml --example speed`.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a measuring program")]

use std::time::{Duration, Instant};

fn deployments() -> String {
    let mut text = String::new();
    for index in 0..4000 {
        text.push_str(&format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{index}\n  namespace: team-{}\n  labels:\n    app.kubernetes.io/name: web\n    app.kubernetes.io/instance: \"web-{index}\"\nspec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app.kubernetes.io/name: web\n  template:\n    metadata:\n      labels:\n        app.kubernetes.io/name: web\n    spec:\n      containers:\n      - name: web\n        image: registry.example.com/web:v1.2.{index}\n        args: [\"--port=8080\", '--verbose']\n        env:\n        - name: MODE\n          value: \"production\"\n        ports:\n        - containerPort: 8080\n          protocol: TCP\n        resources:\n          limits: {{cpu: 500m, memory: 128Mi}}\n",
            index % 20,
            index % 7
        ));
    }
    text
}

fn median(name: &str, bytes: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    let middle = times[times.len() / 2];
    println!("{name:24} {middle:>10.2?} {:8.0} MB/s", bytes as f64 / 1e6 / middle.as_secs_f64());
    middle
}

fn main() {
    let text = deployments();
    let bytes = text.len();
    println!("{bytes} bytes");
    let documents: Vec<&str> = yaml::v2::split_documents(&text).collect();
    let values: Vec<yaml::Value> = documents.iter().map(|text| yaml::v2::unmarshal(text.as_bytes()).unwrap()).collect();
    let nodes = yaml::v3::parse_all(text.as_bytes()).unwrap();
    median("v2 read", bytes, || {
        for document in &documents {
            std::hint::black_box(yaml::v2::unmarshal(document.as_bytes()).unwrap());
        }
    });
    median("v2 write", bytes, || {
        for value in &values {
            std::hint::black_box(yaml::v2::to_string(value).unwrap());
        }
    });
    median("v3 read", bytes, || drop(std::hint::black_box(yaml::v3::parse_all(text.as_bytes()).unwrap())));
    median("v3 write", bytes, || {
        drop(std::hint::black_box(yaml::v3::encode_all(&nodes, yaml::v3::EncodeOptions::KYAML).unwrap()));
    });
}
