//! Plain HTTP as upstream serves it: a file server without directory listing.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// What `/` answers: enough for a readiness probe, nothing to enumerate.
pub(super) const GREETING: &str = "Artifacts are served by their path; there is no listing.\n";

pub(super) fn router(root: PathBuf) -> Router {
    Router::new().fallback(serve).with_state(root)
}

/// Opens a regular file below the root. Names that could leave it, or that are not an artifact's, do not exist.
pub(super) async fn open(root: &Path, path: &str) -> io::Result<File> {
    let not_found = || io::Error::from(io::ErrorKind::NotFound);
    let elements: Vec<&str> = path.split('/').collect();
    let is_plain = |element: &&str| !element.is_empty() && !element.starts_with('.') && !element.contains(['\\', '\0']);
    if elements.len() != 4 || !elements.iter().all(is_plain) {
        return Err(not_found());
    }
    let root = tokio::fs::canonicalize(root).await?;
    // The "latest" links point to a sibling; a link that leads anywhere else is not followed.
    let target = tokio::fs::canonicalize(root.join(path)).await?;
    let directory = elements.get(..3).map(|parents| root.join(parents.join("/"))).unwrap_or_default();
    if target.parent() != Some(directory.as_path()) {
        return Err(not_found());
    }
    let file = File::open(&target).await?;
    if !file.metadata().await?.is_file() {
        return Err(not_found());
    }
    Ok(file)
}

async fn serve(State(root): State<PathBuf>, request: Request) -> Response {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    if path == "/" {
        return GREETING.into_response();
    }
    // Kubernetes names and our file names need no percent-encoding; what is encoded is not ours.
    let file = match open(&root, path.trim_start_matches('/')).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
        }
        Err(error) => {
            tracing::warn!(path, error = %error, "cannot serve artifact");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    match respond(file, path, request.method() == Method::HEAD, request.headers()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(path, error = %error, "cannot serve artifact");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn respond(mut file: File, path: &str, is_head: bool, headers: &HeaderMap) -> io::Result<Response> {
    let metadata = file.metadata().await?;
    let size = metadata.len();
    let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    let mut response = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type(path))
        .header(header::ACCEPT_RANGES, "bytes");
    if let Some(text) = modified.and_then(http_date) {
        response = response.header(header::LAST_MODIFIED, text);
    }
    if is_unmodified(headers, modified) {
        return finish(response.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).map(|text| parse_range(text, size));
    let (start, length) = match range {
        None | Some(Range::Whole) => (0, size),
        Some(Range::Part { start, length }) => {
            let end = start + length - 1;
            response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(header::CONTENT_RANGE, format!("bytes {start}-{end}/{size}"));
            (start, length)
        }
        Some(Range::Unsatisfiable) => {
            response = response
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{size}"));
            return finish(response, Body::empty());
        }
    };
    response = response.header(header::CONTENT_LENGTH, length);
    if is_head {
        return finish(response, Body::empty());
    }
    if start > 0 {
        file.seek(SeekFrom::Start(start)).await?;
    }
    finish(response, Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 << 10)))
}

fn finish(response: http::response::Builder, body: Body) -> io::Result<Response> {
    response.body(body).map_err(io::Error::other)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "gz" | "tgz")) => "application/gzip",
        Some((_, "yaml")) => "text/yaml; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn http_date(time: Timestamp) -> Option<String> {
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()
}

/// Whether the caller's copy is as new as ours; HTTP dates have whole seconds.
fn is_unmodified(headers: &HeaderMap, modified: Option<Timestamp>) -> bool {
    let since = headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    matches!((since, modified), (Some(since), Some(modified)) if modified.as_second() <= since.as_second())
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// No range that we understand: the whole file.
    Whole,
    Part {
        start: u64,
        length: u64,
    },
    Unsatisfiable,
}

/// One range of bytes; several at once are answered with the whole file, as HTTP allows.
fn parse_range(text: &str, size: u64) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Range::Whole;
    };
    let bounds = match (first.trim(), last.trim()) {
        ("", "") => return Range::Whole,
        ("", suffix) => suffix.parse().map(|length: u64| (size.saturating_sub(length), size)),
        (start, "") => start.parse().map(|start| (start, size)),
        (start, end) => {
            start.parse().and_then(|start| end.parse().map(|end: u64| (start, end.saturating_add(1).min(size))))
        }
    };
    match bounds {
        Ok((start, end)) if start < end => Range::Part { start, length: end - start },
        Ok(_) => Range::Unsatisfiable,
        Err(_) => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let part = |start, length| Range::Part { start, length };
        let table = [
            ("bytes=0-9", part(0, 10)),
            ("bytes=5-", part(5, 95)),
            ("bytes=-10", part(90, 10)),
            ("bytes=-1000", part(0, 100)),
            ("bytes=90-1000", part(90, 10)),
            ("bytes=0-18446744073709551615", part(0, 100)),
            ("bytes=100-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=9-5", Range::Unsatisfiable),
            ("bytes=a-b", Range::Whole),
            ("bytes=0-1,4-5", Range::Whole),
            ("items=0-1", Range::Whole),
        ];
        for (text, expected) in table {
            assert_eq!(parse_range(text, 100), expected, "{text}");
        }
    }
}
