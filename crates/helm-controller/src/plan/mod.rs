//! What is to be done about a release: pure functions from the spec, the recorded status and what storage holds.

pub mod decide;
pub mod history;
pub mod outcome;
pub mod policy;
pub mod requests;
pub mod state;

#[cfg(test)]
mod scenarios;

pub use decide::{Decision, Performed, decide};
pub use state::{Inputs, ReleaseStatus, State, Stored, state};
