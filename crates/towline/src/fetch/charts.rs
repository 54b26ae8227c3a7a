//! Charts as Helm's commands name them: `repository/chart`, a URL, `--repo URL chart`, `oci://registry/path/chart`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chart_repository::download::Access;
use chart_repository::index::{IndexTable, convert};
use chart_repository::select::{ChartVersion, select};
use common::secret::Secret;
use common::url::mask;
use fs_err as fs;
use http_client::{ClientPool, HttpAuth, TlsMaterial, percent_decode};
use sha2::{Digest as _, Sha256};

use super::cache::Cache;
use super::registry;
use super::repositories::Repositories;
use super::worker::Worker;
use crate::output::chain;

/// Largest packed chart.
pub(super) const CHART_BYTES: u64 = 100 << 20;
/// Largest index.
pub(super) const INDEX_BYTES: u64 = 256 << 20;
/// Time for one download.
const TIME: Duration = Duration::from_secs(120);

/// Where a chart is, which version, and how to be let in; names and meaning are Helm's.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Chart")]
pub(crate) struct ChartAccess {
    /// URL of the chart repository that has the chart.
    #[arg(long, value_name = "URL")]
    pub(super) repo: Option<String>,
    /// The chart's version, or a range of versions [default: the newest].
    #[arg(long = "version", id = "chart-version", value_name = "VERSION")]
    pub(super) version: Option<String>,
    /// Take development versions too: the same as --version '>0.0.0-0'.
    #[arg(long)]
    pub(super) devel: bool,
    /// User name for the chart repository.
    #[arg(long, value_name = "NAME")]
    pub(super) username: Option<String>,
    /// Password for the chart repository.
    #[arg(long, value_name = "PASSWORD")]
    pub(super) password: Option<Secret<String>>,
    /// Send the credentials to every host that the repository names.
    #[arg(long)]
    pub(super) pass_credentials: bool,
    /// Trust this CA.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// The client certificate.
    #[arg(long, value_name = "FILE")]
    pub(super) cert_file: Option<PathBuf>,
    /// The client certificate's key.
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// Do not check the server's certificate.
    #[arg(long)]
    pub(super) insecure_skip_tls_verify: bool,
    /// Ask the registry without TLS.
    #[arg(long)]
    pub(super) plain_http: bool,
    /// Helm's file of repositories.
    #[arg(long, value_name = "FILE", env = "HELM_REPOSITORY_CONFIG", hide_env_values = true)]
    pub(super) repository_config: Option<PathBuf>,
    /// Helm's directory of repository indexes.
    #[arg(long, value_name = "DIRECTORY", env = "HELM_REPOSITORY_CACHE", hide_env_values = true)]
    pub(super) repository_cache: Option<PathBuf>,
    /// Helm's file of registry credentials.
    #[arg(long, value_name = "FILE", env = "HELM_REGISTRY_CONFIG", hide_env_values = true)]
    pub(super) registry_config: Option<PathBuf>,
}

/// A packed chart that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Its bytes.
    pub(crate) archive: Vec<u8>,
    /// The file name that its provenance calls it by.
    pub(crate) file: String,
    /// Its provenance file, where it was asked for and is there.
    pub(crate) provenance: Option<Vec<u8>>,
}

/// Fetches charts.
pub(crate) struct Charts {
    worker: Arc<Worker>,
    source: Source,
}

/// Everything that a download needs.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) http: ClientPool,
    cache: Cache,
    pub(super) access: ChartAccess,
    with_provenance: bool,
}

impl Charts {
    /// With these settings; provenance files are fetched only when they are wanted.
    pub(super) fn new(cache: Cache, worker: Arc<Worker>, access: ChartAccess) -> Self {
        Self { worker, source: Source { http: ClientPool::default(), cache, access, with_provenance: false } }
    }

    /// With these settings, for one command.
    pub(crate) fn open(cache: &super::CacheArguments, access: ChartAccess, with_provenance: bool) -> Self {
        let mut charts = Self::new(Cache::open(cache), Arc::default(), access);
        charts.source.with_provenance = with_provenance;
        charts
    }

    /// The chart that a reference on the command line means, which is not a path.
    pub(crate) fn find(&self, reference: &str) -> Result<Packed, String> {
        let (source, reference) = (self.source.clone(), reference.trim().to_owned());
        let version = source.access.wanted_version();
        self.run(async move { source.find(&reference, &version).await })
    }

