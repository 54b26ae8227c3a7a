//! `towline lint`: checks charts as `helm lint` does.

use std::path::{Path, PathBuf};

use fs_err as fs;
use helm::capabilities::KubeVersion;
use helm::lint::{ChartFiles, ChartReport, Findings, LintOptions, lint, report};
use helm::value::Map;

use crate::cli::ClusterArguments;
use crate::commands::helm_flags::GlobalFlags;
use crate::commands::values::ValuesArguments;
use crate::error::{Error, Result};
use crate::output;

/// Arguments of `towline lint`; names and meaning are Helm's.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The charts: directories or packed charts.
    #[arg(value_name = "CHART")]
    charts: Vec<String>,
    #[command(flatten)]
    values: ValuesArguments,
    /// Kubernetes version for Capabilities.KubeVersion and for what is deprecated.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
    /// Print only warnings and errors.
    #[arg(long)]
    quiet: bool,
    /// Check the charts below charts/ too.
    #[arg(long)]
    with_subcharts: bool,
    /// Do not check values against the chart's schema.
    #[arg(long)]
    skip_schema_validation: bool,
    #[arg(long, hide = true)]
    debug: bool,
    #[arg(long, hide = true)]
    registry_config: Option<String>,
    #[arg(long, hide = true)]
    repository_cache: Option<String>,
    #[arg(long, hide = true)]
    repository_config: Option<String>,
    #[command(flatten)]
    global: GlobalFlags,
}

/// Runs it.
pub(crate) fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    if arguments.charts.is_empty() {
        return Err(Error::Chart("\"towline lint\" requires at least 1 argument".to_owned()));
    }
    let kube_version = arguments.kube_version.as_deref().filter(|version| !version.is_empty());
    let kube_version = kube_version
        .map(|version| {
            KubeVersion::parse(version)
                .map_err(|reason| Error::Chart(format!("invalid kube version '{version}': {reason}")))
        })
        .transpose()?;
    let options = LintOptions {
        namespace: cluster.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        kube_version,
        skip_schema_validation: arguments.skip_schema_validation,
        now: super::now(),
    };
    let mut charts = arguments.charts.clone();
    if arguments.with_subcharts {
        for chart in &arguments.charts {
            find_subcharts(&Path::new(chart).join("charts"), &mut charts);
        }
    }
    let values = arguments.values.read()?.merge().map_err(|error| Error::Chart(error.to_string()))?;
    let reports: Vec<ChartReport> =
        charts.into_iter().map(|path| ChartReport { result: check(&path, &values, &options), path }).collect();
    for note in reports.iter().filter_map(|report| report.result.as_ref().ok()).flat_map(|findings| &findings.notes) {
        output::note(&format!("warning: {note}"));
    }
    let report = report(&reports, arguments.strict, arguments.quiet);
    output::print(&report.text)?;
    report.failure.map_or(Ok(()), |failure| Err(Error::Chart(failure)))
}

/// Charts below a directory, in the order of a walk: directories with a `Chart.yaml`, and archives.
fn find_subcharts(directory: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A link is not followed, as in Helm's walk.
        if fs::symlink_metadata(&path).is_ok_and(|kind| kind.is_dir()) {
            find_subcharts(&path, found);
        } else if name == "Chart.yaml" {
            found.push(directory.display().to_string());
        } else if is_archive(&name) {
            found.push(path.display().to_string());
        }
    }
}

fn is_archive(name: &str) -> bool {
    name.ends_with(".tgz") || name.ends_with(".tar.gz")
}

fn check(path: &str, values: &Map, options: &LintOptions) -> std::result::Result<Findings, String> {
    let files = if is_archive(path) {
        let bytes =
            fs::read(path).map_err(|error| format!("unable to open tarball: open {path}: {}", reason(&error)))?;
        let unreadable = |error| format!("unable to extract tarball: {error}");
        let files = ChartFiles::from_archive(path, &bytes).map_err(unreadable)?;
        if !files.files.contains_key("Chart.yaml") {
            return Err("unable to extract tarball: chart name not specified".to_owned());
        }
        files
    } else {
        let chart_file = Path::new(path).join("Chart.yaml");
        fs::metadata(&chart_file).map_err(|error| {
            format!("unable to check Chart.yaml file in chart: stat {}: {}", chart_file.display(), reason(&error))
        })?;
        let directory = fs::canonicalize(path).map_err(|error| error.to_string())?;
        let mut files = ChartFiles { directory: directory.display().to_string(), ..ChartFiles::default() };
        super::chart::walk(Path::new(path), "", &mut files).map_err(|error| error.to_string())?;
        files
    };
    Ok(lint(&files, values, options))
}

/// The system's reason in Go's words.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::NotADirectory => "not a directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
