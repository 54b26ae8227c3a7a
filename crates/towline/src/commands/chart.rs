//! Charts in the file system.

use std::path::Path;

use fs_err as fs;
use helm::chart::{Chart, load_archive, load_directory};
use helm::lint::ChartFiles;

use crate::error::{Error, Result};

/// Loads a chart from a directory or an archive.
pub(crate) fn load(path: &Path) -> Result<Chart> {
    let wrong = |error: helm::chart::ChartError| Error::Chart(error.to_string());
    if !path.exists() {
        return Err(Error::Chart(format!("path {:?} not found", path.display().to_string())));
    }
    if path.is_dir() {
        let mut files = ChartFiles::default();
        walk(path, "", &mut files)?;
        return load_directory(files.files).map_err(wrong);
    }
    load_archive(&fs::read(path).map_err(Error::File)?).map_err(wrong)
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
