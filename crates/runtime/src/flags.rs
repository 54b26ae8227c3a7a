//! The command-line flags that every controller has, under upstream's names and with upstream's defaults.

use std::{net::SocketAddr, time::Duration};

use clap::{ArgAction, Args, ValueEnum};
use common::duration::GoDuration;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogEncoding {
    /// One JSON object a line.
    Json,
    /// For people.
    Console,
}

/// Logs and traces.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryFlags {
    /// Log verbosity: trace, debug, info, warn or error. Can be changed while running: PUT /log-level on the health port.
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    pub log_level: String,
    /// Log encoding.
    #[arg(long, default_value = "json", value_enum)]
    pub log_encoding: LogEncoding,
    /// Where to send traces (OTLP over gRPC, for example `http://collector:4317`); no traces when absent.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Share of new traces that are recorded, from 0 to 1.
    #[arg(long, default_value_t = 1.0, value_name = "RATIO")]
    pub trace_sampling: f64,
}

/// Leader election.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Leader election")]
pub struct LeaderElectionFlags {
    /// Only one replica reconciles at a time; the others wait for its Lease.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub enable_leader_election: bool,
    /// How long a Lease is held without renewal.
    #[arg(long, default_value = "35s", value_parser = parse_duration, value_name = "DURATION")]
    pub leader_election_lease_duration: Duration,
    /// How long the leader tries to renew before it gives up.
    #[arg(long, default_value = "30s", value_parser = parse_duration, value_name = "DURATION")]
    pub leader_election_renew_deadline: Duration,
    /// Time between tries to acquire or renew.
    #[arg(long, default_value = "5s", value_parser = parse_duration, value_name = "DURATION")]
    pub leader_election_retry_period: Duration,
    /// Release the Lease when the process stops, so that the next leader need not wait for it to expire.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub leader_election_release_on_cancel: bool,
}

/// Flags common to all controllers; flatten them into the controller's own.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Controller")]
pub struct CommonFlags {
    /// Reconciles running at the same time, for each kind.
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    pub concurrent: usize,
    /// Address of the metrics endpoint; `0` turns it off.
    #[arg(long, default_value = ":8080", value_parser = parse_address, value_name = "ADDRESS")]
    pub metrics_addr: Address,
    /// Address of the health endpoints.
    #[arg(long, default_value = ":9440", value_parser = parse_address, value_name = "ADDRESS")]
    pub health_addr: Address,
    /// Address of a notification-controller's event receiver.
    #[arg(long, default_value = "", value_name = "URL")]
    pub events_addr: String,
    /// Watch all namespaces, not only the one the controller runs in.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true, default_value_t = true, default_missing_value = "true", value_name = "true|false", hide_possible_values = true)]
    pub watch_all_namespaces: bool,
    /// Only objects with these labels are reconciled (for sharding).
    #[arg(long, default_value = "", value_name = "SELECTOR")]
    pub watch_label_selector: String,
    /// Sustained rate of requests to the Kubernetes API, per second; a negative number removes the limit.
    // Ten times upstream's: the API server shares itself out fairly by itself, and at 50 a second a hundred releases, of a
    // dozen requests each, would wait for this limit alone for 18 s.
    #[arg(long, default_value_t = 500.0, allow_negative_numbers = true, value_name = "RATE")]
    pub kube_api_qps: f64,
    /// Requests to the Kubernetes API that may go out at once above that rate.
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub kube_api_burst: u32,
    /// First delay before a failed object is tried again.
    #[arg(long, default_value = "750ms", value_parser = parse_duration, value_name = "DURATION")]
    pub min_retry_delay: Duration,
    /// Longest delay before a failed object is tried again.
    #[arg(long, default_value = "15m", value_parser = parse_duration, value_name = "DURATION")]
    pub max_retry_delay: Duration,
    /// Intervals are moved by up to this share either way, so that objects spread over time.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=100), value_name = "PERCENT")]
    pub interval_jitter_percentage: u8,
    /// Time given to running reconciles when the process is asked to stop.
    #[arg(long, default_value = "600s", value_parser = parse_duration, value_name = "DURATION")]
    pub graceful_shutdown_timeout: Duration,
    /// Namespace the controller runs in.
    #[arg(long, env = "RUNTIME_NAMESPACE", default_value = "flux-system", value_name = "NAMESPACE")]
    pub runtime_namespace: String,
    /// Feature gates, as NAME=true,NAME=false.
    #[arg(long, default_value = "", value_name = "GATES")]
    pub feature_gates: String,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetryFlags,
    /// Leader election.
    #[command(flatten)]
    pub leader_election: LeaderElectionFlags,
}

