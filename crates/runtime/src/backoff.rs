//! Per-object exponential backoff with jitter, forgotten when the object's desired state changes.

use std::time::Duration;

/// Bounds of the retry delay (upstream's `--min-retry-delay` and `--max-retry-delay`).
#[derive(Clone, Copy, Debug)]
pub struct BackoffPolicy {
    /// Delay after the first failure.
    pub min: Duration,
    /// No delay is longer than this.
    pub max: Duration,
}

impl Default for BackoffPolicy {
    fn default() -> Self {
        Self { min: Duration::from_millis(750), max: Duration::from_secs(15 * 60) }
    }
}

/// The failures of one object since its desired state last changed.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
    epoch: String,
}

impl Backoff {
    /// Counts a failure and returns how long to wait.
    ///
    /// `epoch` names the desired state (generation, source revision, requested time); when it differs from the last
    /// failure's, counting starts again. `jitter` is a random number in `0.0..1.0`; it lengthens the delay by up to a
    /// tenth, so that objects which failed together do not retry together.
    pub fn failed(&mut self, policy: BackoffPolicy, epoch: &str, jitter: f64) -> Duration {
        if self.epoch != epoch {
            epoch.clone_into(&mut self.epoch);
            self.failures = 0;
        }
        let factor = 2u32.saturating_pow(self.failures.min(30));
        self.failures = self.failures.saturating_add(1);
        let delay = policy.min.saturating_mul(factor).min(policy.max);
        delay + delay.mul_f64(jitter.clamp(0.0, 1.0) / 10.0)
    }

    /// Failures counted in the present epoch.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// `interval` moved by up to `percentage` per cent either way; `random` is in `0.0..1.0`.
pub fn jittered_interval(interval: Duration, percentage: u8, random: f64) -> Duration {
    let spread = f64::from(percentage.min(100)) / 100.0;
    interval.mul_f64(1.0 - spread + 2.0 * spread * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_maximum_and_resets_on_a_new_epoch() {
        let policy = BackoffPolicy { min: Duration::from_secs(1), max: Duration::from_secs(5) };
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..4).map(|_| backoff.failed(policy, "1", 0.0).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 5]);
        assert_eq!(backoff.failed(policy, "2", 0.0).as_secs(), 1);
        assert_eq!(backoff.failures(), 1);
    }

    #[test]
    fn a_thousand_failures_do_not_overflow() {
        let mut backoff = Backoff::default();
        for _ in 0..1000 {
            let delay = backoff.failed(BackoffPolicy::default(), "x", 1.0);
            assert!(delay <= Duration::from_secs(990), "{delay:?}");
        }
    }

    #[test]
    fn jitter_spreads_around_the_interval() {
        let minute = Duration::from_secs(60);
        assert_eq!(jittered_interval(minute, 0, 0.7), minute);
        assert_eq!(jittered_interval(minute, 5, 0.0).as_secs(), 57);
        assert_eq!(jittered_interval(minute, 5, 1.0).as_secs(), 63);
    }
}
