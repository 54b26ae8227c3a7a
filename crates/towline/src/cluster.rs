//! The cluster: which one, which namespace, and its objects.

use common::names::field_manager;
use futures::future::try_join_all;
use kube::api::{ListParams, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};

use crate::cli::ClusterArguments;
use crate::error::{Error, Result};
use crate::kinds::Kind;
use crate::object::{Key, Object};

/// A connection and the namespace that is meant when none is given.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Cluster {
    /// Connects as the arguments, the kubeconfig or the Pod's environment say.
    pub(crate) async fn connect(arguments: &ClusterArguments) -> Result<Self> {
        let options = KubeConfigOptions { context: arguments.context.clone(), ..KubeConfigOptions::default() };
        let wrong = |error| Error::Kubeconfig(Box::new(error));
        let proxied = |kubeconfig: &Kubeconfig| {
            let mut clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
            clusters.any(|cluster| cluster.proxy_url.is_some())
        };
        let mut by_proxy = false;
        let mut config = match &arguments.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
                by_proxy = proxied(&kubeconfig);
                Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(wrong)?
            }
            None => match Config::from_kubeconfig(&options).await {
                Ok(config) => {
                    by_proxy = Kubeconfig::read().is_ok_and(|kubeconfig| proxied(&kubeconfig));
                    config
                }
                // In a Pod there is no kubeconfig, and with a context asked for there must be one.
                Err(error) if arguments.context.is_none() => Config::incluster().map_err(|_| wrong(error))?,
                Err(error) => return Err(wrong(error)),
            },
        };
        // The library takes `HTTPS_PROXY` for every kubeconfig, whatever `NO_PROXY` says.
        if !by_proxy {
            config.proxy_url = None;
        }
        let namespace = arguments.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))?;
        Ok(Self { client, namespace })
    }

    /// The API of a kind in a namespace, or in all.
    pub(crate) fn api(&self, kind: &Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = kind.resource();
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// Lists objects of several kinds at once. Kinds the cluster does not serve have none.
    pub(crate) async fn list(&self, kinds: &[&'static Kind], namespace: Option<&str>) -> Result<Vec<Object>> {
        let lists = kinds.iter().map(|kind| async move {
            match self.api(kind, namespace).list(&ListParams::default()).await {
                Ok(list) => Ok(list.items.into_iter().map(|data| Object { kind, data }).collect()),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
                Err(source) => {
                    Err(Error::Kubernetes { action: format!("listing {}", kind.plural), source: Box::new(source) })
                }
            }
        });
        let mut objects: Vec<Object> = try_join_all(lists).await?.into_iter().flatten().collect();
        for object in &mut objects {
            // Lists leave them out, and what is printed should be complete.
            let kind = object.kind;
            object.data.types = Some(kube::core::TypeMeta {
                api_version: format!("{}/{}", kind.group, kind.version),
                kind: kind.kind.to_owned(),
            });
        }
        Ok(objects)
    }

    /// One object, if it exists and its kind is known.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Object>> {
        let Some(kind) = key.known_kind() else { return Ok(None) };
        match self.api(kind, Some(&key.namespace)).get_opt(&key.name).await {
            Ok(found) => Ok(found.map(|data| Object { kind, data })),
            Err(source) => Err(Error::Kubernetes {
                action: format!("reading {} {}/{}", key.kind, key.namespace, key.name),
                source: Box::new(source),
            }),
        }
    }

    /// Merges a change into an object.
    pub(crate) async fn patch(&self, object: &Object, change: &serde_json::Value) -> Result<Object> {
        let key = object.key();
        let parameters =
            PatchParams { field_manager: Some(field_manager::TOWLINE_CLI.to_owned()), ..PatchParams::default() };
        let patched =
            self.api(object.kind, Some(&key.namespace)).patch(&key.name, &parameters, &Patch::Merge(change)).await;
        match patched {
            Ok(data) => Ok(Object { kind: object.kind, data }),
            Err(source) => {
                Err(Error::Kubernetes { action: format!("changing {}", object.title()), source: Box::new(source) })
            }
        }
    }
}
