//! `--dependency-update`: what `Chart.yaml` declares is fetched into `charts/`, as `helm dependency update` does it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use helm::chart::{Chart, Dependency, Lock, load_archive, package};
use helm::dependencies::is_compatible_range;

use super::chart::load;
use crate::error::{Error, Result};
use crate::fetch::Charts;
use crate::output::note;

/// Fetches the dependencies of the chart in a directory and writes its lock. Nothing is changed before all are there.
pub(crate) fn update(directory: &Path, chart: &Chart, charts: &Charts) -> Result<()> {
    if !directory.is_dir() {
        return Err(Error::Chart("only unpacked charts can be updated".to_owned()));
    }
    let directory = fs::canonicalize(directory).map_err(Error::File)?;
    let mut declared = chart.metadata.dependencies.clone();
    for dependency in &mut declared {
        name_repository(dependency, charts)?;
    }
    let mut found = Found::default();
    for dependency in &declared {
        found.add(&directory, dependency, charts)?;
    }
    if !found.missing.is_empty() {
        let (count, list) = (found.missing.len(), found.missing.join(", "));
        return Err(Error::Chart(format!(
            "can't get a valid version for {count} subchart(s): {list}. Make sure a matching chart version exists in \
             the repo, or change the version constraint in Chart.yaml"
        )));
    }
    let local =
        |name: &str| declared.iter().any(|dependency| dependency.repository.is_empty() && dependency.name == name);
    replace(&directory, &found.archives, local)?;
    let lock = Lock::of(&declared, found.chosen, super::now().into());
    let unchanged = chart.lock.as_ref().is_some_and(|before| before.digest == lock.digest);
    if unchanged { Ok(()) } else { write_lock(&directory, &chart.metadata.api_version, &lock) }
}

/// Puts the URL in the place of the name of a repository.
fn name_repository(dependency: &mut Dependency, charts: &Charts) -> Result<()> {
    let repository = &dependency.repository;
    if let Some(name) = repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:")) {
        let missing = || unknown_repository(repository, "");
        dependency.repository = charts.url_of(name).map_err(Error::Chart)?.ok_or_else(missing)?;
        return Ok(());
    }
    match repository.split_once("://") {
        Some(("http" | "https" | "oci" | "file", _)) => Ok(()),
        Some((scheme, _)) => Err(Error::Chart(format!("could not find protocol handler for: {scheme}"))),
        None if repository.is_empty() => Ok(()),
        None => Err(unknown_repository(
            repository,
            "\nNote that repositories must be URLs or aliases. For example, to refer to the \"example\"\n\
             repository, use \"https://charts.example.com/\" or \"@example\" instead of\n\
             \"example\". Don't forget to add the repo, too ('helm repo add').",
        )),
    }
}

fn unknown_repository(repository: &str, note: &str) -> Error {
    Error::Chart(format!("no repository definition for {repository}. Please add them via 'helm repo add'{note}"))
}

/// What was found for the dependencies.
#[derive(Default)]
struct Found {
    /// As the lock says it.
    chosen: Vec<Dependency>,
    /// By file name below `charts/`.
    archives: BTreeMap<String, Vec<u8>>,
    /// Those without a version in the range.
    missing: Vec<String>,
}

impl Found {
    fn add(&mut self, directory: &Path, dependency: &Dependency, charts: &Charts) -> Result<()> {
        let Dependency { name, version: range, repository, .. } = dependency;
        let chosen = if repository.is_empty() {
            let chart = load_local(&directory.join("charts").join(name))?;
            let version = &chart.metadata.version;
            if !is_compatible_range(range, version) {
                return Err(Error::Chart(format!(
                    "dependency {name} at version {version} does not satisfy the constraint {range}"
                )));
            }
            Some(range.clone())
        } else {
            version::Constraints::parse(range).map_err(|error| {
                Error::Chart(format!("dependency {name:?} has an invalid version/constraint format: {error}"))
            })?;
            match repository.strip_prefix("file://") {
                Some(path) => self.pack(&directory.join(path), range)?,
                None => self.fetch(charts, dependency)?,
            }
        };
        match chosen {
            Some(version) => self.chosen.push(Dependency {
                name: name.clone(),
                version,
                repository: repository.clone(),
                ..Dependency::default()
            }),
            None => self.missing.push(format!("{name:?} (repository {repository:?}, version {range:?})")),
        }
        Ok(())
    }

