//! A running controller in a namespace of its own.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use common::conditions;
use common::meta::{Artifact, SourceObject};
use common::names::condition;
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testkit::{ControlPlane, Process, TempDir};

/// How long anything may take on a machine that is busy with other tests.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

pub(crate) trait Kind:
    SourceObject
    + Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + serde::Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Kind for K where
    K: SourceObject
        + Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + serde::Serialize
        + Send
        + Sync
        + 'static
{
}

pub(crate) struct Fixture {
    pub(crate) plane: &'static ControlPlane,
    pub(crate) client: Client,
    pub(crate) namespace: String,
    pub(crate) process: Process,
    pub(crate) storage: TempDir,
    pub(crate) health: String,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Fixture {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    pub(crate) async fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        plane.apply_crds().await.unwrap();
        let namespace = plane.namespace().await.unwrap();
        Self::start_on(plane, namespace, arguments, environment).await
    }

    /// A controller that watches one namespace only, so that tests do not meet.
    pub(crate) async fn start_on(
        plane: &'static ControlPlane,
        namespace: String,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let storage = TempDir::new("storage").unwrap();
        let health = format!("127.0.0.1:{}", free_port());
        let mut command = Process::command(env!("CARGO_BIN_EXE_source-controller"))
            .args([
                "--watch-all-namespaces=false".to_owned(),
                format!("--storage-path={}", storage.path().display()),
                format!("--storage-addr=127.0.0.1:{}", free_port()),
                "--metrics-addr=0".to_owned(),
                format!("--health-addr={health}"),
                "--log-level=debug".to_owned(),
                "--min-retry-delay=500ms".to_owned(),
                "--max-retry-delay=2s".to_owned(),
                format!("--runtime-namespace={namespace}"),
            ])
            .args(arguments.iter().map(|&argument| argument.to_owned()))
            .env("KUBECONFIG", plane.kubeconfig().to_string_lossy().into_owned());
        for (name, value) in environment {
            command = command.env(*name, *value);
        }
        let mut process = command.start().unwrap();
        process.wait_ready(&format!("http://{health}/readyz"), LIMIT).await.unwrap();
        let client = plane.client().await.unwrap();
        Self { plane, client, namespace, process, storage, health }
    }

    pub(crate) fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates an object from its spec.
    pub(crate) async fn create<K: Kind>(&self, name: &str, spec: Value) {
        let mut object = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": {"name": name}, "spec": spec,
        });
        if object["spec"]["interval"].is_null() {
            object["spec"]["interval"] = json!("1h");
        }
        let object: K = serde_json::from_value(object).unwrap();
        self.api::<K>().create(&PostParams::default(), &object).await.unwrap();
    }

    pub(crate) async fn patch<K: Kind>(&self, name: &str, patch: Value) {
        self.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub(crate) async fn delete<K: Kind>(&self, name: &str) {
        self.api::<K>().delete(name, &DeleteParams::default()).await.unwrap();
        testkit::wait::object(self.api::<K>(), name, LIMIT, |object| object.is_none()).await.unwrap();
    }

    pub(crate) async fn secret(&self, name: &str, pairs: &[(&str, &str)]) {
        let data: BTreeMap<_, _> = pairs.iter().copied().collect();
        let secret: Secret = serde_json::from_value(json!({"metadata": {"name": name}, "stringData": data})).unwrap();
        self.api::<Secret>().create(&PostParams::default(), &secret).await.unwrap();
    }

    /// Waits until the object's status speaks of its generation and `Ready` is as wanted.
    pub(crate) async fn until<K: Kind>(&self, name: &str, wanted: impl Fn(&K) -> bool) -> K {
        let found = testkit::wait::object(self.api::<K>(), name, LIMIT, |object| object.is_some_and(&wanted)).await;
        found.unwrap_or_else(|error| panic!("{error:#}\n{}", self.process.log_tail(60))).unwrap()
    }

    pub(crate) async fn ready<K: Kind>(&self, name: &str) -> K {
        self.until(name, |object: &K| object.is_ready()).await
    }

    /// Waits until the object has failed for this reason; gives the message.
    pub(crate) async fn failed<K: Kind>(&self, name: &str, reason: &str) -> String {
        let object = self
            .until(name, |object: &K| {
                let list = object.conditions();
                conditions::is_false(list, condition::READY) && conditions::reason(list, condition::READY) == reason
            })
            .await;
        conditions::message(object.conditions(), condition::READY).to_owned()
    }

    pub(crate) async fn stalled<K: Kind>(&self, name: &str, reason: &str) -> String {
        let message = self.failed::<K>(name, reason).await;
        let object = self.api::<K>().get(name).await.unwrap();
        assert!(conditions::is_true(object.conditions(), condition::STALLED), "{object:#?}");
        assert_eq!(object.observed_generation(), object.generation());
        message
    }

    /// Asks for a reconcile and waits until it was handled.
    pub(crate) async fn sync<K: Kind>(&self, name: &str, token: &str) -> K {
        self.patch::<K>(name, json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}})).await;
        self.until(name, |object: &K| object.last_handled_reconcile_at() == Some(token)).await
    }

    /// The artifact's content by plain HTTP, checked against size and digest by our client.
    pub(crate) async fn content(&self, artifact: &Artifact) -> Vec<u8> {
        let fetcher = artifact::client::Fetcher::new(artifact::client::FetcherConfig::default()).unwrap();
        fetcher.fetch(artifact).await.unwrap().to_vec()
    }

    /// The artifact's files by path.
    pub(crate) async fn files(&self, artifact: &Artifact) -> BTreeMap<String, String> {
        let content = self.content(artifact).await;
        archive::read_tar_gz(content.as_slice(), &archive::Policy::source())
            .unwrap()
            .into_iter()
            .map(|entry| (entry.path, String::from_utf8_lossy(&entry.data).into_owned()))
            .collect()
    }

    pub(crate) async fn events(&self, name: &str) -> Vec<(String, String)> {
        let list = self.api::<Event>().list(&ListParams::default()).await.unwrap();
        list.items
            .into_iter()
            .filter(|event| event.involved_object.name.as_deref() == Some(name))
            .map(|event| (event.reason.unwrap_or_default(), event.message.unwrap_or_default()))
            .collect()
    }

    pub(crate) async fn event(&self, name: &str, reason: &str) -> String {
        testkit::until(&format!("event {reason} of {name}"), LIMIT, async || {
            self.events(name).await.into_iter().find(|(found, _)| found == reason).map(|(_, message)| message)
        })
        .await
        .unwrap()
    }

    /// Everything an onlooker could read: log, events, objects. None of it may hold a secret.
    pub(crate) async fn assert_not_leaked(&self, secrets: &[&str]) {
        let mut texts = vec![("log", self.process.log())];
        let events = self.api::<Event>().list(&ListParams::default()).await.unwrap();
        texts.push(("events", serde_json::to_string(&events.items).unwrap()));
        for resource in ["gitrepositories", "helmrepositories", "helmcharts"] {
            let list = self.plane.kubectl(&["get", resource, "-n", &self.namespace, "-o", "json"]).await.unwrap();
            let list: Value = serde_json::from_str(&list).unwrap();
            let statuses: Vec<_> =
                list["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
            texts.push((resource, serde_json::to_string(&statuses).unwrap()));
        }
        for (place, text) in texts {
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} leaked into the {place}");
            }
        }
    }

    /// Files of a source in storage.
    pub(crate) fn stored(&self, directory: &str) -> Vec<String> {
        let path: PathBuf = self.storage.path().join(directory);
        let Ok(entries) = fs_err::read_dir(path) else { return Vec::new() };
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}
