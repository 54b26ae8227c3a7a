//! What is made of a chart's files once and kept with the chart: parsed templates, the compiled schema.

use crate::schema::CompiledSchema;
use gotemplate::error::ParseError;
use gotemplate::{Tree, parse_shared};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Parsed templates of one file.
type Trees = Arc<[Arc<Tree>]>;

/// A chart used under more names than this (aliases) parses anew.
const MOST_CACHED: usize = 10_000;

/// Shared by all clones of a chart.
#[derive(Default)]
pub(crate) struct Prepared {
    pub(crate) schema: CompiledSchema,
    /// By full template name, which an alias changes.
    trees: Mutex<HashMap<Arc<str>, Trees>>,
}

impl Prepared {
    /// The file's templates, parsed at most once under each name.
    pub(super) fn trees(&self, name: &Arc<str>, text: &Arc<[u8]>) -> Result<Trees, ParseError> {
        if let Some(trees) = self.lock().get(name) {
            return Ok(trees.clone());
        }
        let trees: Trees = parse_shared(name, text, &super::functions::functions())?.into();
        let mut cache = self.lock();
        if cache.len() < MOST_CACHED {
            cache.insert(name.clone(), trees.clone());
        }
        Ok(trees)
    }

    /// Whether the file is parsed already.
    pub(super) fn has(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Trees>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Prepared").finish_non_exhaustive()
    }
}
