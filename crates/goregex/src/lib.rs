//! Go regular expressions: the same patterns accepted and refused, with the same words, and the same matches.
//!
//! A pattern is read by Go's grammar and written again, with everything spelled out, for the `regex` crate. Where the
//! two differ in what they do with matches (empty ones, templates, splitting), this crate follows Go. Pure, and bounded
//! in time and memory on any pattern and text.
//!
//! ```
//! let regex = goregex::Regex::new(r"a(x*)b")?;
//! assert_eq!(regex.replace_all("-ab-axxb-", b"${1}W", 100).as_deref(), Some(&b"-W-xxW-"[..]));
//! # Ok::<(), goregex::Error>(())
//! ```

mod cache;
mod class;
mod error;
mod matching;
mod parse;
mod scan;
mod template;
mod unicode;

pub use cache::cached;
pub use error::{Error, ErrorKind};
pub use matching::{Regex, Subject, quote_meta};
