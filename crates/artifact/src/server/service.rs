//! The gRPC service itself.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use common::meta::Artifact;
use futures::{Stream, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, WatchStream};
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use super::auth::{Authoriser, Caller, Verb, authorise_get};
use super::files;
use crate::catalogue::Catalogue;
use crate::convert::artifact_message;
use crate::digest::Hasher;
use crate::proto::v1::artifact_service_server::ArtifactService;
use crate::proto::v1::fetch_artifact_response::Message;
use crate::proto::v1::{self, FetchArtifactResponse, WatchArtifactResponse};
use crate::source::{Source, SourceKind};
use crate::trace;

/// Largest content chunk.
const CHUNK: usize = 256 << 10;
/// Chunks read ahead of a slow receiver: bounds memory to half a MiB a stream.
const READ_AHEAD: usize = 2;
/// Most artifacts on a page.
const PAGE: usize = 500;

pub(super) struct Service {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) root: PathBuf,
    pub(super) authoriser: Arc<dyn Authoriser>,
}

type Streaming<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Service {
    /// The source a request names, once its caller may read it.
    async fn authorised<T>(
        &self,
        request: Request<T>,
        source: impl FnOnce(&mut T) -> Option<v1::SourceRef>,
    ) -> Result<(Source, T), Status> {
        let caller = caller(&request)?;
        let mut message = request.into_inner();
        let source =
            Source::try_from(source(&mut message)).map_err(|error| Status::invalid_argument(error.to_string()))?;
        authorise_get(self.authoriser.as_ref(), &caller, &source).await?;
        Ok((source, message))
    }

    async fn open(&self, source: &Source, digest: &str) -> Result<(Artifact, tokio::fs::File), Status> {
        let artifact =
            if digest.is_empty() { self.catalogue.current(source) } else { self.catalogue.by_digest(source, digest) };
        let artifact = artifact.ok_or_else(|| no_artifact(source, digest))?;
        let file = files::open(&self.root, &artifact.path).await.map_err(|error| {
            tracing::warn!(%source, path = artifact.path, error = %error, "artifact cannot be opened");
            no_artifact(source, digest)
        })?;
        Ok((artifact, file))
    }
}

#[tonic::async_trait]
impl ArtifactService for Service {
    async fn get_artifact(
        &self,
        request: Request<v1::GetArtifactRequest>,
    ) -> Result<Response<v1::GetArtifactResponse>, Status> {
        let span = tracing::info_span!("GetArtifact");
        trace::adopt(&span, request.metadata().as_ref());
        async {
            let (source, _) = self.authorised(request, |message| message.source.take()).await?;
            let artifact = self.catalogue.current(&source).ok_or_else(|| no_artifact(&source, ""))?;
            Ok(Response::new(v1::GetArtifactResponse { artifact: Some(artifact_message(&source, &artifact)) }))
        }
        .instrument(span)
        .await
    }

    async fn list_artifacts(
        &self,
        request: Request<v1::ListArtifactsRequest>,
    ) -> Result<Response<v1::ListArtifactsResponse>, Status> {
        let caller = caller(&request)?;
        let v1::ListArtifactsRequest { kind, namespace, page_size, page_token } = request.into_inner();
        let kind = SourceKind::from_name(&kind).ok_or_else(|| {
            Status::invalid_argument(format!("{kind:?} is not a kind of source; list one kind at a time"))
        })?;
        let namespace = (!namespace.is_empty()).then_some(namespace);
        if !self.authoriser.is_allowed(&caller, Verb::List, kind, namespace.as_deref(), None).await? {
            return Err(Status::permission_denied(format!(
                "{:?} may not list {}.{} in {}",
                caller.username,
                kind.resource(),
                SourceKind::GROUP,
                namespace.map_or_else(|| "all namespaces".to_owned(), |name| format!("namespace {name:?}"))
            )));
        }
        let after = match page_token.split_once('/') {
            None if page_token.is_empty() => None,
            Some((namespace, name)) => Some(Source::new(kind, namespace, name)),
            None => return Err(Status::invalid_argument("page_token is not one that this service gave")),
        };
        let limit = usize::try_from(page_size).ok().filter(|size| (1..PAGE).contains(size)).unwrap_or(PAGE);
        let page = self.catalogue.list(kind, namespace.as_deref(), after.as_ref(), limit);
        let next_page_token = match page.artifacts.last() {
            Some((last, _)) if page.is_truncated => format!("{}/{}", last.namespace, last.name),
            _ => String::new(),
        };
        let artifacts = page.artifacts.iter().map(|(source, artifact)| artifact_message(source, artifact)).collect();
        Ok(Response::new(v1::ListArtifactsResponse { artifacts, next_page_token }))
    }

