//! An SSH server that runs `git-upload-pack` and `git-receive-pack` on the repositories of a `Repositories` place.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::Rng as _;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::{Cipher, Kdf, LineEnding};
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Msg, PublicKeyOffer, Session, VerifiedPublicKey, run_stream};
use russh::{Channel, ChannelId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::git::{Repositories, isolate};
use crate::http_server::locked;

/// An Ed25519 key of a client.
#[derive(Clone, Debug)]
pub struct ClientKey {
    /// The private key in OpenSSH's form, as Secrets hold it under `identity`.
    pub private: String,
    /// The public key in OpenSSH's form.
    pub public: String,
}

impl ClientKey {
    /// A new key.
    pub fn new() -> Result<Self> {
        let key = new_key();
        Ok(Self { private: key.to_openssh(LineEnding::LF)?.to_string(), public: key.public_key().to_openssh()? })
    }
}

impl ClientKey {
    /// A new key whose private part is encrypted with a password.
    pub fn encrypted(password: &str) -> Result<Self> {
        let key = new_key();
        let salt: [u8; 16] = rand::rng().random();
        // Few rounds, as guessing the password is not what tests are about.
        let kdf = Kdf::Bcrypt { salt: salt.to_vec(), rounds: 4 };
        let private = key.encrypt_with(Cipher::Aes256Ctr, kdf, rand::rng().random(), password)?;
        Ok(Self { private: private.to_openssh(LineEnding::LF)?.to_string(), public: key.public_key().to_openssh()? })
    }
}

fn new_key() -> PrivateKey {
    let seed: [u8; 32] = rand::rng().random();
    PrivateKey::from(Ed25519Keypair::from_seed(&seed))
}

#[derive(Debug)]
struct Shared {
    repositories: Arc<Repositories>,
    allowed: Mutex<Vec<PublicKey>>,
    commands: AtomicUsize,
}

/// A running SSH server; dropped, it stops.
#[derive(Debug)]
pub struct SshGitServer {
    address: SocketAddr,
    host_key: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl SshGitServer {
    /// Serves the repositories to these clients.
    pub async fn start(repositories: Arc<Repositories>, clients: &[&ClientKey]) -> Result<Self> {
        let host_key = new_key();
        let public = host_key.public_key().to_openssh()?;
        let config = Arc::new(Config {
            keys: vec![host_key],
            // Fast rejection: guessing passwords is not what tests are about.
            auth_rejection_time: Duration::from_millis(10),
            inactivity_timeout: Some(Duration::from_secs(120)),
            nodelay: true,
            ..Config::default()
        });
        let allowed = clients.iter().map(|key| PublicKey::from_openssh(&key.public)).collect::<Result<Vec<_>, _>>()?;
        let shared = Arc::new(Shared { repositories, allowed: Mutex::new(allowed), commands: AtomicUsize::new(0) });
        let listener = TcpListener::bind("127.0.0.1:0").await.context("binding a loopback port")?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, config, Arc::clone(&shared)));
        Ok(Self { address, host_key: public, shared, task })
    }

    /// The URL of a repository.
    pub fn url(&self, name: &str) -> String {
        format!("ssh://git@{}/{name}.git", self.address)
    }

    /// The line of a known_hosts file for this server.
    pub fn known_hosts(&self) -> String {
        // Only type and key: the comment is not part of the format here.
        let key: Vec<&str> = self.host_key.split(' ').take(2).collect();
        format!("[{}]:{} {}\n", self.address.ip(), self.address.port(), key.join(" "))
    }

    /// A known_hosts line with the right address and another key.
    pub fn wrong_known_hosts(&self) -> Result<String> {
        let other = new_key().public_key().to_openssh()?;
        Ok(format!("[{}]:{} {}\n", self.address.ip(), self.address.port(), other.trim()))
    }

    /// Replaces the clients that are let in.
    pub fn allow_only(&self, clients: &[&ClientKey]) -> Result<()> {
        *locked(&self.shared.allowed) =
            clients.iter().map(|key| PublicKey::from_openssh(&key.public)).collect::<Result<Vec<_>, _>>()?;
        Ok(())
    }

    /// How many commands have been run for clients.
    pub fn command_count(&self) -> usize {
        self.shared.commands.load(Ordering::Relaxed)
    }
}

