//! Dependencies of charts: the version in a range that a repository or registry has.

use http_client::{HttpAuth, TlsMaterial};

use chart_repository::select::select;

use super::charts::{CHART_BYTES, ChartAccess, Charts, INDEX_BYTES, Packed, Source, versions};
use super::registry;
use crate::output::chain;

/// A dependency that was fetched.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// Its version, as the repository calls it; a registry leaves that to the chart.
    pub(crate) version: Option<String>,
    /// The chart.
    pub(crate) packed: Packed,
}

impl Charts {
    /// The chart that a dependency on a range of versions means; nothing when there is none in the range.
    pub(crate) fn dependency(&self, repository: &str, name: &str, range: &str) -> Result<Option<Dependency>, String> {
        let mut source = self.source();
        // What the command line says about the chart's own repository is not for the others.
        source.access = ChartAccess {
            repository_config: source.access.repository_config,
            repository_cache: source.access.repository_cache,
            registry_config: source.access.registry_config,
            plain_http: source.access.plain_http,
            ..ChartAccess::default()
        };
        let (repository, name, range) = (repository.to_owned(), name.to_owned(), range.to_owned());
        self.run(async move { source.dependency(&repository, &name, &range).await })
    }

    /// The URL of the repository that was added under this name.
    pub(crate) fn url_of(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.source().repositories()?.get(name).map(|entry| entry.url.clone()))
    }
}

impl Source {
    async fn dependency(&self, repository: &str, name: &str, range: &str) -> Result<Option<Dependency>, String> {
        if repository.starts_with("oci://") {
            let reference = format!("{}/{name}", repository.trim_end_matches('/'));
            let packed = registry::pull(self, &reference, range, CHART_BYTES, false).await?;
            return Ok(Some(Dependency { version: None, packed }));
        }
        let repositories = self.repositories()?;
        let access = match repositories.of_url(repository) {
            Some(entry) => {
                let auth = entry.auth().unwrap_or(HttpAuth::None);
                self.access(&entry.url, auth, entry.tls(&self.access)?, entry.pass_credentials_all)?
            }
            None => self.access(repository, HttpAuth::None, TlsMaterial::default(), false)?,
        };
        let mut index = Vec::new();
        access.index(&self.http, None, INDEX_BYTES, &mut index).await.map_err(|error| {
            format!("unable to get an update from the {repository:?} chart repository: {}", chain(&error))
        })?;
        let missing = || format!("{name} chart not found in repo {repository}");
        let mut versions = versions(&index, name)?.ok_or_else(missing)?;
        versions.retain(|version| !version.urls.is_empty());
        let Ok(chosen) = select(&versions, name, range) else { return Ok(None) };
        let packed = self.download(&access, chosen).await?;
        Ok(Some(Dependency { version: Some(chosen.version.clone()), packed }))
    }
}
