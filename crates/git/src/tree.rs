//! From a commit's tree to the entries of an artifact.

use std::collections::BTreeMap;
use std::io::Write;

use archive::compare_paths;
use archive::sourceignore::{IGNORE_FILE, Matcher, Pattern, read_patterns};
use git2::{ObjectType, Oid, Repository};

use crate::GitError;

/// Most files and directories of one artifact.
const MOST_ENTRIES: usize = 500_000;
/// Most bytes of one file.
const LARGEST_FILE: usize = 256 << 20;
/// Most bytes of all files.
const LARGEST_TOTAL: u64 = 4 << 30;
/// Longest path, as on Linux.
const LONGEST_PATH: usize = 4096;
/// Largest ignore file that is read.
const LARGEST_IGNORE_FILE: usize = 1 << 20;

/// A file or directory; contents lie in the repository's object store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// Its blob.
        blob: Oid,
        /// Whether it is executable.
        executable: bool,
    },
    /// A symbolic link; never part of an artifact.
    SymbolicLink {
        /// The blob with its target.
        blob: Oid,
    },
}

/// What of a tree is wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only what begins with one of these paths; everything when empty.
    pub sparse: Vec<String>,
    /// Submodules too.
    pub submodules: bool,
    /// Symbolic links too.
    pub symbolic_links: bool,
}

/// A path that sorts as a depth-first walk would meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePath(pub String);

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        compare_paths(&self.0, &other.0)
    }
}

/// Every file and directory by path.
#[derive(Clone, Debug, Default)]
pub struct Files(pub BTreeMap<TreePath, Node>);

/// A submodule found in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it is mounted.
    pub path: String,
    /// The commit it is at.
    pub commit: String,
    /// The URL as `.gitmodules` has it.
    pub url: Option<String>,
}

impl Files {
    /// Adds a file together with its directories.
    pub fn add_file(&mut self, path: &str, blob: Oid, executable: bool) -> Result<(), GitError> {
        let mut parent = path;
        while let Some((directory, _)) = parent.rsplit_once('/') {
            if self.0.insert(TreePath(directory.to_owned()), Node::Directory) == Some(Node::Directory) {
                break;
            }
            parent = directory;
        }
        self.insert(path, Node::File { blob, executable })
    }

    fn insert(&mut self, path: &str, node: Node) -> Result<(), GitError> {
        if self.0.len() >= MOST_ENTRIES {
            return Err(GitError::TooLarge { what: "the number of files".to_owned(), limit: MOST_ENTRIES as u64 });
        }
        self.0.insert(TreePath(path.to_owned()), node);
        Ok(())
    }

    /// Whether there is a file or directory at the path.
    pub fn contains(&self, path: &str) -> bool {
        path.is_empty() || path == "." || self.0.contains_key(&TreePath(path.to_owned()))
    }

    /// The patterns of every ignore file, parents before children, then those given with the object.
    pub fn ignore_patterns(&self, repository: &Repository, given: Option<&str>) -> Result<Vec<Pattern>, GitError> {
        let mut sources: Vec<(Vec<&str>, Oid)> = Vec::new();
        for (path, node) in &self.0 {
            let (directory, name) = path.0.rsplit_once('/').unwrap_or(("", &path.0));
            if let Node::File { blob, .. } = node
                && name == IGNORE_FILE
            {
                let domain = if directory.is_empty() { Vec::new() } else { directory.split('/').collect() };
                sources.push((domain, *blob));
            }
        }
        sources.sort();
        let odb = repository.odb()?;
        let mut patterns = Vec::new();
        for (domain, blob) in sources {
            if odb.read_header(blob)?.0 > LARGEST_IGNORE_FILE {
                return Err(GitError::TooLarge {
                    what: format!("{}/{IGNORE_FILE}", domain.join("/")),
                    limit: LARGEST_IGNORE_FILE as u64,
                });
            }
            patterns.extend(read_patterns(odb.read(blob)?.data(), &domain));
        }
        let root: &[&str] = &[];
        patterns.extend(given.map(|text| read_patterns(text.as_bytes(), root)).unwrap_or_default());
        Ok(patterns)
    }

    /// Packs what the matcher leaves in.
    pub fn pack(&self, repository: &Repository, matcher: &Matcher, target: &mut dyn Write) -> Result<(), PackError> {
        let odb = repository.odb()?;
        let mut writer = archive::Writer::new(target)?;
        writer.directory(".")?;
        let mut total = 0_u64;
        for (path, node) in &self.0 {
            let is_directory = *node == Node::Directory;
            if matcher.is_path_ignored(&path.0, is_directory) {
                continue;
            }
            match node {
                Node::Directory => writer.directory(&path.0)?,
                // Left out of every Flux artifact.
                Node::SymbolicLink { .. } => {}
                Node::File { blob, executable } => {
                    let (size, _) = odb.read_header(*blob)?;
                    total += size as u64;
                    check_size(&path.0, size, total)?;
                    writer.file(&path.0, *executable, odb.read(*blob)?.data())?;
                }
            }
        }
        writer.finish()?;
        Ok(())
    }
}

