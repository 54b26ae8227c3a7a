//! `kustomize build` over a virtual file system. Pure: no process, no network unless the caller provides it.
//!
//! ```
//! use std::sync::Arc;
//! let mut fs = kustomize::fs::MemoryFileSystem::default();
//! fs.insert("app/kustomization.yaml", "namePrefix: dev-\nresources: [config.yaml]\n");
//! fs.insert("app/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n");
//! let built = kustomize::build(Arc::new(fs), "/app", kustomize::Options::default())?;
//! assert_eq!(built.to_yaml()?, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dev-settings\n");
//! # Ok::<(), kustomize::Error>(())
//! ```

mod accumulate;
mod advice;
mod build;
mod chart;
mod config;
mod crds;
mod error;
mod explain;
mod field_spec;
pub mod fs;
mod generate;
mod go_json;
mod hint;
mod id;
mod identity;
mod kustomization;
mod loader;
mod merge;
mod node;
mod notes;
mod order;
mod plugin;
mod repository;
mod res_map;
mod resource;
mod schema;
mod selector;
#[doc(hidden)]
pub mod testing;
mod text;
mod trace;
mod transform;

pub use build::{Built, Cache, Options, Reorder, build};
pub use error::Error;
pub use explain::{ExplainedField, ExplainedResource, Setter};
pub use id::{Gvk, ResId};
pub use loader::{ChartRequest, Clone, LoadRestriction, NoRemote, Remote};
pub use node::Text;
pub use repository::RepositorySpec;
pub use resource::Resource;
