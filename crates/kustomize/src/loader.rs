//! Finds the files and directories that kustomizations name, and holds them to the rules: nothing outside the root,
//! no circles, nothing remote unless the caller provides it.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;

use crate::{
    error::Error,
    fs::{FileSystem, clean, is_in_or_below, join, read_error},
    kustomization::FILE_NAMES,
    repository::RepositorySpec,
};

/// Whether files outside a kustomization's directory may be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestriction {
    /// Every file lies in or below the directory of the kustomization that names it.
    #[default]
    RootOnly,
    /// Any file that the file system shows.
    None,
}

/// A cloned repository.
pub struct Clone {
    /// Its files.
    pub fs: Arc<dyn FileSystem>,
    /// The directory of the clone in that file system.
    pub root: String,
}

/// Gets what lies elsewhere. A controller may refuse; the command line fetches.
pub trait Remote: Send + Sync {
    /// A file by URL.
    fn file(&self, url: &str) -> Result<Vec<u8>, Error>;
    /// A Git repository.
    fn repository(&self, spec: &RepositorySpec) -> Result<Clone, Error>;
    /// A packaged chart from a chart repository or registry.
    fn chart(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, Error>;
}

/// A chart that a kustomization names with its repository.
#[derive(Clone, Copy, Debug)]
pub struct ChartRequest<'a> {
    /// The URL of a chart repository (`https://…`) or of a path in a registry (`oci://…`).
    pub repository: &'a str,
    /// The chart's name.
    pub name: &'a str,
    /// Its version or a range; empty for the newest.
    pub version: &'a str,
    /// Whether development versions count.
    pub devel: bool,
}

/// Refuses everything remote, and says what to do instead.
#[derive(Clone, Copy, Debug)]
pub struct NoRemote;

impl Remote for NoRemote {
    fn file(&self, url: &str) -> Result<Vec<u8>, Error> {
        Err(Error::Refused(format!(
            "'{url}' is remote and remote files are not allowed here: add the file to the source"
        )))
    }

    fn repository(&self, spec: &RepositorySpec) -> Result<Clone, Error> {
        Err(Error::Refused(format!(
            "'{}' is a remote base and remote bases are not allowed here: add it to the source, or include it as a source of its own",
            spec.raw
        )))
    }

    fn chart(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, Error> {
        let ChartRequest { repository, name, .. } = request;
        Err(Error::Refused(format!(
            "chart '{name}' of '{repository}' is remote and remote charts are not allowed here: add the chart to the source"
        )))
    }
}

/// Reads on behalf of one kustomization.
#[derive(Clone)]
pub(crate) struct Loader {
    fs: Arc<dyn FileSystem>,
    root: String,
    chain: Option<Arc<Link>>,
    repository: Option<Arc<RepositorySpec>>,
    clone_root: Option<String>,
    restriction: LoadRestriction,
    remote: Arc<dyn Remote>,
    read: Arc<Mutex<BTreeSet<String>>>,
}

/// A directory on the way from the build's root to here.
struct Link {
    root: String,
    repository: Option<Arc<RepositorySpec>>,
    parent: Option<Arc<Self>>,
}

/// Longest chain of directories; deeper ones are a mistake or an attack.
const MAX_CHAIN: usize = 200;

/// Most files of a chart.
const MAX_TREE: usize = 20_000;

impl Loader {
    /// A loader for a build of `root`.
    pub(crate) fn new(
        fs: Arc<dyn FileSystem>,
        root: &str,
        restriction: LoadRestriction,
        remote: Arc<dyn Remote>,
    ) -> Result<Self, Error> {
        let resolved = fs.resolve(root).map_err(|error| read_error(root, &error))?;
        if !fs.is_directory(&resolved) {
            return Err(Error::Message(format!("'{root}' must resolve to a directory, but is a file")));
        }
        Ok(Self {
            fs,
            root: resolved,
            chain: None,
            repository: None,
            clone_root: None,
            restriction,
            remote,
            read: Arc::default(),
        })
    }

    /// The directory of the kustomization.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// The repository this directory was cloned from, if it was.
    pub(crate) fn repository(&self) -> Option<&RepositorySpec> {
        self.repository.as_deref()
    }

