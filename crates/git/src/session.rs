//! A conversation with a remote's upload-pack, whatever carries it.

use bytes::Bytes;

use crate::http::HttpSession;
use crate::listing::Listing;
use crate::packet::{Packet, Packets};
use crate::ssh::{SshAlgorithms, SshAuth, SshSession};
use crate::url::{GitUrl, Scheme};
use crate::{GitError, HttpAuth};

/// Largest listing: some hundred thousand references.
const LISTING_LIMIT: u64 = 64 << 20;

/// A repository and how to reach it.
#[derive(Clone, Debug)]
pub struct Remote {
    /// Where it is.
    pub url: GitUrl,
    /// Credentials for HTTP.
    pub auth: HttpAuth,
    /// The HTTP client with its trust, client certificate and proxy.
    pub http: reqwest::Client,
    /// Credentials for SSH.
    pub ssh: Option<SshAuth>,
    /// Allowed SSH algorithms.
    pub algorithms: SshAlgorithms,
}

impl Remote {
    /// The same access for a submodule: credentials go only to the same origin.
    pub fn for_submodule(&self, url: GitUrl) -> Self {
        let same = self.url.is_same_origin(&url);
        let embedded = url.embedded.clone();
        let auth = if embedded.is_some() {
            embedded
        } else if same {
            self.auth.clone()
        } else {
            HttpAuth::None
        };
        Self { url, auth, ssh: self.ssh.clone().filter(|_| same), ..self.clone() }
    }
}

/// An open conversation.
pub(crate) enum Session {
    Http(HttpSession),
    Ssh(Box<SshSession>),
}

/// What the remote sends.
pub(crate) enum ByteStream {
    Http(Box<reqwest::Response>),
    Ssh(Box<SshSession>),
}

impl ByteStream {
    /// The next bytes; nothing at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, GitError> {
        match self {
            Self::Http(response) => response.chunk().await.map_err(GitError::Http),
            Self::Ssh(session) => session.chunk().await,
        }
    }
}

/// Connects and reads the remote's references: one request over HTTP.
pub(crate) async fn open(remote: &Remote) -> Result<(Session, Listing), GitError> {
    match remote.url.scheme {
        Scheme::Http | Scheme::Https => {
            let (session, response) = HttpSession::open(remote).await?;
            let mut packets =
                Packets::new(ByteStream::Http(Box::new(response)), "the list of references", LISTING_LIMIT);
            match packets.next().await? {
                Packet::Data(line) if line.starts_with(b"# service=git-upload-pack") => {}
                _ => return Err(GitError::Protocol("the answer is not for git-upload-pack".to_owned())),
            }
            if packets.next().await? != Packet::Flush {
                return Err(GitError::Protocol("the service line is not followed by a flush".to_owned()));
            }
            let listing = read_listing(&mut packets).await?;
            Ok((Session::Http(session), listing))
        }
        Scheme::Ssh => {
            let session = Box::new(SshSession::open(remote).await?);
            let mut packets = Packets::new(ByteStream::Ssh(session), "the list of references", LISTING_LIMIT);
            let listing = read_listing(&mut packets).await?;
            match packets.into_stream() {
                ByteStream::Ssh(session) => Ok((Session::Ssh(session), listing)),
                ByteStream::Http(_) => Err(GitError::Interrupted),
            }
        }
    }
}

async fn read_listing(packets: &mut Packets) -> Result<Listing, GitError> {
    let mut listing = Listing::default();
    while let Packet::Data(line) = packets.next().await? {
        listing.add(&line).map_err(GitError::Protocol)?;
    }
    Ok(listing)
}

impl Session {
    /// Sends the request for a pack.
    pub(crate) async fn request(self, body: Vec<u8>) -> Result<ByteStream, GitError> {
        match self {
            Self::Http(session) => Ok(ByteStream::Http(Box::new(session.upload_pack(body).await?))),
            Self::Ssh(session) => {
                session.send(body).await?;
                Ok(ByteStream::Ssh(session))
            }
        }
    }

    /// Ends a conversation that needs no pack.
    pub(crate) async fn close(self) {
        if let Self::Ssh(session) = self {
            session.close().await;
        }
    }
}
