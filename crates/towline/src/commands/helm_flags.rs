//! Flags of Helm's commands that mean nothing when nothing is installed: they are accepted, checked and not used.

use common::duration::GoDuration;

/// What an installation would do with the chart.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct InstallFlags {
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
    #[arg(long, hide = true, alias = "force", conflicts_with = "force_conflicts")]
    force_replace: bool,
    #[arg(short = 'l', long, hide = true, value_delimiter = ',', value_parser = label)]
    labels: Vec<String>,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true, alias = "atomic")]
    rollback_on_failure: bool,
    #[arg(long, hide = true)]
    server_side: bool,
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true)]
    timeout: Option<GoDuration>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "watcher")]
    #[arg(value_parser = ["watcher", "hookOnly", "legacy", "true", "false"])]
    wait: Option<String>,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true, allow_hyphen_values = true)]
    post_renderer_args: Vec<String>,
}

/// How Helm would talk to a cluster, and how it would print.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct GlobalFlags {
    #[arg(long, hide = true)]
    burst_limit: Option<i64>,
    #[arg(long, hide = true, alias = "colour", value_parser = ["never", "auto", "always"])]
    color: Option<String>,
    #[arg(long, hide = true)]
    content_cache: Option<String>,
    #[arg(long, hide = true)]
    kube_apiserver: Option<String>,
    #[arg(long, hide = true)]
    kube_as_group: Vec<String>,
    #[arg(long, hide = true)]
    kube_as_user: Option<String>,
    #[arg(long, hide = true)]
    kube_ca_file: Option<String>,
    #[arg(long, hide = true)]
    kube_context: Option<String>,
    #[arg(long, hide = true)]
    kube_insecure_skip_tls_verify: bool,
    #[arg(long, hide = true)]
    kube_tls_server_name: Option<String>,
    #[arg(long, hide = true)]
    kube_token: Option<String>,
    #[arg(long, hide = true)]
    qps: Option<f32>,
}

fn label(text: &str) -> Result<String, String> {
    if text.contains('=') { Ok(text.to_owned()) } else { Err(format!("{text} must be formatted as key=value")) }
}
