//! Fetching: one listing, then one pack into a bare repository in a temporary directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use common::revision::Revision;
use common::source::v1::GitRepositoryRef;
use tokio::sync::{Semaphore, mpsc};

use crate::listing::Listing;
use crate::packet::{FLUSH, Packet, Packets, line, printable};
use crate::resolve::{self, ResolveError, Target};
use crate::session::{self, Remote, Session};
use crate::{GitError, submodules, tree};

/// Bounds of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// Most bytes of one pack.
    pub pack_bytes: u64,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { pack_bytes: 2 << 30 }
    }
}

/// A bare repository that is removed when dropped, and the place of blocking work on it.
#[derive(Debug)]
pub struct Workspace {
    directory: tempfile::TempDir,
    blocking: Arc<Semaphore>,
}

impl Workspace {
    /// An empty repository below `parent`.
    pub fn create(parent: &Path, blocking: Arc<Semaphore>) -> Result<Self, GitError> {
        let directory = tempfile::Builder::new().prefix(".git-").tempdir_in(parent)?;
        let options = &mut git2::RepositoryInitOptions::new();
        // No template and no system configuration: what lies on the machine must not matter.
        git2::Repository::init_opts(directory.path(), options.bare(true).external_template(false))?;
        Ok(Self { directory, blocking })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Runs blocking work on the repository, a bounded number of such works at a time.
    pub async fn run<T, F>(&self, work: F) -> Result<T, GitError>
    where
        T: Send + 'static,
        F: FnOnce(&git2::Repository) -> Result<T, GitError> + Send + 'static,
    {
        let permit = Arc::clone(&self.blocking).acquire_owned().await.map_err(|_| GitError::Interrupted)?;
        self.run_unbounded(move |repository| {
            let _permit = permit;
            work(repository)
        })
        .await
    }

    /// Runs work that mostly waits for the network: it must not keep a place that others need for computing.
    async fn run_unbounded<T, F>(&self, work: F) -> Result<T, GitError>
    where
        T: Send + 'static,
        F: FnOnce(&git2::Repository) -> Result<T, GitError> + Send + 'static,
    {
        let path = self.path();
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| work(&git2::Repository::open_bare(path)?)))
            .await
            .map_err(|_| GitError::Interrupted)?
    }
}

/// What a listing tells.
pub enum Looked {
    /// The remote has what is stored already.
    Unchanged(Revision),
    /// Something to fetch.
    Changed(Box<Pending>),
}

/// A resolved reference and the open conversation to fetch it by.
pub struct Pending {
    session: Session,
    listing: Listing,
    target: Target,
}

/// Asks the remote where the reference points to; `stored` is the revision that is in storage already.
pub async fn look(
    remote: &Remote,
    reference: Option<&GitRepositoryRef>,
    stored: Option<&Revision>,
) -> Result<Looked, GitError> {
    if let Some(pinned) = resolve::pinned(reference).filter(|pinned| Some(pinned) == stored) {
        return Ok(Looked::Unchanged(pinned));
    }
    let Pending { session, listing, target } = open(remote, |listing| resolve::resolve(reference, listing)).await?;
    match target.revision().filter(|revision| Some(revision) == stored) {
        Some(revision) => {
            session.close().await;
            Ok(Looked::Unchanged(revision))
        }
        None => Ok(Looked::Changed(Box::new(Pending { session, listing, target }))),
    }
}

/// Asks the remote where a name leads to, as `git fetch` understands names: in full, a tag, a branch, a commit's id.
pub async fn look_by_name(remote: &Remote, name: &str) -> Result<Box<Pending>, GitError> {
    open(remote, |listing| resolve::by_name(name, listing)).await.map(Box::new)
}

async fn open(
    remote: &Remote,
    resolve: impl FnOnce(&Listing) -> Result<Target, ResolveError>,
) -> Result<Pending, GitError> {
    let (session, listing) = session::open(remote).await?;
    match resolve(&listing) {
        Ok(target) => Ok(Pending { session, listing, target }),
        Err(error) => {
            session.close().await;
            Err(match error {
                ResolveError::Empty => GitError::Empty,
                error => GitError::Reference(error.to_string()),
            })
        }
    }
}

impl Pending {
    /// The commit that would be fetched, where the listing alone tells it.
    pub fn commit(&self) -> Option<&str> {
        match &self.target {
            Target::Tip { commit, .. } | Target::Commit { commit, .. } => Some(commit),
            Target::Newest(_) => None,
        }
    }

    /// Ends the conversation without fetching.
    pub async fn close(self) {
        self.session.close().await;
    }
}

