//! `towline template`: renders a chart as `helm template` does, without a cluster.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use fs_err as fs;
use helm::template::{TemplateError, TemplateOptions, TemplateOutput, template};

use crate::cli::ClusterArguments;
use crate::commands::chart_source::ChartSource;
use crate::commands::helm_flags::{GlobalFlags, InstallFlags};
use crate::commands::values::ValuesArguments;
use crate::error::{Error, Result};
use crate::output;

/// Arguments of `towline template`; names and meaning are Helm's.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The release's name and the chart: a directory, a packed chart, repository/chart, a URL, or
    /// oci://registry/path/chart; with one argument it is the chart.
    #[arg(value_names = ["RELEASE", "CHART"], num_args = 0..)]
    positional: Vec<String>,
    #[command(flatten)]
    values: ValuesArguments,
    /// Kubernetes version for Capabilities.KubeVersion.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions for Capabilities.APIVersions, besides the usual.
    #[arg(short = 'a', long, value_name = "VERSIONS", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Include the CRDs of the chart.
    #[arg(long)]
    include_crds: bool,
    /// Accepted as by Helm, where it only matters to installing.
    #[arg(long, hide = true)]
    skip_crds: bool,
    /// Only what these templates render.
    #[arg(short = 's', long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
    /// Leave hooks out.
    #[arg(long)]
    no_hooks: bool,
    /// Leave tests out.
    #[arg(long)]
    skip_tests: bool,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall.
    #[arg(long)]
    is_upgrade: bool,
    /// Do not check values against the chart's schema.
    #[arg(long)]
    skip_schema_validation: bool,
    /// Write files into this directory instead of standard output.
    #[arg(long, value_name = "DIRECTORY")]
    output_dir: Option<PathBuf>,
    /// Put the release's name between the output directory and the files.
    #[arg(long)]
    release_name: bool,
    /// A template that gives the release's name.
    #[arg(long, value_name = "TEMPLATE")]
    name_template: Option<String>,
    /// Take a generated name: without a cluster it is `release-name`.
    #[arg(short = 'g', long)]
    generate_name: bool,
    /// Print what was rendered even when it is not YAML.
    #[arg(long)]
    debug: bool,
    /// Instead of the manifests, print for each the lines it came from and the values it read.
    #[arg(long)]
    explain: bool,
    /// The form of --explain.
    #[arg(short = 'o', long, value_name = "FORM", requires = "explain", default_value = "text")]
    output: ExplainForm,
    /// Only `client`: there is no cluster to ask.
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "unset")]
    dry_run: Option<String>,
    /// Always refused: the same as --dry-run=server.
    #[arg(long, hide = true)]
    validate: bool,
    /// Always refused: templates have no network.
    #[arg(long, hide = true)]
    enable_dns: bool,
    /// Fetch missing dependencies into the chart's directory first, and write its lock.
    #[arg(long)]
    dependency_update: bool,
    /// Always refused: nothing is started.
    #[arg(long, hide = true, value_name = "PLUGIN")]
    post_renderer: Option<String>,
    #[command(flatten)]
    source: ChartSource,
    #[command(flatten)]
    install: InstallFlags,
    #[command(flatten)]
    global: GlobalFlags,
}

/// How an explanation is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ExplainForm {
    Text,
    Json,
    Yaml,
}

/// Runs it.
pub(crate) fn run(cluster: &ClusterArguments, arguments: &Arguments) -> Result<()> {
    arguments.refuse()?;
    let (release, reference) = arguments.release_and_chart()?;
    let values = arguments.values.read()?;
    let chart = arguments.source.load(reference).map_err(|error| {
        // Of two mistakes Helm names the one in the values first.
        values.merge().map_or_else(|wrong| Error::Chart(wrong.to_string()), |_| error)
    })?;
    let chart = match arguments.dependency_update {
        true => arguments.source.update_dependencies(reference, chart)?,
        false => chart,
    };
    let options = TemplateOptions {
        values,
        release_name: release.clone(),
        namespace: cluster.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        kube_version: arguments.kube_version.clone(),
        api_versions: arguments.api_versions.clone(),
        include_crds: arguments.include_crds,
        // Files are written before patterns are looked at.
        show_only: if arguments.output_dir.is_some() { Vec::new() } else { arguments.show_only.clone() },
        no_hooks: arguments.no_hooks,
        is_upgrade: arguments.is_upgrade,
        skip_tests: arguments.skip_tests,
        skip_schema_validation: arguments.skip_schema_validation,
        dependencies_updated: arguments.dependency_update,
        now: super::now(),
        explain: arguments.explain,
        check_values: true,
        debug: arguments.debug,
        ..TemplateOptions::default()
    };
    let rendered = template(&chart, &options).map_err(|error| {
        if let TemplateError::NotYaml { rendered, .. } = &error {
            // What was rendered helps to see the mistake; failing to print it is no second error.
            let _ = output::print(rendered);
        }
        let advice = error.advice(&chart);
        Error::Chart(advice.map_or_else(|| error.to_string(), |advice| format!("{error}\n\n{advice}")))
    })?;
    for warning in &rendered.warnings {
        output::note(&format!("warning: {warning}"));
    }
    for unknown in &rendered.unknown_keys {
        output::note(&format!("warning: {unknown}"));
    }
    if arguments.explain || arguments.kube_version.is_some() {
        for finding in &rendered.removed_apis {
            output::note(&format!("warning: {finding}"));
        }
    }
    if arguments.explain {
        return explain(&rendered, arguments.output);
    }
    match &arguments.output_dir {
        None => {
            let printed = output::print(&rendered.text);
            // The process ends here; giving everything back piece by piece first takes longer than printing.
            std::mem::forget((chart, rendered));
            printed
        }
        Some(directory) => {
            let directory = if arguments.release_name { directory.join(&release) } else { directory.clone() };
            write(&directory, &rendered)?;
            // Nothing is left for standard output, where patterns look.
            match arguments.show_only.first() {
                Some(name) => Err(Error::Chart(TemplateError::ShowOnly { name: name.clone() }.to_string())),
                None => output::print("\n"),
            }
        }
    }
}

