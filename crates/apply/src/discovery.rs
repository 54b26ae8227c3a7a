//! Which kinds a cluster serves: one table per cluster, fetched in two requests and again only when it may be outdated.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::{Client, core::gvk::GroupVersionKind, discovery::ApiResource};
use parking_lot::RwLock;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    Error,
    object::{Gvk, ObjectRef},
};

/// How one kind is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Plural name in paths.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// Everything served at one moment.
#[derive(Debug, Default)]
pub struct Table {
    resources: HashMap<Gvk, Resource>,
    /// `version` or `group/version`, and each with `/Kind`: what charts test with `.Capabilities.APIVersions.Has`.
    versions: BTreeSet<String>,
    /// Versions of a group that serve a kind, for advice in errors.
    fetched: Option<Instant>,
}

impl Table {
    /// API versions and kinds, in Helm's notation.
    pub fn api_versions(&self) -> &BTreeSet<String> {
        &self.versions
    }

    /// How a kind is reached, if it is served.
    pub fn get(&self, gvk: &Gvk) -> Option<&Resource> {
        self.resources.get(gvk)
    }
}

/// The table of one cluster, shared by everything that talks to it.
#[derive(Debug, Default)]
pub struct Discovery {
    table: RwLock<Arc<Table>>,
    outdated: AtomicBool,
    refresh: Mutex<()>,
}

/// A table older than this is fetched again when somebody needs it, whatever the watches said.
const MAX_AGE: Duration = Duration::from_secs(300);
/// A kind that was missing a moment ago is not asked for again sooner than this.
const MISS_AGE: Duration = Duration::from_secs(1);

impl Discovery {
    /// Says that kinds may have come or gone.
    pub fn invalidate(&self) {
        self.outdated.store(true, Ordering::Release);
    }

    /// The table, fetched now if it may be outdated.
    pub async fn table(&self, client: &Client) -> Result<Arc<Table>, Error> {
        self.table_no_older_than(client, MAX_AGE).await
    }

    /// The table as far as it is known, without a request.
    pub fn known(&self) -> Arc<Table> {
        self.table.read().clone()
    }

    async fn table_no_older_than(&self, client: &Client, age: Duration) -> Result<Arc<Table>, Error> {
        let fresh = |table: &Table| {
            table.fetched.is_some_and(|at| at.elapsed() < age) && !self.outdated.load(Ordering::Acquire)
        };
        let table = self.known();
        if fresh(&table) {
            return Ok(table);
        }
        let _single = self.refresh.lock().await;
        let table = self.known();
        if fresh(&table) {
            return Ok(table);
        }
        self.outdated.store(false, Ordering::Release);
        match fetch(client).await {
            Ok(table) => {
                let table = Arc::new(table);
                *self.table.write() = Arc::clone(&table);
                Ok(table)
            }
            Err(error) => {
                self.outdated.store(true, Ordering::Release);
                Err(Error::Discovery(Box::new(error)))
            }
        }
    }

    /// How to reach the kind of an object.
    pub async fn resolve(&self, client: &Client, object: &ObjectRef) -> Result<Resource, Error> {
        let gvk = &object.gvk;
        if let Some(resource) = self.known().get(gvk) {
            return Ok(resource.clone());
        }
        if let Some(resource) = self.table_no_older_than(client, MISS_AGE).await?.get(gvk) {
            return Ok(resource.clone());
        }
        // The aggregated document may lag behind a definition that was just established; the group's own does not.
        if let Some(resource) = fetch_one(client, gvk).await {
            let mut table = self.table.write();
            let mut resources = table.resources.clone();
            resources.insert(gvk.clone(), resource.clone());
            let mut versions = table.versions.clone();
            versions.insert(gvk.api_version());
            versions.insert(format!("{}/{}", gvk.api_version(), gvk.kind));
            *table = Arc::new(Table { resources, versions, fetched: table.fetched });
            return Ok(resource);
        }
        Err(Error::UnknownKind { object: object.to_string(), api_version: gvk.api_version(), kind: gvk.kind.clone() })
    }
}

/// The client library's description of a kind.
pub fn api_resource(gvk: &Gvk, resource: &Resource) -> ApiResource {
    ApiResource::from_gvk_with_plural(
        &GroupVersionKind { group: gvk.group.clone(), version: gvk.version.clone(), kind: gvk.kind.clone() },
        &resource.plural,
    )
}

async fn fetch(client: &Client) -> Result<Table, kube::Error> {
    let (core, groups) =
        futures::try_join!(client.list_core_api_versions_aggregated(), client.list_api_groups_aggregated())?;
    let mut table = Table { fetched: Some(Instant::now()), ..Table::default() };
    for group in core.items.iter().chain(&groups.items) {
        let name = group.metadata.as_ref().and_then(|metadata| metadata.name.clone()).unwrap_or_default();
        for version in &group.versions {
            let version_name = version.version.clone().unwrap_or_default();
            let gvk = |kind: &str| Gvk { group: name.clone(), version: version_name.clone(), kind: kind.to_owned() };
            let api_version = gvk("").api_version();
            for resource in &version.resources {
                let Some(kind) = resource.response_kind.as_ref().and_then(|kind| kind.kind.as_deref()) else {
                    continue;
                };
                table.versions.insert(format!("{api_version}/{kind}"));
                for kind in resource.subresources.iter().filter_map(|sub| sub.response_kind.as_ref()?.kind.as_deref()) {
                    table.versions.insert(format!("{api_version}/{kind}"));
                }
                table.resources.insert(
                    gvk(kind),
                    Resource {
                        plural: resource.resource.clone().unwrap_or_default(),
                        namespaced: resource.scope.as_deref() == Some("Namespaced"),
                    },
                );
            }
            table.versions.insert(api_version);
        }
    }
    Ok(table)
}

async fn fetch_one(client: &Client, gvk: &Gvk) -> Option<Resource> {
    let list = if gvk.group.is_empty() {
        client.list_core_api_resources(&gvk.version).await
    } else {
        client.list_api_group_resources(&gvk.api_version()).await
    };
    list.ok()?
        .resources
        .into_iter()
        .find(|resource| resource.kind == gvk.kind && !resource.name.contains('/'))
        .map(|resource| Resource { plural: resource.name, namespaced: resource.namespaced })
}
