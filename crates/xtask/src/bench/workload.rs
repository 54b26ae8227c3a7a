//! What is measured with: charts small and large, from the shared corpus where it is, else one of our own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use helm::chart::{Chart, load_archive};
use helm::release::{Info, Release, Status};
use helm::template::{TemplateOptions, template};
use helm::values::{ValuesFile, ValuesOptions};
use serde_json::{Value, json};

/// A small chart with a Deployment, a Service and an autoscaler.
pub(super) struct SmallChart {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) archive: Vec<u8>,
    /// The values it is installed with.
    pub(super) values: Value,
}

/// A chart archive of the shared corpus.
pub(super) fn corpus(file: &str) -> Option<PathBuf> {
    Some(testkit::shared_material()?.join("corpus/charts").join(file)).filter(|path| path.exists())
}

impl SmallChart {
    /// podinfo of the corpus, or our own.
    pub(super) fn load() -> Result<Self> {
        let values = json!({ "hpa": { "enabled": true, "maxReplicas": 3 }, "replicaCount": 1 });
        let archive = match corpus("podinfo-6.14.1.tgz") {
            Some(path) => fs_err::read(path)?,
            None => {
                let files: BTreeMap<PathBuf, Vec<u8>> =
                    OWN.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
                testkit::helm_repository::pack("web", &files)?
            }
        };
        let chart = load_archive(&archive)?;
        Ok(Self { name: chart.metadata.name.clone(), version: chart.metadata.version.clone(), archive, values })
    }

    /// The objects of a release, in the order they are applied, and the content of its Secret while it is pending and
    /// once it is deployed.
    pub(super) fn release(&self, name: &str, namespace: &str) -> Result<PreparedRelease> {
        let chart = Arc::new(load_archive(&self.archive)?);
        let output = self.render(&chart, name, namespace)?;
        let mut objects = Vec::new();
        for manifest in &output.manifests {
            let json = yaml::v2::yaml_to_json(manifest.content.as_bytes()).map_err(|error| anyhow!("{error}"))?;
            objects.push(serde_json::from_str(&json)?);
        }
        let mut release = Release {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            version: 1,
            chart,
            manifest: output.text,
            hooks: output.hooks,
            info: Info::default(),
            ..Release::default()
        };
        release.info.set_status(Status::PendingInstall, "Initial install underway");
        let pending = helm::release::encode_release(&release);
        release.info.set_status(Status::Deployed, "Install complete");
        let deployed = helm::release::encode_release(&release);
        Ok(PreparedRelease { name: name.to_owned(), objects, pending, deployed })
    }

    fn render(&self, chart: &Chart, name: &str, namespace: &str) -> Result<helm::template::TemplateOutput> {
        let values = ValuesFile { name: "values.json".to_owned(), content: self.values.to_string().into_bytes() };
        let options = TemplateOptions {
            values: ValuesOptions { files: vec![values], ..ValuesOptions::default() },
            release_name: name.to_owned(),
            namespace: namespace.to_owned(),
            no_hooks: true,
            ..TemplateOptions::default()
        };
        template(chart, &options).context("rendering the small chart")
    }
}

/// A release ready to be written by hand.
pub(super) struct PreparedRelease {
    pub(super) name: String,
    pub(super) objects: Vec<Value>,
    pub(super) pending: String,
    pub(super) deployed: String,
}

/// The same kinds as podinfo, about as large once rendered.
const OWN: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"1.29\"\n"),
    ("values.yaml", "replicaCount: 1\nui:\n  message: hello\nhpa:\n  enabled: false\n  maxReplicas: 3\n"),
    (
        "templates/_helpers.tpl",
        "{{- define \"web.labels\" -}}\napp.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/instance: {{ .Release.Name }}\n{{- end }}\n",
    ),
    (
        "templates/deployment.yaml",
        r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  {{- if not .Values.hpa.enabled }}
  replicas: {{ .Values.replicaCount }}
  {{- end }}
  selector:
    matchLabels: {{- include "web.labels" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "web.labels" . | nindent 8 }}
    spec:
      containers:
        - name: web
          image: "docker.io/library/nginx:{{ .Chart.AppVersion }}"
          env:
            - name: MESSAGE
              value: {{ .Values.ui.message | quote }}
          ports:
            - {name: http, containerPort: 80, protocol: TCP}
          readinessProbe:
            httpGet: {path: /, port: http}
"#,
    ),
    (
        "templates/service.yaml",
        r#"apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  selector: {{- include "web.labels" . | nindent 4 }}
  ports:
    - {name: http, port: 80, targetPort: http, protocol: TCP}
"#,
    ),
    (
        "templates/hpa.yaml",
        r#"{{- if .Values.hpa.enabled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  labels: {{- include "web.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Release.Name }}-{{ .Chart.Name }}}
  minReplicas: {{ .Values.replicaCount }}
  maxReplicas: {{ .Values.hpa.maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
{{- end }}
"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_chart_renders_three_objects() {
        let files: BTreeMap<PathBuf, Vec<u8>> =
            OWN.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect();
        let archive = testkit::helm_repository::pack("web", &files).unwrap();
        let values = json!({ "hpa": { "enabled": true } });
        let chart = SmallChart { name: "web".to_owned(), version: "1.0.0".to_owned(), archive, values };
        let release = chart.release("a", "b").unwrap();
        let kinds: Vec<&str> = release.objects.iter().filter_map(|object| object["kind"].as_str()).collect();
        assert_eq!(kinds, ["Service", "Deployment", "HorizontalPodAutoscaler"]);
        assert_ne!(release.pending, release.deployed);
    }
}