impl Drop for SshGitServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, config: Arc<Config>, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        let config = Arc::clone(&config);
        let connection = Connection { shared: Arc::clone(&shared), channel: None, protocol: None };
        connections.spawn(async move {
            if let Ok(session) = run_stream(config, stream, connection).await {
                // A client that hangs up is no failure of the server.
                let _ = session.await;
            }
        });
    }
}

struct Connection {
    shared: Arc<Shared>,
    channel: Option<Channel<Msg>>,
    /// What the client asks for in the variable GIT_PROTOCOL.
    protocol: Option<String>,
}

impl Connection {
    fn check(&self, user: &str, key: &PublicKey) -> Auth {
        let known = locked(&self.shared.allowed).iter().any(|allowed| allowed.key_data() == key.key_data());
        if user == "git" && known { Auth::Accept } else { Auth::reject() }
    }
}

impl russh::server::Handler for Connection {
    type Error = anyhow::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth> {
        Ok(self.check(user, offer.public_key))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth> {
        Ok(self.check(user, key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<()> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<()> {
        let line = String::from_utf8_lossy(data).into_owned();
        let Some((program, name)) = command(&line) else {
            session.channel_failure(id)?;
            return Ok(());
        };
        let Some(channel) = self.channel.take() else {
            session.channel_failure(id)?;
            return Ok(());
        };
        session.channel_success(id)?;
        self.shared.commands.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.repositories.bare().join(name);
        let mut command = tokio::process::Command::new("git");
        isolate(command.as_std_mut());
        // `git upload-pack` and not `git-upload-pack`: the latter is not on every machine's path.
        command.arg(program.trim_start_matches("git-")).arg(path);
        if let Some(protocol) = &self.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        tokio::spawn(run(command, channel));
        Ok(())
    }

    async fn env_request(&mut self, id: ChannelId, name: &str, value: &str, session: &mut Session) -> Result<()> {
        if name == "GIT_PROTOCOL" {
            self.protocol = Some(value.to_owned());
            session.channel_success(id)?;
        } else {
            session.channel_failure(id)?;
        }
        Ok(())
    }
}

/// Runs a command with the channel as its standard input and output, and reports its exit status.
async fn run(mut command: tokio::process::Command, channel: Channel<Msg>) {
    let (mut input, output) = channel.split();
    let exchange = async {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            tokio::spawn(async move {
                // The program may end before it has read everything.
                let _ = tokio::io::copy(&mut input.make_reader(), &mut stdin).await;
                let _ = stdin.shutdown().await;
            });
        }
        if let Some(mut stdout) = child.stdout.take() {
            let mut writer = output.make_writer();
            tokio::io::copy(&mut stdout, &mut writer).await?;
            writer.flush().await?;
        }
        if let Some(stderr) = child.stderr.take() {
            let mut messages = Vec::new();
            stderr.take(1 << 16).read_to_end(&mut messages).await?;
            output.make_writer_ext(Some(1)).write_all(&messages).await?;
        }
        child.wait().await
    };
    let code = exchange.await.ok().and_then(|status| status.code()).unwrap_or(1);
    // A client that has hung up needs no status.
    let _ = output.exit_status(code.try_into().unwrap_or(1)).await;
    let _ = output.eof().await;
    let _ = output.close().await;
}

/// The program and the repository of a Git client's command line, such as `git-upload-pack '/group/name.git'`.
fn command(line: &str) -> Option<(&str, &str)> {
    let (program, argument) = line.split_once(' ')?;
    if !matches!(program, "git-upload-pack" | "git-receive-pack") {
        return None;
    }
    let name = argument.trim().trim_matches('\'').trim_start_matches('/');
    let plain = !name.is_empty() && name.split('/').all(|part| part != ".." && !part.is_empty());
    plain.then_some((program, name))
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn only_git_on_paths_below_the_root_is_run() {
        assert_eq!(command("git-upload-pack '/a/b.git'"), Some(("git-upload-pack", "a/b.git")));
        assert_eq!(command("git-receive-pack 'b.git'"), Some(("git-receive-pack", "b.git")));
        for refused in ["ls /", "git-upload-pack '/../b.git'", "git-upload-pack", "git-upload-pack ''"] {
            assert_eq!(command(refused), None, "{refused}");
        }
    }
}
