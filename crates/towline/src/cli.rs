//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use common::duration::GoDuration;

use crate::commands::{build, completion, events, get, resume, suspend, sync, template, version};

/// GitOps for Kubernetes from the command line.
#[derive(Debug, Parser)]
#[command(name = "towline", version, propagate_version = true, max_term_width = 120)]
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
    /// Print the version.
    Version(version::Arguments),
    /// Print a completion script for a shell.
    Completion(completion::Arguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Towline::command().debug_assert();
    }

    /// The help of every command, in one snapshot.
    #[test]
    fn help() {
        let mut text = String::new();
        collect(&mut Towline::command().term_width(120), "towline", &mut text);
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
