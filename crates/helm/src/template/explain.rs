//! Where each manifest comes from: template file, lines, and the values its template reads.

use crate::chart::Chart;
use crate::reads::{self, FileReads, Reads};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The origin of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Kind and name of the object.
    pub object: String,
    /// The template file, as `# Source:` names it.
    pub template: String,
    /// The number of lines of the template file.
    pub lines: usize,
    /// The values paths the template may read, itself and through named templates, below its own chart.
    pub values: BTreeSet<String>,
}

/// Explains manifests, given as template path and object.
pub(super) fn explain<'a>(chart: &Chart, manifests: impl Iterator<Item = (&'a str, String)>) -> Vec<Explanation> {
    let mut files: BTreeMap<Arc<str>, (FileReads, usize)> = BTreeMap::new();
    let mut defines: BTreeMap<String, Reads> = BTreeMap::new();
    collect(chart, chart.name(), &mut files, &mut defines);
    manifests
        .map(|(template, object)| {
            let (values, lines) = files
                .get(template)
                .map(|(file, lines)| (reads::reachable(&file.own, &defines), *lines))
                .unwrap_or_default();
            Explanation { object, template: template.to_owned(), lines, values }
        })
        .collect()
}

fn collect(
    chart: &Chart,
    path: &str,
    files: &mut BTreeMap<Arc<str>, (FileReads, usize)>,
    defines: &mut BTreeMap<String, Reads>,
) {
    for file in &chart.templates {
        let text = String::from_utf8_lossy(&file.data);
        let scanned = reads::scan(&text);
        for (name, reads) in &scanned.defines {
            let known = defines.entry(name.clone()).or_default();
            known.paths.extend(reads.paths.iter().cloned());
            known.calls.extend(reads.calls.iter().cloned());
        }
        files.insert(Arc::from(format!("{path}/{}", file.name)), (scanned, text.lines().count()));
    }
    for subchart in &chart.dependencies {
        collect(subchart, &format!("{path}/charts/{}", subchart.name()), files, defines);
    }
}
