//! Serving and fetching artifacts: the gRPC service `towline.artifact.v1.ArtifactService` and plain HTTP, on one port.
//!
//! The server knows artifacts only through [`catalogue::Catalogue`] and a directory of files, and callers only through the
//! [`server::Authenticator`] and [`server::Authoriser`] traits; [`kubernetes`] implements those with TokenReview and
//! SubjectAccessReview. The client verifies every byte against the digest in `status.artifact`, however it was fetched.

pub mod catalogue;
pub mod client;
mod convert;
pub mod digest;
pub mod kubernetes;
pub mod proto;
pub mod server;
pub mod source;
mod trace;

/// The audience that tokens for the gRPC service must have.
pub const AUDIENCE: &str = common::names::ARTIFACT_AUDIENCE;
