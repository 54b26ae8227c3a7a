//! Comparison of both dialects with Go's libraries: checked-in tables, random documents, real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::panic, reason = "tests")]

mod corpus;
mod differential;
mod generate;
mod hostile;
mod subject;
mod tables;
