//! API types of every group Towline serves, and the pure rules around them.
//!
//! Types and pure functions only: nothing here knows of tokio, a Kubernetes client or a network, so the CLI, tests and other
//! programs can use it as a library. Time is always an argument.
//!
//! * [`names`] holds every name that goes over the wire: condition types, reasons, finalizers, annotations, labels, field
//!   managers, Secret keys, event reasons, lease names. No other crate spells one out.
//! * [`source::v1`], [`helm::v2`] and [`helm_operator::v1`] are the custom resources; [`crd::all`] is their CRDs.
//! * [`conditions`] changes conditions; [`meta`] has what the groups share.
//!
//! # Reading objects
//! A stored object may hold what our types refuse (a duration written before the CRD had its pattern, an enum value of a newer
//! release). Lists and watches therefore always bring [`unread::Unread<K>`]: reading the bad object gives an error with its
//! metadata, it gets a condition of its own, and every other object is unaffected.

pub mod conditions;
pub mod crd;
pub mod digest;
pub mod duration;
pub mod error;
pub mod helm;
pub mod helm_operator;
pub mod meta;
pub mod names;
pub mod revision;
mod schema;
pub mod secret;
pub mod source;
pub mod unread;
pub mod url;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
