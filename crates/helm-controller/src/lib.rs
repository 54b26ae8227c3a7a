//! helm-controller: installs, upgrades, tests and heals Helm releases declared as HelmRelease objects.
//!
//! Every decision is a pure function ([`plan`], [`action`]); the modules around them observe the cluster, carry the
//! decisions out and write down what was found. No worker ever waits for a rollout, a hook or a dependency: waiting is a
//! state that watches and due times end.

pub mod action;
pub mod app;
pub mod charts;
pub mod clusters;
pub mod drift_rules;
pub mod engine;
pub mod hooks;
pub mod legacy;
pub mod manifest;
pub mod plan;
pub mod postrender;
pub mod reconcile;
pub mod refusal;
pub mod render;
pub mod renderers;
pub mod settings;
pub mod snapshot;
pub mod sources;
pub mod storage;
pub mod template;
pub mod values;
