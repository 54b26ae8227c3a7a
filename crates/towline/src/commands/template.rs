//! `towline template`: renders a chart as `helm template` does, without a cluster.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use helm::chart::{Chart, load_archive, load_directory};
use helm::template::{TemplateOptions, template};
use helm::values::{ValuesFile, ValuesOptions};

use crate::cli::ClusterArguments;
use crate::error::{Error, Result};
use crate::output;

/// Arguments of `towline template`; names and meaning are Helm's.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The release's name and the chart (a directory or a packed chart); with one argument it is the chart.
    #[arg(value_names = ["RELEASE", "CHART"], num_args = 1..=2, required = true)]
    positional: Vec<String>,
    /// Values from a YAML file, or from standard input when `-`; later files win.
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    values: Vec<String>,
    /// Values as key1=value1,key2=value2.
    #[arg(long, value_name = "VALUES")]
    set: Vec<String>,
    /// Values that are always strings.
    #[arg(long, value_name = "VALUES")]
    set_string: Vec<String>,
    /// Values that are JSON, as key=json or as an object.
    #[arg(long, value_name = "VALUES")]
    set_json: Vec<String>,
    /// Values read from files, as key=path.
    #[arg(long, value_name = "VALUES")]
    set_file: Vec<String>,
    /// One value that is taken as it is.
    #[arg(long, value_name = "VALUE")]
    set_literal: Vec<String>,
    /// Kubernetes version for Capabilities.KubeVersion.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions for Capabilities.APIVersions, besides the usual.
    #[arg(short = 'a', long, value_name = "VERSIONS", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Include the CRDs of the chart.
    #[arg(long)]
    include_crds: bool,
    /// Leave the CRDs out, even with --include-crds.
    #[arg(long)]
    skip_crds: bool,
    /// Only what these templates render.
    #[arg(short = 's', long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
    /// Leave hooks out.
    #[arg(long)]
    no_hooks: bool,
    /// Leave tests out.
    #[arg(long)]
    skip_tests: bool,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall.
    #[arg(long)]
    is_upgrade: bool,
    /// Do not check values against the chart's schema.
    #[arg(long)]
    skip_schema_validation: bool,
    /// Write files into this directory instead of standard output.
    #[arg(long, value_name = "DIRECTORY")]
    output_dir: Option<PathBuf>,
    /// Put the release's name between the output directory and the files.
    #[arg(long, requires = "output_dir")]
    release_name: bool,
}

/// Runs it.
pub(crate) fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    let (release, chart) = match arguments.positional.as_slice() {
        [release, chart] => (release.as_str(), chart.as_str()),
        [chart] => ("release-name", chart.as_str()),
        _ => return Err(Error::Usage("give the release's name and the chart".to_owned())),
    };
    let chart = load(Path::new(chart))?;
    let options = TemplateOptions {
        values: arguments.values()?,
        release_name: release.to_owned(),
        namespace: cluster.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        kube_version: arguments.kube_version.clone(),
        api_versions: arguments.api_versions.clone(),
        include_crds: arguments.include_crds && !arguments.skip_crds,
        show_only: arguments.show_only.clone(),
        no_hooks: arguments.no_hooks,
        is_upgrade: arguments.is_upgrade,
        skip_tests: arguments.skip_tests,
        skip_schema_validation: arguments.skip_schema_validation,
        now: super::now(),
        ..TemplateOptions::default()
    };
    let rendered = template(&chart, &options).map_err(|error| Error::Chart(error.to_string()))?;
    for warning in &rendered.warnings {
        output::note(&format!("warning: {warning}"));
    }
    match &arguments.output_dir {
        None => output::print(&rendered.text),
        Some(directory) if arguments.release_name => write(&directory.join(release), &rendered.text),
        Some(directory) => write(directory, &rendered.text),
    }
}

impl Arguments {
    fn values(&self) -> Result<ValuesOptions> {
        let mut files = Vec::new();
        for name in &self.values {
            let content = if name == "-" {
                let mut content = Vec::new();
                std::io::stdin().lock().read_to_end(&mut content).map_err(Error::File)?;
                content
            } else {
                fs::read(name).map_err(Error::File)?
            };
            files.push(ValuesFile { name: name.clone(), content });
        }
        let mut set_file_contents = BTreeMap::new();
        for path in self.set_file.iter().flat_map(|text| paths(text)) {
            // A path that cannot be read is reported where it is used, in Helm's words.
            if let Ok(content) = fs::read(path) {
                set_file_contents.insert(path.to_owned(), String::from_utf8_lossy(&content).into_owned());
            }
        }
        Ok(ValuesOptions {
            files,
            set_json: self.set_json.clone(),
            set: self.set.clone(),
            set_string: self.set_string.clone(),
            set_file: self.set_file.clone(),
            set_file_contents,
            set_literal: self.set_literal.clone(),
        })
    }
}

/// The paths of a `--set-file` value.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter_map(|pair| pair.split_once('=').map(|(_, path)| path))
}

/// Loads a chart from a directory or an archive.
fn load(path: &Path) -> Result<Chart> {
    let wrong = |error: helm::chart::ChartError| Error::Chart(error.to_string());
    if !path.exists() {
        return Err(Error::Chart(format!("path {:?} not found", path.display().to_string())));
    }
    if path.is_dir() {
        let mut files = Vec::new();
        walk(path, "", &mut files)?;
        return load_directory(files).map_err(wrong);
    }
    load_archive(&fs::read(path).map_err(Error::File)?).map_err(wrong)
}

/// Every regular file below a directory, by its path relative to it. Links are followed, as Helm does.
fn walk(root: &Path, below: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    /// Deeper is no chart but a directory that links to itself.
    const DEEPEST: usize = 64;
    if below.matches('/').count() > DEEPEST {
        return Err(Error::Chart(format!("{below}: too deep; does a link lead back?")));
    }
    for entry in fs::read_dir(root.join(below)).map_err(Error::File)? {
        let entry = entry.map_err(Error::File)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = fs::metadata(root.join(&path)).map_err(Error::File)?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else if kind.is_file() {
            let content = fs::read(root.join(&path)).map_err(Error::File)?;
            files.push((path, content));
        }
    }
    Ok(())
}

/// Writes each document to the file its `# Source:` line names.
fn write(directory: &Path, text: &str) -> Result<()> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for document in text.split("---\n# Source: ").skip(1) {
        let Some((source, _)) = document.split_once('\n') else { continue };
        if source.split('/').any(|part| part == "..") {
            return Err(Error::Chart(format!("{source} leads out of the output directory")));
        }
        let path = directory.join(source);
        let content = format!("---\n# Source: {document}");
        match files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, known)) => known.push_str(&content),
            None => files.push((path, content)),
        }
    }
    for (path, content) in files {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::File)?;
        }
        fs::write(&path, content).map_err(Error::File)?;
        output::print(&format!("wrote {}\n", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn every_path_of_a_set_file_value_is_found() {
        assert_eq!(paths("a=x.txt,b.c=dir/y").collect::<Vec<_>>(), ["x.txt", "dir/y"]);
        assert_eq!(paths("nothing").count(), 0);
    }
}
