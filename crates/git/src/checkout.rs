//! Writing a tree's files into a directory.

use std::path::Path;

use fs_err as fs;
use git2::Repository;

use crate::GitError;
use crate::tree::{Files, Node, check_size};

/// Writes everything into an empty directory. Links come last, so that nothing is ever written through one.
pub fn write(files: &Files, repository: &Repository, directory: &Path) -> Result<(), GitError> {
    let odb = repository.odb()?;
    let mut total = 0_u64;
    let mut links = Vec::new();
    for (path, node) in &files.0 {
        let place = directory.join(&path.0);
        match node {
            Node::Directory => fs::create_dir_all(&place)?,
            Node::File { blob, .. } => {
                let (size, _) = odb.read_header(*blob)?;
                total += size as u64;
                check_size(&path.0, size, total)?;
                if let Some(parent) = place.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&place, odb.read(*blob)?.data())?;
            }
            Node::SymbolicLink { blob } => links.push((place, *blob)),
        }
    }
    for (place, blob) in links {
        check_size(&place.to_string_lossy(), odb.read_header(blob)?.0, total)?;
        let object = odb.read(blob)?;
        let target = std::str::from_utf8(object.data())
            .map_err(|_| GitError::Protocol(format!("the target of link '{}' is not text", place.display())))?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::os::unix::fs::symlink(target, &place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreePath;

    #[test]
    fn files_are_written_and_never_through_a_link() {
        let repository_directory = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(repository_directory.path()).unwrap();
        let outside = tempfile::tempdir().unwrap();
        let mut files = Files::default();
        files.add_file("a/b.yaml", repository.blob(b"x").unwrap(), false).unwrap();
        let link = |target: &str| Node::SymbolicLink { blob: repository.blob(target.as_bytes()).unwrap() };
        files.0.insert(TreePath("c".to_owned()), link("a/b.yaml"));
        let place = tempfile::tempdir().unwrap();
        write(&files, &repository, place.path()).unwrap();
        assert_eq!(fs::read(place.path().join("c")).unwrap(), b"x");

        // A damaged tree has a link and a directory of the same name.
        let mut files = Files::default();
        files.0.insert(TreePath("d".to_owned()), link(&outside.path().to_string_lossy()));
        files
            .0
            .insert(TreePath("d/e".to_owned()), Node::File { blob: repository.blob(b"y").unwrap(), executable: false });
        let place = tempfile::tempdir().unwrap();
        assert!(write(&files, &repository, place.path()).is_err());
        assert!(fs::read_dir(outside.path()).unwrap().next().is_none());
    }
}