    type WatchArtifactStream = Streaming<WatchArtifactResponse>;

    async fn watch_artifact(
        &self,
        request: Request<v1::WatchArtifactRequest>,
    ) -> Result<Response<Self::WatchArtifactStream>, Status> {
        let (source, _) = self.authorised(request, |message| message.source.take()).await?;
        let stream = WatchStream::new(self.catalogue.watch(&source)).map(move |artifact| {
            let artifact = artifact.map(|artifact| artifact_message(&source, &artifact));
            Ok(WatchArtifactResponse { artifact })
        });
        Ok(Response::new(Box::pin(stream)))
    }

    type FetchArtifactStream = Streaming<FetchArtifactResponse>;

    async fn fetch_artifact(
        &self,
        request: Request<v1::FetchArtifactRequest>,
    ) -> Result<Response<Self::FetchArtifactStream>, Status> {
        let span = tracing::info_span!("FetchArtifact", source = tracing::field::Empty);
        trace::adopt(&span, request.metadata().as_ref());
        let streaming = span.clone();
        async {
            let (source, message) = self.authorised(request, |message| message.source.take()).await?;
            tracing::Span::current().record("source", tracing::field::display(&source));
            let (artifact, file) = self.open(&source, &message.digest).await?;
            let (sender, receiver) = mpsc::channel(READ_AHEAD);
            tokio::spawn(
                async move {
                    // The receiver being gone means that the caller went away, which is nobody's error.
                    if let Err(status) = send(&sender, &source, &artifact, file).await {
                        let _ = sender.send(Err(status)).await;
                    }
                }
                .instrument(streaming),
            );
            let stream: Self::FetchArtifactStream = Box::pin(ReceiverStream::new(receiver));
            Ok(Response::new(stream))
        }
        .instrument(span)
        .await
    }
}

/// Sends description, chunks and end; an error becomes the stream's status.
async fn send(
    sender: &mpsc::Sender<Result<FetchArtifactResponse, Status>>,
    source: &Source,
    artifact: &Artifact,
    mut file: tokio::fs::File,
) -> Result<(), Status> {
    let digest = artifact.digest().map_err(|error| Status::data_loss(error.to_string()))?;
    let mut hasher = digest.algorithm().and_then(Hasher::new).ok_or_else(|| {
        Status::unimplemented(format!("digest algorithm {} is not supported", digest.algorithm_name()))
    })?;
    let message = |message| Ok(FetchArtifactResponse { message: Some(message) });
    let gone = |_| Status::cancelled("the caller went away");
    sender.send(message(Message::Artifact(artifact_message(source, artifact)))).await.map_err(gone)?;
    let mut size = 0_u64;
    loop {
        let Some(chunk) = read_chunk(&mut file).await? else { break };
        hasher.update(&chunk);
        size += chunk.len() as u64;
        sender.send(message(Message::Chunk(chunk))).await.map_err(gone)?;
    }
    let actual = hasher.finish();
    if actual != digest.as_str() {
        tracing::error!(%source, path = artifact.path, expected = digest.as_str(), actual, "stored artifact is damaged");
        return Err(Status::data_loss("the stored artifact is damaged; it will be built again"));
    }
    let end = v1::FetchEnd { digest: actual, size: i64::try_from(size).unwrap_or(i64::MAX) };
    sender.send(message(Message::End(end))).await.map_err(gone)
}

async fn read_chunk(file: &mut tokio::fs::File) -> Result<Option<Bytes>, Status> {
    let mut buffer = BytesMut::with_capacity(CHUNK);
    let mut limited = file.take(CHUNK as u64);
    while limited.limit() > 0 {
        let count = limited
            .read_buf(&mut buffer)
            .await
            .map_err(|error| Status::data_loss(format!("the stored artifact cannot be read: {error}")))?;
        if count == 0 {
            break;
        }
    }
    Ok((!buffer.is_empty()).then(|| buffer.freeze()))
}

fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request
        .extensions()
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| Status::unauthenticated("the call has no authenticated caller"))
}

fn no_artifact(source: &Source, digest: &str) -> Status {
    let which = if digest.is_empty() { String::new() } else { format!(" with digest {digest}") };
    Status::not_found(format!("{source} has no artifact{which}"))
}
