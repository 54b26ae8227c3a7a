//! What a function may use while it runs: clock, randomness, limits, the host's own state, other templates.

use std::any::Any;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::error::{ExecuteError, ParseError};
use crate::execute::Core;
use crate::function::FunctionError;
use crate::value::{Map, Str, Value, live_bytes};

/// Bounds on one execution. Reaching one is an error, never a crash.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of output, and of any single string a function makes; at most [`crate::format::MAX_TEXT`].
    pub bytes: usize,
    /// Bytes of all strings that functions make in all executions of one executor.
    pub total_bytes: usize,
    /// Bytes of the lists and maps that exist at one time, without the texts in them.
    pub live_bytes: usize,
    /// Evaluated template nodes, loop iterations and calls; work on long texts and lists counts by their length.
    pub steps: u64,
    /// Templates executing one another (`template`, `include`, `tpl`), as in Go.
    pub depth: u32,
    /// Native stack that recursion may use. The default is what the thread has: [`crate::stack::with_stack`] gives more.
    pub stack_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: crate::format::MAX_TEXT,
            total_bytes: 512 << 20,
            live_bytes: 256 << 20,
            steps: 200_000_000,
            depth: 100_000,
            stack_bytes: crate::stack::budget(),
        }
    }
}

/// What the world outside gives to an execution. Time and randomness are injected.
#[derive(Debug)]
pub struct Environment {
    /// The present time, as `now` sees it.
    pub now: Timestamp,
    /// Go's `time.Local`.
    pub zone: TimeZone,
    /// Source of all randomness but private keys.
    pub random: StdRng,
    /// The bounds.
    pub limits: Limits,
    /// State of the host for its own functions (Helm's `lookup`, include counters).
    pub extension: Option<Rc<dyn Any>>,
}

impl Environment {
    /// An environment with real randomness, in UTC.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC, random: StdRng::from_os_rng(), limits: Limits::default(), extension: None }
    }
}

/// Why a text could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// It could not be parsed.
    #[error(transparent)]
    Parse(ParseError),
    /// It could not be executed.
    #[error(transparent)]
    Execute(Box<ExecuteError>),
}

/// Handed to every function that a template calls.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) environment: &'a mut Environment,
    pub(crate) core: Option<&'a mut Core>,
}

impl<'a> Context<'a> {
    /// A context outside of any template, for calling functions from tests.
    pub fn detached(environment: &'a mut Environment) -> Self {
        Self { environment, core: None }
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.environment.now
    }

    /// Go's `time.Local`.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.environment.zone
    }

    /// The source of randomness.
    pub fn random(&mut self) -> &mut StdRng {
        &mut self.environment.random
    }

    /// The host's state, if it is of this type.
    #[must_use]
    pub fn extension<T: 'static>(&self) -> Option<Rc<T>> {
        self.environment.extension.clone()?.downcast().ok()
    }

    /// To be asked before making a string or list of `bytes` bytes out of small arguments (`repeat`, `indent`, `until`).
    ///
    /// # Errors
    /// When the limit on bytes would be passed.
    pub fn reserve(&self, bytes: usize) -> Result<(), FunctionError> {
        let limit = self.environment.limits.bytes;
        if bytes > limit {
            return Err(FunctionError::Message(format!(
                "result of {bytes} bytes is larger than the limit of {limit} bytes"
            )));
        }
        Ok(())
    }

    /// To be asked while lists and maps are copied in depth: shared ones can hold exponentially many values.
    ///
    /// # Errors
    /// When the lists and maps that exist take more than the limit.
    pub fn check_memory(&self) -> Result<(), FunctionError> {
        let before = self.core.as_deref().map_or(0, |core| core.live_before);
        let limit = self.environment.limits.live_bytes;
        if live_bytes().saturating_sub(before) > limit {
            return Err(FunctionError::Message(format!("lists and maps are larger than the limit of {limit} bytes")));
        }
        Ok(())
    }

    /// To be told of each value that is put into a map that a template may have: it may close a circle.
    pub(crate) fn put(&mut self, map: &Map, value: &Value) {
        if let Some(core) = self.core.as_deref_mut() {
            core.circles.put(map, value);
        }
    }

    /// Counts work that grows faster than the arguments.
    ///
    /// # Errors
    /// When the limit on steps is passed.
    pub fn work(&mut self, steps: u64) -> Result<(), FunctionError> {
        let Some(core) = self.core.as_deref_mut() else { return Ok(()) };
        core.steps = core.steps.saturating_add(steps);
        let limit = self.environment.limits.steps;
        if core.steps > limit {
            return Err(FunctionError::Message(format!("exceeded the limit of {limit} steps")));
        }
        Ok(())
    }

    /// Executes a template of the current set into a string (`include`).
    ///
    /// # Errors
    /// When there is no such template or it fails.
    pub fn execute(&mut self, name: &str, data: Value) -> Result<Str, Box<ExecuteError>> {
        let Some(core) = self.core.as_deref_mut() else {
            return Err(ExecuteError::message(format!("template {name:?} called outside of any template")));
        };
        core.execute_nested(self.environment, name, data)
    }

    /// Parses a text under a name and executes it (`tpl`). What it defines is seen only by itself and by the templates
    /// it calls. Parsing the same text again costs one lookup.
    ///
    /// # Errors
    /// When the text cannot be parsed or executed.
    pub fn execute_text(&mut self, name: &str, text: &Str, data: Value) -> Result<Str, TextError> {
        let Some(core) = self.core.as_deref_mut() else {
            let error = ExecuteError::message(format!("text {name:?} rendered outside of any template"));
            return Err(TextError::Execute(error));
        };
        core.execute_text(self.environment, name, text, data)
    }
}
