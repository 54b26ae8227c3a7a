//! Charts in the file system.

use std::path::Path;

use fs_err as fs;
use helm::chart::{Chart, ChartError, load_archive, load_directory};
use helm::lint::ChartFiles;

use crate::error::{Error, Result};

/// Loads a chart from a directory or an archive. The first line of an error is Helm's.
pub(crate) fn load(path: &Path) -> Result<Chart> {
    let shown = path.display();
    let wrong = |error: ChartError| {
        let place = match &error {
            ChartError::File { file, .. } => format!("{shown}/{file}"),
            _ => shown.to_string(),
        };
        Error::Chart(format!("{error}\n\n  --> {place}"))
    };
    if !path.exists() {
        return Err(Error::Chart(format!("path {:?} not found", shown.to_string())));
    }
    let absolute = fs::canonicalize(path).map_err(Error::File)?;
    if path.is_dir() {
        let chart_file = absolute.join("Chart.yaml");
        if !chart_file.exists() {
            let place = chart_file.display();
            let reason = format!("unable to detect chart at {place}: open {place}: no such file or directory");
            return Err(Error::Chart(format!(
                "{reason}\n\nhelp: a chart's directory has a Chart.yaml; is it below this one?"
            )));
        }
        let mut files = ChartFiles::default();
        walk(path, "", &mut files)?;
        return load_directory(files.files).map_err(wrong);
    }
    let bytes = fs::read(path).map_err(Error::File)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(Error::Chart(no_archive(&absolute, &bytes)));
    }
    load_archive(&bytes).map_err(wrong)
}

/// Helm's words about a file that is no packed chart.
fn no_archive(path: &Path, bytes: &[u8]) -> String {
    let shown = path.display();
    if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
        return format!(
            "file '{shown}' seems to be a YAML file, but expected a gzipped archive\n\n\
             help: give the chart's directory; values files come with -f"
        );
    }
    // Helm looks at the first 512 bytes, and takes what is shorter for binary.
    let is_binary = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b | 0x7f);
    let is_text = bytes.get(..512).is_some_and(|start| !start.iter().any(is_binary));
    let found = if is_text { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    format!("file '{shown}' does not appear to be a gzipped archive; got '{found}'")
}

/// Every file and directory below a directory, by its path relative to it. Links are followed, as Helm does.
pub(crate) fn walk(root: &Path, below: &str, files: &mut ChartFiles) -> Result<()> {
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
            files.directories.insert(path);
        } else if kind.is_file() {
            let content = fs::read(root.join(&path)).map_err(Error::File)?;
            files.files.insert(path, content);
        }
    }
    Ok(())
}
