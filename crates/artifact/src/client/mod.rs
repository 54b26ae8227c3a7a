//! Fetching an artifact named by a source's status, by gRPC or plain HTTP; its digest is checked in either case.

mod grpc;
mod http;

use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use common::digest::{Digest, ParseDigestError};
use common::meta::Artifact;
use tonic::Code;
use tracing::Instrument as _;

use crate::digest::Hasher;
use crate::source::SourceError;

/// How artifacts are fetched.
#[derive(Clone, Debug)]
pub struct FetcherConfig {
    /// Use the gRPC service of a Towline source-controller; plain HTTP when absent or when it does not answer.
    pub grpc: Option<GrpcConfig>,
    /// Most bytes of one artifact.
    pub limit: u64,
    /// Time for one artifact, retries included.
    pub timeout: Duration,
}

impl Default for FetcherConfig {
    fn default() -> Self {
        Self { grpc: None, limit: 256 << 20, timeout: Duration::from_secs(60) }
    }
}

/// Where the gRPC service is and how to prove who calls.
#[derive(Clone, Debug)]
pub struct GrpcConfig {
    /// `http://host:port` or `https://host:port`.
    pub address: String,
    /// File with a projected service-account token for [`crate::AUDIENCE`]; read at each call, since it is rotated.
    pub token_file: PathBuf,
    /// File with the CA of the service's certificate, in PEM; the system's CAs when absent.
    pub ca_file: Option<PathBuf>,
}

/// Why an artifact could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The artifact's description is unusable.
    #[error("artifact '{path}' has an unusable digest: {source}")]
    Digest {
        /// The artifact's path.
        path: String,
        /// What is wrong.
        source: ParseDigestError,
    },
    /// The digest is by an algorithm that is not built in.
    #[error(
        "artifact '{path}' has a digest by {algorithm}, which is not supported; configure the source-controller to use sha256"
    )]
    Algorithm {
        /// The artifact's path.
        path: String,
        /// The algorithm's name.
        algorithm: String,
    },
    /// The path does not name a source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The content is not what the digest says.
    #[error("artifact '{path}' does not have the digest of its source's status: expected {expected}, got {actual}")]
    Mismatch {
        /// The artifact's path.
        path: String,
        /// By the status.
        expected: String,
        /// By the bytes.
        actual: String,
    },
    /// The content is too large.
    #[error("artifact '{path}' is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The artifact's path.
        path: String,
        /// The limit.
        limit: u64,
    },
    /// The server has no such artifact (any more): the source's status is about to change.
    #[error("artifact '{path}' is not there (any more)")]
    NotFound {
        /// The artifact's path.
        path: String,
    },
    /// The server answers with an error.
    #[error("the artifact server answers {status} for '{path}'")]
    Status {
        /// The artifact's path.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server cannot be reached, or the transfer broke.
    #[error("cannot fetch artifact '{path}'")]
    Transport {
        /// The artifact's path.
        path: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The gRPC call failed.
    #[error("cannot fetch artifact '{path}' by gRPC: {}: {}", status.code().description(), status.message())]
    Grpc {
        /// The artifact's path.
        path: String,
        /// The status, boxed for its size.
        status: Box<tonic::Status>,
    },
    /// The token cannot be read.
    #[error("cannot read the service-account token for the artifact server")]
    Token(#[source] std::io::Error),
    /// It took too long.
    #[error("fetching artifact '{path}' took longer than {} s", timeout.as_secs())]
    Timeout {
        /// The artifact's path.
        path: String,
        /// The limit.
        timeout: Duration,
    },
}

impl FetchError {
    /// Whether trying again may help without anything being changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Timeout { .. } | Self::NotFound { .. } | Self::Token(_) => true,
            // A damaged artifact is built again by its source.
            Self::Mismatch { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Grpc { status, .. } => {
                !matches!(status.code(), Code::PermissionDenied | Code::InvalidArgument | Code::Unimplemented)
            }
            Self::Digest { .. } | Self::Algorithm { .. } | Self::Source(_) | Self::TooLarge { .. } => false,
        }
    }
}

/// Why a fetcher cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The address or CA is unusable.
    #[error("the artifact server's address {address:?} or its CA is unusable")]
    Grpc {
        /// The address.
        address: String,
        /// What is wrong.
        source: tonic::transport::Error,
    },
    /// The CA file cannot be read.
    #[error("cannot read the artifact server's CA")]
    Ca(#[source] std::io::Error),
}

/// Fetches artifacts. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Fetcher {
    config: FetcherConfig,
    http: http::HttpFetcher,
    grpc: Option<grpc::GrpcFetcher>,
}