impl CommonFlags {
    /// The feature gates given, or what is wrong with them.
    pub fn gates(&self) -> Result<Vec<(String, bool)>, String> {
        self.feature_gates
            .split(',')
            .map(str::trim)
            .filter(|gate| !gate.is_empty())
            .map(|gate| match gate.split_once('=') {
                Some((name, "true")) => Ok((name.to_owned(), true)),
                Some((name, "false")) => Ok((name.to_owned(), false)),
                _ => Err(format!("--feature-gates: {gate:?} is not of the form NAME=true or NAME=false")),
            })
            .collect()
    }
}

/// A listen address in Go's form, where an empty host means all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Listen here.
    Listen(SocketAddr),
    /// Do not listen.
    Off,
}

/// Parses `:8080`, `127.0.0.1:0`, `[::1]:80`, `localhost:80`, or `0` for none.
pub fn parse_address(text: &str) -> Result<Address, String> {
    if text == "0" || text.is_empty() {
        return Ok(Address::Off);
    }
    let full = match text.strip_prefix(':') {
        Some(port) => format!("0.0.0.0:{port}"),
        None => text.replacen("localhost:", "127.0.0.1:", 1),
    };
    full.parse().map(Address::Listen).map_err(|_| format!("{text:?} is not an address of the form HOST:PORT or :PORT"))
}

/// Parses a Go duration (`30s`, `1h30m`); negative ones are refused.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text.parse().map_err(|error| format!("{error}"))?;
    if duration < GoDuration::ZERO {
        return Err(format!("duration {text:?} is negative"));
    }
    Ok(duration.to_std())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        common: CommonFlags,
    }

    #[test]
    fn the_command_is_well_formed() {
        Program::command().debug_assert();
    }

    #[test]
    fn upstreams_argument_forms_are_read() {
        let program = Program::try_parse_from([
            "controller",
            "--events-addr=http://notification-controller.flux-system.svc.cluster.local./",
            "--watch-all-namespaces=false",
            "--log-level=debug",
            "--log-encoding=json",
            "--enable-leader-election",
            "--kube-api-qps=-1",
        ])
        .unwrap();
        assert!(!program.common.watch_all_namespaces);
        assert!(program.common.leader_election.enable_leader_election);
        assert_eq!(program.common.metrics_addr, Address::Listen("0.0.0.0:8080".parse().unwrap()));
        assert!(program.common.kube_api_qps < 0.0);
    }

    #[test]
    fn addresses() {
        assert_eq!(parse_address("127.0.0.1:0"), Ok(Address::Listen("127.0.0.1:0".parse().unwrap())));
        assert_eq!(parse_address("0"), Ok(Address::Off));
        assert!(parse_address("nonsense").is_err());
    }

    #[test]
    fn gates_are_read_or_refused() {
        let mut program = Program::try_parse_from(["controller", "--feature-gates=A=true, B=false"]).unwrap();
        assert_eq!(program.common.gates(), Ok(vec![("A".into(), true), ("B".into(), false)]));
        program.common.feature_gates = "A=yes".into();
        assert!(program.common.gates().is_err());
    }
}
