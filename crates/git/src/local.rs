//! Repositories in the file system, read where they are.

use std::path::Path;

use git2::{Oid, Repository, RepositoryOpenFlags};

use crate::listing::is_oid;
use crate::tree::{self, Selection};
use crate::{GitError, checkout};

/// The commit that a name leads to, as `git fetch` understands names.
pub fn find(directory: &Path, name: &str) -> Result<String, GitError> {
    let repository = open(directory)?;
    for form in ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"] {
        if let Ok(reference) = repository.find_reference(&format!("{form}{name}")) {
            return Ok(reference.peel_to_commit()?.id().to_string());
        }
    }
    if is_oid(name) && repository.find_commit(Oid::from_str(name)?).is_ok() {
        return Ok(name.to_owned());
    }
    Err(GitError::Reference(format!("couldn't find remote ref {name:?}")))
}

/// Writes a commit's files into an empty directory, without its submodules.
pub fn check_out(directory: &Path, commit: &str, target: &Path) -> Result<(), GitError> {
    let repository = open(directory)?;
    let selection = Selection { symbolic_links: true, ..Selection::default() };
    let (files, _) = tree::list(&repository, commit, "", &selection)?;
    checkout::write(&files, &repository, target)
}

fn open(directory: &Path) -> Result<Repository, GitError> {
    let nowhere: [&str; 0] = [];
    Repository::open_ext(directory, RepositoryOpenFlags::NO_SEARCH, nowhere)
        .map_err(|error| GitError::NotFound(format!("{}: {}", directory.display(), error.message())))
}
