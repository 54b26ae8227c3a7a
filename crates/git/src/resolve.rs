//! From the wanted reference and the remote's listing to what must be fetched. Pure.

use common::revision::Revision;
use common::source::v1::GitRepositoryRef;
use version::{Constraints, Version};

use crate::listing::{Listing, is_oid};

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The object a reference points to, without its history.
    Tip {
        /// What stands before the `@` of the revision.
        name: String,
        /// The object to ask for: a commit, or an annotated tag.
        object: String,
        /// The commit, as far as the listing tells.
        commit: String,
    },
    /// One of several tags of equal version, whichever commit is the newest.
    Newest(Vec<(String, String)>),
    /// A commit by id.
    Commit {
        /// The commit.
        commit: String,
        /// What stands before the `@` of the revision, if anything.
        name: Option<String>,
        /// Objects to fetch with their whole history when the server does not give out commits by id.
        fallback: Vec<String>,
    },
}

impl Target {
    /// The revision, where the listing alone tells it.
    pub fn revision(&self) -> Option<Revision> {
        match self {
            Self::Tip { name, commit, .. } => Some(Revision::git(Some(name), commit)),
            Self::Newest(_) => None,
            Self::Commit { commit, name, .. } => Some(Revision::git(name.as_deref(), commit)),
        }
    }
}

/// Why there is nothing to fetch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The repository has no references.
    #[error("git repository is empty")]
    Empty,
    /// The remote has no such reference.
    #[error("couldn't find remote ref {0:?}")]
    Missing(String),
    /// No tag is in the range.
    #[error("no match found for semver: {0}")]
    NoMatch(String),
    /// Not a range.
    #[error("semver parse error: {0}")]
    Range(String),
    /// Not a commit id.
    #[error("{0:?} is not a commit id of 40 hexadecimal digits")]
    Commit(String),
}

/// The revision of a commit that is pinned: known without asking the remote.
pub fn pinned(reference: Option<&GitRepositoryRef>) -> Option<Revision> {
    let reference = reference.filter(|reference| is_oid(&reference.commit))?;
    Some(Revision::git((!reference.branch.is_empty()).then_some(&*reference.branch), &reference.commit))
}

/// Chooses: commit before name before semver before tag before branch (`master` when nothing is given).
pub fn resolve(reference: Option<&GitRepositoryRef>, listing: &Listing) -> Result<Target, ResolveError> {
    if listing.references.is_empty() {
        return Err(ResolveError::Empty);
    }
    let default = GitRepositoryRef::default();
    let GitRepositoryRef { branch, commit, name, semver, tag } = reference.unwrap_or(&default);
    if !commit.is_empty() {
        return by_commit(commit, branch, listing);
    }
    let tip = |full: &str, shown: &str| {
        let missing = || ResolveError::Missing(full.to_owned());
        let object = listing.references.get(full).ok_or_else(missing)?.clone();
        let commit = listing.commit(full).ok_or_else(missing)?.to_owned();
        Ok(Target::Tip { name: shown.to_owned(), object, commit })
    };
    if !name.is_empty() {
        tip(name, name)
    } else if !semver.is_empty() {
        by_version(semver, listing)
    } else if !tag.is_empty() {
        tip(&format!("refs/tags/{tag}"), tag)
    } else {
        let branch = if branch.is_empty() { "master" } else { branch };
        tip(&format!("refs/heads/{branch}"), branch)
    }
}

/// Chooses as `git fetch URL NAME` does: a commit's id, a full name, a tag, a branch.
pub fn by_name(name: &str, listing: &Listing) -> Result<Target, ResolveError> {
    if listing.references.is_empty() {
        return Err(ResolveError::Empty);
    }
    if is_oid(name) {
        return by_commit(name, "", listing);
    }
    let forms = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"].map(|before| format!("{before}{name}"));
    let found = forms.iter().find_map(|full| Some((listing.references.get(full)?, listing.commit(full)?)));
    let (object, commit) = found.ok_or_else(|| ResolveError::Missing(name.to_owned()))?;
    Ok(Target::Tip { name: name.to_owned(), object: object.clone(), commit: commit.to_owned() })
}

