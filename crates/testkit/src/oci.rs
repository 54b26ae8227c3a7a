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
    /// How many tags a list has at the most; the rest is on further pages.
    page: Mutex<Option<usize>>,
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
            page: Mutex::default(),
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        Ok(Self { _process: process, shared, http: HttpServer::start(router, settings).await? })
    }

    /// Host and port, as references have it.
    pub fn host(&self) -> String {
        self.http.origin().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// From now on a token is needed, which the token service gives to whoever has these credentials: a user name and
    /// password, or an identity token to be exchanged.
    pub fn demand_token(&self, credentials: Credentials) {
        *locked(&self.shared.token_for) = Some(credentials);
    }

    /// From now on lists of tags come in pages of this many.
    pub fn page_tags(&self, tags: usize) {
        *locked(&self.shared.page) = Some(tags);
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
            let is_entitled = match &credentials {
                Credentials::Open => true,
                Credentials::Basic { .. } => given == credentials.header().as_deref(),
                Credentials::Bearer(identity) => exchanges(request, identity).await,
            };
            return if is_entitled {
                axum::Json(serde_json::json!({ "access_token": TOKEN, "token": TOKEN, "expires_in": 300 }))
                    .into_response()
            } else {
                StatusCode::UNAUTHORIZED.into_response()
            };
        }
        if given != Some(format!("Bearer {TOKEN}").as_str()) {
            return challenge(request.headers(), request.uri().path());
        }
    }
    let page = *locked(&shared.page);
    let answer = match page {
        Some(page) if request.uri().path().ends_with("/tags/list") => tags(&shared, request, page).await,
        _ => forward(&shared, request).await,
    };
    match answer {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}\n")).into_response(),
    }
}

/// Whether a request exchanges this identity token.
async fn exchanges(request: Request, identity: &str) -> bool {
    let is_post = request.method() == http::Method::POST;
    let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let has = |pair: &str| body.split('&').any(|found| found == pair);
    is_post && has("grant_type=refresh_token") && has(&format!("refresh_token={identity}"))
}

/// A page of a list of tags, and where the next one is.
async fn tags(shared: &Shared, request: Request, page: usize) -> Result<Response> {
    let path = request.uri().path().to_owned();
    let last = request.uri().query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("last="));
    let last = last.map(str::to_owned);
    let answer = shared.client.get(format!("{}{path}", shared.backend)).send().await?;
    let mut list: serde_json::Value = answer.json().await?;
    let tags = list.get("tags").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    let start = last.and_then(|last| tags.iter().position(|tag| *tag == last)).map_or(0, |position| position + 1);
    let shown: Vec<_> = tags.iter().skip(start).take(page).cloned().collect();
    let more = start + shown.len() < tags.len();
    let link = shown.last().and_then(serde_json::Value::as_str).filter(|_| more);
    let link = link.map(|last| format!("<{path}?n={page}&last={last}>; rel=\"next\""));
    if let Some(map) = list.as_object_mut() {
        map.insert("tags".to_owned(), shown.into());
    }
    let mut response = axum::Json(list).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link.parse()?);
    }
    Ok(response)
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
