//! Downloading indexes and charts: bounded, with credentials bound to the repository's origin.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http_client::{ClientPool, HttpAuth, HttpError, TlsMaterial};
use reqwest::{Response, StatusCode, header};
use sha2::{Digest as _, Sha256};
use url::Url;

/// Access to one chart repository.
#[derive(Clone, Debug)]
pub struct Access {
    /// The repository's URL as it is used (after `--mirror`).
    pub url: Url,
    /// Credentials for it.
    pub auth: HttpAuth,
    /// Trust and client certificate.
    pub tls: TlsMaterial,
    /// Whether other hosts named in the index get them too.
    pub pass_credentials: bool,
    /// Time for one download.
    pub timeout: Duration,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The URL is not one.
    #[error("invalid URL '{url}': {reason}")]
    Url {
        /// The URL, masked.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The client cannot be made.
    #[error(transparent)]
    Client(#[from] HttpError),
    /// The server answers with an error.
    #[error("failed to fetch {url} : {status}")]
    Status {
        /// The URL, masked.
        url: String,
        /// The status with its name.
        status: StatusCode,
    },
    /// The server cannot be reached or the transfer broke.
    #[error("failed to fetch {url}")]
    Transport {
        /// The URL, masked.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// It is larger than allowed.
    #[error("{url} exceeds the maximum size of {limit} bytes")]
    TooLarge {
        /// The URL, masked.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// It took too long.
    #[error("failed to fetch {url}: no answer within {} s", timeout.as_secs())]
    Timeout {
        /// The URL, masked.
        url: String,
        /// The limit.
        timeout: Duration,
    },
    /// What was downloaded cannot be kept.
    #[error("cannot write what was downloaded")]
    Io(#[from] std::io::Error),
}

impl DownloadError {
    /// Whether the server does not accept who we are.
    pub fn is_authentication(&self) -> bool {
        matches!(self, Self::Status { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. })
    }
}

/// An index that was downloaded, or not because it is the one we have.
#[derive(Debug)]
pub enum Index {
    /// The server says that nothing changed.
    Unchanged,
    /// Written to the target.
    Fetched {
        /// SHA-256 of its bytes, in hexadecimal.
        digest: String,
        /// The server's name for this state.
        entity_tag: Option<String>,
    },
}

impl Access {
    /// Parses a repository URL, without its user information (which becomes credentials if there are no others).
    pub fn parse_url(text: &str) -> Result<(Url, HttpAuth), DownloadError> {
        let invalid = |reason: String| DownloadError::Url { url: common::url::mask(text), reason };
        let mut url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(format!("scheme '{}' is not supported", url.scheme())));
        }
        let decode = http_client::percent_decode;
        let auth = if url.username().is_empty() {
            HttpAuth::None
        } else {
            HttpAuth::Basic {
                username: decode(url.username()),
                password: common::secret::Secret::new(decode(url.password().unwrap_or_default())),
            }
        };
        // Setting fails only for URLs without a host, which http does not have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok((url, auth))
    }

    /// The URL of the index.
    fn index_url(&self) -> Url {
        let mut url = self.url.clone();
        let path = format!("{}/index.yaml", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// A chart's URL, which may be relative to the repository's.
    pub fn resolve(&self, reference: &str) -> Result<Url, DownloadError> {
        let invalid = |reason: String| DownloadError::Url { url: common::url::mask(reference), reason };
        let mut base = self.url.clone();
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let query = base.query().map(str::to_owned);
        let mut resolved = base.join(reference).map_err(|error| invalid(error.to_string()))?;
        if !matches!(resolved.scheme(), "http" | "https") {
            return Err(invalid(format!("scheme '{}' is not supported", resolved.scheme())));
        }
        // A token in the repository's query is meant for its charts too, as long as they are its own.
        if resolved.query().is_none() && resolved.origin() == base.origin() {
            resolved.set_query(query.as_deref());
        }
        Ok(resolved)
    }

    async fn get(&self, pool: &ClientPool, url: &Url, entity_tag: Option<&str>) -> Result<Response, DownloadError> {
        let shown = common::url::mask(url.as_str());
        let is_trusted = self.pass_credentials || url.origin() == self.url.origin();
        let client =
            if is_trusted { pool.client(&self.tls, None)? } else { pool.client(&self.tls.without_identity(), None)? };
        let mut request = client.get(url.clone());
        if is_trusted {
            request = self.auth.apply(request);
        }
        if let Some(tag) = entity_tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        request.send().await.map_err(|source| DownloadError::Transport { url: shown, source: source.without_url() })
    }

    /// Downloads the index into `target`, unless it is the one with this entity tag.
    pub async fn index(
        &self,
        pool: &ClientPool,
        entity_tag: Option<&str>,
        limit: u64,
        target: &mut (dyn Write + Send),
    ) -> Result<Index, DownloadError> {
        let url = self.index_url();
        self.within_time(&url, async {
            let response = self.get(pool, &url, entity_tag).await?;
            if response.status() == StatusCode::NOT_MODIFIED && entity_tag.is_some() {
                return Ok(Index::Unchanged);
            }
            let tag = response.headers().get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let mut hasher = Sha256::new();
            receive(response, &url, limit, |chunk| {
                hasher.update(chunk);
                target.write_all(chunk)
            })
            .await?;
            Ok(Index::Fetched { digest: hex::encode(hasher.finalize()), entity_tag: tag })
        })
        .await
    }

    /// Downloads a chart archive.
    pub async fn chart(&self, pool: &ClientPool, url: &Url, limit: u64) -> Result<Bytes, DownloadError> {
        self.within_time(url, async {
            let mut content = Vec::new();
            receive(self.get(pool, url, None).await?, url, limit, |chunk| {
                content.extend_from_slice(chunk);
                Ok(())
            })
            .await?;
            Ok(Bytes::from(content))
        })
        .await
    }

    async fn within_time<T>(
        &self,
        url: &Url,
        work: impl Future<Output = Result<T, DownloadError>>,
    ) -> Result<T, DownloadError> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, work)
            .await
            .unwrap_or_else(|_| Err(DownloadError::Timeout { url: common::url::mask(url.as_str()), timeout }))
    }
}

async fn receive(
    mut response: Response,
    url: &Url,
    limit: u64,
    mut take: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), DownloadError> {
    let shown = || common::url::mask(url.as_str());
    if response.status() != StatusCode::OK {
        return Err(DownloadError::Status { url: shown(), status: response.status() });
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(DownloadError::TooLarge { url: shown(), limit });
    }
    let mut received = 0_u64;
    let transport = |source: reqwest::Error| DownloadError::Transport { url: shown(), source: source.without_url() };
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        received += chunk.len() as u64;
        if received > limit {
            return Err(DownloadError::TooLarge { url: shown(), limit });
        }
        take(&chunk)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chart_urls_are_resolved_against_the_repository() {
        let access = |url: &str| Access {
            url: Access::parse_url(url).unwrap().0,
            auth: HttpAuth::None,
            tls: TlsMaterial::default(),
            pass_credentials: false,
            timeout: Duration::from_secs(1),
        };
        for (base, reference, expected) in [
            ("https://h/charts", "web-1.tgz", "https://h/charts/web-1.tgz"),
            ("https://h/charts/", "a/web-1.tgz", "https://h/charts/a/web-1.tgz"),
            ("https://h/charts", "/web-1.tgz", "https://h/web-1.tgz"),
            ("https://h/charts", "https://other/web-1.tgz", "https://other/web-1.tgz"),
            ("https://h/charts?token=x", "web-1.tgz", "https://h/charts/web-1.tgz?token=x"),
            ("https://h/charts?token=x", "https://other/web-1.tgz", "https://other/web-1.tgz"),
        ] {
            assert_eq!(access(base).resolve(reference).unwrap().as_str(), expected);
        }
        assert!(access("https://h").resolve("file:///etc/passwd").is_err());
        assert_eq!(access("https://h/a/?q=1").index_url().as_str(), "https://h/a/index.yaml?q=1");
        assert!(Access::parse_url("oci://h/x").is_err());
        let (url, auth) = Access::parse_url("https://u:p@h/x").unwrap();
        assert!(auth.is_some() && url.as_str() == "https://h/x");
    }
}
