//! Sprig 3.3.0: the functions of `sprig.TxtFuncMap`, except `env` and `expandenv`, which Helm takes away too.
//!
//! Each group of functions is a file with a table of Go signatures. What panics in Go is an error with the panic's
//! text here; and nothing makes gigabytes out of small arguments.

mod arguments;
mod cases;
mod cast;
mod certificates;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod dsa_key;
mod duration;
mod encoding;
mod json;
mod layout;
mod lists;
mod merge;
mod numbers;
mod paths;
mod random;
mod reflection;
mod regex;
mod runes;
mod semver;
mod strings;
mod time;
mod time_parse;
mod urls;
mod words;

use std::sync::LazyLock;

use crate::function::FunctionMap;

/// The functions of sprig for text templates.
#[must_use]
pub fn functions() -> FunctionMap {
    static FUNCTIONS: LazyLock<FunctionMap> = LazyLock::new(|| {
        FunctionMap::new(&[
            strings::FUNCTIONS,
            words::FUNCTIONS,
            cases::FUNCTIONS,
            regex::FUNCTIONS,
            numbers::FUNCTIONS,
            lists::FUNCTIONS,
            dicts::FUNCTIONS,
            defaults::FUNCTIONS,
            reflection::FUNCTIONS,
            certificates::FUNCTIONS,
            crypto::FUNCTIONS,
            dates::FUNCTIONS,
            encoding::FUNCTIONS,
            json::FUNCTIONS,
            paths::FUNCTIONS,
            random::FUNCTIONS,
            semver::FUNCTIONS,
            urls::FUNCTIONS,
        ])
    });
    FUNCTIONS.clone()
}
