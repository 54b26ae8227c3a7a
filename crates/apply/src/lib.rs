//! Objects to a cluster: discovery, ordering, server-side apply, deletion, drift, inventory and readiness.
//!
//! Decisions (what is ready, what has drifted, who owns an object) are pure functions over JSON values; the effects
//! around them are thin. Nothing here knows of Helm or Kustomize: a caller hands over objects in the order it wants.
//! No call waits for a rollout: readiness is learnt from shared watches ([`watches::Watches`]) which wake the caller.

pub mod access;
pub mod batch;
pub mod cluster;
pub mod discovery;
pub mod drift;
mod error;
pub mod inventory;
mod managers;
pub mod object;
pub mod ownership;
pub mod readiness;
pub mod watches;

pub use cluster::{Applied, ApplyOptions, Cluster, DeleteOutcome, FieldValidation, Propagation};
pub use error::{Error, ErrorClass};
pub use object::{Gvk, ObjectRef};
