//! Sets of templates by name. Sets are cheap to clone and to extend: an extension is a layer over its base.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::ParseError;
use crate::function::FunctionMap;
use crate::parse::{self, Tree};

/// A set of templates that can call one another, with the functions they can call. `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Templates {
    functions: FunctionMap,
    layer: Arc<Layer>,
}

#[derive(Debug, Default)]
struct Layer {
    base: Option<Arc<Self>>,
    trees: HashMap<Arc<str>, Arc<Tree>>,
}

impl Layer {
    fn get(&self, name: &str) -> Option<&Arc<Tree>> {
        let mut layer = self;
        loop {
            if let Some(tree) = layer.trees.get(name) {
                return Some(tree);
            }
            layer = layer.base.as_deref()?;
        }
    }
}

impl Templates {
    /// An empty set with these functions (Go's builtin ones are always there).
    #[must_use]
    pub fn new(functions: FunctionMap) -> Self {
        Self { functions, layer: Arc::default() }
    }

    /// The functions.
    #[must_use]
    pub fn functions(&self) -> &FunctionMap {
        &self.functions
    }

    /// Parses a text under a name and adds it with all it defines. As in Go a template replaces one of the same name,
    /// unless it is empty.
    ///
    /// # Errors
    /// When the text cannot be parsed; then the set is unchanged.
    pub fn add(&mut self, name: &str, text: &[u8]) -> Result<(), ParseError> {
        let trees = parse::parse(name, text, &self.functions)?;
        self.insert(&trees);
        Ok(())
    }

    /// The same set with parsed templates in a layer of their own. Costs nothing per template of this set.
    #[must_use]
    pub fn extended(&self, trees: &[Arc<Tree>]) -> Self {
        let layer = Layer { base: Some(self.layer.clone()), trees: HashMap::new() };
        let mut extended = Self { functions: self.functions.clone(), layer: Arc::new(layer) };
        extended.insert(trees);
        extended
    }

    fn insert(&mut self, trees: &[Arc<Tree>]) {
        if Arc::get_mut(&mut self.layer).is_none() {
            // Somebody shares the layer: put a new one above it.
            self.layer = Arc::new(Layer { base: Some(self.layer.clone()), trees: HashMap::new() });
        }
        for tree in trees {
            let keep = tree.root.is_empty(&tree.source) && self.layer.get(&tree.name).is_some();
            if let (false, Some(layer)) = (keep, Arc::get_mut(&mut self.layer)) {
                layer.trees.insert(tree.name.clone(), tree.clone());
            }
        }
    }

    /// The template of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Tree>> {
        self.layer.get(name)
    }
}
