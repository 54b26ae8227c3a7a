//! kstatus against the corpus and against upstream's own code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

mod corpus;
mod differential;
mod flux;
