//! From fetched bytes to the chart that becomes an artifact. Pure.

use std::collections::BTreeMap;

use common::names::reason;
use helm::chart::{Chart, ChartError, Dependency, load_archive, load_directory, package};
use version::Version;

use super::merge::{self, MergeError, clean};
use crate::failure::Failure;

/// What to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Values files to merge into the defaults.
    pub values_files: Vec<String>,
    /// Whether missing ones are passed over.
    pub ignore_missing: bool,
    /// What is put behind the `+` of the version; nothing when empty.
    pub metadata: String,
}

impl Options {
    /// Whether an archive can be stored as it is.
    pub fn is_plain(&self) -> bool {
        self.values_files.is_empty() && self.metadata.is_empty()
    }
}

/// A chart ready to be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// Name.
    pub name: String,
    /// Version, with metadata.
    pub version: String,
    /// The values files that were merged.
    pub values_files: Vec<String>,
    /// Whether it was packed by us.
    pub is_packaged: bool,
}

impl Build {
    /// What the condition and the event say.
    pub fn summary(&self) -> String {
        let action = if self.is_packaged { "packaged" } else { "pulled" };
        let Self { name, version, values_files, .. } = self;
        let mut text = format!("{action} '{name}' chart with version '{version}'");
        if !values_files.is_empty() {
            text.push_str(&format!(" and merged values files [{}]", values_files.join(" ")));
        }
        text
    }

    /// Reason of the condition and the event.
    pub const fn reason(&self) -> &'static str {
        if self.is_packaged { reason::CHART_PACKAGE_SUCCEEDED } else { reason::CHART_PULL_SUCCEEDED }
    }
}

/// An invalid reference: only another spec or another revision of the source helps.
pub fn invalid_reference(message: impl std::fmt::Display) -> Failure {
    Failure::fetch(reason::INVALID_CHART_REFERENCE, format!("invalid chart reference: {message}")).stalled()
}

/// The chart could not be pulled.
pub fn pull_error(message: impl std::fmt::Display) -> Failure {
    Failure::fetch(reason::CHART_PULL_ERROR, format!("chart pull error: {message}"))
}

/// A dependency could not be added.
pub fn dependency_error(message: impl std::fmt::Display) -> Failure {
    Failure::build(reason::DEPENDENCY_BUILD_ERROR, format!("dependency build error: {message}"))
}

fn package_error(message: impl std::fmt::Display) -> Failure {
    Failure::build(reason::CHART_PACKAGE_ERROR, format!("chart package error: {message}"))
}

fn values_error(error: &MergeError) -> Failure {
    Failure::build(reason::VALUES_FILES_ERROR, format!("values files merge error: {error}")).stalled()
}

/// The version with the metadata put behind it.
pub fn version_with(version: &str, metadata: &str) -> Result<String, Failure> {
    if metadata.is_empty() {
        return Ok(version.to_owned());
    }
    let failed = |message: String| {
        Failure::build(reason::METADATA_PATCH_ERROR, format!("chart metadata patch error: {message}")).stalled()
    };
    let parsed = Version::parse(version)
        .map_err(|error| failed(format!("failed to parse version from chart metadata as SemVer: {error}")))?;
    parsed
        .with_metadata(metadata)
        .map(|version| version.to_string())
        .map_err(|error| failed(format!("failed to set SemVer metadata on chart version: {error}")))
}

/// Checks the name that a chart is looked up by.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let is_valid = !name.is_empty()
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'/' | b'.'))
        && !name.starts_with(['/', '.'])
        && !name.contains("//");
    if is_valid {
        return Ok(());
    }
    Err(invalid_reference(format!(
        "invalid chart name '{name}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)"
    )))
}

/// Builds of an archive from a chart repository. `name` and `version` are the index's.
pub fn from_archive(archive: &[u8], name: &str, version: &str, options: &Options) -> Result<(Build, Vec<u8>), Failure> {
    if options.is_plain() {
        // Read whole, so that a hostile archive is refused here and not at its consumers.
        load_archive(archive).map_err(|error| pull_error(in_archive(&error)))?;
        let build = Build { name: name.to_owned(), version: version.to_owned(), ..Build::default() };
        return Ok((build, archive.to_vec()));
    }
    let mut chart = load_archive(archive)
        .map_err(|error| package_error(format!("failed to load downloaded chart: {}", in_archive(&error))))?;
    let version = version_with(version, &options.metadata)?;
    chart.metadata.version.clone_from(&version);
    let (merged, used) =
        merge::merge(&options.values_files, options.ignore_missing, |path| merge::from_chart(&chart, path))
            .map_err(|error| values_error(&error))?;
    let is_overwritten = merge::overwrite_defaults(&mut chart, merged).map_err(|error| values_error(&error))?;
    let bytes = package(&chart).map_err(package_error)?;
    let values_files = if is_overwritten { used } else { Vec::new() };
    Ok((Build { name: name.to_owned(), version, values_files, is_packaged: true }, bytes))
}