    /// A chart of the repository or registry that a kustomization names.
    pub(super) fn of_repository(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        devel: bool,
    ) -> Result<Vec<u8>, String> {
        let mut source = self.source.clone();
        let version = if version.is_empty() && devel { ">0.0.0-0" } else { version }.to_owned();
        let kept = format!("{}.tgz", super::base::digest(&format!("{repository} {name} {version}")));
        // What a version is does not change; what a range leads to does.
        let is_exact = version::Version::parse_strict(version.strip_prefix('v').unwrap_or(&version)).is_ok();
        if let Some(archive) = source.cache.read(&["charts"], &kept).filter(|_| is_exact) {
            return Ok(archive);
        }
        let cache = source.cache.clone();
        let (repository, name) = (repository.to_owned(), name.to_owned());
        let shown = format!("cannot fetch chart '{name}' of '{}'", mask(&repository));
        let work = async move {
            if repository.starts_with("oci://") {
                let reference = format!("{}/{name}", repository.trim_end_matches('/'));
                return source.find(&reference, &version).await;
            }
            source.access.repo = Some(repository);
            source.find(&name, &version).await
        };
        let packed = self.run(work).map_err(|reason| format!("{shown}: {reason}"))?;
        if is_exact {
            cache.write(&["charts"], &kept, &packed.archive);
        }
        Ok(packed.archive)
    }

    /// What a download of these settings needs.
    pub(super) fn source(&self) -> Source {
        self.source.clone()
    }

    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Result<T, String> {
        self.worker.run(work).map_err(|error| error.to_string())?.map_err(|text| common::url::mask_text(&text))
    }
}

impl ChartAccess {
    fn wanted_version(&self) -> String {
        match &self.version {
            Some(version) if !version.trim().is_empty() => version.trim().to_owned(),
            _ if self.devel => ">0.0.0-0".to_owned(),
            _ => String::new(),
        }
    }

    fn auth(&self) -> HttpAuth {
        match (&self.username, &self.password) {
            (Some(username), password) => {
                HttpAuth::Basic { username: username.clone(), password: password.clone().unwrap_or_default() }
            }
            (None, _) => HttpAuth::None,
        }
    }

    pub(super) fn tls(&self) -> Result<TlsMaterial, String> {
        let files = [&self.ca_file, &self.cert_file, &self.key_file].map(Option::as_deref);
        tls_of(files, self.insecure_skip_tls_verify)
    }
}

/// CA, certificate and key from files.
pub(super) fn tls_of(files: [Option<&Path>; 3], insecure: bool) -> Result<TlsMaterial, String> {
    let read = |path: &Path| fs::read(path).map_err(|error| error.to_string());
    let [ca, certificate, key] = files;
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            Some(Secret::new(pem))
        }
        (None, None) => None,
        _ => return Err("give --cert-file and --key-file together".to_owned()),
    };
    Ok(TlsMaterial { ca: ca.map(read).transpose()?, identity, insecure })
}

impl Source {
    async fn find(&self, reference: &str, version: &str) -> Result<Packed, String> {
        if reference.starts_with("oci://") {
            return registry::pull(self, reference, version, CHART_BYTES, self.with_provenance).await;
        }
        if let Some(repository) = &self.access.repo {
            return self.of_url(repository, reference, version).await;
        }
        if reference.contains("://") {
            return self.at_url(reference).await;
        }
        self.of_configured(reference, version).await
    }

    pub(super) fn repositories(&self) -> Result<Repositories, String> {
        Repositories::read(&self.access)
    }

    pub(super) fn access(
        &self,
        url: &str,
        auth: HttpAuth,
        tls: TlsMaterial,
        pass_credentials: bool,
    ) -> Result<Access, String> {
        let (url, embedded) = Access::parse_url(url).map_err(|error| chain(&error))?;
        let auth = if auth.is_some() { auth } else { embedded };
        Ok(Access { url, auth, tls, pass_credentials, timeout: TIME })
    }

    /// `--repo URL`: the index is fetched.
    async fn of_url(&self, repository: &str, name: &str, version: &str) -> Result<Packed, String> {
        let access = self.access(repository, self.access.auth(), self.access.tls()?, self.access.pass_credentials)?;
        let unusable = |reason: String| {
            format!("looks like {:?} is not a valid chart repository or cannot be reached: {reason}", mask(repository))
        };
        let mut index = Vec::new();
        access.index(&self.http, None, INDEX_BYTES, &mut index).await.map_err(|error| unusable(chain(&error)))?;
        let versions = versions(&index, name).map_err(unusable)?;
        let missing = || {
            let what = if version.is_empty() { String::new() } else { format!(" version {version:?}") };
            format!("chart {name:?}{what} not found in {} repository", mask(repository))
        };
        let versions = versions.ok_or_else(missing)?;
        let chosen = select(&versions, name, version).map_err(|_| missing())?;
        self.download(&access, chosen).await
    }