    /// The directory relative to the top of the clone, as kustomize notes it in origins.
    pub(crate) fn path_in_repository(&self) -> String {
        let below = self.clone_root.as_ref().map_or_else(|| self.root.clone(), |clone| relative(&self.root, clone));
        match &self.repository {
            // A placeholder of upstream's that has got into what it prints.
            Some(repository) if repository.path.is_empty() => clean(&format!("notCloned/{below}")),
            _ => below,
        }
    }

    /// Fetches remote things.
    pub(crate) fn remote(&self) -> &dyn Remote {
        self.remote.as_ref()
    }

    /// Every file read by this build so far.
    pub(crate) fn files_read(&self) -> BTreeSet<String> {
        self.read.lock().clone()
    }

    /// Every file below a directory by its path relative to it, for a chart.
    pub(crate) fn tree(&self, path: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let root = self.path_of(path);
        let mut out = Vec::new();
        self.walk(&root, "", 0, &mut out)?;
        Ok(out)
    }

    fn walk(&self, root: &str, below: &str, depth: usize, out: &mut Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        let directory = join(root, below);
        if depth > MAX_CHAIN || out.len() > MAX_TREE {
            return Err(Error::message(format!("'{directory}' is too deep or too large for a chart")));
        }
        for name in self.fs.list(&directory).map_err(|error| read_error(&directory, &error))? {
            let relative = if below.is_empty() { name } else { format!("{below}/{name}") };
            let full = join(root, &relative);
            if self.fs.is_directory(&full) {
                self.walk(root, &relative, depth + 1, out)?;
                continue;
            }
            let bytes = self.fs.read(&full).map_err(|error| read_error(&full, &error))?;
            self.read.lock().insert(full);
            out.push((relative, bytes));
        }
        Ok(())
    }

    /// Whether a path is a directory, seen from here.
    pub(crate) fn is_directory(&self, path: &str) -> bool {
        self.fs.is_directory(&self.path_of(path))
    }

    fn path_of(&self, path: &str) -> String {
        if path.starts_with('/') { clean(path) } else { join(&self.root, path) }
    }

    /// Reads a file named by the kustomization.
    pub(crate) fn file(&self, path: &str) -> Result<Vec<u8>, Error> {
        if is_url(path) {
            return self.remote.file(path);
        }
        let full = self.path_of(path);
        let resolved = self.allowed(&full)?;
        let bytes = self.fs.read(&resolved).map_err(|error| read_error(&full, &error))?;
        self.read.lock().insert(resolved);
        Ok(bytes)
    }

    /// Where a file or directory really is, if that is in or below the root or need not be.
    pub(crate) fn allowed(&self, path: &str) -> Result<String, Error> {
        let full = self.path_of(path);
        let resolved = self.fs.resolve(&full).map_err(|error| read_error(&full, &error))?;
        let restricted = self.restriction == LoadRestriction::RootOnly || self.clone_root.is_some();
        if restricted && !is_in_or_below(&resolved, &self.root) {
            return Err(Error::OutsideRoot { path: full, root: self.root.clone() });
        }
        Ok(resolved)
    }

    /// The kustomization file of this directory: its path and content.
    pub(crate) fn kustomization(&self) -> Result<(String, Vec<u8>), Error> {
        let mut found = None;
        for name in FILE_NAMES {
            let path = join(&self.root, name);
            match self.fs.read(&path) {
                Ok(bytes) if found.is_none() => found = Some((path, bytes)),
                Ok(_) => return Err(Error::ManyKustomizations(self.root.clone())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) if self.fs.is_directory(&path) => {}
                Err(error) => return Err(read_error(&path, &error)),
            }
        }
        let found = found.ok_or_else(|| Error::NoKustomization(self.root.clone()))?;
        self.read.lock().insert(found.0.clone());
        Ok(found)
    }

    /// A loader for a directory or repository that the kustomization names.
    pub(crate) fn child(&self, path: &str) -> Result<Self, Error> {
        if path.is_empty() {
            return Err(Error::message("new root cannot be empty"));
        }
        if let Some(spec) = RepositorySpec::parse(path) {
            return self.cloned(spec);
        }
        if path.starts_with('/') {
            return Err(Error::message(format!("new root '{path}' cannot be absolute")));
        }
        let full = join(&self.root, path);
        let root = self.fs.resolve(&full).map_err(|error| read_error(&full, &error))?;
        if !self.fs.is_directory(&root) {
            return Err(Error::message(format!("'{full}' must resolve to a directory, but is a file")));
        }
        if let Some(clone) = &self.clone_root
            && !is_in_or_below(&root, clone)
        {
            return Err(Error::message(format!("base '{full}' must be within its repository")));
        }
        self.check_cycle(&root)?;
        Ok(Self { root, chain: Some(self.link()), ..self.clone() })
    }