impl Fetcher {
    /// A fetcher; connections are opened when needed. Must be called within a Tokio runtime.
    pub fn new(config: FetcherConfig) -> Result<Self, ConfigError> {
        let grpc = config.grpc.as_ref().map(grpc::GrpcFetcher::new).transpose()?;
        Ok(Self { http: http::HttpFetcher::default(), grpc, config })
    }

    /// The content of the artifact, whose digest is as the status says.
    pub async fn fetch(&self, artifact: &Artifact) -> Result<Bytes, FetchError> {
        let span = tracing::info_span!("fetch artifact", path = artifact.path, revision = artifact.revision);
        let timeout = self.config.timeout;
        tokio::time::timeout(timeout, self.fetch_any(artifact))
            .instrument(span)
            .await
            .unwrap_or_else(|_| Err(FetchError::Timeout { path: artifact.path.clone(), timeout }))
    }

    async fn fetch_any(&self, artifact: &Artifact) -> Result<Bytes, FetchError> {
        if let Some(grpc) = &self.grpc {
            match grpc.fetch(artifact, self.config.limit).await {
                // Upstream's source-controller has no gRPC; the digest protects plain HTTP just as well.
                Err(FetchError::Grpc { status, .. })
                    if matches!(status.code(), Code::Unimplemented | Code::Unavailable) =>
                {
                    tracing::debug!(status = %status.message(), "no gRPC artifact service, using HTTP");
                }
                outcome => return outcome,
            }
        }
        self.http.fetch(artifact, self.config.limit).await
    }
}

/// Collects content, bounded, and checks it at the end.
struct Collector<'a> {
    artifact: &'a Artifact,
    expected: Digest,
    hasher: Hasher,
    content: BytesMut,
    limit: u64,
}

impl<'a> Collector<'a> {
    fn new(artifact: &'a Artifact, limit: u64) -> Result<Self, FetchError> {
        let path = || artifact.path.clone();
        let expected = artifact.digest().map_err(|source| FetchError::Digest { path: path(), source })?;
        let hasher = expected
            .algorithm()
            .and_then(Hasher::new)
            .ok_or_else(|| FetchError::Algorithm { path: path(), algorithm: expected.algorithm_name().to_owned() })?;
        let size = artifact.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        if size > limit {
            return Err(FetchError::TooLarge { path: path(), limit });
        }
        // The declared size is a hint by another process: no more than a few MiB are reserved on its word.
        let capacity = usize::try_from(size.min(4 << 20)).unwrap_or(0);
        Ok(Self { artifact, expected, hasher, content: BytesMut::with_capacity(capacity), limit })
    }

    fn add(&mut self, chunk: &[u8]) -> Result<(), FetchError> {
        if (self.content.len() + chunk.len()) as u64 > self.limit {
            return Err(FetchError::TooLarge { path: self.artifact.path.clone(), limit: self.limit });
        }
        self.hasher.update(chunk);
        self.content.extend_from_slice(chunk);
        Ok(())
    }

    fn finish(self) -> Result<Bytes, FetchError> {
        let actual = self.hasher.finish();
        if actual != self.expected.as_str() {
            return Err(FetchError::Mismatch {
                path: self.artifact.path.clone(),
                expected: self.expected.to_string(),
                actual,
            });
        }
        Ok(self.content.freeze())
    }
}
