//! The process shell every Towline controller shares: command-line flags, logs, traces, metrics, health,
//! leader election, the reconcile queue with per-object backoff, Kubernetes Events, finalizers and status patches.
//!
//! It knows nothing of any API group: a controller gives it a kind and a [`controller::Reconcile`] implementation.
//! What to do with an object is decided in the controller's own pure code; this crate only says *when*.

pub mod backoff;
pub mod client;
pub mod clock;
pub mod controller;
pub mod events;
pub mod finalizer;
pub mod flags;
pub mod health;
pub mod key;
pub mod leader;
mod logs;
pub mod metrics;
pub mod patch;
pub mod process;
pub mod queue;
pub mod status;
pub mod store;
pub mod telemetry;

pub use controller::{Action, Controller, ErrorClass, Reconcile, ReconcileError};
pub use key::ObjectKey;
pub use process::Shell;
