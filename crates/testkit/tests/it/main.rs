//! Tests of the test environment itself, against the real programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod control_plane;
mod process;
mod servers;
