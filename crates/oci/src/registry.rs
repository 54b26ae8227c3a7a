//! Requests to one registry.

use std::time::Duration;

use bytes::Bytes;
use common::secret::Secret;
use reqwest::{RequestBuilder, Response, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use url::Url;

use crate::challenge::Challenge;
use crate::config::{Credentials, secret};
use crate::reference::Reference;

/// Largest manifest, list of tags or token.
const SMALL: u64 = 4 << 20;
/// Most pages of tags.
const PAGES: usize = 100;
/// What manifests are asked for.
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// Why a registry did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry answers with an error.
    #[error("{method} \"{url}\": response status code {status}{}", detail(message))]
    Status {
        /// The method.
        method: &'static str,
        /// The URL.
        url: String,
        /// The status.
        status: StatusCode,
        /// The registry's own words.
        message: String,
    },
    /// The registry cannot be reached or the transfer broke.
    #[error("cannot fetch {url}")]
    Transport {
        /// The URL.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The registry wants to be asked in a way that is not known.
    #[error("{0} demands an authentication that is not supported")]
    Challenge(String),
    /// What came is larger than allowed.
    #[error("{url} exceeds the maximum size of {limit} bytes")]
    TooLarge {
        /// The URL.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// What came is not what its digest says.
    #[error("{url} does not have the digest {expected}")]
    Digest {
        /// The URL.
        url: String,
        /// The digest that was asked for.
        expected: String,
    },
    /// What came cannot be read.
    #[error("{url}: {reason}")]
    Content {
        /// The URL.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The URL cannot be made.
    #[error("'{0}' is not a registry that can be asked")]
    Address(String),
    /// It took too long.
    #[error("{registry} does not answer within {} s", timeout.as_secs())]
    Timeout {
        /// The registry.
        registry: String,
        /// The limit.
        timeout: Duration,
    },
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// What a manifest says of a blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
}

/// An image manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The digest it was found by.
    #[serde(skip)]
    pub digest: String,
    /// Its configuration.
    pub config: Descriptor,
    /// Its layers.
    pub layers: Vec<Descriptor>,
}

/// Access to one registry.
#[derive(Debug)]
pub struct Registry {
    client: reqwest::Client,
    host: String,
    base: Url,
    credentials: Credentials,
    timeout: Duration,
    /// The answer to the last challenge.
    authorization: Mutex<Option<Secret<String>>>,
}

impl Registry {
    /// A registry by host and port; `plain` asks it without TLS.
    pub fn new(
        client: reqwest::Client,
        host: &str,
        plain: bool,
        credentials: Credentials,
        timeout: Duration,
    ) -> Result<Self, RegistryError> {
        let scheme = if plain { "http" } else { "https" };
        // The name everybody writes is not the one that answers.
        let address = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let base = Url::parse(&format!("{scheme}://{address}/v2/"))
            .ok()
            .filter(|url| url.username().is_empty() && url.path() == "/v2/")
            .ok_or_else(|| RegistryError::Address(host.to_owned()))?;
        Ok(Self { client, host: host.to_owned(), base, credentials, timeout, authorization: Mutex::default() })
    }

    /// Every tag of a repository.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        self.within_time(async {
            let mut tags = Vec::new();
            let mut next = Some(self.url(&format!("{repository}/tags/list"))?);
            for _ in 0..PAGES {
                let Some(url) = next.take() else { return Ok(tags) };
                let response = self.get(&url, "application/json").await?;
                next = next_page(&response, &url);
                let body = receive(response, &url, SMALL).await?;
                let page: Page = serde_json::from_slice(&body).map_err(|error| content(&url, &error))?;
                tags.extend(page.tags.unwrap_or_default());
            }
            Err(content(&self.base, &format!("'{repository}' has too many tags")))
        })
        .await
    }

    /// The manifest that a reference leads to, by its digest or else its tag.
    pub async fn manifest(&self, reference: &Reference) -> Result<Manifest, RegistryError> {
        let wanted = reference.digest.as_deref().or(reference.tag.as_deref()).unwrap_or("latest");
        self.within_time(async {
            let url = self.url(&format!("{}/manifests/{wanted}", reference.repository))?;
            let body = receive(self.get(&url, MANIFESTS).await?, &url, SMALL).await?;
            let digest = digest(&body);
            if let Some(expected) = reference.digest.as_ref().filter(|expected| **expected != digest) {
                return Err(RegistryError::Digest { url: url.to_string(), expected: expected.clone() });
            }
            let manifest: Manifest = serde_json::from_slice(&body).map_err(|error| content(&url, &error))?;
            Ok(Manifest { digest, ..manifest })
        })
        .await
    }

    /// A blob, checked against its digest.
    pub async fn blob(&self, repository: &str, blob: &Descriptor, limit: u64) -> Result<Bytes, RegistryError> {
        self.within_time(async {
            let url = self.url(&format!("{repository}/blobs/{}", blob.digest))?;
            if blob.size > limit {
                return Err(RegistryError::TooLarge { url: url.to_string(), limit });
            }
            let body = receive(self.get(&url, "*/*").await?, &url, limit).await?;
            if digest(&body) != blob.digest {
                return Err(RegistryError::Digest { url: url.to_string(), expected: blob.digest.clone() });
            }
            Ok(body)
        })
        .await
    }

    fn url(&self, path: &str) -> Result<Url, RegistryError> {
        let url = self.base.join(path).map_err(|_| RegistryError::Address(self.host.clone()))?;
        // Whatever a manifest calls a digest: the request stays below the registry's own path.
        if url.origin() == self.base.origin() && url.path().starts_with("/v2/") {
            Ok(url)
        } else {
            Err(RegistryError::Address(self.host.clone()))
        }
    }

    /// Asks; when the registry wants to know who we are, proves it and asks again.
    async fn get(&self, url: &Url, accept: &str) -> Result<Response, RegistryError> {
        let request = || self.client.get(url.clone()).header(header::ACCEPT, accept);
        let known = self.authorization.lock().await.clone();
        let response = send(with_authorization(request(), known.as_ref()), url).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return judge(response, "GET", url).await;
        }
        let challenge = response
            .headers()
            .get_all(header::WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(Challenge::parse)
            .ok_or_else(|| RegistryError::Challenge(self.host.clone()))?;
        let Some(authorization) = self.answer(&challenge).await? else {
            return judge(response, "GET", url).await;
        };
        *self.authorization.lock().await = Some(authorization.clone());
        judge(send(with_authorization(request(), Some(&authorization)), url).await?, "GET", url).await
    }

    /// The header that answers a challenge; nothing when we have nothing to answer with.
    async fn answer(&self, challenge: &Challenge) -> Result<Option<Secret<String>>, RegistryError> {
        match (challenge, &self.credentials) {
            (_, Credentials::Token(token)) => Ok(Some(bearer(token.expose()))),
            (Challenge::Basic, Credentials::Basic { username, password }) => {
                use base64::Engine as _;
                let text = format!("{username}:{}", password.expose());
                let encoded = base64::engine::general_purpose::STANDARD.encode(text);
                Ok(Some(Secret::new(format!("Basic {encoded}"))))
            }
            (Challenge::Basic, _) => Ok(None),
            (Challenge::Bearer { realm, service, scope }, _) => {
                self.token(realm, service.as_deref(), scope.as_deref()).await.map(Some)
            }
        }
    }

    /// Asks the registry's token service.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Secret<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default, deserialize_with = "secret")]
            token: Secret<String>,
            #[serde(default, deserialize_with = "secret")]
            access_token: Secret<String>,
        }
        let mut url = Url::parse(realm).map_err(|_| RegistryError::Challenge(self.host.clone()))?;
        let is_downgrade = self.base.scheme() == "https" && url.scheme() != "https";
        if is_downgrade || !matches!(url.scheme(), "http" | "https") {
            return Err(RegistryError::Challenge(self.host.clone()));
        }
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        pairs.extend(service.map(|service| ("service", service)));
        pairs.extend(scope.map(|scope| ("scope", scope)));
        let request = match &self.credentials {
            Credentials::Identity(token) => {
                pairs.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", "towline"),
                    ("refresh_token", token.expose().as_str()),
                ]);
                let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
                let kind = "application/x-www-form-urlencoded";
                self.client.post(url.clone()).header(header::CONTENT_TYPE, kind).body(body)
            }
            credentials => {
                url.query_pairs_mut().extend_pairs(&pairs);
                let request = self.client.get(url.clone());
                match credentials {
                    Credentials::Basic { username, password } => request.basic_auth(username, Some(password.expose())),
                    _ => request,
                }
            }
        };
        let response = judge(send(request, &url).await?, "GET", &url).await?;
        let body = receive(response, &url, SMALL).await?;
        // The error of reading it could repeat the token.
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| content(&url, &"the answer is not a token"))?;
        let token = if answer.token.expose().is_empty() { answer.access_token } else { answer.token };
        Ok(bearer(token.expose()))
    }

    async fn within_time<T>(&self, work: impl Future<Output = Result<T, RegistryError>>) -> Result<T, RegistryError> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, work)
            .await
            .unwrap_or_else(|_| Err(RegistryError::Timeout { registry: self.host.clone(), timeout }))
    }
}

