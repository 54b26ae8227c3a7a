//! GitRepository: fetch the wanted commit, pack its tree.

use std::io::Write;
use std::sync::Arc;

use archive::sourceignore::Matcher;
use artifact::source::SourceKind;
use common::error::chain;
use common::meta::{Artifact, SourceObject as _};
use common::names::{condition, event, reason};
use common::revision::Revision;
use common::source::v1::{GitRepository, GitRepositoryStatus};
use common::{conditions, meta::FluxObject as _};
use kube::ResourceExt as _;
use runtime::{Action, ObjectKey, Reconcile};

use super::context::Context;
use super::driver::{Built, Kind, drive, replace_artifact, source_of};
use super::plan::{check_git_repository, content_settings_changed};
use crate::credentials::{self, SecretData};
use crate::failure::{Error, Failure};
use crate::outcome::Success;
use crate::store::StoreError;
use git::fetch::{self, FetchLimits, Looked, Workspace};
use git::tree::{Files, PackError, Selection};
use git::url::GitUrl;
use git::{GitError, Remote};

impl Kind for GitRepository {
    const KIND: SourceKind = SourceKind::GitRepository;
}

/// Reconciles GitRepositories.
pub struct GitRepositoryReconciler(pub Arc<Context>);

impl Reconcile<GitRepository> for GitRepositoryReconciler {
    type Error = Error;

    async fn reconcile(&self, object: Arc<GitRepository>) -> Result<Action, Error> {
        let context = &self.0;
        let before = object.artifact().cloned();
        let key = ObjectKey::of(object.as_ref());
        let objects = &context.kinds.git_repositories;
        let outcome = drive(context, objects, object, async |next| build(context, next).await).await;
        if objects.get(&key).and_then(|now| now.artifact().cloned()) != before {
            wake_dependents(context, &key);
        }
        outcome
    }

    fn is_relevant(&self, old: &GitRepository, new: &GitRepository) -> bool {
        super::driver::is_relevant(old, new)
    }

    fn gone(&self, key: &ObjectKey) {
        forget(&self.0, SourceKind::GitRepository, key);
    }
}

/// Drops what is known of a source whose object is gone.
pub(super) fn forget(context: &Context, kind: SourceKind, key: &ObjectKey) {
    context.catalogue.remove(&artifact::source::Source::new(kind, &*key.namespace, &*key.name));
}

/// Charts that are built of the repository, and repositories that include it.
fn wake_dependents(context: &Context, key: &ObjectKey) {
    super::helm_chart::wake_for(context, common::source::v1::SourceKind::GitRepository, key);
    let includers = context.kinds.git_repositories.keys_where(|other| {
        other.namespace().as_deref() == Some(&*key.namespace)
            && other.spec.include.iter().any(|include| include.repository.name == key.name)
    });
    for includer in includers {
        context.kinds.wake_git_repository.wake(includer);
    }
}

async fn build(context: &Context, object: &mut GitRepository) -> Result<Built, Failure> {
    let url = check_git_repository(object)?;
    let included = included_artifacts(context, object)?;
    let remote = remote(context, object, url).await?;
    let timeout = object.spec.timeout();

    let stored = object
        .artifact()
        .filter(|_| conditions::is_true(object.conditions(), condition::ARTIFACT_IN_STORAGE))
        .map(Artifact::revision);
    let unchanged_settings = !content_settings_changed(object, &included);
    let known = stored.as_ref().filter(|_| unchanged_settings);
    let reference = object.spec.reference.clone();
    let looked = within(timeout, fetch::look(&remote, reference.as_ref(), known)).await.map_err(checkout_failed)?;
    let pending = match looked {
        Looked::Unchanged(revision) => return Ok(unchanged(&revision)),
        Looked::Changed(pending) => pending,
    };

    let workspace = Workspace::create(context.store.root(), Arc::clone(&context.blocking)).map_err(checkout_failed)?;
    let limits = FetchLimits::default();
    let sparse: Vec<String> =
        object.spec.sparse_checkout.iter().map(|path| path.strip_prefix("./").unwrap_or(path).to_owned()).collect();
    let selection =
        Selection { sparse: sparse.clone(), submodules: object.spec.recurse_submodules, symbolic_links: false };
    let (fetched, files) = within(timeout, async {
        let fetched = fetch::fetch(*pending, &workspace, limits).await?;
        let files = fetch::files(&remote, &fetched.commit, &selection, &workspace, limits).await?;
        Ok((fetched, files))
    })
    .await
    .map_err(checkout_failed)?;
    check_sparse_paths(&files, &sparse)?;

    let files = add_includes(context, object, &included, files, &workspace).await?;
    let artifact = pack(context, object, &fetched, files, &workspace).await?;
    record(context, object, artifact, included);
    let message = format!("stored artifact for revision '{}'", fetched.revision);
    Ok(Built {
        success: Success { reason: reason::SUCCEEDED, message },
        event_reason: event::NEW_ARTIFACT,
        recovery_reason: reason::SUCCEEDED,
        event_message: format!("stored artifact for commit '{}'", short(&fetched.subject)),
    })
}

