//! `towline build`: builds a kustomization as `kustomize build` does. Starts no process.

mod explain;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use kustomize::fs::DirectoryFileSystem;
use kustomize::{Built, LoadRestriction, NoRemote, Options, Reorder, Resource};

use crate::error::{Error, Result};
use crate::fetch::{CacheArguments, Fetcher};
use crate::output;

/// Arguments of `towline build`; names and meaning are kustomize's.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the kustomization.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Whether files outside a kustomization's directory may be read.
    #[arg(long, value_name = "RESTRICTION", default_value = "LoadRestrictionsRootOnly")]
    load_restrictor: Restrictor,
    /// Render helmCharts (in process).
    #[arg(long)]
    enable_helm: bool,
    /// Kubernetes version for charts whose entry does not say.
    #[arg(long, value_name = "VERSION")]
    helm_kube_version: Option<String>,
    /// API versions for charts whose entry does not say.
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',')]
    helm_api_versions: Vec<String>,
    /// The order when the kustomization has no sortOptions (deprecated: use those) [default: legacy].
    #[arg(long, value_name = "ORDER")]
    reorder: Option<Order>,
    /// Add the label app.kubernetes.io/managed-by (deprecated: use buildMetadata).
    #[arg(long)]
    enable_managedby_label: bool,
    /// Write into this file, or one file for each resource into this directory.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Print, instead of the resources, which file and which transformer set each of their fields.
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    explain: Option<explain::Format>,
    /// Do not fetch anything: remote bases and charts of repositories are refused.
    #[arg(long)]
    no_remote: bool,
    #[command(flatten)]
    cache: CacheArguments,
    #[command(flatten)]
    without_effect: WithoutEffect,
}

/// Flags of kustomize for programs that it starts. Scripts may give them; a kustomization that needs one is refused.
#[derive(Debug, clap::Args)]
struct WithoutEffect {
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    #[arg(long, hide = true)]
    enable_exec: bool,
    #[arg(long, hide = true)]
    as_current_user: bool,
    #[arg(short, long, hide = true)]
    env: Vec<String>,
    #[arg(long, hide = true)]
    mount: Vec<String>,
    #[arg(long, hide = true)]
    network: bool,
    #[arg(long, hide = true)]
    network_name: Option<String>,
    #[arg(long, hide = true)]
    helm_command: Option<String>,
    #[arg(long, hide = true)]
    helm_debug: bool,
    #[arg(long, hide = true)]
    stack_trace: bool,
}

/// Kustomize's names of load restrictions.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Restrictor {
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    #[value(name = "LoadRestrictionsNone")]
    None,
}

/// Kustomize's names of orders.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Order {
    Legacy,
    None,
}

/// Runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let given = arguments.directory.display().to_string();
    let absolute = fs::canonicalize(&arguments.directory).map_err(Error::File)?;
    let root = absolute.to_str().ok_or_else(|| Error::Usage(format!("{given}: the path is not UTF-8")))?;
    let options = Options {
        load_restriction: match arguments.load_restrictor {
            Restrictor::RootOnly => LoadRestriction::RootOnly,
            Restrictor::None => LoadRestriction::None,
        },
        reorder: match arguments.reorder {
            Some(Order::None) => Reorder::None,
            Some(Order::Legacy) | None => Reorder::Legacy,
        },
        enable_helm: arguments.enable_helm,
        helm_kube_version: arguments.helm_kube_version.clone(),
        helm_api_versions: arguments.helm_api_versions.clone(),
        managed_by_label: arguments.enable_managedby_label,
        explain: arguments.explain.is_some(),
        remote: if arguments.no_remote { Arc::new(NoRemote) } else { Arc::new(Fetcher::new(&arguments.cache)) },
        ..Options::default()
    };
    let wrong = |error: kustomize::Error| Error::Build(common::url::mask_text(&error.to_string()));
    let built = kustomize::build(Arc::new(DirectoryFileSystem::whole_machine()), root, options).map_err(wrong)?;
    deprecated(arguments);
    for warning in &built.warnings {
        output::note(warning);
    }
    for advice in &built.advice {
        output::note(&format!("# Warning: {advice}"));
    }
    let result = match (&arguments.output, arguments.explain) {
        (None, Some(format)) => output::print(&explain::text(&built.explained(), format)?),
        (Some(path), Some(format)) => write(path, &explain::text(&built.explained(), format)?),
        (None, None) => output::print(&built.to_yaml().map_err(wrong)?),
        (Some(path), None) if path.is_dir() => write_each(&built, path),
        (Some(path), None) => write(path, &built.to_yaml().map_err(wrong)?),
    };
    // The process ends here; taking thousands of trees apart first would only take time.
    std::mem::forget(built);
    result
}

/// Kustomize's own words about its old flags.
fn deprecated(arguments: &Arguments) {
    if arguments.reorder.is_some() {
        output::note(
            "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.",
        );
    }
    if arguments.enable_managedby_label {
        output::note(
            "Flag --enable-managedby-label has been deprecated, use the 'managedByLabel' option of 'buildMetadata' instead.",
        );
    }
}

fn write_each(built: &Built, directory: &Path) -> Result<()> {
    for resource in built.resources() {
        let text = resource.to_yaml().map_err(|error| Error::Build(error.to_string()))?;
        write(&directory.join(file_name(resource)), &text)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::File)
}

/// `[namespace_]group_version_kind_name.yaml`, in small letters, as kustomize names them; what has no namespace though it
/// could have one is in `default`.
fn file_name(resource: &Resource) -> String {
    let id = resource.id();
    let namespace = if id.gvk.is_cluster_scoped() { "" } else { id.effective_namespace() };
    let parts = [namespace, &id.gvk.group, &id.gvk.version, &id.gvk.kind, &id.name];
    let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let name = named.join("_").to_lowercase();
    // A name may hold anything in a file; a path separator would lead elsewhere.
    format!("{}.yaml", name.replace('/', "_"))
}
