//! What kustomizations name by URL: files, Git repositories, charts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::url::mask;
use git::fetch::{self, FetchLimits, Workspace};
use git::listing::is_oid;
use git::tree::Selection;
use git::url::{GitUrl, Scheme};
use git::{GitError, Remote, SshAlgorithms};
use http_client::{ClientPool, TlsMaterial};
use kustomize::fs::DirectoryFileSystem;
use kustomize::{ChartRequest, Clone, Error, RepositorySpec};
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::cache::{Cache, CacheArguments, settle};
use super::charts::{ChartAccess, Charts};
use super::credentials;
use super::worker::Worker;
use crate::output::chain;

/// Largest file that is taken as a resource.
const FILE_BYTES: u64 = 64 << 20;
/// Time for one file.
const FILE_TIME: Duration = Duration::from_secs(60);
/// Largest pack of a repository.
const PACK_BYTES: u64 = 1 << 30;

/// Answers by URL: one build asks for the same thing again and again.
type Known<T> = Mutex<HashMap<String, T>>;

/// Fetches what a build names.
pub(crate) struct Fetcher {
    cache: Cache,
    worker: Arc<Worker>,
    http: ClientPool,
    charts: Charts,
    files: Known<Vec<u8>>,
    repositories: Known<PathBuf>,
}

impl Fetcher {
    /// One that keeps repositories and charts where the arguments say.
    pub(crate) fn new(arguments: &CacheArguments) -> Self {
        let cache = Cache::open(arguments);
        let worker = Arc::new(Worker::default());
        Self {
            charts: Charts::new(cache.clone(), Arc::clone(&worker), ChartAccess::default()),
            cache,
            worker,
            http: ClientPool::default(),
            files: Mutex::default(),
            repositories: Mutex::default(),
        }
    }

    /// The directory that has a repository's files at the wanted commit.
    fn check_out(&self, spec: &RepositorySpec) -> Result<PathBuf, GitError> {
        if let Some(path) = spec.clone_url().strip_prefix("file://") {
            return self.check_out_local(Path::new(path), spec);
        }
        let url = GitUrl::parse_any(&spec.clone_url())?;
        let is_http = url.scheme != Scheme::Ssh;
        let tls = if is_http { credentials::git_tls() } else { TlsMaterial::default() };
        let http = self.http.client(&tls, None).map_err(|error| GitError::SshSettings(chain(&error)))?;
        let embedded = url.embedded.clone();
        let auth = if embedded.is_some() || !is_http { embedded } else { credentials::netrc(&url.address().0) };
        let ssh = Some(credentials::ssh());
        let remote = Remote { url, auth, http, ssh, algorithms: SshAlgorithms::default() };
        let place = self.cache.directory(&["git", &digest(&spec.clone_url())])?;
        let (reference, submodules, timeout) = (spec.reference.clone(), spec.submodules, spec.timeout);
        let work = async move {
            let shown = common::duration::GoDuration::from(timeout);
            tokio::time::timeout(timeout, obtain(remote, reference, submodules, place))
                .await
                .unwrap_or(Err(GitError::Timeout(shown)))
        };
        self.worker.run(work)?
    }

    /// A repository of this machine.
    fn check_out_local(&self, path: &Path, spec: &RepositorySpec) -> Result<PathBuf, GitError> {
        let place = self.cache.directory(&["git", &digest(&spec.clone_url())])?;
        let name = if spec.reference.is_empty() { "HEAD" } else { &spec.reference };
        let commit = git::local::find(path, name)?;
        let directory = place.join(&commit);
        if !directory.is_dir() {
            let made = new_directory(&place)?;
            git::local::check_out(path, &commit, made.path())?;
            settle(made, &directory)?;
        }
        Ok(directory)
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, String> {
        let client = self.http.client(&TlsMaterial::default(), None).map_err(|error| chain(&error))?;
        let target = url.to_owned();
        let work = async move { tokio::time::timeout(FILE_TIME, download(client, target)).await };
        match self.worker.run(work).map_err(|error| error.to_string())? {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} s", FILE_TIME.as_secs())),
        }
    }
}

impl kustomize::Remote for Fetcher {
    fn file(&self, url: &str) -> Result<Vec<u8>, Error> {
        if let Some(known) = lock(&self.files).get(url) {
            return Ok(known.clone());
        }
        let bytes = self.get(url).map_err(|reason| Error::Read(format!("{}: {reason}", mask(url))))?;
        lock(&self.files).insert(url.to_owned(), bytes.clone());
        Ok(bytes)
    }

    fn repository(&self, spec: &RepositorySpec) -> Result<Clone, Error> {
        let key = format!("{} {} {}", spec.clone_url(), spec.submodules, spec.reference);
        let known = lock(&self.repositories).get(&key).cloned();
        let wrong = |reason: String| Error::message(format!("cannot fetch '{}': {reason}", mask(&spec.raw)));
        let directory = match known {
            Some(directory) => directory,
            None => {
                let directory = self.check_out(spec).map_err(|error| wrong(common::url::mask_text(&chain(&error))))?;
                lock(&self.repositories).insert(key, directory.clone());
                directory
            }
        };
        let fs = DirectoryFileSystem::below(&directory).map_err(|error| wrong(error.to_string()))?;
        Ok(Clone { fs: Arc::new(fs), root: "/".to_owned() })
    }

    fn chart(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, Error> {
        self.charts
            .of_repository(request.repository, request.name, request.version, request.devel)
            .map_err(Error::message)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A name for the cache that tells nothing of what is in the URL.
pub(super) fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text).get(..16).unwrap_or_default())
}

/// Fetches the commit that a reference leads to now, unless it is kept already. A full commit id asks nobody.
async fn obtain(remote: Remote, reference: String, submodules: bool, place: PathBuf) -> Result<PathBuf, GitError> {
    let kept = |commit: &str| place.join(format!("{commit}{}", if submodules { "" } else { "-no-submodules" }));
    if is_oid(&reference) && kept(&reference).is_dir() {
        return Ok(kept(&reference));
    }
    let name = if reference.is_empty() { "HEAD" } else { &reference };
    let pending = fetch::look_by_name(&remote, name).await?;
    if let Some(directory) = pending.commit().map(&kept).filter(|directory| directory.is_dir()) {
        pending.close().await;
        return Ok(directory);
    }
    let workspace = Workspace::create(&place, Arc::new(Semaphore::new(1)))?;
    let limits = FetchLimits { pack_bytes: PACK_BYTES };
    let fetched = fetch::fetch(*pending, &workspace, limits).await?;
    let selection = Selection { submodules, symbolic_links: true, ..Selection::default() };
    let files = fetch::files(&remote, &fetched.commit, &selection, &workspace, limits).await?;
    let directory = kept(&fetched.commit);
    let made = new_directory(&place)?;
    let path = made.path().to_owned();
    workspace.run(move |repository| git::checkout::write(&files, repository, &path)).await?;
    settle(made, &directory)?;
    Ok(directory)
}

fn new_directory(place: &Path) -> std::io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(".checkout-").tempdir_in(place)
}

/// A file over HTTP, in bounded size.
async fn download(client: reqwest::Client, url: String) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| chain(&error.without_url());
    let mut response = client.get(&url).send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("HTTP error: status code {status}"));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if (bytes.len() + chunk.len()) as u64 > FILE_BYTES {
            return Err(format!("larger than the limit of {FILE_BYTES} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
