//! Where fetched things are kept between runs. Everything in it can be removed at any time.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::environment;

/// Where to keep what was fetched.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Fetching")]
pub(crate) struct CacheArguments {
    /// Where fetched repositories and charts are kept [default: $XDG_CACHE_HOME/towline, then ~/.cache/towline].
    #[arg(long, value_name = "DIRECTORY", env = "TOWLINE_CACHE_DIR", hide_env = true)]
    cache_dir: Option<PathBuf>,
}

/// The cache's directory; nothing where the machine has no place for one, which matters only to who needs it.
#[derive(Clone, Debug)]
pub(super) struct Cache(Option<PathBuf>);

impl Cache {
    /// The one that the arguments or the environment name.
    pub(super) fn open(arguments: &CacheArguments) -> Self {
        let usual = || Some(environment::directory("XDG_CACHE_HOME", ".cache")?.join("towline"));
        Self(arguments.cache_dir.clone().or_else(usual))
    }

    /// A directory of the cache, made where it is not there; only its owner may look into it.
    pub(super) fn directory(&self, parts: &[&str]) -> std::io::Result<PathBuf> {
        use std::os::unix::fs::DirBuilderExt as _;
        let missing = || std::io::Error::other("neither HOME nor XDG_CACHE_HOME is set: give --cache-dir");
        let root = self.0.clone().ok_or_else(missing)?;
        let path = parts.iter().fold(root, |path, part| path.join(part));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(path)
    }

    /// A kept file.
    pub(super) fn read(&self, parts: &[&str], name: &str) -> Option<Vec<u8>> {
        fs::read(self.directory(parts).ok()?.join(name)).ok()
    }

    /// Keeps a file: whole or not at all. That it cannot be kept is no failure of the command.
    pub(super) fn write(&self, parts: &[&str], name: &str, content: &[u8]) {
        let kept = self.directory(parts).and_then(|directory| {
            let mut file = tempfile::NamedTempFile::new_in(&directory)?;
            file.write_all(content)?;
            file.persist(directory.join(name))?;
            Ok(())
        });
        if let Err(error) = kept {
            crate::output::note(&format!("warning: cannot keep what was fetched: {error}"));
        }
    }
}

/// Moves a finished directory to its place; another process may have been faster with the same content.
pub(super) fn settle(made: tempfile::TempDir, place: &Path) -> std::io::Result<()> {
    let path = made.keep();
    match fs::rename(&path, place) {
        Ok(()) => Ok(()),
        Err(_) if place.is_dir() => fs::remove_dir_all(path),
        Err(error) => Err(error),
    }
}
