//! What a benchmark prints: one line per number, with its bar where there is one.

use std::fmt::Display;
use std::time::Duration;

/// What a number must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bar {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

impl Bar {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

impl Display for Bar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(limit) => write!(formatter, "<= {}", number(*limit)),
            Self::AtLeast(limit) => write!(formatter, ">= {}", number(*limit)),
        }
    }
}

/// Prints as it goes, and remembers the bars.
#[derive(Debug, Default)]
pub(super) struct Report {
    bars: usize,
    missed: Vec<String>,
    skipped: usize,
}

impl Report {
    /// Begins a part.
    pub(super) fn section(&mut self, title: &str) {
        println!("\n== {title}");
    }

    /// A number without a bar.
    pub(super) fn value(&mut self, label: &str, text: &str) {
        println!("  {label:<62} {text}");
    }

    /// A number with a bar.
    pub(super) fn bar(&mut self, label: &str, value: f64, unit: &str, bar: Bar) {
        self.bars += 1;
        let met = bar.is_met(value);
        let verdict = if met { "met" } else { "MISSED" };
        let line = format!("{label:<62} {:<14} bar {bar}{unit}: {verdict}", format!("{}{unit}", number(value)));
        println!("  {line}");
        if !met {
            self.missed.push(line);
        }
    }

    /// Says visibly what was not measured.
    pub(super) fn skip(&mut self, what: &str, why: &str) {
        self.skipped += 1;
        println!("  SKIPPED {what}: {why}");
    }

    /// The last lines.
    pub(super) fn finish(&self) {
        println!("\n== {} of {} bars met, {} skipped", self.bars - self.missed.len(), self.bars, self.skipped);
        for line in &self.missed {
            println!("  {line}");
        }
    }
}

/// A number with as many digits as mean something.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The middle value; the mean of the two in the middle of an even number.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => at(count / 2),
        count => f64::midpoint(at(count / 2 - 1), at(count / 2)),
    }
}

/// A count as a number to calculate with.
pub(super) fn count(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::MAX, f64::from)
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "sizes of processes and files are far below 2^53")]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median([]).is_nan());
    }

    #[test]
    fn bars_count_and_a_number_that_is_missing_misses() {
        let mut report = Report::default();
        report.bar("a", 1.0, " s", Bar::AtMost(1.0));
        report.bar("b", 1.0, " s", Bar::AtLeast(2.0));
        report.bar("c", f64::NAN, " s", Bar::AtMost(2.0));
        assert_eq!((report.bars, report.missed.len()), (3, 2));
    }
}
