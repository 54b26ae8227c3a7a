//! `helm lint`: rules about a chart's files, with messages worded and ordered as Helm 4.2.4 words and orders them.

mod chart_yaml;
mod crds;
mod dependencies;
mod documents;
mod names;
mod report;
mod templates;
mod urls;
mod values;

pub use report::{ChartReport, Report, report};

use crate::capabilities::KubeVersion;
use crate::chart::{Chart, ChartError, load_directory, read_archive};
use crate::value::Map;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Against conventions; fails only with `--strict`.
    Warning,
    /// The chart will not work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: Severity,
    /// The file or directory it is about, below the chart.
    pub path: String,
    /// What it is.
    pub text: String,
}

impl fmt::Display for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}] {}: {}", self.severity, self.path, self.text)
    }
}

/// The files of a chart as they lie in its directory.
#[derive(Clone, Debug, Default)]
pub struct ChartFiles {
    /// Where they lie, for messages.
    pub directory: String,
    /// Contents by path below the chart's directory, with `/` separators.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The directories, empty ones included.
    pub directories: BTreeSet<String>,
}

impl ChartFiles {
    /// The files of a packed chart.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn from_archive(directory: impl Into<String>, bytes: &[u8]) -> Result<Self, ChartError> {
        let mut files = Self { directory: directory.into(), ..Self::default() };
        for file in read_archive(bytes)? {
            files.add(&file.name, file.data.to_vec());
        }
        Ok(files)
    }

    /// Adds a file and the directories above it.
    pub fn add(&mut self, path: &str, content: Vec<u8>) {
        for (end, _) in path.match_indices('/') {
            self.directories.insert(path.get(..end).unwrap_or_default().to_owned());
        }
        self.files.insert(path.to_owned(), content);
    }

    /// The chart, its files in the order in which a directory is walked.
    fn load(&self) -> Result<Chart, ChartError> {
        let mut files: Vec<(&String, &Vec<u8>)> = self.files.iter().collect();
        files.sort_by(|left, right| left.0.split('/').cmp(right.0.split('/')));
        load_directory(files.into_iter().map(|(name, content)| (name.clone(), content.clone())))
    }
}

/// The flags of `helm lint` that matter to the rules.
#[derive(Clone, Debug, Default)]
pub struct LintOptions {
    /// `--namespace`.
    pub namespace: String,
    /// `--kube-version`.
    pub kube_version: Option<KubeVersion>,
    /// `--skip-schema-validation`.
    pub skip_schema_validation: bool,
    /// The present time, as templates see it.
    pub now: Timestamp,
}

/// What the rules found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The messages in Helm's order.
    pub messages: Vec<Message>,
    /// What Helm logs besides: required values that are missing, failures that were let pass.
    pub notes: Vec<String>,
}

impl Findings {
    fn add(&mut self, severity: Severity, path: impl Into<String>, text: impl Into<String>) {
        self.messages.push(Message { severity, path: path.into(), text: text.into() });
    }

    fn error(&mut self, path: &str, text: impl Into<String>) {
        self.add(Severity::Error, path, text);
    }

    fn warning(&mut self, path: &str, text: impl Into<String>) {
        self.add(Severity::Warning, path, text);
    }
}

/// Checks a chart with the user's values.
#[must_use]
pub fn lint(files: &ChartFiles, values: &Map, options: &LintOptions) -> Findings {
    let mut findings = Findings::default();
    chart_yaml::check(files, &mut findings);
    values::check(files, values, options, &mut findings);
    let chart = files.load();
    templates::check(files, chart.as_ref(), values, options, &mut findings);
    dependencies::check(files, chart.as_ref(), &mut findings);
    crds::check(files, chart.as_ref().ok(), &mut findings);
    findings
}