impl Arguments {
    /// Refuses what Helm can do and this command does not.
    fn refuse(&self) -> Result<()> {
        let wrong = |text: &str| Err(Error::Chart(text.to_owned()));
        if self.post_renderer.is_some() {
            return wrong(
                "--post-renderer starts a program, and nothing is started here; \
                 pipe the output through it, or use the postRenderers of a HelmRelease",
            );
        }
        if self.enable_dns {
            return wrong(
                "--enable-dns makes the output depend on a network, which templates do not have here; \
                 without it getHostByName gives an empty string",
            );
        }
        const SERVER: &str = "rendering against a cluster is not done here: pass what it would answer with \
                              --kube-version and --api-versions, and leave --dry-run=server and --validate away";
        if self.validate {
            return wrong(SERVER);
        }
        match self.dry_run.as_deref() {
            None | Some("client" | "unset" | "true") => Ok(()),
            Some("server") => wrong(SERVER),
            Some(other @ ("none" | "false")) => {
                Err(Error::Chart(format!("invalid dry-run value ({other:?}). Must be \"server\" or \"client\"")))
            }
            Some(other) => Err(Error::Chart(format!(
                "invalid dry-run value ({other:?}). Must be \"none\", \"server\", or \"client\""
            ))),
        }
    }

    /// The release's name, by whichever flag or argument it is given, and the chart.
    fn release_and_chart(&self) -> Result<(String, &str)> {
        let wrong = |text: String| Err(Error::Chart(text));
        let (name, chart) = match self.positional.as_slice() {
            [] => return wrong("\"towline template\" requires at least 1 argument".to_owned()),
            [chart] => (None, chart),
            [name, chart] => (Some(name), chart),
            [_, _, rest @ ..] => {
                let rest = rest.join(", ");
                return wrong(format!("expected at most two arguments, unexpected arguments: {rest}"));
            }
        };
        let clash = |flag: &str| wrong(format!("cannot set {flag} and also specify a name"));
        let name = match (name, &self.name_template) {
            (Some(_), _) if self.generate_name => return clash("--generate-name"),
            (Some(_), Some(_)) => return clash("--name-template"),
            (Some(name), None) => name.clone(),
            (None, Some(text)) => helm::template::name_from_template(text, super::now())
                .map_err(|error| Error::Chart(error.to_string()))?,
            (None, None) => "release-name".to_owned(),
        };
        Ok((name, chart))
    }
}

/// Prints where manifests come from instead of the manifests.
fn explain(rendered: &TemplateOutput, form: ExplainForm) -> Result<()> {
    match form {
        ExplainForm::Text => {
            let texts: Vec<String> = rendered.explanations.iter().map(ToString::to_string).collect();
            output::print(&texts.join("\n"))
        }
        ExplainForm::Json => {
            let json = serde_json::to_string_pretty(&rendered.explained())
                .map_err(|error| Error::Encode(error.to_string()))?;
            output::print(&(json + "\n"))
        }
        ExplainForm::Yaml => output::print(&output::yaml(&rendered.explained())?),
    }
}

/// Writes each document to the file it comes from.
fn write(directory: &Path, rendered: &TemplateOutput) -> Result<()> {
    let mut written: BTreeSet<PathBuf> = BTreeSet::new();
    for document in rendered.documents() {
        let source = document.path;
        if source.split('/').any(|part| part == "..") {
            return Err(Error::Chart(format!("{source} leads out of the output directory")));
        }
        let path = directory.join(source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::File)?;
        }
        // The first document of a run replaces what an earlier run left.
        let mut options = fs::OpenOptions::new();
        if written.insert(path.clone()) {
            options.write(true).create(true).truncate(true);
        } else {
            options.append(true);
        }
        let mut file = options.open(&path).map_err(Error::File)?;
        file.write_all(document.to_string().as_bytes()).map_err(Error::File)?;
        output::print(&format!("wrote {}\n", path.display()))?;
    }
    Ok(())
}
