//! A running server with one stored artifact, and who may read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use artifact::catalogue::Catalogue;
use artifact::server::{AuthError, Authenticator, Authoriser, BoxFuture, Caller, Server, TlsFiles, Verb};
use artifact::source::{Source, SourceKind};
use common::meta::Artifact;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Tokens are user names here; Kubernetes' own reviews are tested with the source-controller.
struct Names;

impl Authenticator for Names {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Caller, AuthError>> {
        Box::pin(async move {
            match token {
                "reader" | "stranger" => Ok(Caller { username: token.to_owned(), ..Caller::default() }),
                _ => Err(AuthError::Rejected("unknown".to_owned())),
            }
        })
    }
}

impl Authoriser for Names {
    fn is_allowed<'a>(
        &'a self,
        caller: &'a Caller,
        _: Verb,
        _: SourceKind,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<bool, AuthError>> {
        Box::pin(async move { Ok(caller.username == "reader") })
    }
}

pub(crate) struct Fixture {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) address: String,
    pub(crate) source: Source,
    pub(crate) artifact: Artifact,
    pub(crate) content: Vec<u8>,
    _stop: DropGuard,
}

#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) no_http: bool,
    pub(crate) tls: Option<TlsFiles>,
}

impl Fixture {
    pub(crate) async fn start(settings: Settings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("data");
        let folder = root.join("helmchart/apps/web");
        fs_err::create_dir_all(&folder).unwrap();
        let content: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
        fs_err::write(folder.join("web-1.0.0.tgz"), &content).unwrap();
        fs_err::os::unix::fs::symlink("web-1.0.0.tgz", folder.join("latest.tar.gz")).unwrap();
        fs_err::write(directory.path().join("secret"), "outside").unwrap();
        fs_err::os::unix::fs::symlink("../../../../secret", folder.join("escape.tgz")).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let source = Source::new(SourceKind::HelmChart, "apps", "web");
        let artifact = Artifact {
            path: "helmchart/apps/web/web-1.0.0.tgz".to_owned(),
            url: format!("{address}/helmchart/apps/web/web-1.0.0.tgz"),
            revision: "1.0.0".to_owned(),
            digest: format!("sha256:{}", hex::encode(Sha256::digest(&content))),
            last_update_time: Time(jiff::Timestamp::UNIX_EPOCH),
            size: Some(i64::try_from(content.len()).unwrap()),
            metadata: BTreeMap::new(),
        };
        let catalogue = Arc::new(Catalogue::default());
        catalogue.publish(&source, &artifact);
        let server = Server {
            catalogue: Arc::clone(&catalogue),
            root,
            authenticator: Arc::new(Names),
            authoriser: Arc::new(Names),
            serve_http: !settings.no_http,
            tls: settings.tls,
        };
        let shutdown = CancellationToken::new();
        tokio::spawn(server.serve(listener, shutdown.clone()));
        Self { directory, catalogue, address, source, artifact, content, _stop: shutdown.drop_guard() }
    }

    /// A file with a token in it.
    pub(crate) fn token(&self, token: &str) -> std::path::PathBuf {
        let path = self.directory.path().join(format!("token-{token}"));
        fs_err::write(&path, token).unwrap();
        path
    }

    /// The stored file, for damaging it.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("data").join(&self.artifact.path)
    }
}
