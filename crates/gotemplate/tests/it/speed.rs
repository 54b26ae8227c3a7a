//! How fast templates execute, beside Go's engine: run with `--ignored --nocapture`, best at `opt-level = 3`.

use std::time::Instant;

use gotemplate::context::Environment;
use gotemplate::data::read_json::{Numbers, read};
use gotemplate::{Executor, Templates};
use oracle::Oracle;
use serde_json::{Value as Json, json};

const CHART: &str = r#"
{{- define "name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end -}}
{{- define "labels" -}}
app.kubernetes.io/name: {{ template "name" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- if .Chart.AppVersion }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}
{{- range $index, $service := .Values.services }}
{{- $full := printf "%s-%s" $.Release.Name $service.name }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $full }}
  labels:
    {{- template "labels" $ }}
spec:
  {{- if not $service.autoscaling.enabled }}
  replicas: {{ $service.replicas | default 1 }}
  {{- end }}
  template:
    spec:
      containers:
        - name: {{ $service.name | lower }}
          image: "{{ $service.image.repository }}:{{ $service.image.tag | default $.Chart.AppVersion }}"
          {{- with $service.ports }}
          ports:
            {{- range . }}
            - name: {{ .name }}
              containerPort: {{ .port }}
              protocol: {{ .protocol | default "TCP" }}
            {{- end }}
          {{- end }}
          {{- if and $service.probe (ne $service.probe.kind "none") }}
          livenessProbe:
            httpGet: {path: {{ $service.probe.path | quote }}, port: {{ $service.probe.port }}}
          {{- end }}
          env:
            {{- range $key, $value := $service.env }}
            - name: {{ $key | upper }}
              value: {{ $value | quote }}
            {{- end }}
          {{- with $service.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
{{- end }}
"#;

fn data() -> Json {
    let service = |index: usize| {
        json!({
            "name": format!("Service{index}"), "replicas": index, "autoscaling": {"enabled": index.is_multiple_of(3)},
            "image": {"repository": "registry.example/app", "tag": if index.is_multiple_of(2) { "" } else { "1.2.3" }},
            "ports": [{"name": "http", "port": 8080}, {"name": "metrics", "port": 9090, "protocol": "TCP"}],
            "probe": {"kind": "http", "path": "/healthz", "port": 8080},
            "env": {"a": "1", "b": "two", "c": true, "log_level": "debug", "url": "http://x.example/?a=b&c"},
            "resources": {"limits": {"cpu": "100m", "memory": "128Mi"}, "requests": {"cpu": "50m", "memory": "64Mi"}},
        })
    };
    json!({
        "Values": {"nameOverride": "", "services": (0..20).map(service).collect::<Vec<_>>()},
        "Chart": {"Name": "demo", "Version": "1.0.0+build", "AppVersion": "2.0"},
        "Release": {"Name": "release", "Service": "Helm"},
    })
}

#[test]
#[ignore = "a measurement, not a check"]
fn beside_go() {
    const REPEAT: u32 = 500;
    let data = data();
    let functions = gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS);
    let mut templates = Templates::new(functions);
    templates.add("t", CHART.as_bytes()).unwrap();
    let mut executor = Executor::new(templates, Environment::new(jiff::Timestamp::UNIX_EPOCH));
    let value = read(data.to_string().as_bytes(), Numbers::IntOrFloat).unwrap();
    let output = executor.execute("t", value.clone()).unwrap();
    let started = Instant::now();
    for _ in 0..REPEAT {
        executor.execute("t", value.clone()).unwrap();
    }
    let ours = started.elapsed() / REPEAT;
    println!("ours: {ours:?} for {} bytes", output.len());
    let Some(mut oracle) = Oracle::start("gotemplate") else { return };
    let mut question = json!({ "template": CHART, "data": data, "funcs": "helm" });
    assert_eq!(oracle.ask(&question)["expected"], output.lossy().into_owned());
    question["repeat"] = json!(REPEAT);
    let nanoseconds = oracle.ask(&question)["nanoseconds"].as_f64().unwrap();
    println!("Go: {:.1} µs, {:.1} times ours", nanoseconds / 1e3, nanoseconds / ours.as_nanos() as f64);
}
