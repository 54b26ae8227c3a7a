//! Temporary directories below one root per process, which a helper process removes when this one has ended in any way.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use std::os::unix::process::CommandExt as _;

/// Waits for the end of its standard input (which only the owner holds open), then removes the directory; programs that
/// are being killed at the same moment may still write into it, so it looks again.
const JANITOR: &str = r#"
while read -r _; do :; done
tries=0
while [ $tries -lt 100 ]; do
  tries=$((tries + 1))
  rm -rf "$1" 2>/dev/null
  if [ ! -e "$1" ]; then sleep 0.3; [ -e "$1" ] || exit 0; fi
  sleep 0.1
done
"#;

struct Root {
    path: PathBuf,
    /// Never waited for: the end of our process closes its standard input.
    _janitor: Child,
}

static ROOT: Mutex<Option<Root>> = Mutex::new(None);

/// A directory that is removed on drop, and by the janitor when the process ends without dropping it.
#[derive(Debug)]
pub struct TempDir(tempfile::TempDir);

impl TempDir {
    /// A new empty directory; `prefix` makes it recognisable.
    pub fn new(prefix: &str) -> Result<Self> {
        let root = root()?;
        let directory = tempfile::Builder::new()
            .prefix(&format!("{prefix}-"))
            .tempdir_in(&root)
            .with_context(|| format!("making a temporary directory in {}", root.display()))?;
        Ok(Self(directory))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path below it.
    pub fn join(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(relative)
    }
}

/// The root below which all temporary directories of this process lie.
pub fn root() -> Result<PathBuf> {
    let mut slot = ROOT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(root) = slot.as_ref() {
        return Ok(root.path.clone());
    }
    let path = tempfile::Builder::new().prefix("towline-test-").tempdir()?.keep();
    let janitor = Command::new("sh")
        .args(["-c", JANITOR, "testkit-janitor"])
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("starting the janitor of temporary directories (needs sh)")?;
    *slot = Some(Root { path: path.clone(), _janitor: janitor });
    Ok(path)
}
