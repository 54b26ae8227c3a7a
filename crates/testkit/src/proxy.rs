//! An HTTP proxy (CONNECT and absolute-form requests) that records where it was asked to go.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::http_server::{Credentials, locked};

#[derive(Debug)]
struct Shared {
    credentials: Credentials,
    targets: Mutex<Vec<String>>,
}

/// A running proxy; dropped, it stops.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one that demands these credentials (`Proxy-Authorization`).
    pub async fn start(credentials: Credentials) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("binding a loopback port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { credentials, targets: Mutex::new(Vec::new()) });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                while connections.try_join_next().is_some() {}
                let shared = Arc::clone(&serving);
                connections.spawn(async move {
                    // What breaks here breaks the client's request, which the test sees.
                    let _ = relay(stream, &shared).await;
                });
            }
        });
        Ok(Self { address, shared, task })
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `host:port` of every request that was let through, in order.
    pub fn targets(&self) -> Vec<String> {
        locked(&self.shared.targets).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(client: TcpStream, shared: &Shared) -> Result<()> {
    let mut client = BufReader::new(client);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 {
            bail!("the client hung up in its headers");
        }
        if line.trim_end().is_empty() {
            break;
        }
        head.push(line);
    }
    let request = head.first().context("an empty request")?.clone();
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let presented = head.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_owned())
    });
    let wanted = shared.credentials.header();
    if wanted.is_some() && wanted != presented {
        client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await?;
        return Ok(());
    }
    if method == "CONNECT" {
        locked(&shared.targets).push(target.to_owned());
        let mut server = TcpStream::connect(target).await?;
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        return Ok(());
    }
    let uri: http::Uri = target.parse().context("not an absolute URL")?;
    let host = uri.host().context("a URL without a host")?;
    let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
    locked(&shared.targets).push(authority.clone());
    let mut server = TcpStream::connect(&authority).await?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // One request a connection: the next may be for another server.
    let mut forwarded = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for line in head.iter().skip(1) {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(name.as_str(), "proxy-authorization" | "proxy-connection" | "connection") {
            forwarded.push_str(line);
        }
    }
    forwarded.push_str("\r\n");
    server.write_all(forwarded.as_bytes()).await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