fn by_commit(commit: &str, branch: &str, listing: &Listing) -> Result<Target, ResolveError> {
    if !is_oid(commit) {
        return Err(ResolveError::Commit(commit.to_owned()));
    }
    let fallback = if branch.is_empty() {
        let interesting = |name: &&String| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
        let mut objects: Vec<String> =
            listing.references.iter().filter(|(name, _)| interesting(name)).map(|(_, object)| object.clone()).collect();
        objects.sort();
        objects.dedup();
        objects
    } else {
        let full = format!("refs/heads/{branch}");
        vec![listing.references.get(&full).ok_or(ResolveError::Missing(full))?.clone()]
    };
    let name = (!branch.is_empty()).then(|| branch.to_owned());
    Ok(Target::Commit { commit: commit.to_owned(), name, fallback })
}

/// The tags of the highest version in the range.
fn by_version(range: &str, listing: &Listing) -> Result<Target, ResolveError> {
    let constraint = Constraints::parse(range).map_err(|error| ResolveError::Range(error.to_string()))?;
    let mut best: Vec<(Version, &str, &str)> = Vec::new();
    for (full, object) in &listing.references {
        let Some(tag) = full.strip_prefix("refs/tags/") else { continue };
        let Some(version) = Version::parse_prefixed(tag).filter(|version| constraint.check(version)) else { continue };
        match best.first().map(|(highest, ..)| version.cmp(highest)) {
            Some(std::cmp::Ordering::Less) => {}
            Some(std::cmp::Ordering::Equal) => best.push((version, tag, object)),
            Some(std::cmp::Ordering::Greater) | None => best = vec![(version, tag, object)],
        }
    }
    match best.as_slice() {
        [] => Err(ResolveError::NoMatch(range.to_owned())),
        [(_, tag, object)] => {
            let commit = listing.commit(&format!("refs/tags/{tag}")).unwrap_or(object);
            Ok(Target::Tip { name: (*tag).to_owned(), object: (*object).to_owned(), commit: commit.to_owned() })
        }
        several => Ok(Target::Newest(
            several.iter().map(|(_, tag, object)| ((*tag).to_owned(), (*object).to_owned())).collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> String {
        digit.to_string().repeat(40)
    }

    fn listing() -> Listing {
        let mut listing = Listing::default();
        for (name, digit) in [
            ("HEAD", '1'),
            ("refs/heads/main", '1'),
            ("refs/heads/feature/x", '2'),
            ("refs/pull/7/head", '3'),
            ("refs/tags/v1.0.0", '4'),
            ("refs/tags/v1.2.0", '5'),
            ("refs/tags/v1.10.0-rc.1", '6'),
            ("refs/tags/2.0.0+one", '7'),
            ("refs/tags/2.0.0+two", '8'),
            ("refs/tags/latest", '9'),
        ] {
            listing.references.insert(name.to_owned(), oid(digit));
        }
        listing.peeled.insert("refs/tags/v1.2.0".to_owned(), oid('a'));
        listing
    }

    fn reference(branch: &str, tag: &str, semver: &str, name: &str, commit: &str) -> GitRepositoryRef {
        GitRepositoryRef {
            branch: branch.to_owned(),
            tag: tag.to_owned(),
            semver: semver.to_owned(),
            name: name.to_owned(),
            commit: commit.to_owned(),
        }
    }

    #[test]
    fn references_are_resolved_by_precedence() {
        let pinned_commit = oid('b');
        let table: [(GitRepositoryRef, Result<String, &str>); 14] = [
            (reference("main", "", "", "", ""), Ok(format!("main@sha1:{}", oid('1')))),
            (reference("feature/x", "", "", "", ""), Ok(format!("feature/x@sha1:{}", oid('2')))),
            (reference("main", "v1.0.0", "", "", ""), Ok(format!("v1.0.0@sha1:{}", oid('4')))),
            (reference("", "v1.2.0", "", "", ""), Ok(format!("v1.2.0@sha1:{}", oid('a')))),
            (reference("", "v1.0.0", "1.x", "", ""), Ok(format!("v1.2.0@sha1:{}", oid('a')))),
            (reference("", "", ">=1.0.0-0 <2", "", ""), Ok(format!("v1.10.0-rc.1@sha1:{}", oid('6')))),
            (reference("", "", "1.x", "refs/pull/7/head", ""), Ok(format!("refs/pull/7/head@sha1:{}", oid('3')))),
            (reference("", "", "", "refs/heads/main", &pinned_commit), Ok(format!("sha1:{pinned_commit}"))),
            (reference("main", "", "", "", &pinned_commit), Ok(format!("main@sha1:{pinned_commit}"))),
            (reference("", "", "", "", ""), Err("couldn't find remote ref \"refs/heads/master\"")),
            (reference("nope", "", "", "", ""), Err("couldn't find remote ref \"refs/heads/nope\"")),
            (reference("", "v9", "", "", ""), Err("couldn't find remote ref \"refs/tags/v9\"")),
            (reference("", "", ">9", "", ""), Err("no match found for semver: >9")),
            (reference("", "", "", "", "abc"), Err("\"abc\" is not a commit id of 40 hexadecimal digits")),
        ];
        for (reference, expected) in table {
            let actual = resolve(Some(&reference), &listing());
            match expected {
                Ok(revision) => assert_eq!(actual.unwrap().revision().unwrap().as_str(), revision),
                Err(message) => assert_eq!(actual.unwrap_err().to_string(), message),
            }
        }
        assert_eq!(resolve(None, &Listing::default()), Err(ResolveError::Empty));
    }

    #[test]
    fn names_are_resolved_as_git_fetch_does() {
        let mut listing = listing();
        listing.references.insert("refs/heads/v1.0.0".to_owned(), oid('c'));
        let commit = |name: &str| by_name(name, &listing).map(|target| target.revision().unwrap().as_str().to_owned());
        for (name, digit) in [
            ("HEAD", '1'),
            ("main", '1'),
            ("heads/feature/x", '2'),
            ("refs/pull/7/head", '3'),
            // A tag before the branch of the same name.
            ("v1.0.0", '4'),
            ("refs/heads/v1.0.0", 'c'),
            ("v1.2.0", 'a'),
        ] {
            assert_eq!(commit(name), Ok(format!("{name}@sha1:{}", oid(digit))), "{name}");
        }
        assert_eq!(commit(&oid('d')), Ok(format!("sha1:{}", oid('d'))));
        assert_eq!(commit("nope"), Err(ResolveError::Missing("nope".to_owned())));
        assert_eq!(by_name("HEAD", &Listing::default()), Err(ResolveError::Empty));
    }

    #[test]
    fn equal_versions_are_left_to_the_commits() {
        let target = resolve(Some(&reference("", "", "2.x", "", "")), &listing()).unwrap();
        let tags = vec![("2.0.0+one".to_owned(), oid('7')), ("2.0.0+two".to_owned(), oid('8'))];
        assert_eq!(target, Target::Newest(tags));
        assert_eq!(target.revision(), None);
    }

    #[test]
    fn a_pinned_commit_needs_no_remote() {
        let revision = |branch: &str, commit: &str| pinned(Some(&reference(branch, "", "", "", commit)));
        assert_eq!(revision("main", &oid('c')).unwrap().as_str(), format!("main@sha1:{}", oid('c')));
        assert_eq!(revision("", "abc"), None);
        assert_eq!(pinned(None), None);
    }
}
