//! The controller's flags, under upstream's names and with upstream's defaults.

use std::time::Duration;

use clap::{ArgAction, Parser};
use runtime::flags::{CommonFlags, parse_duration};

use crate::plan::policy::Gates;

/// Installs, upgrades, tests and heals Helm releases declared as HelmRelease objects.
#[derive(Parser, Clone, Debug)]
#[command(name = "helm-controller", version, max_term_width = 110, next_help_heading = "Releases")]
pub struct Flags {
    /// How often an unready dependency is looked at if nothing wakes the release earlier.
    #[arg(long, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub requeue_dependency: Duration,
    /// Tries to fetch a chart.
    #[arg(long, default_value_t = 9, value_name = "NUMBER")]
    pub http_retry: u32,
    /// Time for fetching a chart.
    #[arg(long, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub http_timeout: Duration,
    /// Service account of releases that name none.
    #[arg(long, default_value = "", value_name = "NAME")]
    pub default_service_account: String,
    /// Service account on other clusters, of releases that name none.
    #[arg(long, default_value = "", value_name = "NAME")]
    pub default_kubeconfig_service_account: String,
    /// Allow kubeconfigs to run programs for credentials.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub insecure_kubeconfig_exec: bool,
    /// Allow kubeconfigs to skip the check of server certificates.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub insecure_kubeconfig_tls: bool,
    /// Forbid references to objects in other namespaces.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub no_cross_namespace_refs: bool,
    /// Field managers whose fields are taken over (accepted; fields are always taken over by force).
    #[arg(long, value_name = "NAME")]
    pub override_manager: Vec<String>,
    /// Algorithm of release digests.
    #[arg(long, default_value = "sha256", value_name = "NAME")]
    pub snapshot_digest_algo: String,
    /// Selector of ConfigMaps and Secrets whose changes wake the releases that read them.
    #[arg(long, default_value = "reconcile.fluxcd.io/watch=Enabled", value_name = "SELECTOR")]
    pub watch_configs_label_selector: String,
    /// Map API versions that Kubernetes no longer serves to their successors, for helm.toolkit.fluxcd.io too.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub map_removed_apis: bool,
    /// Branch of Git charts that name none (helm.fluxcd.io).
    #[arg(long, default_value = "master", value_name = "NAME")]
    pub git_default_ref: String,
    /// How often charts and releases of helm.fluxcd.io are checked.
    #[arg(long, default_value = "3m", value_parser = parse_duration, value_name = "DURATION")]
    pub charts_sync_interval: Duration,
    /// Address of source-controller's gRPC service, as http://HOST:PORT; charts come over plain HTTP without it.
    #[arg(long, default_value = "", value_name = "URL")]
    pub artifact_addr: String,
    /// File with the service-account token for source-controller's gRPC service.
    #[arg(long, default_value = "/var/run/secrets/towline/artifact-token/token", value_name = "FILE")]
    pub artifact_token_file: std::path::PathBuf,
    /// File with the certificate authority of source-controller's gRPC service.
    #[arg(long, value_name = "FILE")]
    pub artifact_ca_file: Option<std::path::PathBuf>,
    /// Accepted for compatibility: tokens are not cached here.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub token_cache_max_size: u32,
    /// Accepted for compatibility: tokens are not cached here.
    #[arg(long, default_value = "1h", value_parser = parse_duration, value_name = "DURATION")]
    pub token_cache_max_duration: Duration,
    /// Accepted for compatibility: memory is bounded, and the kernel's own limit needs no watch.
    #[arg(long, default_value = "500ms", value_parser = parse_duration, value_name = "DURATION")]
    pub oom_watch_interval: Duration,
    /// Accepted for compatibility.
    #[arg(long, default_value_t = 95, value_name = "PERCENT")]
    pub oom_watch_memory_threshold: u8,
    /// Accepted for compatibility.
    #[arg(long, default_value = "", value_name = "FILE")]
    pub oom_watch_max_memory_path: String,
    /// Accepted for compatibility.
    #[arg(long, default_value = "", value_name = "FILE")]
    pub oom_watch_current_memory_path: String,
    /// Flags of every controller.
    #[command(flatten)]
    pub common: CommonFlags,
}