    /// `repository/chart`: the index is the one that `helm repo update` left.
    async fn of_configured(&self, reference: &str, version: &str) -> Result<Packed, String> {
        let Some((repository, name)) = reference.split_once('/') else {
            return Err(format!(
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: {reference}: there is no such path either"
            ));
        };
        let repositories = self.repositories()?;
        let entry = repositories
            .get(repository)
            .ok_or_else(|| format!("repo {repository} not found: add it with `helm repo add`, or give --repo URL"))?;
        let index = repositories.index(repository)?;
        let versions = versions(&index, name)?;
        let missing =
            || format!("chart {name:?} matching {version} not found in {repository} index. (try 'helm repo update')");
        let versions = versions.ok_or_else(missing)?;
        let chosen = select(&versions, name, version).map_err(|_| missing())?;
        let auth = entry.auth().unwrap_or_else(|| self.access.auth());
        let access = self.access(&entry.url, auth, entry.tls(&self.access)?, entry.pass_credentials_all)?;
        self.download(&access, chosen).await
    }

    /// A chart by its own URL, with the credentials of the configured repository it lies below, if any.
    async fn at_url(&self, url: &str) -> Result<Packed, String> {
        let repositories = self.repositories().unwrap_or_default();
        let access = match repositories.owner(url) {
            Some(entry) => {
                let auth = entry.auth().unwrap_or_else(|| self.access.auth());
                self.access(url, auth, entry.tls(&self.access)?, entry.pass_credentials_all)?
            }
            None => self.access(url, self.access.auth(), self.access.tls()?, self.access.pass_credentials)?,
        };
        self.get(&access, access.url.clone()).await
    }

    pub(super) async fn download(&self, access: &Access, chart: &ChartVersion) -> Result<Packed, String> {
        let url = chart
            .urls
            .first()
            .ok_or_else(|| format!("chart {:?} version {} has no downloadable URLs", chart.name, chart.version))?;
        if url.starts_with("oci://") {
            return registry::pull(self, url, &chart.version, CHART_BYTES, self.with_provenance).await;
        }
        let url = access.resolve(url).map_err(|error| chain(&error))?;
        let digest = chart.digest.strip_prefix("sha256:").unwrap_or(&chart.digest).to_ascii_lowercase();
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let kept = format!("{digest}.tgz");
        let is = |archive: &[u8]| hex::encode(Sha256::digest(archive)) == digest;
        if is_digest
            && !self.with_provenance
            && let Some(archive) = self.cache.read(&["charts"], &kept).filter(|archive| is(archive))
        {
            return Ok(Packed { archive, file: file_of(&url), provenance: None });
        }
        let packed = self.get(access, url).await?;
        // Indexes with stale digests are about, so that a wrong one only keeps the chart out of the cache.
        if is_digest && is(&packed.archive) {
            self.cache.write(&["charts"], &kept, &packed.archive);
        }
        Ok(packed)
    }

    async fn get(&self, access: &Access, url: url::Url) -> Result<Packed, String> {
        let archive = access.chart(&self.http, &url, CHART_BYTES).await.map_err(|error| chain(&error))?.to_vec();
        let file = file_of(&url);
        let mut provenance = None;
        if self.with_provenance {
            let mut beside = url.clone();
            beside.set_path(&format!("{}.prov", url.path()));
            let fetched = access.chart(&self.http, &beside, CHART_BYTES).await;
            provenance = Some(
                fetched
                    .map_err(|error| {
                        format!("failed to fetch provenance {:?}: {}", mask(beside.as_str()), chain(&error))
                    })?
                    .to_vec(),
            );
        }
        Ok(Packed { archive, file, provenance })
    }
}

/// The last part of a URL's path.
fn file_of(url: &url::Url) -> String {
    percent_decode(url.path().rsplit('/').next().unwrap_or_default())
}

/// The versions of a chart in an index; nothing when the index does not have it.
pub(super) fn versions(index: &[u8], name: &str) -> Result<Option<Vec<ChartVersion>>, String> {
    let mut stored = Vec::new();
    let table: IndexTable = convert(index, &mut stored).map_err(|error| chain(&error))?;
    let entry = table.read(std::io::Cursor::new(&stored), name).map_err(|error| error.to_string())?;
    entry
        .map(|entry| serde_json::from_slice(&entry).map_err(|error| format!("entry {name:?} cannot be read: {error}")))
        .transpose()
}
