//! Compiled patterns of the process: templates use the same few again and again.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::{Error, Regex};

/// How many patterns are kept. All are dropped when there are more, which is simple and rare.
const CAPACITY: usize = 128;
/// Longer patterns are not worth keeping.
const MAXIMUM_LENGTH: usize = 4096;

static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);

/// The compiled pattern, from a cache where possible.
pub fn cached(pattern: &str) -> Result<Arc<Regex>, Error> {
    if let Some(regex) = COMPILED.lock().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(Arc::clone(regex));
    }
    let regex = Arc::new(Regex::new(pattern)?);
    if pattern.len() <= MAXIMUM_LENGTH {
        let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= CAPACITY {
            compiled.clear();
        }
        compiled.insert(pattern.to_owned(), Arc::clone(&regex));
    }
    Ok(regex)
}
