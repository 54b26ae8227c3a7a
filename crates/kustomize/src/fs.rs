//! The file systems a build can run over. Paths are absolute and separated by `/`.

use std::{collections::BTreeMap, io, path::Path};

use crate::error::Error;

/// What a build needs of a file system.
pub trait FileSystem: Send + Sync {
    /// A file's bytes.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// Whether the path is a directory.
    fn is_directory(&self, path: &str) -> bool;
    /// The path with symbolic links followed; an error when nothing is there.
    fn resolve(&self, path: &str) -> io::Result<String>;
    /// The names in a directory.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;
}

/// Files held in memory: a fetched artifact, or a test.
#[derive(Clone, Debug, Default)]
pub struct MemoryFileSystem {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFileSystem {
    /// Adds a file; the path is taken from the root.
    pub fn insert(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(clean(&join("/", path)), content.into());
    }
}

impl FromIterator<(String, Vec<u8>)> for MemoryFileSystem {
    fn from_iter<T: IntoIterator<Item = (String, Vec<u8>)>>(files: T) -> Self {
        let mut fs = Self::default();
        for (path, content) in files {
            fs.insert(&path, content);
        }
        fs
    }
}

fn not_found(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("'{path}' doesn't exist"))
}

impl FileSystem for MemoryFileSystem {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(&clean(path)).cloned().ok_or_else(|| not_found(path))
    }

    fn is_directory(&self, path: &str) -> bool {
        let path = clean(path);
        let below = if path == "/" { path } else { format!("{path}/") };
        self.files.range(below.clone()..).next().is_some_and(|(file, _)| file.starts_with(&below))
    }

    fn resolve(&self, path: &str) -> io::Result<String> {
        let path = clean(path);
        if self.files.contains_key(&path) || self.is_directory(&path) { Ok(path) } else { Err(not_found(&path)) }
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let path = clean(path);
        let below = if path == "/" { path } else { format!("{path}/") };
        let mut names: Vec<String> = self
            .files
            .range(below.clone()..)
            .map_while(|(file, _)| file.strip_prefix(&below))
            .filter_map(|rest| rest.split('/').next().map(str::to_owned))
            .collect();
        names.dedup();
        Ok(names)
    }
}

/// A directory of this machine. Nothing above it can be reached: the build sees it as `/`.
///
/// Use `DirectoryFileSystem::whole_machine` for a command line, where bases may be anywhere.
#[derive(Clone, Debug)]
pub struct DirectoryFileSystem {
    root: String,
}

impl DirectoryFileSystem {
    /// All of this machine's files, under their own paths.
    pub fn whole_machine() -> Self {
        Self { root: String::new() }
    }

    /// The files below a directory.
    pub fn below(root: &Path) -> io::Result<Self> {
        let root = fs_err::canonicalize(root)?;
        let root = root.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "path is not UTF-8"))?;
        Ok(Self { root: root.trim_end_matches('/').to_owned() })
    }

    fn real(&self, path: &str) -> String {
        format!("{}{}", self.root, clean(path))
    }

    /// Whether nothing is outside, so that links need not be followed before a file is opened.
    fn is_whole(&self) -> bool {
        self.root.is_empty()
    }

    /// The real path with links followed, refused when it leads out of the root.
    fn inside(&self, path: &str) -> io::Result<String> {
        let real = fs_err::canonicalize(self.real(path))?;
        let real = real.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "path is not UTF-8"))?;
        if is_in_or_below(real, &self.root) {
            Ok(real.to_owned())
        } else {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("'{path}' leads out of the source")))
        }
    }
}

impl FileSystem for DirectoryFileSystem {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        if self.is_whole() { fs_err::read(self.real(path)) } else { fs_err::read(self.inside(path)?) }
    }

    fn is_directory(&self, path: &str) -> bool {
        if self.is_whole() {
            return Path::new(&self.real(path)).is_dir();
        }
        self.inside(path).is_ok_and(|real| Path::new(&real).is_dir())
    }

    fn resolve(&self, path: &str) -> io::Result<String> {
        let real = self.inside(path)?;
        let seen = real.strip_prefix(&self.root).unwrap_or(&real);
        Ok(if seen.is_empty() { "/".to_owned() } else { seen.to_owned() })
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs_err::read_dir(self.inside(path)?)? {
            let name = entry?.file_name().into_string();
            names.push(name.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "file name is not UTF-8"))?);
        }
        names.sort();
        Ok(names)
    }
}

/// Joins as Go's `filepath.Join` does: the second part is taken below the first even when it starts with a slash.
pub fn join(base: &str, path: &str) -> String {
    clean(&format!("{base}/{path}"))
}

/// The shortest equal path: no `.`, no inner `..`, no double slash.
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut clean = String::with_capacity(path.len() + 1);
    if absolute {
        clean.push('/');
    }
    // Where what `..` takes away begins; before it are the root or further `..`.
    let mut fixed = clean.len();
    for part in path.as_bytes().split(|byte| *byte == b'/') {
        // Cut at slashes, a text stays a text.
        let part = std::str::from_utf8(part).unwrap_or_default();
        match part {
            "" | "." => {}
            ".." if clean.len() > fixed => {
                let parent = clean.rfind('/').unwrap_or_default();
                clean.truncate(parent.max(fixed));
            }
            ".." if absolute => {}
            part => {
                if !clean.is_empty() && !clean.ends_with('/') {
                    clean.push('/');
                }
                clean.push_str(part);
                if part == ".." {
                    fixed = clean.len();
                }
            }
        }
    }
    if clean.is_empty() {
        clean.push('.');
    }
    clean
}

/// Whether `path` is `root` or lies below it. Both are clean.
pub fn is_in_or_below(path: &str, root: &str) -> bool {
    root.is_empty() || root == "/" || path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// An error of reading `path`, without the machine's own words for where the root is.
pub fn read_error(path: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Read(format!("open {path}: no such file or directory")),
        _ => Error::Read(format!("{path}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_cleans_them() {
        let cases = [
            ("/a/./b/../c", "/a/c"),
            ("/../a", "/a"),
            ("a/../..", ".."),
            ("", "."),
            ("/", "/"),
            ("a//b/", "a/b"),
            ("../../a", "../../a"),
            ("../a/..", ".."),
            ("../../a/../..", "../../.."),
            ("a/../b", "b"),
            ("a/b/../..", "."),
            ("./a/.", "a"),
            ("/a/../../b/", "/b"),
            ("//é/ü//..", "/é"),
        ];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn a_directory_cannot_be_left_by_a_link() {
        let outside = tempfile::tempdir().unwrap();
        fs_err::write(outside.path().join("secret"), "x").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs_err::write(root.path().join("file"), "ok").unwrap();
        fs_err::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        fs_err::os::unix::fs::symlink(root.path().join("file"), root.path().join("inner")).unwrap();
        let fs = DirectoryFileSystem::below(root.path()).unwrap();
        assert_eq!(fs.read("/inner").unwrap(), b"ok");
        assert_eq!(fs.resolve("/inner").unwrap(), "/file");
        assert!(fs.read("/link/secret").is_err());
        assert!(fs.resolve("/../../etc/passwd").is_err());
    }

    #[test]
    fn memory_directories_exist_by_their_files() {
        let mut fs = MemoryFileSystem::default();
        fs.insert("base/kustomization.yaml", "a");
        assert!(fs.is_directory("/base"));
        assert!(fs.is_directory("/"));
        assert!(!fs.is_directory("/bas"));
        assert!(!fs.is_directory("/base/kustomization.yaml"));
    }
}
