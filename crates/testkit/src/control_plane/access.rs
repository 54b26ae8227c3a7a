//! Ways into a control plane: kubeconfigs, clients and ServiceAccount tokens.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_err as fs;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;

use super::ControlPlane;
use crate::tls::Identity;

/// What a ServiceAccount needs to talk to the API server.
#[derive(Clone, Debug)]
pub struct ServiceAccountAccess {
    /// Namespace of the account.
    pub namespace: String,
    /// Name of the account.
    pub name: String,
    /// A token for the API server, valid for a day.
    pub token: String,
    /// A kubeconfig with that token.
    pub kubeconfig: PathBuf,
}

impl ServiceAccountAccess {
    /// A client that acts as the ServiceAccount.
    pub async fn client(&self) -> Result<Client> {
        client(&self.kubeconfig).await
    }
}

/// Who a kubeconfig is for.
pub(super) enum User<'a> {
    Certificate(&'a Identity),
    Token(&'a str),
}

/// A kubeconfig as JSON, which is YAML.
pub(super) fn kubeconfig(server: &str, authority: &str, name: &str, user: &User<'_>) -> String {
    let user = match user {
        User::Certificate(identity) => json!({
            "client-certificate-data": STANDARD.encode(&identity.certificate),
            "client-key-data": STANDARD.encode(&identity.key),
        }),
        User::Token(token) => json!({ "token": token }),
    };
    let cluster = json!({ "server": server, "certificate-authority-data": STANDARD.encode(authority) });
    let context = json!({ "cluster": "testkit", "user": name });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "testkit", "cluster": cluster }],
        "users": [{ "name": name, "user": user }],
        "contexts": [{ "name": "testkit", "context": context }],
        "current-context": "testkit",
    })
    .to_string()
}

/// Writes a kubeconfig that only its owner may read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, text)?;
    fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}

pub(super) async fn client(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

pub(super) async fn service_account(plane: &ControlPlane, namespace: &str, name: &str) -> Result<ServiceAccountAccess> {
    let client = plane.client().await?;
    let account = ServiceAccount {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..ServiceAccount::default()
    };
    match Api::<ServiceAccount>::namespaced(client.clone(), namespace).create(&PostParams::default(), &account).await {
        Err(kube::Error::Api(status)) if status.is_already_exists() => {}
        outcome => {
            outcome.with_context(|| format!("creating ServiceAccount {namespace}/{name}"))?;
        }
    }
    let token = token(&client, namespace, name, &[]).await?;
    let path = plane.directory().join(format!("{namespace}.{name}.kubeconfig"));
    write_private(&path, &kubeconfig(&plane.server, &plane.authority, name, &User::Token(&token)))?;
    Ok(ServiceAccountAccess { namespace: namespace.to_owned(), name: name.to_owned(), token, kubeconfig: path })
}

pub(super) async fn token(client: &Client, namespace: &str, name: &str, audiences: &[&str]) -> Result<String> {
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
            expiration_seconds: Some(24 * 3600),
            ..TokenRequestSpec::default()
        },
        ..TokenRequest::default()
    };
    Api::<ServiceAccount>::namespaced(client.clone(), namespace)
        .create_token_request(name, &PostParams::default(), &request)
        .await
        .with_context(|| format!("asking for a token of ServiceAccount {namespace}/{name}"))?
        .status
        .map(|status| status.token)
        .context("the token request has no status")
}