    /// Packs a chart of this machine, if its version is in the range.
    fn pack(&mut self, path: &Path, range: &str) -> Result<Option<String>> {
        let chart = load_local(path)?;
        let version = chart.metadata.version.clone();
        if !is_compatible_range(range, &version) {
            return Ok(None);
        }
        let archive = package(&chart).map_err(|error| Error::Chart(error.to_string()))?;
        self.archives.insert(format!("{}-{version}.tgz", chart.name()), archive);
        Ok(Some(version))
    }

    fn fetch(&mut self, charts: &Charts, dependency: &Dependency) -> Result<Option<String>> {
        let Dependency { name, version: range, repository, .. } = dependency;
        let failed =
            |reason: String| Error::Chart(format!("{reason}\n\nhelp: it is the dependency {name:?} in Chart.yaml"));
        note(&format!("Downloading {name} from repo {}", common::url::mask(repository)));
        let Some(found) = charts.dependency(repository, name, range).map_err(failed)? else { return Ok(None) };
        let chart =
            load_archive(&found.packed.archive).map_err(|error| failed(format!("{}: {error}", found.packed.file)))?;
        let version = found.version.unwrap_or_else(|| chart.metadata.version.clone());
        // The name comes from the server and must stay within the directory.
        let file = match found.packed.file {
            file if file.ends_with(".tgz") && !file.contains(['/', '\\']) && !file.starts_with('.') => file,
            _ => format!("{}-{version}.tgz", chart.name()),
        };
        self.archives.insert(file, found.packed.archive);
        Ok(Some(version))
    }
}

/// A chart in a directory of this machine.
fn load_local(path: &Path) -> Result<Chart> {
    let path = cleaned(path);
    if !path.exists() {
        return Err(Error::Chart(format!("directory {} not found", path.display())));
    }
    if !path.is_dir() {
        return Err(Error::Chart("Chart.yaml file is missing".to_owned()));
    }
    load(&path)
}

/// The path without `..`, as Go's `filepath.Join` gives it.
fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(cleaned.pop()),
            std::path::Component::CurDir => {}
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// Puts the archives into `charts/` and removes other packed charts there, but those that have no repository.
fn replace(directory: &Path, archives: &BTreeMap<String, Vec<u8>>, is_local: impl Fn(&str) -> bool) -> Result<()> {
    let charts = directory.join("charts");
    fs::create_dir_all(&charts).map_err(Error::File)?;
    // Written beside and moved: a reader never sees half an archive.
    let scratch = directory.join(format!("tmpcharts-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(Error::File)?;
    let moved = archives.iter().try_for_each(|(file, archive)| {
        fs::write(scratch.join(file), archive)?;
        fs::rename(scratch.join(file), charts.join(file))
    });
    let removed = fs::remove_dir_all(&scratch);
    moved.and(removed).map_err(Error::File)?;
    for entry in fs::read_dir(&charts).map_err(Error::File)? {
        let entry = entry.map_err(Error::File)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if archives.contains_key(&name) || entry.path().is_dir() {
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(Error::File)?;
        match load_archive(&bytes) {
            Ok(chart) if is_local(chart.name()) => {}
            Ok(_) => fs::remove_file(entry.path()).map_err(Error::File)?,
            Err(error) => {
                note(&format!("Could not verify {} for deletion: {error} (Skipping)", entry.path().display()));
            }
        }
    }
    Ok(())
}

fn write_lock(directory: &Path, api_version: &str, lock: &Lock) -> Result<()> {
    let name = if api_version == "v1" { "requirements.lock" } else { "Chart.lock" };
    let path = directory.join(name);
    if let Ok(target) = fs::read_link(&path) {
        return Err(Error::Chart(format!("the {name} file is a symlink to {:?}", target.display().to_string())));
    }
    fs::write(&path, lock.yaml()).map_err(Error::File)
}
