//! The artifact server: gRPC, reflection, health and plain HTTP behind one listener.

mod auth;
mod files;
mod listener;
mod service;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::middleware;
use axum::response::IntoResponse as _;
use http::{Request, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tower::ServiceExt as _;

pub use auth::{AuthError, Authenticator, Authoriser, BoxFuture, Caller, Verb};
pub use tls::{TlsError, TlsFiles};

use crate::catalogue::Catalogue;
use crate::proto;

/// Everything the server needs to know.
#[derive(Clone)]
pub struct Server {
    /// The artifacts.
    pub catalogue: Arc<Catalogue>,
    /// The directory they are stored in.
    pub root: PathBuf,
    /// Who is calling.
    pub authenticator: Arc<dyn Authenticator>,
    /// What they may read.
    pub authoriser: Arc<dyn Authoriser>,
    /// Whether plain HTTP is answered, as upstream does.
    pub serve_http: bool,
    /// Certificate and key; plaintext without.
    pub tls: Option<TlsFiles>,
}

/// Why the server stopped or did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The reflection service does not take the descriptors.
    #[error("the protocol's descriptor set is damaged")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Serves until `shutdown`, then lets running transfers end.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), ServeError> {
        let tls = self.tls.clone().map(tls::Acceptor::load).transpose()?;
        let grpc = self.grpc_routes().await?;
        let plain = self.serve_http.then(|| files::router(self.root.clone()));
        let app = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
            let (grpc, plain) = (grpc.clone(), plain.clone());
            async move {
                let request = request.map(Body::new);
                if is_grpc(&request) {
                    return grpc.oneshot(request).await;
                }
                match plain {
                    Some(plain) => plain.oneshot(request).await,
                    None => Ok(no_http(&request)),
                }
            }
        });
        listener::run(listener, tls, app, shutdown).await;
        Ok(())
    }

    async fn grpc_routes(&self) -> Result<axum::Router, ServeError> {
        use proto::v1::artifact_service_server::ArtifactServiceServer;
        let (health, health_service) = tonic_health::server::health_reporter();
        let service = service::Service {
            catalogue: Arc::clone(&self.catalogue),
            root: self.root.clone(),
            authoriser: Arc::clone(&self.authoriser),
        };
        health.set_serving::<ArtifactServiceServer<service::Service>>().await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let routes = Routes::new(ArtifactServiceServer::new(service))
            .add_service(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        let authenticator = Arc::clone(&self.authenticator);
        Ok(routes.into_axum_router().layer(middleware::from_fn_with_state(authenticator, auth::require_token)))
    }
}

fn is_grpc(request: &Request<Body>) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/grpc"))
}

/// The readiness probe asks for `/` even where HTTP is off.
fn no_http(request: &Request<Body>) -> Response<Body> {
    if request.uri().path() == "/" {
        return (StatusCode::OK, files::GREETING).into_response();
    }
    (StatusCode::NOT_FOUND, "plain HTTP is turned off; use the gRPC service towline.artifact.v1.ArtifactService\n")
        .into_response()
}
