//! A Helm chart repository server: charts packed from directories or given as archives, and their index.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err as fs;
use http::{StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::http_server::{HttpServer, Settings, locked};

/// A chart in the repository.
#[derive(Clone, Debug)]
struct Entry {
    name: String,
    file: String,
    /// Its Chart.yaml, which becomes its entry of the index.
    metadata: String,
    archive: Vec<u8>,
}

#[derive(Debug, Default)]
struct Contents {
    entries: Vec<Entry>,
    /// Written before the file names in the index; empty means that URLs are relative.
    base: String,
    /// Served instead of the index made from the entries.
    index: Option<Vec<u8>>,
}

/// A running chart repository; dropped, it stops.
#[derive(Debug)]
pub struct HelmRepositoryServer {
    contents: Arc<Mutex<Contents>>,
    http: HttpServer,
}

impl HelmRepositoryServer {
    /// An open plain-HTTP repository without charts.
    pub async fn start() -> Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// One with credentials or TLS.
    pub async fn start_with(settings: Settings) -> Result<Self> {
        let contents = Arc::new(Mutex::new(Contents::default()));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&contents));
        Ok(Self { contents, http: HttpServer::start(router, settings).await? })
    }

    /// The repository's URL.
    pub fn url(&self) -> String {
        format!("{}/charts", self.http.origin())
    }

    /// Requests, credentials and faults.
    pub fn http(&self) -> &HttpServer {
        &self.http
    }

    /// Adds a chart from its directory.
    pub fn add_directory(&self, directory: &Path) -> Result<()> {
        let mut files = BTreeMap::new();
        read_tree(directory, Path::new(""), &mut files)?;
        self.add_files(&files)
    }

    /// Adds a chart from files: path below the chart, and content. `Chart.yaml` must be among them.
    pub fn add_chart(&self, files: &[(&str, &str)]) -> Result<()> {
        let files = files.iter().map(|(path, content)| (PathBuf::from(path), content.as_bytes().to_vec())).collect();
        self.add_files(&files)
    }

    /// Adds a finished archive; name and version come from its Chart.yaml.
    pub fn add_archive(&self, archive: &[u8]) -> Result<()> {
        let metadata = metadata_of(archive)?;
        self.push(metadata, archive.to_vec())
    }

    /// Adds any bytes as the archive of a chart, for archives that are to be refused.
    pub fn add_raw(&self, name: &str, version: &str, archive: &[u8]) -> Result<()> {
        self.push(format!("apiVersion: v2\nname: {name}\nversion: {version}\n"), archive.to_vec())
    }

    /// Removes a chart, all versions of it.
    pub fn remove(&self, name: &str) {
        locked(&self.contents).entries.retain(|entry| entry.name != name);
    }

    /// Puts this before the file names in the index, as repositories with absolute URLs do.
    pub fn set_base(&self, base: &str) {
        locked(&self.contents).base = base.to_owned();
    }

    /// Serves these bytes as index.yaml.
    pub fn set_index(&self, index: impl Into<Vec<u8>>) {
        locked(&self.contents).index = Some(index.into());
    }

    /// Serves the index of the charts again.
    pub fn reset_index(&self) {
        locked(&self.contents).index = None;
    }

    fn add_files(&self, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
        let metadata = files.get(Path::new("Chart.yaml")).context("a chart without Chart.yaml")?;
        let metadata = String::from_utf8(metadata.clone())?;
        let archive = pack(&field(&metadata, "name")?, files)?;
        self.push(metadata, archive)
    }

    fn push(&self, metadata: String, archive: Vec<u8>) -> Result<()> {
        let (name, version) = (field(&metadata, "name")?, field(&metadata, "version")?);
        let file = format!("{name}-{version}.tgz");
        let mut contents = locked(&self.contents);
        contents.entries.retain(|entry| entry.file != file);
        contents.entries.push(Entry { name, file, metadata, archive });
        Ok(())
    }
}

impl Contents {
    fn index(&self) -> String {
        let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            by_name.entry(&entry.name).or_default().push(entry);
        }
        let mut index = "apiVersion: v1\nentries:\n".to_owned();
        for (name, entries) in by_name {
            index.push_str(&format!("  {name}:\n"));
            for entry in entries {
                index.push_str(&format!(
                    "  - digest: {}\n    created: \"2026-01-01T00:00:00Z\"\n    urls: [\"{}{}\"]\n",
                    hex::encode(Sha256::digest(&entry.archive)),
                    self.base,
                    entry.file
                ));
                // A chart's metadata is a mapping in block style, so deeper indentation keeps its meaning.
                for line in entry.metadata.lines().filter(|line| !line.is_empty() && *line != "---") {
                    index.push_str(&format!("    {line}\n"));
                }
            }
        }
        index.push_str("generated: \"2026-01-01T00:00:00Z\"\n");
        index
    }
}

async fn serve(State(contents): State<Arc<Mutex<Contents>>>, request: Request) -> Response {
    let path = request.uri().path();
    let contents = locked(&contents);
    if path.ends_with("/index.yaml") {
        let body = contents.index.clone().unwrap_or_else(|| contents.index().into_bytes());
        return ([(header::CONTENT_TYPE, "text/yaml")], body).into_response();
    }
    let file = path.rsplit('/').next().unwrap_or_default();
    match contents.entries.iter().find(|entry| entry.file == file) {
        Some(entry) => ([(header::CONTENT_TYPE, "application/gzip")], entry.archive.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}

/// Packs a chart as `helm package` does: everything below a directory with the chart's name, Chart.yaml first.
pub fn pack(name: &str, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let chart_yaml = Path::new("Chart.yaml");
    let first = files.get_key_value(chart_yaml);
    for (path, content) in first.into_iter().chain(files.iter().filter(|(path, _)| *path != chart_yaml)) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, Path::new(name).join(path), content.as_slice())?;
    }
    let mut encoder = archive.into_inner()?;
    encoder.flush()?;
    Ok(encoder.finish()?)
}

/// Chart.yaml of an archive.
fn metadata_of(archive: &[u8]) -> Result<String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        if path.components().count() == 2 && path.file_name() == Some("Chart.yaml".as_ref()) {
            return Ok(std::io::read_to_string(entry)?);
        }
    }
    anyhow::bail!("the archive has no NAME/Chart.yaml")
}

/// A scalar at the top level of a Chart.yaml.
fn field(metadata: &str, name: &str) -> Result<String> {
    metadata
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(|value| value.split(" #").next().unwrap_or(value).trim().trim_matches(['"', '\'']).to_owned())
        .with_context(|| format!("Chart.yaml has no {name}"))
}

fn read_tree(root: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read_tree(root, &path, files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}
