//! Rules about `crds/`.

use super::documents::heads;
use super::{ChartFiles, Findings};
use crate::chart::Chart;

pub(super) fn check(files: &ChartFiles, chart: Option<&Chart>, findings: &mut Findings) {
    if files.files.contains_key("crds") {
        findings.error("crds/", "not a directory");
        return;
    }
    if !files.directories.contains("crds") {
        return;
    }
    let Some(chart) = chart else { return };
    for crd in chart.crds() {
        let text = String::from_utf8_lossy(&crd.data);
        for head in heads(&text) {
            let head = match head {
                Ok(head) => head,
                Err(error) => {
                    findings.error(&crd.name, format!("unable to parse YAML: {error}"));
                    return;
                }
            };
            if !head.api_version.starts_with("apiextensions.k8s.io") {
                findings.error(&crd.name, "apiVersion is not in 'apiextensions.k8s.io'");
            }
            if head.kind != "CustomResourceDefinition" {
                findings.error(&crd.name, "object kind is not 'CustomResourceDefinition'");
            }
        }
    }
}
