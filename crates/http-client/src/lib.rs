//! HTTP clients by trust, client certificate and proxy; those in use are shared. Credentials that never print.

mod auth;

pub use auth::{HttpAuth, percent_decode};

use std::sync::Arc;
use std::time::Duration;

use common::secret::Secret;
use parking_lot::Mutex;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Proxy};
use sha2::{Digest as _, Sha256};

/// Clients kept; each holds its connections and trust anchors.
const CLIENTS: usize = 16;
/// Most redirects that are followed.
const REDIRECTS: usize = 10;

/// Trust and client certificate in PEM.
#[derive(Clone, Debug, Default)]
pub struct TlsMaterial {
    /// Certificates to trust besides the system's.
    pub ca: Option<Vec<u8>>,
    /// Client certificate and key.
    pub identity: Option<Secret<Vec<u8>>>,
    /// Take any certificate of the server: only when the user asks for it.
    pub insecure: bool,
}

impl TlsMaterial {
    /// The same trust without the client certificate, for other origins.
    pub fn without_identity(&self) -> Self {
        Self { ca: self.ca.clone(), identity: None, insecure: self.insecure }
    }
}

/// A proxy given by a Secret; without one, the environment decides.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// `http://`, `https://` or `socks5://` address.
    pub address: Secret<String>,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret<String>>,
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The CA is not PEM.
    #[error("the CA certificate is not PEM that can be read")]
    Ca(#[source] reqwest::Error),
    /// The client certificate or key is not PEM.
    #[error("the client certificate and key are not PEM that can be read")]
    Identity(#[source] reqwest::Error),
    /// The proxy's address is not a URL.
    #[error("the proxy address is not a URL that can be used")]
    Proxy,
    /// The client does not start.
    #[error("cannot set up an HTTP client: certificate, key or CA may not go together")]
    Client(#[source] reqwest::Error),
}

/// A client by the digest of its settings, the latest used last.
type Kept = ([u8; 32], Client);

/// The clients in use.
#[derive(Clone, Debug, Default)]
pub struct ClientPool {
    clients: Arc<Mutex<Vec<Kept>>>,
}

impl ClientPool {
    /// The client for these settings, an existing one if there is.
    pub fn client(&self, tls: &TlsMaterial, proxy: Option<&ProxySettings>) -> Result<Client, HttpError> {
        let key = key(tls, proxy);
        let mut clients = self.clients.lock();
        if let Some(position) = clients.iter().position(|(other, _)| *other == key) {
            let entry = clients.remove(position);
            let client = entry.1.clone();
            clients.push(entry);
            return Ok(client);
        }
        let client = build(tls, proxy)?;
        if clients.len() >= CLIENTS {
            clients.remove(0);
        }
        clients.push((key, client.clone()));
        Ok(client)
    }
}

fn key(tls: &TlsMaterial, proxy: Option<&ProxySettings>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut add = |part: Option<&[u8]>| {
        hasher.update([u8::from(part.is_some())]);
        hasher.update((part.map_or(0, <[u8]>::len) as u64).to_le_bytes());
        hasher.update(part.unwrap_or_default());
    };
    add(tls.ca.as_deref());
    add(tls.identity.as_ref().map(|identity| identity.expose().as_slice()));
    add(tls.insecure.then_some(&[]));
    add(proxy.map(|proxy| proxy.address.expose().as_bytes()));
    add(proxy.and_then(|proxy| proxy.username.as_deref()).map(str::as_bytes));
    add(proxy.and_then(|proxy| proxy.password.as_ref()).map(|password| password.expose().as_bytes()));
    hasher.finalize().into()
}

fn build(tls: &TlsMaterial, proxy: Option<&ProxySettings>) -> Result<Client, HttpError> {
    let mut builder = Client::builder()
        // Some Git servers answer only clients that call themselves git.
        .user_agent(concat!("git/2.47.0 (towline ", env!("CARGO_PKG_VERSION"), ")"))
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(Duration::from_secs(60))
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(2)
        .redirect(policy(tls.identity.is_some()));
    if let Some(ca) = &tls.ca {
        let certificates = Certificate::from_pem_bundle(ca).map_err(HttpError::Ca)?;
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(identity) = &tls.identity {
        builder = builder.identity(Identity::from_pem(identity.expose()).map_err(HttpError::Identity)?);
    }
    if tls.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(settings) = proxy {
        // The error would repeat the address, which may hold a password.
        let mut proxy = Proxy::all(settings.address.expose().as_str()).map_err(|_| HttpError::Proxy)?;
        if let Some(username) = &settings.username {
            let password = settings.password.as_ref().map_or("", |password| password.expose().as_str());
            proxy = proxy.basic_auth(username, password);
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(HttpError::Client)
}

/// Redirects are followed, but never from https to http, and with a client certificate only within the origin. The
/// Authorization header is dropped by reqwest when the origin changes.
fn policy(has_identity: bool) -> Policy {
    Policy::custom(move |attempt| {
        if attempt.previous().len() > REDIRECTS {
            return attempt.error("too many redirects");
        }
        let is_refused = attempt.previous().last().is_some_and(|from| {
            let is_downgrade = from.scheme() == "https" && attempt.url().scheme() != "https";
            is_downgrade || (has_identity && from.origin() != attempt.url().origin())
        });
        if is_refused { attempt.stop() } else { attempt.follow() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_shared_by_their_settings() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let pool = ClientPool::default();
        let none = TlsMaterial::default();
        pool.client(&none, None).unwrap();
        pool.client(&none, None).unwrap();
        assert_eq!(pool.clients.lock().len(), 1);
        let proxy =
            |address: &str| ProxySettings { address: Secret::new(address.to_owned()), username: None, password: None };
        for port in 0..40 {
            pool.client(&none, Some(&proxy(&format!("http://proxy:{port}")))).unwrap();
        }
        assert_eq!(pool.clients.lock().len(), CLIENTS);
        let bad = TlsMaterial {
            ca: Some(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----".to_vec()),
            ..TlsMaterial::default()
        };
        assert!(pool.client(&bad, None).is_err());
        assert!(pool.client(&none, Some(&proxy("::"))).is_err());
    }
}