/// What a feature gate means here.
enum Meaning {
    /// It is obeyed.
    Obeyed,
    /// Turning it on changes nothing that matters; a line in the log says so.
    Harmless(&'static str),
    /// Turning it on would promise what is not there.
    Refused(&'static str),
}

fn meaning(gate: &str) -> Option<Meaning> {
    Some(match gate {
        "DefaultToRetryOnFailure" => Meaning::Obeyed,
        "CacheSecretsAndConfigMaps" => Meaning::Harmless("Secrets and ConfigMaps are read when they are needed"),
        "OOMWatch" => Meaning::Harmless("memory is bounded"),
        "AdoptLegacyReleases" => Meaning::Harmless("it has no effect upstream either"),
        "CancelHealthCheckOnNewRevision" => Meaning::Harmless("a new revision always ends the wait for the old one"),
        "DisableConfigWatchers" => Meaning::Harmless("only labelled objects are watched"),
        "DisableChartDigestTracking" => Meaning::Harmless("charts from OCI repositories are not supported yet"),
        "AllowDNSLookups" => Meaning::Refused("templates are rendered without a network"),
        "DetectDrift" | "CorrectDrift" => Meaning::Refused("use spec.driftDetection"),
        "AdditiveCELDependencyCheck" => Meaning::Refused("CEL is not supported yet"),
        "ExternalArtifact" => Meaning::Refused("ExternalArtifact is not supported yet"),
        "DirectSourceFetch" => Meaning::Refused("sources are watched, and nothing else is built yet"),
        "UseHelm3Defaults" => Meaning::Refused("client-side apply is not supported yet"),
        "ObjectLevelWorkloadIdentity" => Meaning::Refused("cloud identities are not supported yet"),
        _ => return None,
    })
}

impl Flags {
    /// Checks what clap cannot, and gives the gates and the notes to log.
    pub fn validate(&self) -> Result<(Gates, Vec<String>), String> {
        let mut gates = Gates::default();
        let mut notes = Vec::new();
        if self.snapshot_digest_algo != "sha256" {
            return Err(format!(
                "--snapshot-digest-algo: {:?} is not supported, only sha256 is",
                self.snapshot_digest_algo
            ));
        }
        for (gate, on) in self.common.gates()? {
            match meaning(&gate) {
                None => return Err(format!("--feature-gates: there is no gate {gate:?}")),
                Some(_) if !on => {}
                Some(Meaning::Obeyed) => gates.default_to_retry_on_failure = true,
                Some(Meaning::Harmless(why)) => notes.push(format!("feature gate {gate} changes nothing: {why}")),
                Some(Meaning::Refused(why)) => return Err(format!("--feature-gates: {gate} is not supported: {why}")),
            }
        }
        Ok((gates, notes))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Flags::command().debug_assert();
    }

    #[test]
    fn upstreams_deployment_arguments_are_read() {
        let flags = Flags::try_parse_from([
            "helm-controller",
            "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
            "--watch-all-namespaces=true",
            "--log-level=info",
            "--log-encoding=json",
            "--enable-leader-election",
            "--override-manager=kubectl",
            "--override-manager=helm",
            "--no-cross-namespace-refs=true",
            "--feature-gates=OOMWatch=true,DefaultToRetryOnFailure=true",
        ])
        .unwrap();
        assert!(flags.no_cross_namespace_refs);
        let (gates, notes) = flags.validate().unwrap();
        assert!(gates.default_to_retry_on_failure);
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn unknown_and_unkept_promises_are_refused() {
        for gates in ["Nonsense=true", "UseHelm3Defaults=true", "AllowDNSLookups=true"] {
            let flags = Flags::try_parse_from(["helm-controller", &format!("--feature-gates={gates}")]).unwrap();
            assert!(flags.validate().is_err(), "{gates}");
        }
        let off = Flags::try_parse_from(["helm-controller", "--feature-gates=UseHelm3Defaults=false"]).unwrap();
        assert!(off.validate().is_ok());
    }
}
