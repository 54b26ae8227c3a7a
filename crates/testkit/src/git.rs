//! Git: real bare repositories with working trees to commit in, and a smart-HTTP server for them (`git http-backend`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use fs_err as fs;
use futures::TryStreamExt as _;
use http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::http_server::{HttpServer, Settings};
use crate::scratch::TempDir;

/// A commit's id, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit(pub String);

impl std::fmt::Display for Commit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where the bare repositories of one or more servers lie.
#[derive(Debug)]
pub struct Repositories {
    directory: TempDir,
}

impl Repositories {
    /// An empty place.
    pub fn new() -> Result<Arc<Self>> {
        let directory = TempDir::new("git")?;
        fs::create_dir_all(directory.join("bare"))?;
        fs::create_dir_all(directory.join("work"))?;
        Ok(Arc::new(Self { directory }))
    }

    /// The directory that holds `NAME.git`.
    pub fn bare(&self) -> PathBuf {
        self.directory.join("bare")
    }

    /// Creates `NAME.git` (slashes make folders) on branch `main`, without a commit.
    pub fn create(self: &Arc<Self>, name: &str) -> Result<Repository> {
        let bare = self.bare().join(format!("{name}.git"));
        let work = self.directory.join("work").join(name);
        fs::create_dir_all(&bare)?;
        fs::create_dir_all(&work)?;
        git(&bare, &["init", "--quiet", "--bare", "--initial-branch=main", "."])?;
        for setting in ["uploadpack.allowReachableSHA1InWant", "uploadpack.allowFilter", "http.receivepack"] {
            git(&bare, &["config", setting, "true"])?;
        }
        git(&work, &["init", "--quiet", "--initial-branch=main", "."])?;
        git(&work, &["remote", "add", "origin", &bare.to_string_lossy()])?;
        Ok(Repository { name: name.to_owned(), bare, work, _place: Arc::clone(self) })
    }
}

/// A bare repository and a working tree to commit in.
#[derive(Debug)]
pub struct Repository {
    name: String,
    bare: PathBuf,
    work: PathBuf,
    _place: Arc<Repositories>,
}

impl Repository {
    /// Its name, without `.git`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bare repository's directory.
    pub fn bare(&self) -> &Path {
        &self.bare
    }

    /// The working tree.
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// Writes a file of the working tree.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.work.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
        Ok(())
    }

    /// Reads a file of the working tree.
    pub fn read(&self, path: &str) -> Result<String> {
        Ok(fs::read_to_string(self.work.join(path))?)
    }

    /// Removes a file or directory of the working tree.
    pub fn remove(&self, path: &str) -> Result<()> {
        let path = self.work.join(path);
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Copies the content of a directory into a directory of the working tree (`""` is its root).
    pub fn copy_directory(&self, from: &Path, to: &str) -> Result<()> {
        copy_tree(from, &self.work.join(to))
    }

    /// Commits everything in the working tree (even nothing) without pushing.
    pub fn commit(&self, message: &str) -> Result<Commit> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        self.head()
    }

    /// Pushes the current branch, even when it was rewritten.
    pub fn push(&self) -> Result<()> {
        self.git(&["push", "--quiet", "--force", "origin", "HEAD"]).map(drop)
    }

    /// Commits everything and pushes.
    pub fn commit_and_push(&self, message: &str) -> Result<Commit> {
        let commit = self.commit(message)?;
        self.push()?;
        Ok(commit)
    }

    /// Tags the current commit and pushes the tag; with a message it is an annotated one.
    pub fn tag(&self, name: &str, message: Option<&str>) -> Result<()> {
        match message {
            Some(message) => self.git(&["tag", "--force", "--annotate", name, "--message", message])?,
            None => self.git(&["tag", "--force", name])?,
        };
        self.git(&["push", "--quiet", "--force", "origin", &format!("refs/tags/{name}")]).map(drop)
    }

    /// Goes to a branch, which is made from the current commit when it does not exist.
    pub fn branch(&self, name: &str) -> Result<()> {
        if self.git(&["checkout", "--quiet", name]).is_err() {
            self.git(&["checkout", "--quiet", "-b", name])?;
        }
        Ok(())
    }

    /// The current commit.
    pub fn head(&self) -> Result<Commit> {
        Ok(Commit(self.git(&["rev-parse", "HEAD"])?.trim().to_owned()))
    }

    /// Runs git in the working tree.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        git(&self.work, arguments)
    }
}

/// Runs the real git without anybody's configuration.
pub fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    command.current_dir(directory).args(arguments).stdin(Stdio::null());
    isolate(&mut command);
    let output = command.output().context("running git (is it installed?)")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Keeps a machine's git configuration, identity, trust and prompts out, and a surrounding git's own variables.
pub(crate) fn isolate(command: &mut Command) {
    for name in ["GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
        ("GIT_ASKPASS", "true"),
    ] {
        command.env(name, value);
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A Git smart-HTTP server; clone, shallow fetch and push work.
#[derive(Debug)]
pub struct GitServer {
    repositories: Arc<Repositories>,
    http: HttpServer,
}

impl GitServer {
    /// An open plain-HTTP server.
    pub async fn start() -> Result<Self> {
        Self::start_with(Repositories::new()?, Settings::default()).await
    }

    /// A server for these repositories with credentials or TLS.
    pub async fn start_with(repositories: Arc<Repositories>, settings: Settings) -> Result<Self> {
        let router = Router::new().fallback(backend).with_state(Arc::clone(&repositories));
        Ok(Self { repositories, http: HttpServer::start(router, settings).await? })
    }

    /// Creates a repository.
    pub fn repository(&self, name: &str) -> Result<Repository> {
        self.repositories.create(name)
    }

    /// The URL of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}.git", self.http.origin())
    }

    /// Where the repositories lie, for a second server.
    pub fn repositories(&self) -> &Arc<Repositories> {
        &self.repositories
    }

    /// Requests, credentials and faults.
    pub fn http(&self) -> &HttpServer {
        &self.http
    }
}

async fn backend(State(repositories): State<Arc<Repositories>>, request: Request) -> Response {
    match run_backend(&repositories, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
    }
}

async fn run_backend(repositories: &Repositories, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut command = tokio::process::Command::new("git");
    isolate(command.as_std_mut());
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories.bare())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or(""))
        .env("CONTENT_TYPE", text(header::CONTENT_TYPE))
        .env("HTTP_CONTENT_ENCODING", text(header::CONTENT_ENCODING))
        .env("GIT_PROTOCOL", text(HeaderName::from_static("git-protocol")))
        .env("REMOTE_USER", "testkit")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(length) = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()) {
        command.env("CONTENT_LENGTH", length);
    }
    let mut child = command.spawn().context("running git http-backend")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let mut input = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    tokio::spawn(async move {
        // The backend may answer without reading everything.
        let _ = tokio::io::copy(&mut input, &mut stdin).await;
        let _ = stdin.shutdown().await;
    });
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?);
    let mut response = Response::builder();
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).await? == 0 {
            bail!("git http-backend ended before its headers");
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').context("a malformed header")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            response = response.status(value.split(' ').next().unwrap_or("500").parse::<u16>()?);
        } else {
            response = response.header(name, HeaderValue::from_str(value)?);
        }
    }
    // The child lives as long as its output is being read.
    let stream = ReaderStream::new(output).map_ok(move |chunk| {
        let _running = &child;
        chunk
    });
    Ok(response.body(Body::from_stream(stream))?)
}