/// Holds a file, and all of them together, to their limits.
pub(crate) fn check_size(path: &str, size: usize, total: u64) -> Result<(), GitError> {
    if size > LARGEST_FILE {
        return Err(GitError::TooLarge { what: format!("file '{path}'"), limit: LARGEST_FILE as u64 });
    }
    if total > LARGEST_TOTAL {
        return Err(GitError::TooLarge { what: "the content of all files".to_owned(), limit: LARGEST_TOTAL });
    }
    Ok(())
}

/// Why files could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The objects.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] archive::WriteError),
}

impl From<git2::Error> for PackError {
    fn from(error: git2::Error) -> Self {
        Self::Git(error.into())
    }
}

/// Lists a commit's tree below `prefix`, and its submodules.
pub fn list(
    repository: &Repository,
    commit: &str,
    prefix: &str,
    selection: &Selection,
) -> Result<(Files, Vec<Link>), GitError> {
    let sparse = &selection.sparse;
    let tree = repository.find_commit(Oid::from_str(commit)?)?.tree_id();
    let mut files = Files::default();
    let mut links = Vec::new();
    let is_wanted = |path: &str| sparse.is_empty() || sparse.iter().any(|wanted| path.starts_with(wanted.as_str()));
    // A stack instead of recursion: trees may be nested as deep as their author likes.
    let mut pending = vec![(prefix.to_owned(), tree)];
    let mut visited = 0_usize;
    while let Some((directory, tree)) = pending.pop() {
        for entry in &repository.find_tree(tree)? {
            visited += 1;
            if visited > MOST_ENTRIES {
                return Err(GitError::TooLarge { what: "the number of files".to_owned(), limit: MOST_ENTRIES as u64 });
            }
            let Some(path) = entry_path(&directory, entry.name_bytes()) else { continue };
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Tree), _) => {
                    if sparse.is_empty() {
                        files.insert(&path, Node::Directory)?;
                    }
                    pending.push((path, entry.id()));
                }
                (Some(ObjectType::Blob), mode) if mode != 0o120_000 && is_wanted(&path) => {
                    files.add_file(&path, entry.id(), mode & 0o111 != 0)?;
                }
                (Some(ObjectType::Blob), 0o120_000) if selection.symbolic_links && is_wanted(&path) => {
                    files.insert(&path, Node::SymbolicLink { blob: entry.id() })?;
                }
                (Some(ObjectType::Commit), _) if is_wanted(&path) => {
                    // Without recursion the mount point stays behind as an empty directory.
                    files.insert(&path, Node::Directory)?;
                    links.push(Link { path, commit: entry.id().to_string(), url: None });
                }
                _ => {}
            }
        }
    }
    if selection.submodules && !links.is_empty() {
        let urls = crate::submodules::read_urls(repository, tree)?;
        for link in &mut links {
            let local = link.path.strip_prefix(prefix).unwrap_or(&link.path).trim_start_matches('/');
            link.url = urls.get(local).cloned();
        }
    }
    Ok((files, links))
}

/// The entry's whole path; nothing for names that cannot be in an archive (Git refuses to check most of them out).
fn entry_path(directory: &str, name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok().filter(|name| is_safe_name(name));
    let Some(name) = name else {
        tracing::warn!(directory, "a file whose name is unsafe or not UTF-8 is left out");
        return None;
    };
    let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
    (path.len() <= LONGEST_PATH).then_some(path)
}

fn is_safe_name(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.eq_ignore_ascii_case(".git")
        && !name.contains(['/', '\\'])
        && !name.chars().any(|character| character.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_sort_as_a_walk_meets_them_and_bring_their_directories() {
        let mut files = Files::default();
        let blob = Oid::from_str(&"1".repeat(40)).unwrap();
        for path in ["b/c/d", "a.x", "b/a", "a/z"] {
            files.add_file(path, blob, false).unwrap();
        }
        let paths: Vec<_> = files.0.keys().map(|path| path.0.as_str()).collect();
        assert_eq!(paths, ["a", "a/z", "a.x", "b", "b/a", "b/c", "b/c/d"]);
        assert!(files.contains("b/c") && files.contains("") && !files.contains("c"));
    }

    #[test]
    fn unsafe_names_are_left_out() {
        assert_eq!(entry_path("a", b"b.yaml").as_deref(), Some("a/b.yaml"));
        for name in [&b".."[..], b".", b"", b".git", b".GIT", b"a/b", b"a\\b", b"\xff", b"a\nb"] {
            assert_eq!(entry_path("", name), None, "{name:?}");
        }
    }
}
