//! Integration tests of `archive`: round trips, hostile archives, ignore rules against Flux's own matcher.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod hostile;
mod round_trip;
mod sourceignore;
