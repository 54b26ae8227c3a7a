//! `towline build`: builds a kustomization as `kustomize build` does. Starts no process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use kustomize::fs::DirectoryFileSystem;
use kustomize::{LoadRestriction, Options, Reorder, Resource};

use crate::error::{Error, Result};
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
    /// The order when the kustomization has no sortOptions.
    #[arg(long, value_name = "ORDER", default_value = "legacy")]
    reorder: Order,
    /// Add the label app.kubernetes.io/managed-by.
    #[arg(long)]
    enable_managedby_label: bool,
    /// Write into this file, or one file for each resource into this directory.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Allow generators and transformers that start programs: always refused, because nothing is started.
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    /// Allow executables: always refused, because nothing is started.
    #[arg(long, hide = true)]
    enable_exec: bool,
}

/// Kustomize's names of load restrictions.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Restrictor {
    #[value(name = "LoadRestrictionsRootOnly", alias = "rootOnly")]
    RootOnly,
    #[value(name = "LoadRestrictionsNone", alias = "none")]
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
            Order::Legacy => Reorder::Legacy,
            Order::None => Reorder::None,
        },
        enable_helm: arguments.enable_helm,
        managed_by_label: arguments.enable_managedby_label,
        ..Options::default()
    };
    let wrong = |error: kustomize::Error| Error::Build(error.to_string());
    let built = kustomize::build(Arc::new(DirectoryFileSystem::whole_machine()), root, options).map_err(wrong)?;
    for warning in &built.warnings {
        output::note(warning);
    }
    match &arguments.output {
        None => output::print(&built.to_yaml().map_err(wrong)?),
        Some(path) if path.is_dir() => {
            for resource in built.resources() {
                let text = resource.to_yaml().map_err(wrong)?;
                write(&path.join(file_name(resource)), &text)?;
            }
            Ok(())
        }
        Some(path) => write(path, &built.to_yaml().map_err(wrong)?),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::File)
}

/// `[namespace_]group_version_kind_name.yaml`, in small letters, as kustomize names them.
fn file_name(resource: &Resource) -> String {
    let id = resource.id();
    let parts = [&id.namespace, &id.gvk.group, &id.gvk.version, &id.gvk.kind, &id.name];
    let named: Vec<&str> = parts.into_iter().map(AsRef::as_ref).filter(|part| !part.is_empty()).collect();
    let name = named.join("_").to_lowercase();
    // A name may hold anything in a file; a path separator would lead elsewhere.
    format!("{}.yaml", name.replace('/', "_"))
}
