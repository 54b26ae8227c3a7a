//! Helm chart repositories: reading their index, choosing a version, downloading archives with credentials bound to the origin.

pub mod download;
pub mod index;
pub mod lookup;
pub mod select;
mod split;
