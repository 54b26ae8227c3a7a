//! YAML exactly as Go's libraries read and write it.
//!
//! Two dialects share one scanner, one parser and one emitter, which follow libyaml's grammar as both Go libraries do:
//!
//! - [`v2`]: `sigs.k8s.io/yaml` over goyaml v2 (Helm, API machinery): YAML 1.1 booleans, YAML to JSON and back.
//! - [`v3`]: `go.yaml.in/yaml/v3` (kustomize, `toYamlPretty`): a node tree which keeps styles.
//!
//! The crate is pure: text in, values out. It must never panic, overflow the stack or use unbounded memory on any input.
//!
//! ```
//! let value = yaml::v2::unmarshal(b"replicas: 3\nname: on\n").unwrap();
//! assert_eq!(yaml::v2::to_string(&value).unwrap(), "name: true\nreplicas: 3\n");
//! ```

mod chars;
mod emit;
mod error;
pub mod go_number;
mod parse;
mod read;
mod resolve;
mod scan;
mod timestamp;
pub mod v2;
pub mod v3;
mod value;

pub use error::Error;
pub use value::Value;

/// Deepest nesting of a document that is turned into values.
///
/// Go allows 10,000 levels. Every consumer here walks values recursively on threads with ordinary stacks, so the limit is
/// lower: a deliberate difference, far above any real manifest.
pub const MAX_DEPTH: usize = 1_000;
