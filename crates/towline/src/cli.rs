//! The arguments.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use common::duration::GoDuration;

use crate::commands::{build, completion, events, get, lint, resume, suspend, sync, template, version};

/// GitOps for Kubernetes from the command line.
#[derive(Debug, Parser)]
#[command(name = "towline", version, max_term_width = 120)]
pub(crate) struct Towline {
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which cluster and namespace.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArguments {
    /// Context of the kubeconfig to use.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the Pod's own].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The namespace [default: the context's].
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
}

/// How long to wait.
#[derive(Clone, Debug, Args)]
pub(crate) struct Waiting {
    /// How long to wait for readiness.
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub(crate) timeout: GoDuration,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reconcile now and follow until ready.
    Sync(sync::Arguments),
    /// Show objects and how they are.
    Get(get::Arguments),
    /// Leave objects alone until they are resumed.
    Suspend(suspend::Arguments),
    /// Reconcile suspended objects again and follow until ready.
    Resume(resume::Arguments),
    /// Show what happened to objects.
    Events(events::Arguments),
    /// Build a kustomization, as `kustomize build` does.
    Build(build::Arguments),
    /// Render a chart locally, as `helm template` does.
    Template(Box<template::Arguments>),
    /// Check charts for mistakes, as `helm lint` does.
    Lint(Box<lint::Arguments>),
    /// Print the version.
    Version(version::Arguments),
    /// Print a completion script for a shell.
    Completion(completion::Arguments),
}

/// The commands that follow Helm's and kustomize's command lines: flags of yes and no may have a value, and wrong usage ends
/// with 1.
const LIKE_GO: [&str; 3] = ["build", "template", "lint"];

/// The whole command line.
pub(crate) fn command() -> clap::Command {
    LIKE_GO.into_iter().fold(Towline::command(), |command, name| {
        command.mut_subcommand(name, |subcommand| subcommand.mut_args(like_go))
    })
}

/// The arguments of `towline build` by itself.
#[derive(Debug, Parser)]
struct Build {
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    arguments: build::Arguments,
}

impl Build {
    /// What this process is to build, unless something is out of the ordinary, which is left to the whole command line.
    ///
    /// Telling clap about every command takes longer than a small build does.
    fn parse_alone() -> Option<Towline> {
        let mut arguments = std::env::args_os().skip(1).peekable();
        if arguments.peek()? != "build" {
            return None;
        }
        let matches = Self::command().mut_args(like_go).try_get_matches_from(arguments).ok()?;
        let Self { cluster, arguments } = Self::from_arg_matches(&matches).ok()?;
        Some(Towline { cluster, command: Command::Build(arguments) })
    }
}

/// The arguments, or the exit code of what was printed instead.
pub(crate) fn parse() -> Result<Towline, u8> {
    if let Some(build) = Build::parse_alone() {
        return Ok(build);
    }
    let parsed = command().try_get_matches().and_then(|matches| Towline::from_arg_matches(&matches));
    parsed.map_err(|error| {
        // Nothing can be done about a closed terminal.
        let _ = error.print();
        let like_go_program = std::env::args().skip(1).any(|argument| LIKE_GO.contains(&argument.as_str()));
        match error.exit_code() {
            2 if like_go_program => 1,
            code => u8::try_from(code).unwrap_or(2),
        }
    })
}

/// `--flag=false` and `--flag=true`, as Go's flags take them.
fn like_go(argument: clap::Arg) -> clap::Arg {
    if !matches!(argument.get_action(), clap::ArgAction::SetTrue) {
        return argument;
    }
    argument
        .action(clap::ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .value_name("true|false")
        .default_missing_value("true")
        .default_value("false")
        .hide_default_value(true)
        .hide_possible_values(true)
        .value_parser(go_bool)
}

fn go_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        command().debug_assert();
        Build::command().mut_args(like_go).debug_assert();
    }

    /// The help of every command, in one snapshot.
    #[test]
    fn help() {
        let mut text = String::new();
        collect(&mut command().term_width(120), "towline", &mut text);
        insta::assert_snapshot!(text);
    }

    fn collect(command: &mut clap::Command, path: &str, text: &mut String) {
        let help = command.clone().bin_name(path).render_long_help();
        text.push_str(&format!("$ {path} --help\n{help}\n"));
        let mut subcommands: Vec<clap::Command> =
            command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help").cloned().collect();
        for subcommand in &mut subcommands {
            let path = format!("{path} {}", subcommand.get_name());
            collect(&mut subcommand.clone().term_width(120), &path, text);
        }
    }
}
