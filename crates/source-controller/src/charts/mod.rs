//! From what was fetched to the chart that becomes an artifact.

pub mod build;
pub mod merge;