/// The remote has what is stored, built by the same settings.
fn unchanged(revision: &Revision) -> Built {
    Built {
        success: Success { reason: reason::SUCCEEDED, message: format!("stored artifact for revision '{revision}'") },
        event_reason: event::NEW_ARTIFACT,
        recovery_reason: reason::SUCCEEDED,
        event_message: format!("stored artifact for commit '{revision}'"),
    }
}

/// The first line of a commit's message, as events show it.
fn short(subject: &str) -> String {
    if subject.chars().count() <= 50 {
        return subject.to_owned();
    }
    format!("{}...", subject.chars().take(50).collect::<String>())
}

async fn within<T>(
    timeout: common::duration::GoDuration,
    work: impl Future<Output = Result<T, GitError>>,
) -> Result<T, GitError> {
    tokio::time::timeout(timeout.to_std(), work).await.unwrap_or(Err(GitError::Timeout(timeout)))
}

fn checkout_failed(error: GitError) -> Failure {
    match error {
        GitError::Empty => Failure::fetch(reason::EMPTY_GIT_REPOSITORY, error.to_string()),
        error => Failure::fetch(
            reason::GIT_OPERATION_FAILED,
            format!("failed to checkout and determine revision: {}", chain(&error)),
        ),
    }
}

/// Reads the Secrets and puts together how to reach the repository.
async fn remote(context: &Context, object: &GitRepository, url: GitUrl) -> Result<Remote, Failure> {
    let namespace = object.namespace().unwrap_or_default();
    let authentication = |message: String| Failure::fetch(reason::AUTHENTICATION_FAILED, message);
    let read = async |name: &str| {
        SecretData::read(&context.client, &namespace, name)
            .await
            .map_err(|error| format!("failed to get secret '{namespace}/{name}': {}", chain(&error)))
    };
    let proxy = match &object.spec.proxy_secret_ref {
        None => None,
        Some(reference) => {
            let proxy = read(&reference.name).await.and_then(|secret| secret.proxy());
            Some(proxy.map_err(|message| authentication(format!("failed to configure proxy options: {message}")))?)
        }
    };
    let secret = match &object.spec.secret_ref {
        None => None,
        Some(reference) => Some(read(&reference.name).await.map_err(authentication)?),
    };
    let access = credentials::git_access(&url, secret.as_ref())
        .map_err(|message| authentication(format!("failed to configure authentication options: {message}")))?;
    let http = context
        .http
        .client(&access.tls, proxy.as_ref())
        .map_err(|error| authentication(format!("failed to configure authentication options: {}", chain(&error))))?;
    let mirrored = context.mirrors.apply(url.url.as_str());
    let url = if mirrored == url.url.as_str() {
        url
    } else {
        let mut moved = GitUrl::parse(&mirrored)
            .map_err(|error| Failure::fetch(reason::URL_INVALID, error.to_string()).stalled())?;
        moved.user.clone_from(&url.user);
        moved
    };
    Ok(Remote { url, auth: access.auth, http, ssh: access.ssh, algorithms: context.settings.ssh.clone() })
}

/// The artifacts of included repositories; each must be there.
fn included_artifacts(context: &Context, object: &GitRepository) -> Result<Vec<Artifact>, Failure> {
    let namespace = object.namespace().unwrap_or_default();
    let delay = context.settings.requeue_dependency;
    object
        .spec
        .include
        .iter()
        .map(|include| {
            let name = &include.repository.name;
            let other = context.kinds.git_repositories.get(&ObjectKey::new(&*namespace, &**name)).ok_or_else(|| {
                Failure::include(
                    reason::NOT_FOUND,
                    format!(
                        "could not get resource for include '{name}': GitRepository '{namespace}/{name}' not found"
                    ),
                )
                .waiting(delay)
            })?;
            let artifact = other.artifact().filter(|artifact| context.store.local_path(artifact).is_file());
            artifact.cloned().ok_or_else(|| {
                Failure::include(reason::NO_ARTIFACT, format!("no artifact available for include '{name}'"))
                    .waiting(delay)
            })
        })
        .collect()
}

fn check_sparse_paths(files: &Files, sparse: &[String]) -> Result<(), Failure> {
    match sparse.iter().find(|path| !files.contains(path.trim_end_matches('/'))) {
        None => Ok(()),
        Some(path) => Err(Failure::fetch(
            reason::GIT_OPERATION_FAILED,
            format!("failed to sparse checkout directories : sparse checkout dir '{path}' does not exist"),
        )),
    }
}

