//! What a function may use while it runs: clock, randomness, limits, the host's own state, other templates.

use std::any::Any;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::function::FunctionError;

/// Bounds on one execution. Reaching one is an error, never a crash.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of output, and of any single string a function makes.
    pub bytes: usize,
    /// Evaluated template nodes and loop iterations.
    pub steps: u64,
    /// Templates executing one another (`template`, `include`, `tpl`).
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, steps: 500_000_000, depth: 2_000 }
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

/// Handed to every function that a template calls.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) environment: &'a mut Environment,
}

impl<'a> Context<'a> {
    /// A context outside of any template, for calling functions from tests.
    pub fn detached(environment: &'a mut Environment) -> Self {
        Self { environment }
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
        if bytes > self.environment.limits.bytes {
            return Err(FunctionError::Message(format!(
                "result of {bytes} bytes is larger than the limit of {} bytes",
                self.environment.limits.bytes
            )));
        }
        Ok(())
    }
}
