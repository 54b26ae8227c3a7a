//! Semantic versions and constraints exactly as Masterminds/semver 3.5.0 reads, orders and explains them.
//!
//! Pure: text in, values out. Nothing here panics and every input has a bounded cost.
//!
//! ```
//! use version::{Constraints, Version};
//! let constraints = Constraints::parse(">= 1.20-0 || ~2.1")?;
//! assert!(constraints.check(&Version::parse("v1.21.0-gke.1")?));
//! # Ok::<(), version::Error>(())
//! ```

mod check;
mod constraint;
mod error;
mod quote;
mod version;

pub use check::Violation;
pub use constraint::{Constraints, MAXIMUM_CONSTRAINT_GROUPS, MAXIMUM_CONSTRAINT_LENGTH};
pub use error::Error;
pub use version::{MAXIMUM_VERSION_LENGTH, Version};
