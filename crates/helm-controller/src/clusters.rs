//! Which cluster a release goes to, and as whom.

use std::{collections::HashMap, sync::Arc};

use apply::{
    Cluster,
    access::{self, KubeconfigPolicy},
    discovery::Discovery,
    watches::{OwnerLabels, Wake, Watches},
};
use common::{
    helm::v2::HelmRelease,
    names::{
        label::{HELM_NAME, HELM_NAMESPACE},
        secret_key::{KUBECONFIG_VALUE, KUBECONFIG_VALUE_YAML},
    },
};
use helm::capabilities::{Capabilities, KubeVersion};
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, Config, ResourceExt};
use parking_lot::Mutex;

/// The labels by which watches tell owners.
pub const OWNER_LABELS: OwnerLabels = OwnerLabels { name: HELM_NAME, namespace: HELM_NAMESPACE };

/// Why there is no way to the cluster.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The kubeconfig's Secret is not there.
    #[error("kubeconfig Secret '{namespace}/{name}' not found")]
    SecretMissing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The Secret has no kubeconfig.
    #[error("kubeconfig Secret '{namespace}/{name}' has no key '{key}'")]
    KeyMissing {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key looked for.
        key: String,
    },
    /// The Secret cannot be read.
    #[error("cannot read kubeconfig Secret '{namespace}/{name}': {source}")]
    SecretUnreadable {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// The kubeconfig or client cannot be used.
    #[error(transparent)]
    Client(#[from] apply::Error),
}

/// A cluster and whether it is the one the controller runs in.
#[derive(Clone, Debug)]
pub struct Target {
    /// The cluster as the release's identity sees it.
    pub cluster: Cluster,
    /// The controller's own cluster.
    pub local: bool,
}

/// Settings of access.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    /// Service account where the spec names none.
    pub default_service_account: String,
    /// The same on other clusters.
    pub default_kubeconfig_service_account: String,
    /// What a kubeconfig may contain.
    pub kubeconfig: KubeconfigPolicy,
}

/// Clients kept per identity; more are rebuilt when needed.
const KEPT: usize = 64;

/// All ways to clusters.
pub struct Clusters {
    own: Cluster,
    config: Config,
    wake: Wake,
    settings: AccessSettings,
    impersonated: Mutex<HashMap<String, Cluster>>,
    remote: Mutex<HashMap<String, Cluster>>,
    version: Mutex<Option<KubeVersion>>,
}

impl Clusters {
    /// Ways that begin at the controller's own cluster.
    pub fn new(client: Client, config: Config, wake: Wake, settings: AccessSettings) -> Self {
        let watches = Watches::new(client.clone(), OWNER_LABELS, Arc::clone(&wake));
        let own = Cluster::new(client, Arc::new(Discovery::default()), watches);
        Self {
            own,
            config,
            wake,
            settings,
            impersonated: Mutex::default(),
            remote: Mutex::default(),
            version: Mutex::default(),
        }
    }

    /// The controller's own cluster as itself.
    pub fn own(&self) -> &Cluster {
        &self.own
    }

    /// The service account a release acts as.
    pub fn service_account(&self, release: &HelmRelease) -> Option<String> {
        let default = if release.spec.kube_config.is_some() {
            &self.settings.default_kubeconfig_service_account
        } else {
            &self.settings.default_service_account
        };
        release
            .spec
            .service_account_name
            .clone()
            .filter(|name| !name.is_empty())
            .or_else(|| (!default.is_empty()).then(|| default.clone()))
    }

    /// The way to a release's cluster.
    pub async fn target(&self, release: &HelmRelease) -> Result<Target, AccessError> {
        let namespace = release.namespace().unwrap_or_default();
        let account = self.service_account(release);
        if let Some(reference) = release.spec.kube_config.as_ref().and_then(|reference| reference.secret_ref.as_ref()) {
            let cluster =
                self.remote(&namespace, &reference.name, reference.key.as_deref(), account.as_deref()).await?;
            return Ok(Target { cluster, local: false });
        }
        let Some(account) = account else { return Ok(Target { cluster: self.own.clone(), local: true }) };
        let key = format!("{namespace}/{account}");
        if let Some(cluster) = self.impersonated.lock().get(&key) {
            return Ok(Target { cluster: cluster.clone(), local: true });
        }
        let client = access::client(access::impersonate(self.config.clone(), &namespace, &account))?;
        let cluster = self.own.with_client(client);
        keep(&self.impersonated, key, cluster.clone());
        Ok(Target { cluster, local: true })
    }

    async fn remote(
        &self,
        namespace: &str,
        name: &str,
        key: Option<&str>,
        account: Option<&str>,
    ) -> Result<Cluster, AccessError> {
        let api: Api<Secret> = Api::namespaced(self.own.client().clone(), namespace);
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let secret = match api.get_opt(&name).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return Err(AccessError::SecretMissing { namespace, name }),
            Err(source) => return Err(AccessError::SecretUnreadable { namespace, name, source: Box::new(source) }),
        };
        let identity = format!(
            "{}/{}/{}/{}",
            secret.metadata.uid.as_deref().unwrap_or_default(),
            secret.metadata.resource_version.as_deref().unwrap_or_default(),
            key.unwrap_or_default(),
            account.unwrap_or_default()
        );
        if let Some(cluster) = self.remote.lock().get(&identity) {
            return Ok(cluster.clone());
        }
        let data = secret.data.unwrap_or_default();
        let content = match key.filter(|key| !key.is_empty()) {
            Some(key) => data.get(key),
            None => data.get(KUBECONFIG_VALUE).or_else(|| data.get(KUBECONFIG_VALUE_YAML)),
        };
        let Some(content) = content else {
            return Err(AccessError::KeyMissing { namespace, name, key: key.unwrap_or(KUBECONFIG_VALUE).to_owned() });
        };
        let text = String::from_utf8_lossy(&content.0);
        let mut config = access::kubeconfig(&text, self.settings.kubeconfig).await?;
        if let Some(account) = account {
            config = access::impersonate(config, &namespace, account);
        }
        let client = access::client(config)?;
        let watches = Watches::new(client.clone(), OWNER_LABELS, Arc::clone(&self.wake));
        let cluster = Cluster::new(client, Arc::new(Discovery::default()), watches);
        keep(&self.remote, identity, cluster.clone());
        Ok(cluster)
    }

    /// What templates see of a cluster.
    pub async fn capabilities(&self, target: &Target) -> Result<Capabilities, apply::Error> {
        let client = target.cluster.client();
        let known = if target.local { self.version.lock().clone() } else { None };
        let kube_version = match known {
            Some(version) => version,
            None => {
                let info =
                    client.apiserver_version().await.map_err(|error| apply::Error::Discovery(Box::new(error)))?;
                let version = KubeVersion::discovered(&info.git_version, &info.major, &info.minor);
                if target.local {
                    *self.version.lock() = Some(version.clone());
                }
                version
            }
        };
        let table = target.cluster.discovery().table(client).await?;
        Ok(Capabilities { kube_version, api_versions: table.api_versions().iter().cloned().collect() })
    }

    /// The API server may have been upgraded.
    pub fn forget_version(&self) {
        *self.version.lock() = None;
    }
}

fn keep(map: &Mutex<HashMap<String, Cluster>>, key: String, cluster: Cluster) {
    let mut map = map.lock();
    if map.len() >= KEPT {
        map.clear();
    }
    map.insert(key, cluster);
}
