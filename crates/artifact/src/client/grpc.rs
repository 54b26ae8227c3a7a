//! The gRPC service of a Towline source-controller.

use std::time::Duration;

use bytes::Bytes;
use common::meta::Artifact;
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::{Collector, ConfigError, FetchError, GrpcConfig};
use crate::proto::v1::FetchArtifactRequest;
use crate::proto::v1::artifact_service_client::ArtifactServiceClient;
use crate::proto::v1::fetch_artifact_response::Message;
use crate::source::Source;

#[derive(Clone, Debug)]
pub(super) struct GrpcFetcher {
    config: GrpcConfig,
    channel: Channel,
}

impl GrpcFetcher {
    pub(super) fn new(config: &GrpcConfig) -> Result<Self, ConfigError> {
        let unusable = |source| ConfigError::Grpc { address: config.address.clone(), source };
        let mut endpoint = Endpoint::from_shared(config.address.clone())
            .map_err(unusable)?
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(10));
        if config.address.starts_with("https://") {
            let mut tls = ClientTlsConfig::new();
            if let Some(path) = &config.ca_file {
                tls = tls.ca_certificate(Certificate::from_pem(fs_err::read(path).map_err(ConfigError::Ca)?));
            }
            endpoint = endpoint.tls_config(tls).map_err(unusable)?;
        }
        Ok(Self { config: config.clone(), channel: endpoint.connect_lazy() })
    }

    pub(super) async fn fetch(&self, artifact: &Artifact, limit: u64) -> Result<Bytes, FetchError> {
        let source = Source::from_path(&artifact.path)?;
        let failed = |status: Status| match status.code() {
            Code::NotFound => FetchError::NotFound { path: artifact.path.clone() },
            _ => FetchError::Grpc { path: artifact.path.clone(), status: Box::new(status) },
        };
        let mut collector = Collector::new(artifact, limit)?;
        let mut request =
            Request::new(FetchArtifactRequest { source: Some((&source).into()), digest: artifact.digest.clone() });
        let mut headers = http::HeaderMap::new();
        crate::trace::inject(&mut headers);
        *request.metadata_mut() = MetadataMap::from_headers(headers);
        request.metadata_mut().insert("authorization", self.authorization().await?);
        let mut client = ArtifactServiceClient::new(self.channel.clone());
        let mut stream = client.fetch_artifact(request).await.map_err(failed)?.into_inner();
        let mut is_complete = false;
        while let Some(response) = stream.message().await.map_err(failed)? {
            match response.message {
                Some(Message::Chunk(chunk)) => collector.add(&chunk)?,
                Some(Message::End(_)) => is_complete = true,
                // The description is the server's; the status we were given decides.
                Some(Message::Artifact(_)) | None => {}
            }
        }
        if !is_complete {
            return Err(failed(Status::data_loss("the stream ended early")));
        }
        collector.finish()
    }

    async fn authorization(&self) -> Result<MetadataValue<Ascii>, FetchError> {
        let token = tokio::fs::read_to_string(&self.config.token_file).await.map_err(FetchError::Token)?;
        let mut value = MetadataValue::try_from(format!("Bearer {}", token.trim())).map_err(|_| {
            FetchError::Token(std::io::Error::new(std::io::ErrorKind::InvalidData, "the token is not plain ASCII"))
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
