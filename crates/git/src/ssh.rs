//! Git over SSH, spoken by russh: no `ssh` program, no OpenSSL.

use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::secret::Secret;
use parking_lot::Mutex;
use russh::client::{self, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, Preferred, kex};

use crate::GitError;
use crate::known_hosts::{KnownKeys, Verdict};
use crate::packet::printable;
use crate::session::Remote;

/// Who we are and whom we trust.
#[derive(Clone, Debug)]
pub struct SshAuth {
    /// What to prove it with.
    pub identities: SshIdentities,
    /// The text of `known_hosts`.
    pub known_hosts: String,
}

/// Private keys, tried in order.
#[derive(Clone, Debug, Default)]
pub struct SshIdentities {
    /// Keys that are at hand.
    pub keys: Vec<Secret<Arc<PrivateKey>>>,
    /// The socket of an agent, whose keys are tried first.
    pub agent: Option<PathBuf>,
}

impl From<Secret<Arc<PrivateKey>>> for SshIdentities {
    fn from(key: Secret<Arc<PrivateKey>>) -> Self {
        Self { keys: vec![key], agent: None }
    }
}

/// Why a private key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// It is encrypted and there is no password.
    Encrypted,
    /// It is not a private key, or the password is wrong.
    Unreadable,
}

/// Reads a private key in any of the usual formats.
pub fn read_identity(text: &str, password: Option<&str>) -> Result<Secret<Arc<PrivateKey>>, IdentityError> {
    match russh::keys::decode_secret_key(text, password) {
        Ok(key) if key.is_encrypted() => Err(IdentityError::Encrypted),
        Ok(key) => Ok(Secret::new(Arc::new(key))),
        Err(russh::keys::Error::KeyIsEncrypted) if password.is_none() => Err(IdentityError::Encrypted),
        Err(_) => Err(IdentityError::Unreadable),
    }
}

/// Algorithms that may be used; the library's defaults where a list is empty.
#[derive(Clone, Debug, Default)]
pub struct SshAlgorithms {
    key_exchange: Vec<kex::Name>,
    host_key: Vec<Algorithm>,
}

impl SshAlgorithms {
    /// Checks the names given by flags.
    pub fn parse(key_exchange: &[String], host_key: &[String]) -> Result<Self, String> {
        let key_exchange = key_exchange
            .iter()
            .map(|name| {
                kex::Name::try_from(name.as_str()).map_err(|()| format!("unknown key exchange algorithm {name:?}"))
            })
            .collect::<Result<_, _>>()?;
        let host_key = host_key
            .iter()
            .map(|name| Algorithm::from_str(name).map_err(|_| format!("unknown host key algorithm {name:?}")))
            .collect::<Result<_, _>>()?;
        Ok(Self { key_exchange, host_key })
    }

    /// What to offer a host with these keys: the algorithms of its known keys first.
    fn preferred(&self, known: &KnownKeys) -> Preferred {
        let mut preferred = Preferred::default();
        if !self.key_exchange.is_empty() {
            let mut names = self.key_exchange.clone();
            // Not algorithms but markers of protocol extensions, without which RSA keys would be limited to SHA-1.
            names.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
            preferred.kex = Cow::Owned(names);
        }
        let mut keys = if self.host_key.is_empty() { preferred.key.to_vec() } else { self.host_key.clone() };
        keys.sort_by_key(|algorithm| !known.prefers(algorithm));
        preferred.key = Cow::Owned(keys);
        preferred
    }
}

/// Checks the server's key and remembers why it was refused.
struct Checker {
    address: String,
    known: KnownKeys,
    refusal: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Checker {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(_) => {
                *self.refusal.lock() =
                    Some(format!("{} shows a host certificate, which is not supported", self.address));
                return Ok(false);
            }
        };
        let shown = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        let refusal = match self.known.judge(&key) {
            Verdict::Accepted => return Ok(true),
            Verdict::Revoked => format!("the host key of {} ({shown}) is revoked in known_hosts", self.address),
            Verdict::Different => format!(
                "knownhosts: key mismatch: {} shows {shown}, which is not the key in known_hosts: either it was changed, or somebody is listening in",
                self.address
            ),
            Verdict::Unknown => {
                format!("knownhosts: key is unknown: known_hosts has no key for {}; it shows {shown}", self.address)
            }
        };
        *self.refusal.lock() = Some(refusal);
        Ok(false)
    }
}

/// A running `git-upload-pack` on the server.
pub(crate) struct SshSession {
    connection: Handle<Checker>,
    channel: Channel<client::Msg>,
    stderr: Vec<u8>,
    exit: Option<u32>,
}