    fn link(&self) -> Arc<Link> {
        Arc::new(Link { root: self.root.clone(), repository: self.repository.clone(), parent: self.chain.clone() })
    }

    fn links(&self) -> impl Iterator<Item = Arc<Link>> {
        std::iter::successors(Some(self.link()), |link| link.parent.clone())
    }

    fn check_cycle(&self, candidate: &str) -> Result<(), Error> {
        let mut length = 0;
        for link in self.links() {
            length += 1;
            let same_tree = link.repository.as_ref().map(|r| &r.raw) == self.repository.as_ref().map(|r| &r.raw);
            if same_tree && is_in_or_below(&link.root, candidate) {
                return Err(Error::Cycle { candidate: candidate.to_owned(), visited: link.root.clone() });
            }
        }
        if length > MAX_CHAIN {
            return Err(Error::message(format!("bases are nested more than {MAX_CHAIN} deep at '{candidate}'")));
        }
        Ok(())
    }

    fn cloned(&self, spec: RepositorySpec) -> Result<Self, Error> {
        for link in self.links() {
            if let Some(visited) = &link.repository
                && visited.raw.starts_with(&spec.raw)
            {
                return Err(Error::message(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    spec.raw, visited.raw
                )));
            }
        }
        let clone = self.remote.repository(&spec)?;
        let clone_root = clone.fs.resolve(&clone.root).map_err(|error| read_error(&clone.root, &error))?;
        let full = join(&clone_root, &spec.path);
        let root = clone.fs.resolve(&full).map_err(|error| read_error(&full, &error))?;
        if !is_in_or_below(&root, &clone_root) {
            return Err(Error::message(format!("'{}' leads out of its repository", spec.path)));
        }
        if !clone.fs.is_directory(&root) {
            return Err(Error::message(format!("'{}' refers to a file; expecting directory", spec.raw)));
        }
        Ok(Self {
            fs: clone.fs,
            root,
            chain: Some(self.link()),
            repository: Some(Arc::new(spec)),
            clone_root: Some(clone_root),
            ..self.clone()
        })
    }
}

/// Whether a path is fetched over HTTP.
pub(crate) fn is_url(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// `path` seen from `base`; both clean and absolute.
pub(crate) fn relative(path: &str, base: &str) -> String {
    let parts = |text: &str| text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, base) = (parts(path), parts(base));
    let common = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let up = base.len() - common;
    let steps: Vec<String> = std::iter::repeat_n("..".to_owned(), up).chain(path.into_iter().skip(common)).collect();
    if steps.is_empty() { ".".to_owned() } else { steps.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::MemoryFileSystem;

    fn loader(files: &[&str], root: &str) -> Loader {
        let fs: MemoryFileSystem = files.iter().map(|path| ((*path).to_owned(), b"x".to_vec())).collect();
        Loader::new(Arc::new(fs), root, LoadRestriction::RootOnly, Arc::new(NoRemote)).unwrap()
    }

    #[test]
    fn files_outside_the_root_are_refused() {
        let loader = loader(&["/app/a.yaml", "/secret.yaml"], "/app");
        assert!(loader.file("a.yaml").is_ok());
        assert!(matches!(loader.file("../secret.yaml"), Err(Error::OutsideRoot { .. })));
        assert!(matches!(loader.file("/secret.yaml"), Err(Error::OutsideRoot { .. })));
        assert_eq!(loader.files_read().into_iter().collect::<Vec<_>>(), ["/app/a.yaml"]);
    }

    #[test]
    fn cycles_are_named() {
        let loader = loader(&["/a/b/k", "/c/k"], "/a/b");
        let child = loader.child("../../c").unwrap();
        let error = child.child("../a").err().unwrap();
        assert_eq!(error.to_string(), "cycle detected: candidate root '/a' contains visited root '/a/b'");
        assert!(matches!(loader.child("."), Err(Error::Cycle { .. })));
    }

    #[test]
    fn relative_paths() {
        assert_eq!(relative("/a/b/c", "/a/d"), "../b/c");
        assert_eq!(relative("/a", "/a"), ".");
        assert_eq!(relative("/a/b", "/a"), "b");
    }
}
