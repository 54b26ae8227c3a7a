//! The server's certificate, read again when its files change (certificates of a cluster are rotated while we run).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key lie, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// The file is not PEM of the right kind.
    #[error("{} holds no usable PEM: {source}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// Certificate and key do not go together.
    #[error("the certificate {} cannot be used", path.display())]
    Config {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

/// Hands out the current TLS settings.
pub(super) struct Acceptor {
    files: TlsFiles,
    current: Mutex<(Option<SystemTime>, Arc<ServerConfig>)>,
}

impl Acceptor {
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Mutex::new((modified(&files), Arc::new(read(&files)?)));
        Ok(Self { files, current })
    }

    /// Settings for the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock();
        let modified = modified(&self.files);
        if modified != current.0 {
            match read(&self.files) {
                Ok(config) => *current = (modified, Arc::new(config)),
                // Half-written files are read again at the next connection.
                Err(error) => tracing::warn!(error = %error, "keeping the old certificate"),
            }
        }
        TlsAcceptor::from(Arc::clone(&current.1))
    }
}

fn modified(files: &TlsFiles) -> Option<SystemTime> {
    let time = |path| fs_err::metadata(path).and_then(|metadata| metadata.modified()).ok();
    time(&files.certificate).max(time(&files.key))
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let pem = |path: &PathBuf| {
        let path = path.clone();
        move |source| TlsError::Pem { path, source }
    };
    let chain = CertificateDer::pem_slice_iter(&fs_err::read(&files.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(pem(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_slice(&fs_err::read(&files.key)?).map_err(pem(&files.key))?;
    let config_error = |source| TlsError::Config { path: files.certificate.clone(), source };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(config_error)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(config_error)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