fn bearer(token: &str) -> Secret<String> {
    Secret::new(format!("Bearer {token}"))
}

fn with_authorization(request: RequestBuilder, authorization: Option<&Secret<String>>) -> RequestBuilder {
    match authorization {
        Some(value) => request.header(header::AUTHORIZATION, value.expose().as_str()),
        None => request,
    }
}

async fn send(request: RequestBuilder, url: &Url) -> Result<Response, RegistryError> {
    request.send().await.map_err(|error| RegistryError::Transport { url: url.to_string(), source: error.without_url() })
}

/// The response, or the registry's own words for why not.
async fn judge(response: Response, method: &'static str, url: &Url) -> Result<Response, RegistryError> {
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let body = receive(response, url, 64 << 10).await.unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let errors = answer.get("errors").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |error: &serde_json::Value, key: &str| {
        error.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_lowercase().replace('_', " ")
    };
    let words: Vec<String> =
        errors.iter().take(3).map(|error| format!("{}: {}", text(error, "code"), text(error, "message"))).collect();
    let message = words.join(", ").chars().filter(|character| !character.is_control()).take(500).collect();
    Err(RegistryError::Status { method, url: url.to_string(), status, message })
}

async fn receive(mut response: Response, url: &Url, limit: u64) -> Result<Bytes, RegistryError> {
    let too_large = || RegistryError::TooLarge { url: url.to_string(), limit };
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        match chunk.map_err(|error| RegistryError::Transport { url: url.to_string(), source: error.without_url() })? {
            None => return Ok(body.into()),
            Some(chunk) if (body.len() + chunk.len()) as u64 > limit => return Err(too_large()),
            Some(chunk) => body.extend_from_slice(&chunk),
        }
    }
}

/// Where the list of tags goes on: `Link: </v2/...>; rel="next"`, at the same registry.
fn next_page(response: &Response, url: &Url) -> Option<Url> {
    let link = response.headers().get(header::LINK)?.to_str().ok()?;
    let (target, _) = link.trim_start().strip_prefix('<')?.split_once('>')?;
    url.join(target).ok().filter(|next| next.origin() == url.origin())
}

fn content(url: &Url, reason: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Content { url: url.to_string(), reason: reason.to_string() }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
