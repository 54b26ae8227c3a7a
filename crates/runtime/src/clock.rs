//! The one place that reads the wall clock.

use jiff::Timestamp;
use tokio::time::Instant;

/// Where "now" comes from. Product code takes it as a value; only the edges hold a `Clock`.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// A start time that advances with tokio's clock, so that it stands still while a test's time is paused.
    Tokio {
        /// The time at `base`.
        start: Timestamp,
        /// tokio's clock when this clock was made.
        base: Instant,
    },
}

impl Clock {
    /// A clock that starts at `start` and follows tokio's (possibly paused) time.
    pub fn starting_at(start: Timestamp) -> Self {
        Self::Tokio { start, base: Instant::now() }
    }

    /// The present time.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is handed")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Tokio { start, base } => start
                .saturating_add(jiff::SignedDuration::try_from(base.elapsed()).unwrap_or_default())
                .unwrap_or(*start),
        }
    }
}