fn in_archive(error: &ChartError) -> String {
    format!("the chart archive is not valid: {error}")
}

/// A chart in a source's files, loaded and not yet packed.
#[derive(Debug)]
pub struct LocalChart {
    chart: Chart,
    /// The archive, when that is what lies there.
    archive: Option<Vec<u8>>,
    version: String,
}

/// The files of a source, by path.
pub type SourceFiles = BTreeMap<String, Vec<u8>>;

/// Loads the chart at `path`: a directory, or an archive.
pub fn load_local(files: &SourceFiles, path: &str, options: &Options) -> Result<LocalChart, Failure> {
    let root = clean(path);
    let (chart, archive) = match files.get(&root) {
        Some(archive) if !root.is_empty() => {
            (load_archive(archive).map_err(|error| invalid_reference(in_archive(&error)))?, Some(archive.clone()))
        }
        _ => (load_at(files, &root).map_err(invalid_reference)?, None),
    };
    let version = version_with(&chart.metadata.version, &options.metadata)?;
    Ok(LocalChart { chart, archive, version })
}

/// Loads the chart in a directory.
fn load_at(files: &SourceFiles, root: &str) -> Result<Chart, String> {
    let prefix = if root.is_empty() { String::new() } else { format!("{root}/") };
    let below: Vec<(String, Vec<u8>)> =
        files.iter().filter_map(|(path, data)| Some((path.strip_prefix(&prefix)?.to_owned(), data.clone()))).collect();
    if !below.iter().any(|(path, _)| path == "Chart.yaml") {
        return Err(format!("no chart found at path '{root}': there is no Chart.yaml"));
    }
    load_directory(below).map_err(|error| format!("the chart at path '{root}' is not valid: {error}"))
}

/// What has to be fetched before a chart can be packed.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// The dependency.
    pub dependency: Dependency,
    /// The directory it lies in, for one of the same source.
    pub local: Option<String>,
}

impl LocalChart {
    /// Name of the chart.
    pub fn name(&self) -> &str {
        self.chart.name()
    }

    /// Its version, with metadata.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether it is packed by us.
    pub fn is_packaged(&self, options: &Options) -> bool {
        self.archive.is_none() || !options.is_plain()
    }

    /// Declared dependencies that are not in `charts/`; the lock's versions before the declared ones.
    pub fn missing(&self, path: &str) -> Vec<Missing> {
        if self.archive.is_some() {
            return Vec::new();
        }
        let wanted = self.chart.lock.as_ref().map_or(&self.chart.metadata.dependencies, |lock| &lock.dependencies);
        if wanted.len() == self.chart.dependencies.len() {
            return Vec::new();
        }
        let name = |dependency: &Dependency| {
            if dependency.alias.is_empty() { dependency.name.clone() } else { dependency.alias.clone() }
        };
        wanted
            .iter()
            .filter(|dependency| !self.chart.dependencies.iter().any(|chart| chart.name() == name(dependency)))
            .map(|dependency| Missing { dependency: dependency.clone(), local: local_directory(dependency, path) })
            .collect()
    }

    /// Adds a dependency that lies in the same source.
    pub fn add_local(&mut self, files: &SourceFiles, directory: &str, dependency: &Dependency) -> Result<(), Failure> {
        let failed = |message: String| {
            dependency_error(format!("failed to add local dependency '{}': {message}", dependency.name))
        };
        let chart = load_at(files, directory).map_err(failed)?;
        let range = version::Constraints::parse(&dependency.version)
            .map_err(|error| failed(format!("invalid version/constraint format '{}': {error}", dependency.version)))?;
        let version = Version::parse(&chart.metadata.version).map_err(|error| failed(error.to_string()))?;
        if !range.check(&version) {
            return Err(failed(format!("can't get a valid version for constraint '{}'", dependency.version)));
        }
        self.add(chart, dependency);
        Ok(())
    }

    /// Adds a dependency that was downloaded.
    pub fn add_archive(&mut self, archive: &[u8], dependency: &Dependency) -> Result<(), Failure> {
        let chart = load_archive(archive).map_err(|error| {
            dependency_error(format!("failed to add remote dependency '{}': {}", dependency.name, in_archive(&error)))
        })?;
        self.add(chart, dependency);
        Ok(())
    }

    fn add(&mut self, mut chart: Chart, dependency: &Dependency) {
        if !dependency.alias.is_empty() {
            chart.metadata.name.clone_from(&dependency.alias);
        }
        self.chart.dependencies.push(chart);
    }

