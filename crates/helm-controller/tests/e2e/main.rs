//! helm-controller as a process against a real control plane, with the real `helm` as the judge.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod access;
mod bad_input;
mod budget;
mod crash;
mod definitions;
mod flux;
mod legacy;
mod lifecycle;
mod measure;
mod process;
mod remote;
mod restart;
mod sources;
mod takeover;
mod targets;
mod world;
