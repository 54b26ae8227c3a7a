//! Removing what nobody needs any more.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use artifact::source::Source;
use common::meta::Artifact;

use super::{ABANDONED, Store};

/// How long earlier artifacts of a source stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Older ones are removed.
    pub ttl: Duration,
    /// At most so many are kept, the current one included.
    pub records: usize,
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    name: String,
    age: Duration,
}

/// The files to remove: temporary ones that were abandoned, those over age, and the oldest beyond the number kept. Pure.
fn superfluous(mut files: Vec<Stored>, current: &str, retention: Retention) -> Vec<String> {
    files.retain(|file| file.name != current);
    files.sort_by(|left, right| left.age.cmp(&right.age).then_with(|| right.name.cmp(&left.name)));
    let mut kept = 1;
    let mut removed = Vec::new();
    for Stored { name, age } in files {
        let is_removed = if name.starts_with('.') {
            age > ABANDONED
        } else {
            let is_over = age > retention.ttl || kept >= retention.records.max(1);
            kept += usize::from(!is_over);
            is_over
        };
        if is_removed {
            removed.push(name);
        }
    }
    removed
}

impl Store {
    /// Removes the source's files that are neither the current artifact nor worth keeping; says how many.
    pub fn collect(&self, source: &Source, current: &Artifact, now: SystemTime) -> std::io::Result<usize> {
        let place = self.inner.root.join(source.directory());
        let mut files = Vec::new();
        for entry in fs_err::read_dir(&place)? {
            let entry = entry?;
            // Links are left alone; one that leads nowhere is overwritten by the next artifact.
            let metadata = entry.metadata()?;
            if !metadata.is_file() {
                continue;
            }
            let age = now.duration_since(metadata.modified()?).unwrap_or_default();
            files.push(Stored { name: entry.file_name().to_string_lossy().into_owned(), age });
        }
        let current = current.path.rsplit('/').next().unwrap_or_default();
        let removed = superfluous(files, current, self.inner.retention);
        for name in &removed {
            fs_err::remove_file(place.join(name))?;
            self.inner.verified.lock().remove(&format!("{}/{name}", source.directory()));
        }
        Ok(removed.len())
    }

    /// Removes everything of a source.
    pub fn remove_all(&self, source: &Source) -> std::io::Result<()> {
        let directory = source.directory();
        let prefix = format!("{directory}/");
        self.inner.verified.lock().retain(|path, _| !path.starts_with(&prefix));
        match fs_err::remove_dir_all(self.inner.root.join(directory)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the directories of sources of one kind that are not `known`: their objects went away while nobody watched.
    pub fn sweep(&self, kind: &str, known: &HashSet<(String, String)>) -> std::io::Result<usize> {
        let mut removed = 0;
        for namespace in directories(&self.inner.root.join(kind))? {
            for object in directories(&namespace)? {
                let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !known.contains(&(name(&namespace), name(&object))) {
                    fs_err::remove_dir_all(&object)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Removes working directories that a process before us left behind.
    pub fn remove_leftovers(&self) -> std::io::Result<()> {
        for directory in directories(&self.inner.root)? {
            if directory.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
                fs_err::remove_dir_all(directory)?;
            }
        }
        Ok(())
    }
}

fn directories(place: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{store, write};
    use artifact::source::SourceKind;

    #[test]
    fn old_and_surplus_files_go() {
        let file = |name: &str, seconds| Stored { name: name.to_owned(), age: Duration::from_secs(seconds) };
        let retention = |records| Retention { ttl: Duration::from_secs(60), records };
        let files = vec![
            file("current", 1000),
            file("a", 10),
            file("b", 20),
            file("old", 61),
            file(".write-x", 10),
            file(".write-y", 7200),
        ];
        assert_eq!(superfluous(files.clone(), "current", retention(2)), ["b", "old", ".write-y"]);
        assert_eq!(superfluous(files.clone(), "current", retention(9)), ["old", ".write-y"]);
        assert_eq!(superfluous(files, "current", retention(0)), ["a", "b", "old", ".write-y"]);
    }

    #[test]
    fn files_of_the_same_time_are_told_apart() {
        let file = |name: &str| Stored { name: name.to_owned(), age: Duration::ZERO };
        let files = vec![file("a"), file("b"), file("c")];
        assert_eq!(superfluous(files, "c", Retention { ttl: Duration::from_secs(60), records: 2 }), ["a"]);
    }

    #[test]
    fn directories_of_unknown_objects_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path());
        let artifact = write(&store, "web-1.0.0.tgz", b"x");
        let known = HashSet::from([("apps".to_owned(), "web".to_owned())]);
        assert_eq!(store.sweep("helmchart", &known).unwrap(), 0);
        assert_eq!(store.sweep("gitrepository", &known).unwrap(), 0);
        assert_eq!(store.sweep("helmchart", &HashSet::new()).unwrap(), 1);
        assert!(!store.local_path(&artifact).exists());
        let source = Source::new(SourceKind::HelmChart, "apps", "web");
        store.remove_all(&source).unwrap();
    }
}
