//! The ground of the test servers: plain or TLS, credentials, faults on demand, and a record of every request.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use base64::Engine as _;
use futures::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::{Authority, ClientCertificates};

/// What a client must present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nothing.
    #[default]
    Open,
    /// A user name and password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// A bearer token.
    Bearer(String),
}

impl Credentials {
    /// Credentials with user name and password.
    pub fn basic(username: &str, password: &str) -> Self {
        Self::Basic { username: username.to_owned(), password: password.to_owned() }
    }

    /// The value of the Authorization header that satisfies these.
    pub fn header(&self) -> Option<String> {
        match self {
            Self::Open => None,
            Self::Basic { username, password } => {
                let text = format!("{username}:{password}");
                Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text)))
            }
            Self::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }
}

/// A misbehaviour of the server for matching paths.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers with this status.
    Status(u16),
    /// Answers after this time.
    Slow(Duration),
    /// Promises the whole body and sends only this many bytes of it.
    Truncated(usize),
    /// Sends this many zero bytes instead of the body, without saying how many.
    Endless(u64),
    /// Redirects to the same path below another origin.
    Redirect(String),
}

/// One request as the server saw it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The method.
    pub method: String,
    /// The path with query.
    pub path: String,
    /// The Authorization header, if any.
    pub authorization: Option<String>,
    /// The User-Agent header, if any.
    pub user_agent: Option<String>,
    /// The answer's status.
    pub status: u16,
}

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    credentials: Credentials,
    tls: Option<(Arc<Authority>, bool)>,
}

impl Settings {
    /// Demands credentials.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Serves HTTPS with a certificate of this authority.
    #[must_use]
    pub fn tls(mut self, authority: &Arc<Authority>) -> Self {
        self.tls = Some((Arc::clone(authority), false));
        self
    }

    /// Serves HTTPS and demands client certificates of this authority.
    #[must_use]
    pub fn mutual_tls(mut self, authority: &Arc<Authority>) -> Self {
        self.tls = Some((Arc::clone(authority), true));
        self
    }
}

#[derive(Debug, Default)]
struct Shared {
    credentials: Mutex<Credentials>,
    faults: Mutex<Vec<(String, Fault)>>,
    records: Mutex<Vec<Record>>,
}

/// A running server; dropped, it stops.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    secure: bool,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Serves a router on a free loopback port.
    pub async fn start(router: Router, settings: Settings) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("binding a loopback port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { credentials: Mutex::new(settings.credentials), ..Shared::default() });
        let router = router.layer(middleware::from_fn_with_state(Arc::clone(&shared), watch_over));
        let acceptor = match &settings.tls {
            None => None,
            Some((authority, mutual)) => {
                let clients = if *mutual { ClientCertificates::Required } else { ClientCertificates::Ignored };
                Some(TlsAcceptor::from(authority.server_config(clients)?))
            }
        };
        let secure = acceptor.is_some();
        let task = tokio::spawn(accept(listener, router, acceptor));
        Ok(Self { address, secure, shared, task })
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Record> {
        locked(&self.shared.records).clone()
    }

    /// How many requests there have been.
    pub fn request_count(&self) -> usize {
        locked(&self.shared.records).len()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        locked(&self.shared.records).clear();
    }

    /// Demands other credentials from now on.
    pub fn set_credentials(&self, credentials: Credentials) {
        *locked(&self.shared.credentials) = credentials;
    }

    /// Misbehaves for paths that contain this text, until `mend`.
    pub fn fault(&self, path_contains: &str, fault: Fault) {
        locked(&self.shared.faults).push((path_contains.to_owned(), fault));
    }

    /// Behaves again.
    pub fn mend(&self) {
        locked(&self.shared.faults).clear();
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Locks even after a panic elsewhere: the data are plain values.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, router: Router, acceptor: Option<TlsAcceptor>) {
    // Ends with its connections when the server is dropped.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve_connection(stream, router.clone(), acceptor.clone()));
    }
}

async fn serve_connection(stream: TcpStream, router: Router, acceptor: Option<TlsAcceptor>) {
    // A client that gives up is no failure of the server.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let builder = auto::Builder::new(TokioExecutor::new());
    match acceptor {
        None => {
            let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
        }
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            }
        }
    }
}

async fn watch_over(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let mut record = Record {
        method: request.method().to_string(),
        authorization: header_text(request.headers(), header::AUTHORIZATION),
        user_agent: header_text(request.headers(), header::USER_AGENT),
        path: path.clone(),
        status: 0,
    };
    let wanted = locked(&shared.credentials).header();
    let fault = locked(&shared.faults)
        .iter()
        .find(|(pattern, _)| path.contains(pattern.as_str()))
        .map(|(_, fault)| fault.clone());
    let response = if wanted.is_some() && wanted != record.authorization {
        unauthorized()
    } else {
        misbehave(fault, &path, request, next).await
    };
    record.status = response.status().as_u16();
    locked(&shared.records).push(record);
    response
}

async fn misbehave(fault: Option<Fault>, path: &str, request: Request, next: Next) -> Response {
    match fault {
        None => next.run(request).await,
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Some(Fault::Status(status)) => {
            with_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        }
        Some(Fault::Redirect(origin)) => {
            let mut response = with_status(StatusCode::FOUND);
            if let Ok(location) = format!("{origin}{path}").parse() {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Some(Fault::Truncated(keep)) => truncated(next.run(request).await, keep).await,
        Some(Fault::Endless(bytes)) => {
            const CHUNK: usize = 1 << 16;
            let chunks = bytes.div_ceil(CHUNK as u64);
            let stream = futures::stream::iter(
                (0..chunks).map(|_| Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[0; CHUNK]))),
            );
            Response::new(Body::from_stream(stream))
        }
    }
}

async fn truncated(response: Response, keep: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let first = whole.slice(..keep.min(whole.len()));
    let pieces = futures::stream::once(async move { Ok(first) }).chain(futures::stream::once(async {
        // The headers and the first piece are on their way before the connection breaks.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(std::io::Error::other("truncated on purpose"))
    }));
    Response::from_parts(parts, Body::from_stream(pieces))
}

fn unauthorized() -> Response {
    let mut response = with_status(StatusCode::UNAUTHORIZED);
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Basic realm=\"testkit\""));
    response
}

fn with_status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from(format!("{status}\n")));
    *response.status_mut() = status;
    response
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
