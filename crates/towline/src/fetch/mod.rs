//! What lies elsewhere: Git repositories, files and charts, fetched for the commands that build and render.
//!
//! Nothing is started for it: no `git`, `ssh`, `helm` or credential helper. Credentials come from the files that those
//! programs read too (`~/.netrc`, `~/.ssh`, Helm's and Docker's configuration).

mod base;
mod cache;
mod charts;
mod credentials;
mod dependencies;
mod environment;
mod registry;
mod repositories;
mod worker;

pub(crate) use base::Fetcher;
pub(crate) use cache::CacheArguments;
pub(crate) use charts::{ChartAccess, Charts};
pub(crate) use environment::default_keyring;