    /// Merges values and packs.
    pub fn build(mut self, files: &SourceFiles, options: &Options) -> Result<(Build, Vec<u8>), Failure> {
        let name = self.chart.name().to_owned();
        if let Some(archive) = self.archive.take_if(|_| options.is_plain()) {
            return Ok((Build { name, version: self.version, ..Build::default() }, archive));
        }
        let (merged, used) = merge::merge(&options.values_files, options.ignore_missing, |path| {
            files.get(path).cloned().map(merge::Content::Text)
        })
        .map_err(|error| values_error(&error))?;
        self.chart.metadata.version.clone_from(&self.version);
        let is_overwritten =
            merge::overwrite_defaults(&mut self.chart, merged).map_err(|error| values_error(&error))?;
        let bytes = package(&self.chart).map_err(package_error)?;
        let values_files = if is_overwritten { used } else { Vec::new() };
        Ok((Build { name, version: self.version, values_files, is_packaged: true }, bytes))
    }
}

/// The directory of a dependency without repository or with `file://`, held inside the source.
fn local_directory(dependency: &Dependency, chart: &str) -> Option<String> {
    let repository = &dependency.repository;
    if repository.is_empty() {
        return Some(clean(&format!("{chart}/charts/{}", dependency.name)));
    }
    let path = repository.strip_prefix("file://")?;
    Some(clean(&format!("{chart}/{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> SourceFiles {
        list.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    fn source() -> SourceFiles {
        files(&[
            (
                "charts/web/Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.2.3\ndependencies:\n- {name: lib, version: 1.x, repository: \"file://../lib\", alias: tools}\n- {name: db, version: 2.x, repository: https://charts.example.com}\n",
            ),
            ("charts/web/values.yaml", "a: 1\n"),
            ("charts/web/templates/x.yaml", "x: {{ .Values.a }}\n"),
            ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\n"),
            ("env/prod.yaml", "a: 2\n"),
        ])
    }

    #[test]
    fn charts_of_a_source_are_packed() {
        let options = Options {
            values_files: vec!["env/prod.yaml".to_owned()],
            ignore_missing: false,
            metadata: "0123456789ab.7".to_owned(),
        };
        let files = source();
        let mut local = load_local(&files, "./charts/web/", &options).unwrap();
        assert_eq!(local.version(), "1.2.3+0123456789ab.7");
        let missing = local.missing("./charts/web/");
        assert_eq!(missing.iter().map(|m| m.local.as_deref()).collect::<Vec<_>>(), [Some("charts/lib"), None]);
        local.add_local(&files, "charts/lib", &missing[0].dependency).unwrap();
        let (build, bytes) = local.build(&files, &options).unwrap();
        assert_eq!(
            build.summary(),
            "packaged 'web' chart with version '1.2.3+0123456789ab.7' and merged values files [env/prod.yaml]"
        );
        let chart = load_archive(&bytes).unwrap();
        assert_eq!(chart.metadata.version, "1.2.3+0123456789ab.7");
        assert_eq!(chart.values.unwrap().to_json(), serde_json::json!({"a": 2}));
        assert_eq!(chart.dependencies[0].name(), "tools");
    }

    #[test]
    fn archives_are_kept_as_they_are_unless_changed() {
        let plain = Options::default();
        let files = source();
        let (_, packed) = load_local(&files, "charts/lib", &plain).unwrap().build(&files, &plain).unwrap();
        let (build, bytes) = from_archive(&packed, "lib", "1.0.0", &plain).unwrap();
        assert_eq!((build.summary().as_str(), &bytes), ("pulled 'lib' chart with version '1.0.0'", &packed));
        let metadata = Options { metadata: "3".to_owned(), ..Options::default() };
        let (build, bytes) = from_archive(&packed, "lib", "1.0.0", &metadata).unwrap();
        assert_eq!((build.version.as_str(), build.is_packaged), ("1.0.0+3", true));
        assert_eq!(load_archive(&bytes).unwrap().metadata.version, "1.0.0+3");
        let missing = Options { values_files: vec!["x.yaml".to_owned()], ..Options::default() };
        let failure = from_archive(&packed, "lib", "1.0.0", &missing).unwrap_err();
        assert_eq!(
            (failure.reason, failure.message.as_str()),
            ("ValuesFilesError", "values files merge error: no values file found at path 'x.yaml'")
        );
    }

    #[test]
    fn bad_references_stall() {
        let files = source();
        let failure = load_local(&files, "../../nope", &Options::default()).unwrap_err();
        assert_eq!(failure.message, "invalid chart reference: no chart found at path 'nope': there is no Chart.yaml");
        assert!(
            from_archive(b"not an archive", "a", "1", &Options::default())
                .unwrap_err()
                .message
                .starts_with("chart pull error: ")
        );
        for (name, is_valid) in [
            ("web", true),
            ("a/b.c-1", true),
            ("", false),
            ("Web", false),
            ("../x", false),
            ("a b", false),
            ("/x", false),
        ] {
            assert_eq!(check_name(name).is_ok(), is_valid, "{name}");
        }
        assert!(version_with("not", "x").is_err());
    }
}
