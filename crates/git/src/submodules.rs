//! Submodules: fetched by commit into the same object store and mounted into the tree.

use std::collections::BTreeMap;

use git2::{Oid, Repository};

use crate::GitError;
use crate::fetch::{self, FetchLimits, Workspace};
use crate::session::Remote;
use crate::tree::{self, Files, Link, Node, Selection, TreePath};
use crate::url::GitUrl;

/// Deepest nesting, as go-git's default.
const DEEPEST: usize = 10;
/// Most submodules of one repository, nested ones included.
const MOST: usize = 500;
/// Largest `.gitmodules`.
const LARGEST: usize = 1 << 20;

/// Mounts the submodules and theirs. One that cannot be fetched fails the whole: a tree with holes is not the commit.
pub(crate) async fn add_all(
    remote: &Remote,
    links: Vec<Link>,
    files: &mut Files,
    workspace: &Workspace,
    limits: FetchLimits,
    symbolic_links: bool,
) -> Result<(), GitError> {
    let mut pending: Vec<(Remote, Link, usize)> = links.into_iter().map(|link| (remote.clone(), link, 1)).collect();
    let mut count = 0_usize;
    while let Some((parent, link, depth)) = pending.pop() {
        count += 1;
        if depth > DEEPEST || count > MOST {
            return Err(GitError::TooLarge { what: "the number of nested submodules".to_owned(), limit: MOST as u64 });
        }
        let url = link
            .url
            .as_deref()
            .ok_or_else(|| GitError::Reference(format!("submodule '{}' has no URL in .gitmodules", link.path)))?;
        let remote = parent.for_submodule(resolve_url(&parent.url, url)?);
        fetch::fetch_commit(&remote, &link.commit, workspace, limits)
            .await
            .map_err(|error| in_submodule(&link.path, error))?;
        let (path, commit) = (link.path.clone(), link.commit.clone());
        let below = Selection { sparse: Vec::new(), submodules: true, symbolic_links };
        let (mounted, nested) = workspace.run(move |repository| tree::list(repository, &commit, &path, &below)).await?;
        for (path, node) in mounted.0 {
            match node {
                Node::Directory => {
                    files.0.insert(TreePath(path.0), node);
                }
                Node::File { blob, executable } => files.add_file(&path.0, blob, executable)?,
                Node::SymbolicLink { .. } => {
                    files.0.insert(path, node);
                }
            }
        }
        pending.extend(nested.into_iter().map(|link| (remote.clone(), link, depth + 1)));
    }
    Ok(())
}

/// The same error with the submodule's name in front, where its kind carries a text.
fn in_submodule(path: &str, error: GitError) -> GitError {
    let name = |text: String| format!("submodule '{path}': {text}");
    match error {
        GitError::Authentication(text) => GitError::Authentication(name(text)),
        GitError::Authorization(text) => GitError::Authorization(name(text)),
        GitError::NotFound(text) => GitError::NotFound(name(text)),
        GitError::Reference(text) => GitError::Reference(name(text)),
        GitError::Remote(text) => GitError::Remote(name(text)),
        GitError::HostKey(text) => GitError::HostKey(name(text)),
        other => other,
    }
}

/// A submodule's URL, which may be relative to its parent's.
fn resolve_url(parent: &GitUrl, url: &str) -> Result<GitUrl, GitError> {
    if !url.starts_with("./") && !url.starts_with("../") {
        return GitUrl::parse_any(url);
    }
    let mut elements: Vec<&str> = parent.url.path().split('/').filter(|element| !element.is_empty()).collect();
    for element in url.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    parent.with_path(&format!("/{}", elements.join("/")))
}

/// URL by path, from the tree's `.gitmodules`.
pub(crate) fn read_urls(repository: &Repository, tree: Oid) -> Result<BTreeMap<String, String>, GitError> {
    let Some(entry) = repository.find_tree(tree)?.get_name(".gitmodules").map(|entry| entry.id()) else {
        return Ok(BTreeMap::new());
    };
    let odb = repository.odb()?;
    if odb.read_header(entry)?.0 > LARGEST {
        return Err(GitError::TooLarge { what: ".gitmodules".to_owned(), limit: LARGEST as u64 });
    }
    let object = odb.read(entry)?;
    Ok(parse(&String::from_utf8_lossy(object.data())))
}

/// Reads `[submodule "x"]` sections. Only plain `key = value` lines: includes and the like have no place here.
fn parse(text: &str) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    let (mut path, mut url) = (None, None);
    let mut is_submodule = false;
    for line in text.lines().map(str::trim).chain(["["]) {
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                urls.insert(path, url);
            }
            is_submodule = line.starts_with("[submodule ");
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_submodule) {
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = Some(value.trim_matches('/').to_owned()),
                "url" => url = Some(value),
                _ => {}
            }
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_files_are_read() {
        let text = "# c\n[submodule \"lib\"]\n\tpath = deps/lib\n\turl = ../lib.git\n[core]\n\turl = x\n[submodule \"b\"]\nurl=https://h/b\npath=b\n[submodule \"broken\"]\n";
        let urls = parse(text);
        assert_eq!(urls.len(), 2);
        assert_eq!((urls["deps/lib"].as_str(), urls["b"].as_str()), ("../lib.git", "https://h/b"));
    }

    #[test]
    fn relative_urls_lead_from_the_parent() {
        let parent = GitUrl::parse("https://example.com/team/app.git").unwrap();
        for (url, expected) in [
            ("../lib.git", "https://example.com/team/lib.git"),
            ("../../other/lib", "https://example.com/other/lib"),
            ("./sub", "https://example.com/team/app.git/sub"),
            ("../../../../x", "https://example.com/x"),
            ("https://h/b", "https://h/b"),
        ] {
            assert_eq!(resolve_url(&parent, url).unwrap().url.as_str(), expected);
        }
        assert!(resolve_url(&parent, "/etc/passwd").is_err());
    }
}
