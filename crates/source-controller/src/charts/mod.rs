//! Helm chart repositories: their index, choosing a version, downloading and building charts.

pub mod build;
pub mod download;
pub mod index;
pub mod lookup;
pub mod merge;
pub mod select;
mod split;
