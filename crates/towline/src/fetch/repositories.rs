//! The repositories that `helm repo add` has written down, and the indexes that `helm repo update` has fetched.

use std::path::{Path, PathBuf};

use common::secret::Secret;
use fs_err as fs;
use http_client::{HttpAuth, TlsMaterial};
use serde::Deserialize;

use super::charts::{ChartAccess, tls_of};
use super::environment;

/// `repositories.yaml`.
#[derive(Clone, Debug, Default)]
pub(super) struct Repositories {
    entries: Vec<Entry>,
    cache: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    repositories: Vec<Entry>,
}

/// One repository.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    name: String,
    /// Its URL.
    pub(super) url: String,
    username: String,
    #[serde(deserialize_with = "secret")]
    password: Secret<String>,
    #[serde(rename = "caFile")]
    ca_file: PathBuf,
    #[serde(rename = "certFile")]
    cert_file: PathBuf,
    #[serde(rename = "keyFile")]
    key_file: PathBuf,
    insecure_skip_tls_verify: bool,
    /// Whether other hosts get the credentials too.
    pub(super) pass_credentials_all: bool,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Helm's directory for configuration or for its cache.
pub(super) fn helm_directory(variable: &str, base: &str, below_home: &str) -> Option<PathBuf> {
    environment::variable(variable)
        .map(PathBuf::from)
        .or_else(|| Some(environment::directory(base, below_home)?.join("helm")))
}

impl Repositories {
    /// Reads the file that the arguments or Helm's variables name; without one there are no repositories.
    pub(super) fn read(access: &ChartAccess) -> Result<Self, String> {
        let configuration = || helm_directory("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config");
        let cache = || helm_directory("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache");
        let path = access.repository_config.clone().or_else(|| Some(configuration()?.join("repositories.yaml")));
        let cache = access.repository_cache.clone().or_else(|| Some(cache()?.join("repository"))).unwrap_or_default();
        let text = path.as_deref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let shown = path.unwrap_or_default();
        let entries = parse(&text).map_err(|reason| format!("{}: {reason}", shown.display()))?;
        Ok(Self { entries, cache })
    }

    /// The repository of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The repository with this URL.
    pub(super) fn of_url(&self, url: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.url.trim_end_matches('/') == url.trim_end_matches('/'))
    }

    /// The repository whose URL a chart's URL lies below.
    pub(super) fn owner(&self, url: &str) -> Option<&Entry> {
        let is_below = |entry: &&Entry| {
            let base = entry.url.trim_end_matches('/');
            !base.is_empty() && url.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
        };
        self.entries.iter().filter(is_below).max_by_key(|entry| entry.url.len())
    }

    /// The index that was fetched last.
    pub(super) fn index(&self, name: &str) -> Result<Vec<u8>, String> {
        // The name of a repository is part of a path.
        if name.contains('/') || name == ".." {
            return Err(format!("invalid repository name {name:?}"));
        }
        fs::read(self.cache.join(format!("{name}-index.yaml")))
            .map_err(|error| format!("no cached repo found. (try 'helm repo update'): {error}"))
    }
}

fn parse(text: &[u8]) -> Result<Vec<Entry>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let value = yaml::v2::unmarshal(text).map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&yaml::v2::to_json(&value)).map_err(|error| error.to_string())?;
    Ok(file.repositories)
}

impl Entry {
    /// Its own credentials.
    pub(super) fn auth(&self) -> Option<HttpAuth> {
        (!self.username.is_empty() && !self.password.expose().is_empty())
            .then(|| HttpAuth::Basic { username: self.username.clone(), password: self.password.clone() })
    }

    /// Its own trust and certificate, or else those given.
    pub(super) fn tls(&self, access: &ChartAccess) -> Result<TlsMaterial, String> {
        let given = |path: &Path| (!path.as_os_str().is_empty()).then(|| path.to_owned());
        let files = [&self.ca_file, &self.cert_file, &self.key_file].map(|path| given(path));
        if files.iter().all(Option::is_none) && !self.insecure_skip_tls_verify {
            return access.tls();
        }
        let [ca, certificate, key] = &files;
        tls_of([ca.as_deref(), certificate.as_deref(), key.as_deref()], self.insecure_skip_tls_verify)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helms_file_is_read() {
        let text = b"apiVersion: \"\"\ngenerated: \"0001-01-01T00:00:00Z\"\nrepositories:\n- caFile: \"\"\n  certFile: \"\"\n  insecure_skip_tls_verify: false\n  keyFile: \"\"\n  name: a\n  pass_credentials_all: true\n  password: p\n  url: https://h/charts\n  username: u\n- name: b\n  url: https://h/charts/b/\n";
        let repositories = Repositories { entries: parse(text).unwrap(), cache: PathBuf::new() };
        let entry = repositories.get("a").unwrap();
        assert!(entry.pass_credentials_all && entry.auth().is_some());
        assert!(repositories.get("b").unwrap().auth().is_none() && repositories.get("c").is_none());
        let owner = |url: &str| repositories.owner(url).map(|entry| entry.name.clone());
        assert_eq!(owner("https://h/charts/x.tgz").as_deref(), Some("a"));
        assert_eq!(owner("https://h/charts/b/x.tgz").as_deref(), Some("b"));
        assert_eq!(owner("https://h/charts-other/x.tgz"), None);
        assert!(repositories.index("../x").is_err());
        assert!(parse(b"").unwrap().is_empty() && parse(b"repositories: 1").is_err());
    }
}
