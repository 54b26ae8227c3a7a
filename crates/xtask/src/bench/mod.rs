//! `cargo xtask bench`: speed and size as medians, and ratios against what stands beside us measured in the same run.
//!
//! Each line that has a bar says whether it is met. A benchmark is no test: a bar that is missed does not fail the run.

mod bare;
mod child;
mod controllers;
mod curves;
mod engine;
mod kustomization;
mod push;
mod report;
mod template;
mod workload;
mod world;
mod yaml;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use report::Report;

/// What to measure, and how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What to measure; everything when absent.
    #[arg(value_enum, value_name = "NAME")]
    names: Vec<Name>,
    /// A smoke run: few releases and repetitions. The numbers mean little.
    #[arg(long)]
    quick: bool,
    /// Take release binaries from this directory instead of building them.
    #[arg(long, value_name = "DIRECTORY")]
    binaries: Option<PathBuf>,
    /// Measure with this build of the benchmark even when it is not optimised, to try out the benchmark itself.
    #[arg(long, hide = true)]
    unoptimised: bool,
    /// Run one command and print what it took, as JSON (the benchmark calls itself so: see `child`).
    #[arg(long, hide = true, num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    measure: Vec<OsString>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Charts rendered: the command beside `helm template`, the engine beside Go's.
    Template,
    /// YAML read and written, beside a library of serde_yaml's family.
    Yaml,
    /// Kustomizations built, beside kustomize.
    Kustomize,
    /// Both controllers on a real control plane.
    Controllers,
    /// From a push to a ready release.
    Push,
}

/// What every part is given.
struct Bench {
    /// Where the release binaries are.
    binaries: PathBuf,
    quick: bool,
}

impl Bench {
    fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// The number of repetitions: a few in a smoke run.
    fn repeat(&self, times: usize) -> usize {
        if self.quick { times.min(2) } else { times }
    }
}

/// Runs the benchmarks.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.measure.is_empty() {
        return child::print(&arguments.measure);
    }
    let binaries = match &arguments.binaries {
        Some(binaries) => binaries.clone(),
        None => crate::release::build(&programs())?,
    };
    if cfg!(debug_assertions) && !arguments.unoptimised {
        return again_in_release(&binaries);
    }
    let bench = Bench { binaries, quick: arguments.quick };
    let wanted = |name: Name| arguments.names.is_empty() || arguments.names.contains(&name);
    let mut report = Report::default();
    if wanted(Name::Template) {
        template::run(&bench, &mut report)?;
        engine::run(&bench, &mut report)?;
        curves::run(&bench, &mut report)?;
    }
    if wanted(Name::Yaml) {
        let corpus = testkit::shared_material().map(|shared| shared.join("corpus/charts"));
        yaml::run(&bench, &mut report, corpus.as_deref())?;
    }
    if wanted(Name::Kustomize) {
        kustomization::run(&bench, &mut report)?;
    }
    if wanted(Name::Controllers) || wanted(Name::Push) {
        tokio::runtime::Runtime::new()?.block_on(async {
            let world = world::World::start(&bench).await?;
            if wanted(Name::Controllers) {
                controllers::run(&bench, &world, &mut report).await?;
            }
            if wanted(Name::Push) {
                push::run(&bench, &world, &mut report).await?;
            }
            anyhow::Ok(())
        })?;
    }
    report.finish();
    Ok(())
}

/// What is measured, and what measures.
fn programs() -> Vec<&'static str> {
    let controllers = crate::controllers::CONTROLLERS.iter().map(|controller| controller.name);
    controllers.chain([crate::release::COMMAND, "xtask"]).collect()
}

/// What is measured in process must be optimised code: the same command again, by the release build of this program.
fn again_in_release(binaries: &Path) -> Result<()> {
    let program = binaries.join("xtask");
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut command = Command::new(&program);
    command.args(&arguments);
    if !arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--binaries")) {
        command.arg("--binaries").arg(binaries);
    }
    let status = command.status().with_context(|| format!("running {}", program.display()))?;
    if !status.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}
