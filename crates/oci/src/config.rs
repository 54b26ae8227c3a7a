//! Docker's configuration file, in which registry credentials are kept by everybody's `login`. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::secret::Secret;
use serde::{Deserialize, Deserializer};

/// What proves to a registry who we are.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    Anonymous,
    /// A user name and password.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret<String>,
    },
    /// A token that the registry's token service turns into others.
    Identity(Secret<String>),
    /// A token that the registry takes as it is.
    Token(Secret<String>),
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the registry configuration is not JSON of the right form: {0}")]
pub struct ConfigError(#[source] serde_json::Error);

/// The part of the configuration that is about credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DockerConfig {
    auths: BTreeMap<String, Entry>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "secret")]
    auth: Secret<String>,
    username: String,
    #[serde(deserialize_with = "secret")]
    password: Secret<String>,
    #[serde(deserialize_with = "secret")]
    identitytoken: Secret<String>,
    #[serde(deserialize_with = "secret")]
    registrytoken: Secret<String>,
}

/// A text that is never printed.
pub(crate) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

impl DockerConfig {
    /// Reads the file's content.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        serde_json::from_slice(text).map_err(ConfigError)
    }

    /// The credentials for a registry; nothing when there is no entry.
    pub fn credentials(&self, registry: &str) -> Option<Credentials> {
        let wanted = host_of(registry);
        let exact = self.auths.get(registry).or_else(|| self.auths.get(wanted));
        let entry = exact.or_else(|| {
            let by_host = |(key, _): &(&String, &Entry)| {
                let host = host_of(key);
                host == wanted || (is_docker_hub(host) && is_docker_hub(wanted))
            };
            self.auths.iter().find(by_host).map(|(_, entry)| entry)
        })?;
        entry.credentials()
    }

    /// The program that would have to be asked for this registry, which is never started.
    pub fn helper(&self, registry: &str) -> Option<&str> {
        let named = self.cred_helpers.get(registry).map_or(self.creds_store.as_str(), String::as_str);
        (!named.is_empty()).then_some(named)
    }
}

impl Entry {
    fn credentials(&self) -> Option<Credentials> {
        let is_set = |secret: &Secret<String>| !secret.expose().is_empty();
        if is_set(&self.registrytoken) {
            return Some(Credentials::Token(self.registrytoken.clone()));
        }
        if is_set(&self.identitytoken) {
            return Some(Credentials::Identity(self.identitytoken.clone()));
        }
        if is_set(&self.auth) {
            let decoded = STANDARD.decode(self.auth.expose().trim()).ok()?;
            let text = String::from_utf8(decoded).ok()?;
            let (username, password) = text.split_once(':')?;
            let password = Secret::new(password.trim_end_matches('\0').to_owned());
            return Some(Credentials::Basic { username: username.to_owned(), password });
        }
        (!self.username.is_empty())
            .then(|| Credentials::Basic { username: self.username.clone(), password: self.password.clone() })
    }
}

/// `https://host/v1/` and `host/path` are keys of the same host.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_by_host() {
        let config = DockerConfig::parse(
            br#"{"auths": {
                "a.example.com": {"auth": "amFuZTpzM2NyZXQ6eA=="},
                "https://b.example.com/v1/": {"username": "joe", "password": "p"},
                "c.example.com:5000": {"identitytoken": "t"},
                "https://index.docker.io/v1/": {"auth": "aHViOnA="},
                "e.example.com": {}
            }, "credsStore": "desktop", "credHelpers": {"f.example.com": "cloud"}, "HttpHeaders": {}}"#,
        )
        .unwrap();
        let basic = |registry: &str| match config.credentials(registry) {
            Some(Credentials::Basic { username, password }) => format!("{username}:{}", password.expose()),
            other => panic!("{registry}: {other:?}"),
        };
        assert_eq!(basic("a.example.com"), "jane:s3cret:x");
        assert_eq!(basic("b.example.com"), "joe:p");
        assert_eq!(basic("docker.io"), "hub:p");
        assert!(matches!(config.credentials("c.example.com:5000"), Some(Credentials::Identity(_))));
        for registry in ["c.example.com", "d.example.com", "e.example.com"] {
            assert!(config.credentials(registry).is_none(), "{registry}");
        }
        assert_eq!((config.helper("f.example.com"), config.helper("x")), (Some("cloud"), Some("desktop")));
        assert!(DockerConfig::parse(b"1").is_err());
        assert!(!format!("{config:?}").contains("amFuZTpz"));
    }
}
