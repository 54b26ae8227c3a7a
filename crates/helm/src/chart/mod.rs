//! Charts: what they consist of, and how they are read, checked and packed.

mod archive;
mod decode;
pub mod ignore;
mod load;
mod lock;
mod metadata;
mod package;

pub use self::archive::{load_archive, read_archive};
pub(crate) use self::load::metadata_of;
pub use self::load::{load_directory, load_files};
pub use self::metadata::{Dependency, ImportValues, Lock, Maintainer, Metadata};
pub use self::package::{metadata_yaml, package};

use crate::engine::Prepared;
use crate::release::Time;
use crate::value::Map;
use std::sync::Arc;

/// Helm's largest file in a chart.
pub const LARGEST_FILE: usize = 5 << 20;
/// Helm's largest chart, all files together.
pub const LARGEST_CHART: u64 = 100 << 20;
/// Subcharts within subcharts; Helm has no limit of its own.
pub const DEEPEST_SUBCHART: usize = 20;

/// One file of a chart, by its path below the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path with `/` separators.
    pub name: Arc<str>,
    /// The content.
    pub data: Arc<[u8]>,
    /// When it was last changed, as its archive says; release records keep it.
    pub modified: Option<Time>,
}

impl File {
    /// A file of this name and content.
    pub fn new(name: impl Into<Arc<str>>, data: impl Into<Arc<[u8]>>) -> Self {
        Self { name: name.into(), data: data.into(), modified: None }
    }
}

/// A custom resource definition file of a chart or subchart.
#[derive(Clone, Debug)]
pub struct CrdFile {
    /// The path below its own chart.
    pub name: Arc<str>,
    /// The path from the root chart's name on, as `# Source:` prints it.
    pub path: String,
    /// The content.
    pub data: Arc<[u8]>,
}

/// A loaded chart. Immutable once loaded and cheap to clone: contents are shared.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What `Chart.yaml` says (and `requirements.yaml` of a v1 chart).
    pub metadata: Metadata,
    /// `Chart.lock` or `requirements.lock`.
    pub lock: Option<Lock>,
    /// The files below `templates/`.
    pub templates: Vec<File>,
    /// The default values; `None` when there is no `values.yaml`.
    pub values: Option<Map>,
    /// `values.schema.json`.
    pub schema: Option<Arc<[u8]>>,
    /// When `values.schema.json` was last changed.
    pub schema_modified: Option<Time>,
    /// Every other file.
    pub files: Vec<File>,
    /// When `Chart.yaml` was last changed.
    pub modified: Option<Time>,
    /// All files as they were read, for showing and packing.
    pub raw: Vec<File>,
    /// The charts below `charts/`.
    pub dependencies: Vec<Self>,
    /// What is made of the files once: parsed templates, the compiled schema. Shared between clones.
    pub(crate) prepared: Arc<Prepared>,
}

impl Chart {
    /// The name, which for a subchart with an alias is the alias.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether this is a library chart, which renders nothing itself.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.metadata.chart_type.eq_ignore_ascii_case("library")
    }

    /// The custom resource definitions, the chart's own before its subcharts'.
    #[must_use]
    pub fn crds(&self) -> Vec<CrdFile> {
        let mut found = Vec::new();
        self.collect_crds(self.name(), &mut found);
        found
    }

    fn collect_crds(&self, path: &str, found: &mut Vec<CrdFile>) {
        for file in &self.files {
            let extension = crate::go_text::extension(&file.name).to_ascii_lowercase();
            if file.name.starts_with("crds/") && matches!(extension.as_str(), ".yaml" | ".yml" | ".json") {
                let path = format!("{path}/{}", file.name);
                found.push(CrdFile { name: file.name.clone(), path, data: file.data.clone() });
            }
        }
        for dependency in &self.dependencies {
            dependency.collect_crds(&format!("{path}/charts/{}", dependency.name()), found);
        }
    }

    /// The file of this name as it was read.
    #[must_use]
    pub fn raw_file(&self, name: &str) -> Option<&File> {
        self.raw.iter().find(|file| &*file.name == name)
    }

    /// The names of declared dependencies that are not below `charts/`.
    #[must_use]
    pub fn missing_dependencies(&self) -> Vec<&str> {
        let declared = self.metadata.dependencies.iter().map(|dependency| dependency.name.as_str());
        declared.filter(|name| !self.dependencies.iter().any(|chart| chart.name() == *name)).collect()
    }

    /// Helm's check that a chart can be installed, which a library chart cannot.
    ///
    /// # Errors
    /// With Helm's wording.
    pub fn check_installable(&self) -> Result<(), ChartError> {
        if !matches!(self.metadata.chart_type.as_str(), "" | "application") {
            return Err(ChartError::NotInstallable { chart_type: self.metadata.chart_type.clone() });
        }
        Ok(())
    }

    /// Helm's check that every declared dependency is present.
    ///
    /// # Errors
    /// With Helm's wording.
    pub fn check_dependencies(&self) -> Result<(), ChartError> {
        let missing = self.missing_dependencies();
        if missing.is_empty() { Ok(()) } else { Err(ChartError::MissingDependencies { names: missing.join(", ") }) }
    }
}

/// Why a chart could not be read; the wording is Helm's where Helm has one.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The archive is damaged, hostile or too large.
    #[error("{0}")]
    Archive(String),
    /// A file of the chart is not what it must be.
    #[error("cannot load {file}: {message}")]
    File {
        /// The file's path.
        file: String,
        /// What is wrong.
        message: String,
    },
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoMetadata,
    /// `Chart.yaml` breaks a rule.
    #[error("validation: {0}")]
    Metadata(String),
    /// A subchart could not be read.
    #[error("error unpacking subchart {name} in {parent}: {source}")]
    Subchart {
        /// The directory or file below `charts/`.
        name: String,
        /// The chart it is in.
        parent: String,
        /// Why.
        source: Box<Self>,
    },
    /// A subchart archive lies in a directory of its own name.
    #[error("error unpacking subchart tar in {parent}: expected {expected}, got {found}")]
    SubchartArchive {
        /// The chart it is in.
        parent: String,
        /// The name it must have.
        expected: String,
        /// The path found.
        found: String,
    },
    /// A file is larger than Helm accepts.
    #[error("chart file {name:?} is larger than the maximum file size {LARGEST_FILE}")]
    FileTooLarge {
        /// The file.
        name: String,
    },
    /// The `.helmignore` file is not understood.
    #[error("{0}")]
    Ignore(String),
    /// The chart's type cannot be installed.
    #[error("{chart_type} charts are not installable")]
    NotInstallable {
        /// The type.
        chart_type: String,
    },
    /// Declared dependencies are not below `charts/`.
    #[error(
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {names}"
    )]
    MissingDependencies {
        /// Their names.
        names: String,
    },
    /// Subcharts are nested too deeply.
    #[error("subcharts are nested deeper than {DEEPEST_SUBCHART} levels")]
    TooDeep,
    /// The chart cannot be packed.
    #[error("cannot package chart {name}: {message}")]
    Package {
        /// The chart.
        name: String,
        /// Why.
        message: String,
    },
}
