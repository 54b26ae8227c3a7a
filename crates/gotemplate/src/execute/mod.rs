//! Executing templates.

mod argument;
mod call;
mod field;
mod walk;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::context::{Environment, TextError};
use crate::error::{ExecuteError, ParseError};
use crate::format::quote::quoted;
use crate::parse::{self, Tree};
use crate::stack::StackGuard;
use crate::templates::Templates;
use crate::value::{Circles, Str, Value, live_bytes};
pub(crate) use field::zero;
use walk::Walker;

/// What a missing map key gives (`missingkey=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, printed as `<no value>`.
    #[default]
    Default,
    /// The zero value of the map's element type.
    Zero,
    /// An error.
    Error,
}

/// Executes the templates of one set, one after the other. When it is dropped, maps that contain themselves lose the entries
/// that close the circle, so that they are freed with the last reference from outside.
#[derive(Debug)]
pub struct Executor {
    core: Core,
    environment: Environment,
}

impl Executor {
    /// An executor of these templates.
    #[must_use]
    pub fn new(templates: Templates, environment: Environment) -> Self {
        let core = Core {
            templates,
            missing_key: MissingKey::default(),
            steps: 0,
            made: 0,
            live_before: live_bytes(),
            depth: 0,
            stack: StackGuard::new(environment.limits.stack_bytes),
            texts: HashMap::new(),
            circles: Circles::default(),
        };
        Self { core, environment }
    }

    /// The same executor with another treatment of missing keys.
    #[must_use]
    pub fn with_missing_key(mut self, missing_key: MissingKey) -> Self {
        self.core.missing_key = missing_key;
        self
    }

    /// The environment, to change the host's state between executions.
    pub fn environment(&mut self) -> &mut Environment {
        &mut self.environment
    }

    /// Executes a template. The steps of all executions count together.
    ///
    /// # Errors
    /// When there is no such template or it fails.
    pub fn execute(&mut self, name: &str, data: Value) -> Result<Str, Box<ExecuteError>> {
        let mut output = Vec::new();
        self.execute_into(name, data, &mut output)?;
        Ok(output.into())
    }

    /// Executes a template and appends its output, also the part that was written before a failure.
    ///
    /// # Errors
    /// When there is no such template or it fails.
    pub fn execute_into(&mut self, name: &str, data: Value, output: &mut Vec<u8>) -> Result<(), Box<ExecuteError>> {
        self.core.depth = 0;
        self.core.stack = StackGuard::new(self.environment.limits.stack_bytes);
        self.core.run(&mut self.environment, name, data, output)
    }
}

/// How much larger a parsed text is than the text.
const TREE_PER_TEXT: usize = 16;

/// The state that all templates of an execution share.
#[derive(Debug)]
pub(crate) struct Core {
    templates: Templates,
    missing_key: MissingKey,
    pub(crate) steps: u64,
    /// Bytes of all strings that functions made, dropped or not.
    made: usize,
    /// What lists and maps took when this began.
    pub(crate) live_before: usize,
    depth: u32,
    stack: StackGuard,
    /// Parsed texts of `tpl`, by name and text.
    texts: HashMap<(Rc<str>, Str), Vec<Arc<Tree>>>,
    pub(crate) circles: Circles,
}

impl Core {
    fn run(
        &mut self,
        environment: &mut Environment,
        name: &str,
        data: Value,
        output: &mut Vec<u8>,
    ) -> Result<(), Box<ExecuteError>> {
        let Some(tree) = self.templates.get(name).cloned() else {
            let name = quoted(name.as_bytes());
            return Err(ExecuteError::message(format!(
                "template: no template {name} associated with template \"gotpl\""
            )));
        };
        Walker::new(self, environment, output, &tree, data).run()
    }

    pub(crate) fn execute_nested(
        &mut self,
        environment: &mut Environment,
        name: &str,
        data: Value,
    ) -> Result<Str, Box<ExecuteError>> {
        let depth = self.depth;
        self.depth += 1;
        let mut output = Vec::new();
        let result = self.run(environment, name, data, &mut output);
        self.depth = depth;
        result.map(|()| output.into())
    }

    pub(crate) fn execute_text(
        &mut self,
        environment: &mut Environment,
        name: &str,
        text: &Str,
        data: Value,
    ) -> Result<Str, TextError> {
        let trees = self.parsed(name, text).map_err(TextError::Parse)?;
        let extended = self.templates.extended(&trees);
        let base = std::mem::replace(&mut self.templates, extended);
        let result = self.execute_nested(environment, name, data);
        self.templates = base;
        result.map_err(TextError::Execute)
    }

    fn parsed(&mut self, name: &str, text: &Str) -> Result<Vec<Arc<Tree>>, ParseError> {
        let key = (Rc::from(name), text.clone());
        if let Some(trees) = self.texts.get(&key) {
            return Ok(trees.clone());
        }
        // A tree takes several times the room of its text, and time to make.
        self.made = self.made.saturating_add(text.len().saturating_mul(TREE_PER_TEXT));
        self.steps = self.steps.saturating_add(text.len() as u64 / 8);
        let trees = parse::parse_within(name, text.as_bytes(), self.templates.functions(), self.stack)?;
        self.texts.insert(key, trees.clone());
        Ok(trees)
    }
}
