//! Charts of a chart repository: find the version in its index, download the archive.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use common::error::chain;
use common::meta::SourceObject as _;
use common::names::reason;
use common::source::v1::HelmRepository;
use helm::chart::Dependency;
use kube::ResourceExt as _;
use sha2::{Digest as _, Sha256};

use super::context::Context;
use super::helm_repository::access;
use crate::charts::build::{check_name, dependency_error, invalid_reference, pull_error};
use crate::failure::Failure;
use chart_repository::download::{Access, DownloadError, Index};
use chart_repository::select::{ChartVersion, select};

/// The wanted version of a chart in a stored index.
pub(super) async fn find(context: &Context, index: PathBuf, name: &str, wanted: &str) -> Result<ChartVersion, Failure> {
    check_name(name)?;
    let (tables, name, wanted) = (context.tables.clone(), name.to_owned(), wanted.to_owned());
    context
        .block(move || {
            let reference = |message: String| {
                invalid_reference(format!("failed to get chart version for remote reference: {message}"))
            };
            let versions = tables.versions(&index, &name).map_err(|error| {
                pull_error(format!("failed to get chart version for remote reference: {}", chain(&error)))
            })?;
            let versions =
                versions.ok_or_else(|| reference(format!("no chart name found: the index has no chart '{name}'")))?;
            select(&versions, &name, &wanted).cloned().map_err(|error| reference(error.to_string()))
        })
        .await
}

/// Downloads a chart version.
pub(super) async fn download(context: &Context, access: &Access, chart: &ChartVersion) -> Result<Bytes, Failure> {
    let failed = |message: String| pull_error(format!("failed to download chart for remote reference: {message}"));
    let url = chart.urls.first().ok_or_else(|| failed(format!("chart '{}' has no downloadable URLs", chart.name)))?;
    let resolved = access.resolve(url).map_err(|error| failed(error.to_string()))?;
    let mirrored = context.mirrors.apply(resolved.as_str());
    let (url, _) = Access::parse_url(&mirrored).map_err(|error| failed(error.to_string()))?;
    let bytes = access.chart(&context.http, &url, context.settings.chart_bytes).await.map_err(|error| {
        if is_authentication(&error) {
            Failure::fetch(
                reason::AUTHENTICATION_FAILED,
                format!("failed to authenticate with the Helm repository: {}", chain(&error)),
            )
        } else {
            failed(chain(&error))
        }
    })?;
    let expected = chart.digest.strip_prefix("sha256:").unwrap_or(&chart.digest);
    if !expected.is_empty() && !expected.eq_ignore_ascii_case(&hex::encode(Sha256::digest(&bytes))) {
        // Upstream does not look at it, and indexes with stale digests are about; the artifact's own digest is what counts.
        tracing::warn!(
            chart = chart.name,
            version = chart.version,
            "the archive does not have the digest of the index"
        );
    }
    Ok(bytes)
}

/// Upstream calls every failure that mentions TLS or 401 one of authentication.
fn is_authentication(error: &DownloadError) -> bool {
    error.is_authentication() || {
        let text = chain(error).to_ascii_lowercase();
        matches!(error, DownloadError::Transport { .. }) && (text.contains("certificate") || text.contains("tls"))
    }
}

/// Downloads a dependency: by the HelmRepository of the namespace that has its URL, or else without credentials.
pub(super) async fn dependency(context: &Context, namespace: &str, wanted: &Dependency) -> Result<Bytes, Failure> {
    let failed =
        |message: String| dependency_error(format!("failed to add remote dependency '{}': {message}", wanted.name));
    let url = normalise(&wanted.repository);
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(failed(format!(
            "repository '{}' is not supported by this release of Towline; use one over http or https",
            common::url::mask(&wanted.repository)
        )));
    }
    let repository = repository_of(context, namespace, &url);
    let (access, index) = match repository.as_ref().and_then(|repository| repository.artifact()) {
        Some(artifact) => {
            let repository = repository.as_ref().ok_or_else(|| failed("the repository is gone".to_owned()))?;
            (access(context, repository).await?, Source::Stored(context.store.local_path(artifact)))
        }
        None => anonymous(context, &url).await.map_err(|error| failed(chain(&error)))?,
    };
    let chart = find(context, index.path().to_owned(), &wanted.name, &wanted.version).await.map_err(|failure| {
        failed(format!(
            "failed to get chart '{}' version '{}' from '{}': {}",
            wanted.name,
            wanted.version,
            common::url::mask(&wanted.repository),
            failure.message
        ))
    })?;
    download(context, &access, &chart)
        .await
        .map_err(|failure| failed(format!("chart download of version '{}' failed: {}", chart.version, failure.message)))
}

/// An index on disk: an artifact's, or one that goes away with this.
enum Source {
    Stored(PathBuf),
    Temporary(tempfile::TempPath),
}

impl Source {
    fn path(&self) -> &std::path::Path {
        match self {
            Self::Stored(path) => path,
            Self::Temporary(path) => path,
        }
    }
}

fn normalise(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

fn repository_of(context: &Context, namespace: &str, url: &str) -> Option<Arc<HelmRepository>> {
    let mut keys = context.kinds.helm_repositories.keys_where(|repository| {
        repository.namespace().as_deref() == Some(namespace)
            && !repository.spec.is_oci()
            && normalise(&repository.spec.url) == url
            && repository.artifact().is_some_and(|artifact| context.store.local_path(artifact).is_file())
    });
    keys.sort();
    context.kinds.helm_repositories.get(keys.first()?)
}

/// Fetches the index of a repository that no object describes.
async fn anonymous(context: &Context, url: &str) -> Result<(Access, Source), DownloadError> {
    let (url, auth) = Access::parse_url(&context.mirrors.apply(url))?;
    let access = Access {
        url,
        auth,
        tls: http_client::TlsMaterial::default(),
        pass_credentials: false,
        timeout: std::time::Duration::from_secs(60),
    };
    let mut download = tempfile::tempfile_in(context.store.root())?;
    let limit = context.settings.index_bytes;
    match access.index(&context.http, None, limit, &mut download).await? {
        Index::Fetched { .. } | Index::Unchanged => {}
    }
    let target = tempfile::Builder::new().prefix(".index-").tempfile_in(context.store.root())?;
    let converted = context
        .block(move || {
            use std::io::Seek as _;
            let io = |error: std::io::Error| dependency_error(error);
            download.rewind().map_err(io)?;
            let input = std::io::BufReader::new(download);
            let mut output = std::io::BufWriter::new(target);
            chart_repository::index::convert(input, &mut output).map_err(dependency_error)?;
            Ok(output.into_inner().map_err(|error| io(error.into_error()))?.into_temp_path())
        })
        .await
        .map_err(|failure| DownloadError::Io(std::io::Error::other(failure.message)))?;
    Ok((access, Source::Temporary(converted)))
}
