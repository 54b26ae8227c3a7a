//! Post-build variable substitution: `${name}` and its relatives, as `fluxcd/pkg/envsubst` reads them. Pure.
//!
//! The grammar is bash's, in part: `${v}`, `${#v}`, `${v^}`, `${v^^}`, `${v,}`, `${v,,}`, `${v:n}`, `${v:n:len}`, `${v#glob}`,
//! `${v##glob}`, `${v%glob}`, `${v%%glob}`, `${v=def}`, `${v:=def}`, `${v:-def}`, `${v/a/b}`, `${v//a/b}`, `${v/#a/b}`,
//! `${v/%a/b}`. Defaults nest. `$$` is a dollar sign; `$v` without braces is text. As upstream, `:+` and `:?` act as `:-`.
//!
//! Input is hostile until proven otherwise: nesting, output and the work of matching globs are bounded ([`MAX_DEPTH`],
//! [`MAX_OUTPUT`], [`MAX_WORK`]); upstream has no bounds. Names beyond ASCII follow Rust's idea of letters and digits.
//!
//! ```
//! use substitute::{Missing, Variables};
//!
//! let mut variables = Variables::default();
//! variables.insert("region", "eu-central-1\n").unwrap();
//! let text = "zone: ${region}${suffix:-a}, price: $$5";
//! assert_eq!(substitute::substitute(text, &variables, Missing::Error).unwrap(), "zone: eu-central-1a, price: $5");
//! ```

mod evaluate;
mod glob;
mod parse;
mod scan;

use std::collections::BTreeMap;

/// How deep expressions may nest.
pub const MAX_DEPTH: usize = 250;
/// How many bytes may come out.
pub const MAX_OUTPUT: usize = 64 << 20;
/// How many characters may be compared in matching globs.
pub const MAX_WORK: u64 = 100_000_000;

/// Why a text cannot be substituted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An expression that is none of those known.
    #[error("bad substitution")]
    BadSubstitution,
    /// An expression without its end.
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// `${` without a name behind it.
    #[error("unable to parse variable name")]
    VariableName,
    /// An argument that is missing or cannot be read.
    #[error("unable to parse substitution within function")]
    Argument,
    /// A default that cannot be read.
    #[error("unable to parse default function")]
    Default,
    /// A variable that is not there, and must be.
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// A name no variable may have.
    #[error("{0:?} is not the name of a variable: use letters, digits and underscores, and no digit first")]
    InvalidName(String),
    /// A character cut in half.
    #[error("the result is not UTF-8: a substring expression cuts a character in half")]
    NotUtf8,
    /// Expressions nested too deep.
    #[error("expressions are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Too much comes out.
    #[error("the result is larger than {} MiB", MAX_OUTPUT >> 20)]
    TooLarge,
    /// Too much to compare.
    #[error("matching patterns takes more than {MAX_WORK} comparisons")]
    TooMuchWork,
}

/// What becomes of a variable that is not there and has no default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// It is an error.
    #[default]
    Error,
    /// It is empty.
    Empty,
}

/// The variables of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Sets a variable, over an earlier one of the same name. Newlines in the value are dropped, as upstream does.
    ///
    /// # Errors
    /// When no variable may have this name.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if !is_valid_name(name) {
            return Err(Error::InvalidName(name.to_owned()));
        }
        self.0.insert(name.to_owned(), value.replace('\n', ""));
        Ok(())
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a variable may have this name.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Substitutes the variables in a text.
///
/// # Errors
/// When an expression cannot be read, a variable is missing, or a bound is exceeded.
pub fn substitute(text: &str, variables: &Variables, missing: Missing) -> Result<String, Error> {
    Template::parse(text)?.execute(|name| match (variables.get(name), missing) {
        (None, Missing::Empty) => Some(""),
        (value, _) => value,
    })
}

/// A text with its expressions read.
#[derive(Clone, Debug)]
pub struct Template(Vec<parse::Node>);

impl Template {
    /// Reads the expressions of a text.
    ///
    /// # Errors
    /// When one cannot be read, or they nest too deep.
    pub fn parse(text: &str) -> Result<Self, Error> {
        parse::parse(text).map(Self)
    }

    /// The text with the values of its variables. A variable for which `lookup` has none is unset.
    ///
    /// # Errors
    /// When a variable is missing, or a bound is exceeded.
    pub fn execute<'a>(&self, lookup: impl Fn(&str) -> Option<&'a str>) -> Result<String, Error> {
        evaluate::evaluate(&self.0, &lookup)
    }
}
