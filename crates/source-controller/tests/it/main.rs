//! End-to-end tests: the real source-controller against the real control plane, real Git and chart servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod charts;
mod fixture;
mod git;
mod hostile;
mod refused;
mod serving;
mod ssh;
