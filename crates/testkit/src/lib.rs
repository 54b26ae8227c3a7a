//! Hermetic test environment: a real control plane, the real judges (helm, kustomize, grpcurl), Git, SSH, Helm, OTLP
//! and proxy servers, processes and temporary directories. Everything stops and is removed with the process that asked
//! for it, however that process ends.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let plane = testkit::ControlPlane::shared().await?;
//! let namespace = plane.namespace().await?;
//! let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
//!     kube::Api::namespaced(plane.client().await?, &namespace);
//! # Ok(())
//! # }
//! ```

pub mod control_plane;
pub mod file_server;
pub mod git;
pub mod helm_repository;
pub mod http_server;
pub mod oci;
pub mod otlp;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod scratch;
pub mod ssh;
pub mod tls;
pub mod wait;

pub use control_plane::{ControlPlane, Options, ServiceAccountAccess};
pub use file_server::FileServer;
pub use git::{Commit, GitServer, Repository};
pub use helm_repository::HelmRepositoryServer;
pub use oci::OciRegistry;
pub use otlp::OtlpReceiver;
pub use process::Process;
pub use programs::tool;
pub use proxy::Proxy;
pub use scratch::TempDir;
pub use ssh::SshGitServer;
pub use tls::Authority;
pub use wait::until;

use std::path::PathBuf;

/// The root of the workspace this crate was built in.
pub fn workspace() -> PathBuf {
    let crate_directory = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    crate_directory.ancestors().nth(2).map_or_else(|| crate_directory.clone(), PathBuf::from)
}

/// The shared material beside the workspace (`$TOWLINE_SHARED` or `../shared`); tests that need it skip visibly without.
pub fn shared_material() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the one reader of this variable, for tests")]
    let configured = std::env::var("TOWLINE_SHARED").ok().map(PathBuf::from);
    configured.or_else(|| Some(workspace().parent()?.join("shared"))).filter(|path| path.is_dir())
}

/// A loopback port that nobody listens on at the moment.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Says visibly (past the test harness's capture) that a test was skipped and why.
pub fn skip(test: &str, reason: &str) {
    notice(&format!("SKIPPED {test}: {reason}"));
}

/// Writes one line to the real standard error, which the test harness does not capture.
pub fn notice(line: &str) {
    use std::io::Write as _;
    // Nothing can be done about a closed standard error.
    let _ = writeln!(std::io::stderr(), "{line}");
}