impl SshSession {
    pub(crate) async fn open(remote: &Remote) -> Result<Self, GitError> {
        let auth = remote
            .ssh
            .as_ref()
            .ok_or_else(|| GitError::Authentication(format!("{} needs an SSH identity and known_hosts", remote.url)))?;
        let (host, port) = remote.url.address();
        let address = format!("{host}:{port}");
        let known = KnownKeys::parse(&auth.known_hosts, &host, port);
        let refusal = Arc::new(Mutex::new(None));
        let config = client::Config {
            preferred: remote.algorithms.preferred(&known),
            inactivity_timeout: Some(Duration::from_secs(60)),
            // Packs are large: a window of 4 MiB keeps fast links busy and memory small.
            window_size: 4 << 20,
            nodelay: true,
            ..client::Config::default()
        };
        let stream = tokio::net::TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|source| GitError::Connect { address: address.clone(), source })?;
        let checker = Checker { address, known, refusal: Arc::clone(&refusal) };
        let mut connection = client::connect_stream(Arc::new(config), stream, checker).await.map_err(|error| {
            let refused = refusal.lock().take();
            refused.map_or(GitError::Ssh(error), GitError::HostKey)
        })?;
        if !log_in(&mut connection, &remote.url.user, &auth.identities).await? {
            return Err(GitError::Authentication(format!(
                "{} does not accept the SSH identity for user {:?}",
                remote.url, remote.url.user
            )));
        }
        let channel = connection.channel_open_session().await.map_err(GitError::Ssh)?;
        let command = format!("git-upload-pack '{}'", remote.url.path().replace('\'', "'\\''"));
        channel.exec(true, command).await.map_err(GitError::Ssh)?;
        Ok(Self { connection, channel, stderr: Vec::new(), exit: None })
    }

    /// The next bytes of the program's output.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, GitError> {
        loop {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => return Ok(Some(data)),
                Some(ChannelMsg::ExtendedData { data, .. }) if self.stderr.len() < 4096 => {
                    self.stderr.extend_from_slice(&data);
                }
                Some(ChannelMsg::Failure) => {
                    return Err(GitError::Remote("the server does not run git-upload-pack".to_owned()));
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => self.exit = Some(exit_status),
                Some(ChannelMsg::Close) | None => return self.ended(),
                Some(_) => {}
            }
        }
    }

    /// What the program said on its way out decides whether the end is an error.
    fn ended(&self) -> Result<Option<Bytes>, GitError> {
        let message = printable(&self.stderr);
        match self.exit {
            Some(0) => Ok(None),
            None if message.is_empty() => Ok(None),
            _ if message.contains("not found") || message.contains("does not") => Err(GitError::NotFound(message)),
            _ => Err(GitError::Remote(message)),
        }
    }

    pub(crate) async fn send(&self, body: Vec<u8>) -> Result<(), GitError> {
        self.channel.data_bytes(body).await.map_err(GitError::Ssh)
    }

    /// A flush instead of a request tells the server that nothing is wanted.
    pub(crate) async fn close(self) {
        // Whether the goodbye arrives changes nothing.
        let _ = self.channel.data_bytes(crate::packet::FLUSH.to_vec()).await;
        let _ = self.channel.eof().await;
        let _ = self.connection.disconnect(russh::Disconnect::ByApplication, "", "").await;
    }
}

/// Shows one key after another until the server takes one.
async fn log_in(connection: &mut Handle<Checker>, user: &str, identities: &SshIdentities) -> Result<bool, GitError> {
    if let Some(socket) = &identities.agent
        && let Ok(mut agent) = AgentClient::connect_uds(socket).await
    {
        for identity in agent.request_identities().await.unwrap_or_default() {
            let AgentIdentity::PublicKey { key, .. } = identity else { continue };
            let hash = signature_hash(connection, key.algorithm()).await;
            // An agent that does not sign is as good as one without the key.
            let outcome = connection.authenticate_publickey_with(user, key, hash, &mut agent).await;
            if outcome.is_ok_and(|outcome| outcome.success()) {
                return Ok(true);
            }
        }
    }
    for key in &identities.keys {
        let key = Arc::clone(key.expose());
        let hash = signature_hash(connection, key.algorithm()).await;
        let key = PrivateKeyWithHashAlg::new(key, hash);
        if connection.authenticate_publickey(user, key).await.map_err(GitError::Ssh)?.success() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Only RSA keys sign by more than one hash; asking waits for a message that not every server sends.
async fn signature_hash(connection: &Handle<Checker>, algorithm: Algorithm) -> Option<HashAlg> {
    if algorithm.is_rsa() {
        connection.best_supported_rsa_hash().await.ok().flatten().flatten().or(Some(HashAlg::Sha256))
    } else {
        None
    }
}
