//! The source-controller: fetches Git repositories, Helm repositories and charts, stores them as artifacts, serves them.
//!
//! Decisions are pure: [`git::resolve`] (what to fetch), [`chart_repository::select`] and [`charts::build`] (which chart, and its bytes),
//! [`outcome`] (conditions), and the plan of a reconcile. Effects are thin around them.

pub mod charts;
pub mod credentials;
pub mod failure;
pub mod flags;
pub mod mirror;
pub mod outcome;
pub mod program;
pub mod reconcile;
pub mod store;
