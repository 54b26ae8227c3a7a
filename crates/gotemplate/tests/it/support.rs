//! Rendering one question, and where the shared corpus is.

use std::path::PathBuf;

use gotemplate::context::Environment;
use gotemplate::function::FunctionMap;
use serde_json::Value as Json;

/// The function map for a request's `funcs`.
pub(crate) fn functions(name: &str) -> Option<FunctionMap> {
    match name {
        "core" => Some(FunctionMap::default()),
        "sprig" => Some(gotemplate::sprig::functions()),
        "helm" => Some(gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS)),
        _ => None,
    }
}

fn environment() -> Environment {
    let mut environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
    environment.limits.bytes = 64 << 20;
    environment.limits.steps = 20_000_000;
    environment
}

/// What our engine answers to a question.
pub(crate) fn ours(question: &Json) -> Json {
    serde_json::from_str(&gotemplate::answer(&question.to_string(), functions, environment)).unwrap()
}

/// The folder of shared data, if there is one.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("TOWLINE_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    folder.is_dir().then_some(folder)
}
