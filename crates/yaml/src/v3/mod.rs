//! `go.yaml.in/yaml/v3` as kyaml and `toYamlPretty` use it: a node tree which keeps styles, tags and anchors.

mod build;
mod compose;
mod decode;
mod encode;
mod node;
mod value;

pub use build::{Build, Builder, Form, build};
pub use compose::{parse, parse_all};
pub use decode::{Meaning, decode, expand_aliases, meaning};
pub use encode::{EncodeOptions, Indentation, encode, encode_all};
pub use node::{Comments, Kind, Node, Style};
pub use value::{compare_keys, to_node, to_string_pretty};

use crate::resolve::{Resolved, is_base60, old_bool};
use crate::scan::Dialect;

/// The short tag (`!!str`, `!!int`, ...) that an untagged plain scalar resolves to.
#[must_use]
pub fn plain_tag(text: &str) -> &'static str {
    crate::resolve::resolve_plain(Dialect::V3, text).tag()
}

/// Would go-yaml v3 write this string plain, as far as its meaning goes?
#[must_use]
pub fn is_plain_string(text: &str) -> bool {
    crate::resolve::resolve_plain(Dialect::V3, text) == Resolved::String && !is_base60(text) && old_bool(text).is_none()
}