/// A commit that lies in the workspace.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its revision.
    pub revision: Revision,
    /// Its id.
    pub commit: String,
    /// First line of its message.
    pub subject: String,
}

/// Fetches what [`look`] found into the workspace.
pub async fn fetch(pending: Pending, workspace: &Workspace, limits: FetchLimits) -> Result<Fetched, GitError> {
    let Pending { session, listing, target } = pending;
    let (wants, is_shallow) = wants(&target, &listing);
    receive(session, &listing, &wants, is_shallow, workspace, limits).await?;
    workspace.run(move |repository| identify(repository, &target)).await
}

/// Fetches one commit of a submodule.
pub(crate) async fn fetch_commit(
    remote: &Remote,
    commit: &str,
    workspace: &Workspace,
    limits: FetchLimits,
) -> Result<(), GitError> {
    let (session, listing) = session::open(remote).await?;
    let reference = GitRepositoryRef { commit: commit.to_owned(), ..GitRepositoryRef::default() };
    let target =
        resolve::resolve(Some(&reference), &listing).map_err(|error| GitError::Reference(error.to_string()))?;
    fetch(Pending { session, listing, target }, workspace, limits).await.map(drop)
}

/// The objects to ask for, and whether without their history.
fn wants(target: &Target, listing: &Listing) -> (Vec<String>, bool) {
    match target {
        Target::Tip { object, .. } => (vec![object.clone()], true),
        Target::Newest(tags) => (tags.iter().map(|(_, object)| object.clone()).collect(), true),
        Target::Commit { commit, fallback, .. } => {
            let by_id = ["allow-reachable-sha1-in-want", "allow-any-sha1-in-want"]
                .iter()
                .any(|capability| listing.can(capability))
                || listing.references.values().any(|object| object == commit);
            if by_id { (vec![commit.clone()], true) } else { (fallback.clone(), false) }
        }
    }
}

/// The request for a pack.
fn request(listing: &Listing, wants: &[String], is_shallow: bool) -> Vec<u8> {
    let mut capabilities = vec!["side-band-64k".to_owned(), "agent=towline".to_owned()];
    // Some servers refuse clients that do not offer these.
    for wanted in ["ofs-delta", "no-progress", "multi_ack_detailed"] {
        if listing.can(wanted) {
            capabilities.push(wanted.to_owned());
        }
    }
    let mut body = Vec::new();
    for (index, want) in wants.iter().enumerate() {
        let capabilities = if index == 0 { format!(" {}", capabilities.join(" ")) } else { String::new() };
        line(&format!("want {want}{capabilities}\n"), &mut body);
    }
    if is_shallow && listing.can("shallow") {
        line("deepen 1\n", &mut body);
    }
    body.extend_from_slice(FLUSH);
    line("done\n", &mut body);
    body
}

async fn receive(
    session: Session,
    listing: &Listing,
    wants: &[String],
    is_shallow: bool,
    workspace: &Workspace,
    limits: FetchLimits,
) -> Result<(), GitError> {
    if !listing.can("side-band-64k") {
        return Err(GitError::Protocol("the server does not have the capability side-band-64k".to_owned()));
    }
    let stream = session.request(request(listing, wants, is_shallow)).await?;
    let mut packets = Packets::new(stream, "the pack", limits.pack_bytes);
    let (sender, receiver) = mpsc::channel(16);
    let store = workspace.run_unbounded(move |repository| store_pack(repository, receiver));
    let forward = async {
        // The sender is dropped at the end of this block, which ends the pack.
        let sender = sender;
        forward(&mut packets, &sender).await
    };
    let (stored, forwarded) = tokio::join!(store, forward);
    match (forwarded, stored) {
        (Ok(()), stored) => stored,
        // The writer has gone away with an error of its own, which tells more.
        (Err(GitError::Interrupted), Err(error)) | (Err(error), _) => Err(error),
    }
}

/// Reads acknowledgements, then the side band: pack data, progress, errors.
async fn forward(packets: &mut Packets, sender: &mpsc::Sender<Bytes>) -> Result<(), GitError> {
    loop {
        match packets.next().await? {
            // Ends the list of shallow commits.
            Packet::Flush => {}
            Packet::Data(data) if data.starts_with(b"shallow ") || data.starts_with(b"unshallow ") => {}
            Packet::Data(data) if data.starts_with(b"NAK") || data.starts_with(b"ACK ") => break,
            Packet::Data(data) => {
                return Err(GitError::Protocol(format!("unexpected answer {:?}", printable(&data))));
            }
        }
    }
    let mut message = Vec::new();
    while let Packet::Data(data) = packets.next().await? {
        match data.first() {
            Some(1) => sender.send(data.slice(1..)).await.map_err(|_| GitError::Interrupted)?,
            Some(2) => {}
            Some(3) => message.extend_from_slice(data.get(1..).unwrap_or_default()),
            _ => return Err(GitError::Protocol("a packet of an unknown side band".to_owned())),
        }
    }
    if message.is_empty() { Ok(()) } else { Err(GitError::Remote(printable(&message))) }
}

