//! From the Secrets that users write to access: which keys there must be, and what they mean.

use std::collections::BTreeMap;

use common::names::secret_key as key;
use common::secret::Secret;
use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client};

use git::url::{GitUrl, Scheme};
use git::{HttpAuth, IdentityError, SshAuth, read_identity};
use http_client::{ProxySettings, TlsMaterial};

/// A Secret's content.
#[derive(Clone, Debug)]
pub struct SecretData {
    /// `namespace/name`, for messages.
    pub shown: String,
    data: BTreeMap<String, Secret<Vec<u8>>>,
}

impl SecretData {
    /// Reads a Secret from the cluster.
    pub async fn read(client: &Client, namespace: &str, name: &str) -> Result<Self, kube::Error> {
        let secret = Api::<core::Secret>::namespaced(client.clone(), namespace).get(name).await?;
        let data = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, Secret::new(value.0)));
        Ok(Self { shown: format!("{namespace}/{name}"), data: data.collect() })
    }

    fn bytes(&self, key: &str) -> Option<&Vec<u8>> {
        self.data.get(key).map(Secret::expose).filter(|value| !value.is_empty())
    }

    fn text(&self, key: &str) -> Result<Option<Secret<String>>, String> {
        match self.bytes(key) {
            None => Ok(None),
            Some(bytes) => match String::from_utf8(bytes.clone()) {
                Ok(text) => Ok(Some(Secret::new(text))),
                Err(_) => Err(format!("key '{key}' of secret '{}' is not text", self.shown)),
            },
        }
    }

    /// User name and password, where there are any.
    pub fn basic(&self) -> Result<HttpAuth, String> {
        let (username, password) = (self.text(key::USERNAME)?, self.text(key::PASSWORD)?);
        match (username, password) {
            (None, None) => Ok(HttpAuth::None),
            (Some(username), Some(password)) => Ok(HttpAuth::Basic { username: username.into_inner(), password }),
            (username, _) => {
                let (there, missing) =
                    if username.is_some() { (key::USERNAME, key::PASSWORD) } else { (key::PASSWORD, key::USERNAME) };
                Err(format!("secret '{}' has '{there}' and must have '{missing}' too", self.shown))
            }
        }
    }

    /// CA and client certificate, where there are any; the names of before 2023 are read too.
    pub fn tls(&self) -> Result<TlsMaterial, String> {
        let either = |new: &str, old: &str| self.bytes(new).or_else(|| self.bytes(old)).cloned();
        let ca = either(key::CA_CERT, key::LEGACY_CA_FILE);
        let certificate = either(key::TLS_CERT, key::LEGACY_CERT_FILE);
        let private_key = either(key::TLS_KEY, key::LEGACY_KEY_FILE);
        let identity = match (certificate, private_key) {
            (None, None) => None,
            (Some(mut certificate), Some(private_key)) => {
                certificate.push(b'\n');
                certificate.extend(private_key);
                Some(Secret::new(certificate))
            }
            _ => {
                return Err(format!(
                    "secret '{}' must have both '{}' and '{}'",
                    self.shown,
                    key::TLS_CERT,
                    key::TLS_KEY
                ));
            }
        };
        Ok(TlsMaterial { ca, identity, insecure: false })
    }

    /// A proxy.
    pub fn proxy(&self) -> Result<ProxySettings, String> {
        let address = self
            .text(key::PROXY_ADDRESS)?
            .ok_or_else(|| format!("invalid proxy secret '{}': key '{}' is missing", self.shown, key::PROXY_ADDRESS))?;
        let username = self.text(key::USERNAME)?.map(Secret::into_inner);
        Ok(ProxySettings { address, username, password: self.text(key::PASSWORD)? })
    }
}

/// Access to a Git repository.
#[derive(Clone, Debug, Default)]
pub struct GitAccess {
    /// Over HTTP.
    pub auth: HttpAuth,
    /// TLS.
    pub tls: TlsMaterial,
    /// Over SSH.
    pub ssh: Option<SshAuth>,
}

