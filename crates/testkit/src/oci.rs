//! An OCI registry: a real one (go-containerregistry's) behind a front that adds TLS, credentials, tokens and faults.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};

use crate::http_server::{Credentials, HttpServer, Settings, locked};
use crate::process::Process;

/// Largest push.
const LARGEST: usize = 64 << 20;
/// What the token service gives out.
const TOKEN: &str = "a-token-of-the-testkit";

#[derive(Debug)]
struct Shared {
    backend: String,
    client: reqwest::Client,
    /// Whoever has these gets a token, without which the registry answers nothing.
    token_for: Mutex<Option<Credentials>>,
}

/// A running registry; dropped, it stops.
#[derive(Debug)]
pub struct OciRegistry {
    _process: Process,
    shared: Arc<Shared>,
    http: HttpServer,
}

impl OciRegistry {
    /// An open registry over plain HTTP.
    pub async fn start() -> Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// One with credentials or TLS.
    pub async fn start_with(settings: Settings) -> Result<Self> {
        let program = tokio::task::spawn_blocking(|| crate::tool("registry")).await??;
        let mut process = Process::command(program).args(["-port", "0"]).name("registry").start()?;
        process.wait_log("serving on port", Duration::from_secs(30)).await?;
        let log = process.log();
        let port = log
            .rsplit("serving on port ")
            .next()
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
            .context("the registry does not say its port")?;
        let shared = Arc::new(Shared {
            backend: format!("http://localhost:{port}"),
            client: reqwest::Client::new(),
            token_for: Mutex::default(),
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        Ok(Self { _process: process, shared, http: HttpServer::start(router, settings).await? })
    }

    /// Host and port, as references have it.
    pub fn host(&self) -> String {
        self.http.origin().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// From now on a token is needed, which the token service gives to whoever has these credentials.
    pub fn demand_token(&self, credentials: Credentials) {
        *locked(&self.shared.token_for) = Some(credentials);
    }

    /// Requests, credentials and faults.
    pub fn http(&self) -> &HttpServer {
        &self.http
    }
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let token_for = locked(&shared.token_for).clone();
    if let Some(credentials) = token_for {
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if request.uri().path() == "/token" {
            return match credentials.header() {
                Some(wanted) if given != Some(wanted.as_str()) => StatusCode::UNAUTHORIZED.into_response(),
                _ => axum::Json(serde_json::json!({ "token": TOKEN, "expires_in": 300 })).into_response(),
            };
        }
        if given != Some(format!("Bearer {TOKEN}").as_str()) {
            return challenge(request.headers(), request.uri().path());
        }
    }
    match forward(&shared, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response(),
    }
}

fn challenge(headers: &HeaderMap, path: &str) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let repository = path.trim_start_matches("/v2/").split("/manifests").next().unwrap_or_default();
    let repository = repository.split("/blobs").next().unwrap_or_default().split("/tags").next().unwrap_or_default();
    let value =
        format!("Bearer realm=\"http://{host}/token\",service=\"testkit\",scope=\"repository:{repository}:pull,push\"");
    ([(header::WWW_AUTHENTICATE, value)], StatusCode::UNAUTHORIZED).into_response()
}

async fn forward(shared: &Shared, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers;
    for name in [header::HOST, header::AUTHORIZATION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let body = axum::body::to_bytes(body, LARGEST).await?;
    let url = format!("{}{target}", shared.backend);
    let answer = shared.client.request(parts.method, url).headers(headers).body(body).send().await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != header::TRANSFER_ENCODING && name != header::CONNECTION {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from(answer.bytes().await?))?)
}
