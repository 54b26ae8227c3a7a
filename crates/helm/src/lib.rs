//! Helm charts: loading, values, rendering, manifests, hooks, release records. Pure: files in, manifests out.
//!
//! Follows Helm 4.2.4 byte for byte, in what it renders and in what it refuses; differences that are meant are named where
//! they are made.
//!
//! ```
//! use helm::chart::load_directory;
//! use helm::template::{TemplateOptions, template};
//!
//! let chart = load_directory([
//!     ("Chart.yaml".to_owned(), b"apiVersion: v2\nname: demo\nversion: 1.0.0\n".to_vec()),
//!     ("templates/a.yaml".to_owned(), b"kind: {{ .Values.kind }}\n".to_vec()),
//! ])?;
//! let mut options = TemplateOptions { release_name: "demo".into(), ..TemplateOptions::default() };
//! options.values.set.push("kind=ConfigMap".into());
//! let output = template(&chart, &options)?;
//! assert_eq!(output.text, "---\n# Source: demo/templates/a.yaml\nkind: ConfigMap\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod capabilities;
pub mod chart;
pub mod dependencies;
pub mod engine;
mod glob;
pub mod go_json;
mod go_print;
mod go_text;
pub mod lint;
pub mod manifest;
pub mod postrender;
mod reads;
pub mod release;
pub mod removed_apis;
pub mod schema;
pub mod strvals;
pub mod template;
pub mod value;
pub mod values;
mod yaml_text;
