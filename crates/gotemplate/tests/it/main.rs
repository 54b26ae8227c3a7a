//! Tests of the gotemplate crate as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read their cases and settings from the environment")]

mod corpus;
mod differential;
mod functions;
mod generate;
mod hostile;
mod speed;
mod support;
mod table;
