//! Packing and strict, bounded unpacking of gzipped tar archives, and the `.sourceignore` rules that decide what enters one.
//!
//! Pure: readers and writers are given, nothing here opens a file or a connection. Everything read is treated as hostile:
//! names, links and devices are judged by a [`Policy`], and entries, bytes and the compression ratio are capped.
//!
//! ```
//! use archive::{Policy, Writer, read_tar_gz};
//! let mut writer = Writer::new(Vec::new())?;
//! writer.directory(".")?;
//! writer.file("deploy.yaml", false, b"kind: List\n")?;
//! let bytes = writer.finish()?;
//! let entries = read_tar_gz(bytes.as_slice(), &Policy::source())?;
//! assert_eq!(entries[0].path, "deploy.yaml");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod limited;
mod names;
mod policy;
mod read;
pub mod sourceignore;
mod write;

pub use policy::{BackslashPolicy, Limits, LinkPolicy, Policy};
pub use read::{Entry, EntryInfo, EntryKind, ReadError, VisitError, read_tar_gz, visit_tar_gz};
pub use write::{WriteError, Writer, compare_paths};
