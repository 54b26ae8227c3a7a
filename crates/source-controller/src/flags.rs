//! The controller's command line: upstream's names and defaults, and what Towline adds.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser};
use runtime::flags::{Address, CommonFlags, parse_address, parse_duration};

use crate::mirror::Mirror;

/// Fetches Git repositories, Helm repositories and charts, and serves them as artifacts.
#[derive(Clone, Debug, Parser)]
#[command(name = "source-controller", version, max_term_width = 110)]
pub struct Flags {
    /// What every controller has.
    #[command(flatten)]
    pub common: CommonFlags,
    /// Storage and serving.
    #[command(flatten)]
    pub storage: StorageFlags,
    /// Fetching.
    #[command(flatten)]
    pub fetch: FetchFlags,
}

/// Storage and serving.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Artifacts")]
pub struct StorageFlags {
    /// Directory to store artifacts in.
    #[arg(long, env = "STORAGE_PATH", default_value = "/data", value_name = "DIRECTORY")]
    pub storage_path: PathBuf,
    /// Address to serve artifacts at, by gRPC and HTTP.
    #[arg(long, env = "STORAGE_ADDRESS", default_value = ":9090", value_parser = parse_address, value_name = "ADDRESS")]
    pub storage_addr: Address,
    /// Address that others reach it at; host and port, or a URL.
    #[arg(long, env = "STORAGE_ADV_ADDR", default_value = "", value_name = "ADDRESS")]
    pub storage_adv_addr: String,
    /// How long artifacts that are no longer current are kept.
    #[arg(long, default_value = "60s", value_parser = parse_duration, value_name = "DURATION")]
    pub artifact_retention_ttl: Duration,
    /// How many artifacts of one source are kept.
    #[arg(long, default_value_t = 2, value_name = "NUMBER")]
    pub artifact_retention_records: usize,
    /// Digest algorithm of artifacts: sha1, sha256, sha384 or sha512.
    #[arg(long, default_value = "sha256", value_name = "ALGORITHM")]
    pub artifact_digest_algo: String,
    /// Serve artifacts by plain HTTP too, as upstream does; off, only the authenticated gRPC service is left.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub artifact_http: bool,
    /// Certificate (PEM) to serve artifacts with; read again when it changes. Plaintext without.
    #[arg(long, requires = "artifact_tls_key", value_name = "FILE")]
    pub artifact_tls_cert: Option<PathBuf>,
    /// Private key (PEM) of the certificate.
    #[arg(long, requires = "artifact_tls_cert", value_name = "FILE")]
    pub artifact_tls_key: Option<PathBuf>,
}

/// Fetching.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Fetching")]
pub struct FetchFlags {
    /// Largest index of a Helm repository, in bytes.
    #[arg(long, default_value_t = 50 << 20, value_name = "BYTES")]
    pub helm_index_max_size: u64,
    /// Largest packed chart, in bytes.
    #[arg(long, default_value_t = 10 << 20, value_name = "BYTES")]
    pub helm_chart_max_size: u64,
    /// Largest file in a chart, in bytes; only Helm's own limit of 5 MiB is supported.
    #[arg(long, default_value_t = 5 << 20, value_name = "BYTES")]
    pub helm_chart_file_max_size: u64,
    /// Accepted for compatibility: indexes are never held in memory.
    #[arg(long, default_value_t = 0, value_name = "NUMBER")]
    pub helm_cache_max_size: u64,
    /// Accepted for compatibility: indexes are never held in memory.
    #[arg(long, default_value = "15m", value_name = "DURATION")]
    pub helm_cache_ttl: String,
    /// Accepted for compatibility: indexes are never held in memory.
    #[arg(long, default_value = "1m", value_name = "DURATION")]
    pub helm_cache_purge_interval: String,
    /// When to look again at what waits for another source, in case nothing wakes it.
    #[arg(long, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub requeue_dependency: Duration,
    /// Allowed SSH key exchange algorithms, best first.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub ssh_kex_algos: Vec<String>,
    /// Allowed SSH host key algorithms, best first.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub ssh_hostkey_algos: Vec<String>,
    /// Accepted for compatibility: cloud providers are not supported yet.
    #[arg(long, default_value = "", value_name = "NAME")]
    pub default_service_account: String,
    /// Accepted for compatibility: cloud providers are not supported yet.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub token_cache_max_size: u64,
    /// Accepted for compatibility: cloud providers are not supported yet.
    #[arg(long, default_value = "1h", value_name = "DURATION")]
    pub token_cache_max_duration: String,
    /// Fetch from NEW-URL whatever lies below OLD-URL: for repositories that have moved, and for clusters without a way out.
    #[arg(long, value_name = "OLD-URL=NEW-URL")]
    pub mirror: Vec<Mirror>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_is_well_formed() {
        Flags::command().debug_assert();
    }

    #[test]
    fn upstreams_arguments_are_accepted() {
        let flags = Flags::try_parse_from([
            "source-controller",
            "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
            "--watch-all-namespaces=true",
            "--log-level=info",
            "--log-encoding=json",
            "--enable-leader-election",
            "--storage-path=/data",
            "--storage-adv-addr=source-controller.flux-system.svc.cluster.local.",
            "--helm-cache-max-size=10",
            "--helm-cache-ttl=60m",
            "--helm-cache-purge-interval=5m",
            "--mirror=https://a.example=https://b.example",
            "--artifact-http=false",
        ])
        .unwrap();
        assert!(!flags.storage.artifact_http);
        assert_eq!(flags.fetch.mirror.len(), 1);
        assert!(Flags::try_parse_from(["source-controller", "--artifact-tls-cert=x"]).is_err());
    }
}