/// Writes the pack and its index; libgit2 checks every object's hash on the way.
fn store_pack(repository: &git2::Repository, mut chunks: mpsc::Receiver<Bytes>) -> Result<(), GitError> {
    let odb = repository.odb()?;
    let mut writer = odb.packwriter()?;
    let mut is_empty = true;
    while let Some(chunk) = chunks.blocking_recv() {
        is_empty = false;
        writer.write_all(&chunk).map_err(|_| last_error("the pack is damaged"))?;
    }
    if is_empty {
        return Err(GitError::Protocol("the server sent no pack".to_owned()));
    }
    writer.commit()?;
    Ok(())
}

fn last_error(fallback: &str) -> GitError {
    GitError::Object(git2::Error::last_error(-1)).or_message(fallback)
}

impl GitError {
    fn or_message(self, fallback: &str) -> Self {
        match self {
            Self::Object(error) if error.message().is_empty() => Self::Protocol(fallback.to_owned()),
            other => other,
        }
    }
}

/// The commit a target has become, now that its objects are here.
fn identify(repository: &git2::Repository, target: &Target) -> Result<Fetched, GitError> {
    let peel = |object: &str| -> Result<git2::Commit<'_>, GitError> {
        Ok(repository.find_object(git2::Oid::from_str(object)?, None)?.peel_to_commit()?)
    };
    let (name, commit) = match target {
        Target::Tip { name, object, .. } => (Some(name.clone()), peel(object)?),
        Target::Newest(tags) => {
            let mut newest: Option<(String, git2::Commit<'_>)> = None;
            for (tag, object) in tags {
                let commit = peel(object)?;
                if newest.as_ref().is_none_or(|(_, other)| commit.time() > other.time()) {
                    newest = Some((tag.clone(), commit));
                }
            }
            let (tag, commit) = newest.ok_or(GitError::Empty)?;
            (Some(tag), commit)
        }
        Target::Commit { commit, name, .. } => {
            let found = peel(commit).map_err(|_| GitError::Reference(format!("object not found: commit {commit}")))?;
            (name.clone(), found)
        }
    };
    let id = commit.id().to_string();
    let subject = String::from_utf8_lossy(commit.message_bytes()).lines().next().unwrap_or_default().to_owned();
    Ok(Fetched { revision: Revision::git(name.as_deref(), &id), commit: id, subject })
}

/// Everything of the commit's tree that may enter an artifact, submodules included when wanted.
pub async fn files(
    remote: &Remote,
    commit: &str,
    selection: &tree::Selection,
    workspace: &Workspace,
    limits: FetchLimits,
) -> Result<tree::Files, GitError> {
    let (commit, wanted) = (commit.to_owned(), selection.clone());
    let (mut files, links) = workspace.run(move |repository| tree::list(repository, &commit, "", &wanted)).await?;
    if selection.submodules {
        submodules::add_all(remote, links, &mut files, workspace, limits, selection.symbolic_links).await?;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_asks_for_no_history() {
        let mut listing = Listing::default();
        listing.capabilities.extend(["shallow", "ofs-delta"].map(str::to_owned));
        let want = "1".repeat(40);
        let body = String::from_utf8(request(&listing, std::slice::from_ref(&want), true)).unwrap();
        assert_eq!(
            body,
            format!("0058want {want} side-band-64k agent=towline ofs-delta\n000ddeepen 1\n00000009done\n")
        );
        let full = String::from_utf8(request(&listing, &[want], false)).unwrap();
        assert!(!full.contains("deepen"), "{full}");
    }

    #[test]
    fn a_commit_is_asked_for_by_id_only_where_the_server_allows_it() {
        let target =
            Target::Commit { commit: "a".repeat(40), name: None, fallback: vec!["1".repeat(40), "2".repeat(40)] };
        let mut listing = Listing::default();
        assert_eq!(wants(&target, &listing), (vec!["1".repeat(40), "2".repeat(40)], false));
        listing.references.insert("refs/heads/main".to_owned(), "a".repeat(40));
        assert_eq!(wants(&target, &listing), (vec!["a".repeat(40)], true));
    }
}