/// What a Git Secret gives access by; the message of an error names the key that is wrong.
pub fn git_access(url: &GitUrl, secret: Option<&SecretData>) -> Result<GitAccess, String> {
    match (url.scheme, secret) {
        (Scheme::Ssh, None) => Err(required(key::IDENTITY)),
        (Scheme::Ssh, Some(secret)) => Ok(GitAccess { ssh: Some(ssh_access(secret)?), ..GitAccess::default() }),
        (_, None) => Ok(GitAccess { auth: url.embedded.clone(), ..GitAccess::default() }),
        (_, Some(secret)) => {
            if secret.bytes(key::GITHUB_APP_ID).is_some() {
                return Err(format!(
                    "secretRef '{}' has github app data but provider is not set to github",
                    secret.shown
                ));
            }
            let token = secret.text(key::BEARER_TOKEN)?;
            let basic = secret.basic()?;
            let auth = match (token, basic) {
                (Some(_), HttpAuth::Basic { .. }) => {
                    return Err(format!(
                        "invalid auth options in secret '{}': '{}' and '{}' exclude each other",
                        secret.shown,
                        key::BEARER_TOKEN,
                        key::USERNAME
                    ));
                }
                (Some(token), _) => HttpAuth::Bearer(token.map(|token| token.trim().to_owned())),
                (None, HttpAuth::None) => url.embedded.clone(),
                (None, basic) => basic,
            };
            Ok(GitAccess { auth, tls: secret.tls()?, ssh: None })
        }
    }
}

fn required(key: &str) -> String {
    format!("invalid 'ssh' auth option: '{key}' is required")
}

fn ssh_access(secret: &SecretData) -> Result<SshAuth, String> {
    let identity = secret.text(key::IDENTITY)?.ok_or_else(|| required(key::IDENTITY))?;
    let known_hosts = secret.text(key::KNOWN_HOSTS)?.ok_or_else(|| required(key::KNOWN_HOSTS))?;
    let password = secret.text(key::PASSWORD)?;
    let identity = read_identity(identity.expose(), password.as_ref().map(|password| password.expose().as_str()))
        .map_err(|error| match error {
            IdentityError::Encrypted => format!(
                "SSH identity key is encrypted but no 'password' field was provided in the secret '{}'",
                secret.shown
            ),
            IdentityError::Unreadable => format!(
                "key '{}' of secret '{}' is not a private key that can be read (or its password is wrong)",
                key::IDENTITY,
                secret.shown
            ),
        })?;
    Ok(SshAuth { identities: identity.into(), known_hosts: known_hosts.into_inner() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(pairs: &[(&str, &str)]) -> SecretData {
        let data =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(value.as_bytes().to_vec()))).collect();
        SecretData { shown: "apps/auth".to_owned(), data }
    }

    fn refusal(url: &str, pairs: &[(&str, &str)]) -> String {
        git_access(&GitUrl::parse(url).unwrap(), Some(&secret(pairs))).unwrap_err()
    }

    #[test]
    fn git_secrets_are_checked() {
        let https = "https://example.com/x";
        assert_eq!(
            refusal(https, &[("username", "jane")]),
            "secret 'apps/auth' has 'username' and must have 'password' too"
        );
        assert!(
            refusal(https, &[("bearerToken", "t"), ("username", "u"), ("password", "p")])
                .contains("exclude each other")
        );
        assert!(refusal(https, &[("tls.crt", "x")]).contains("must have both 'tls.crt' and 'tls.key'"));
        assert!(refusal(https, &[("githubAppID", "1")]).contains("provider is not set to github"));
        let ssh = "ssh://git@example.com/x";
        assert_eq!(refusal(ssh, &[("known_hosts", "x")]), "invalid 'ssh' auth option: 'identity' is required");
        assert_eq!(refusal(ssh, &[("identity", "x")]), "invalid 'ssh' auth option: 'known_hosts' is required");
        assert!(refusal(ssh, &[("identity", "junk"), ("known_hosts", "x")]).contains("is not a private key"));
        assert!(git_access(&GitUrl::parse(ssh).unwrap(), None).is_err());
    }

    #[test]
    fn git_secrets_give_access() {
        let url = GitUrl::parse("https://embedded:secret@example.com/x").unwrap();
        let auth = |pairs: &[(&str, &str)]| git_access(&url, Some(&secret(pairs))).unwrap().auth;
        assert!(
            matches!(auth(&[("username", "u"), ("password", "p")]), HttpAuth::Basic { username, .. } if username == "u")
        );
        assert!(matches!(auth(&[("bearerToken", "t\n")]), HttpAuth::Bearer(token) if token.expose() == "t"));
        assert!(matches!(auth(&[]), HttpAuth::Basic { username, .. } if username == "embedded"));
        let tls = git_access(&url, Some(&secret(&[("caFile", "old"), ("ca.crt", "new")]))).unwrap().tls;
        assert_eq!(tls.ca.as_deref(), Some(&b"new"[..]));
    }
}
