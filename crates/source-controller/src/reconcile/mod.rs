//! The reconcilers of the three kinds, and what they share.

pub mod context;
mod driver;
pub mod git_repository;
pub mod helm_chart;
pub mod helm_repository;
mod plan;
mod remote_chart;

pub use context::Context;
