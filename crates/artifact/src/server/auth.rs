//! Who calls, and what they may read: traits, and the layer that demands a token.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use http::{HeaderMap, Request, Response, header};
use tonic::Status;

use crate::source::{Source, SourceKind};

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An authenticated caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Caller {
    /// User name.
    pub username: String,
    /// Unique id.
    pub uid: String,
    /// Groups.
    pub groups: Vec<String>,
    /// What else the authenticator knows.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// What a caller wants to do with sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read one.
    Get,
    /// Read all of a kind.
    List,
}

impl Verb {
    /// The verb in Kubernetes' words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
        }
    }
}

/// Why a call is not let through.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The token is missing, wrong, expired or for another audience.
    #[error("the token is not accepted: {0}")]
    Rejected(String),
    /// The question could not be asked.
    #[error("cannot check the token or the permission now: {0}")]
    Unavailable(String),
}

/// Turns a bearer token into a caller.
pub trait Authenticator: Send + Sync + 'static {
    /// The caller behind the token.
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Caller, AuthError>>;
}

/// Says what a caller may read.
pub trait Authoriser: Send + Sync + 'static {
    /// Whether the caller may do this with all sources of the kind (in the namespace, or everywhere), or with the named one.
    fn is_allowed<'a>(
        &'a self,
        caller: &'a Caller,
        verb: Verb,
        kind: SourceKind,
        namespace: Option<&'a str>,
        name: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, AuthError>>;
}

impl From<AuthError> for Status {
    fn from(error: AuthError) -> Self {
        match &error {
            AuthError::Rejected(_) => Self::unauthenticated(error.to_string()),
            AuthError::Unavailable(_) => Self::unavailable(error.to_string()),
        }
    }
}

/// Asks for permission to read one source; the status says what is missing.
pub(super) async fn authorise_get(authoriser: &dyn Authoriser, caller: &Caller, source: &Source) -> Result<(), Status> {
    let Source { kind, namespace, name } = source;
    if authoriser.is_allowed(caller, Verb::Get, *kind, Some(namespace), Some(name)).await? {
        return Ok(());
    }
    let resource = kind.resource();
    Err(Status::permission_denied(format!(
        "{:?} may not get {resource}.{} {name:?} in namespace {namespace:?}",
        caller.username,
        SourceKind::GROUP
    )))
}

/// Lets only calls with an accepted token through, health checks excepted, and notes the caller in the request.
pub(super) async fn require_token(
    State(authenticator): State<Arc<dyn Authenticator>>,
    mut request: Request<Body>,
    next: Next,
) -> Response<Body> {
    if !request.uri().path().starts_with("/grpc.health.v1.Health/") {
        let Some(token) = bearer(request.headers()) else {
            return Status::unauthenticated(format!(
                "no bearer token: send 'authorization: Bearer TOKEN' with a token for the audience {:?}",
                crate::AUDIENCE
            ))
            .into_http();
        };
        match authenticator.authenticate(token).await {
            Ok(caller) => request.extensions_mut().insert(caller),
            Err(error) => return Status::from(error).into_http(),
        };
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
