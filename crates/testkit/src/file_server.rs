//! A server of plain files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::http_server::{HttpServer, Settings, locked};

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A running server; dropped, it stops.
#[derive(Debug)]
pub struct FileServer {
    files: Files,
    http: HttpServer,
}

impl FileServer {
    /// An open plain-HTTP server without files.
    pub async fn start() -> Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// One with credentials or TLS.
    pub async fn start_with(settings: Settings) -> Result<Self> {
        let files = Files::default();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&files));
        Ok(Self { files, http: HttpServer::start(router, settings).await? })
    }

    /// Serves a file, and says by which URL.
    pub fn put(&self, path: &str, content: impl Into<Vec<u8>>) -> String {
        locked(&self.files).insert(format!("/{path}"), content.into());
        format!("{}/{path}", self.http.origin())
    }

    /// Requests, credentials and faults.
    pub fn http(&self) -> &HttpServer {
        &self.http
    }
}

async fn serve(State(files): State<Files>, request: Request) -> Response {
    match locked(&files).get(request.uri().path()) {
        Some(content) => content.clone().into_response(),
        None => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}