/// Puts the content of included artifacts into the tree. It is written to the object store like everything else.
async fn add_includes(
    context: &Context,
    object: &GitRepository,
    included: &[Artifact],
    files: Files,
    workspace: &Workspace,
) -> Result<Files, Failure> {
    if included.is_empty() {
        return Ok(files);
    }
    let includes: Vec<_> = object
        .spec
        .include
        .iter()
        .zip(included)
        .map(|(include, artifact)| {
            let clean = crate::charts::merge::clean;
            (
                include.repository.name.clone(),
                clean(include.from_path()),
                clean(include.to_path()),
                context.store.local_path(artifact),
            )
        })
        .collect();
    let merged = workspace
        .run(move |repository| {
            let mut files = files;
            for (name, from, to, archive) in includes {
                if let Err(message) = copy_include(repository, &mut files, &from, &to, &archive) {
                    return Ok(Err(format!("failed to copy '{name}' include from {from} to {to}: {message}")));
                }
            }
            Ok(Ok(files))
        })
        .await
        .map_err(checkout_failed)?;
    merged.map_err(|message| Failure::storage(reason::COPY_FAILURE, message))
}

fn copy_include(
    repository: &git2::Repository,
    files: &mut Files,
    from: &str,
    to: &str,
    archive: &std::path::Path,
) -> Result<(), String> {
    let file = fs_err::File::open(archive).map_err(|error| error.to_string())?;
    let prefix = if from.is_empty() { String::new() } else { format!("{from}/") };
    let mut count = 0_usize;
    archive::visit_tar_gz(file, &archive::Policy::source(), |info, content| {
        let archive::EntryKind::File { executable } = info.kind else { return Ok(()) };
        let Some(rest) = info.path.strip_prefix(&prefix) else { return Ok(()) };
        let mut data = Vec::new();
        content.read_to_end(&mut data)?;
        let blob = repository.blob(&data).map_err(std::io::Error::other)?;
        let path = if to.is_empty() { rest.to_owned() } else { format!("{to}/{rest}") };
        count += 1;
        files.add_file(&path, blob, executable).map_err(std::io::Error::other)
    })
    .map_err(|error| error.to_string())?;
    if count == 0 && !from.is_empty() {
        return Err(format!("there is no file below '{from}'"));
    }
    Ok(())
}

/// Why the artifact could not be written.
enum WriteError {
    Store(StoreError),
    Pack(PackError),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn pack(
    context: &Context,
    object: &GitRepository,
    fetched: &fetch::Fetched,
    files: Files,
    workspace: &Workspace,
) -> Result<Artifact, Failure> {
    let (store, source, ignore) = (context.store.clone(), source_of(object), object.spec.ignore.clone());
    let (name, revision, now) =
        (format!("{}.tar.gz", fetched.commit), fetched.revision.to_string(), context.clock.now());
    let written = workspace
        .run(move |repository| {
            let patterns = match files.ignore_patterns(repository, ignore.as_deref()) {
                Ok(patterns) => patterns,
                Err(error) => {
                    return Ok(Err(Failure::storage(
                        reason::SOURCE_IGNORE_ERROR,
                        format!("failed to load source ignore patterns from repository: {error}"),
                    )));
                }
            };
            let matcher = Matcher::for_artifact(patterns);
            let written = store.write(&source, &name, &revision, now, |target: &mut dyn Write| {
                files.pack(repository, &matcher, target).map_err(WriteError::Pack)
            });
            Ok(written.map_err(|error| {
                let text = match &error {
                    WriteError::Store(error) => chain(error),
                    WriteError::Pack(error) => chain(error),
                };
                Failure::storage(
                    reason::ARCHIVE_OPERATION_FAILED,
                    format!("unable to archive artifact to storage: {text}"),
                )
            }))
        })
        .await;
    written.map_err(checkout_failed)?
}

/// Notes in the status what was built and by which settings.
fn record(context: &Context, object: &mut GitRepository, artifact: Artifact, included: Vec<Artifact>) {
    replace_artifact(context, object, artifact);
    let spec = object.spec.clone();
    let status: &mut GitRepositoryStatus = object.status.get_or_insert_default();
    status.included_artifacts = included;
    status.observed_ignore = spec.ignore;
    status.observed_recurse_submodules = spec.recurse_submodules;
    status.observed_include = spec.include;
    status.observed_sparse_checkout = spec.sparse_checkout;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_subjects_are_cut() {
        assert_eq!(short("fix"), "fix");
        assert_eq!(short(&"é".repeat(51)), format!("{}...", "é".repeat(50)));
    }
}
