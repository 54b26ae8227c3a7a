//! What `helm lint` prints.

use super::{Findings, Severity};
use std::fmt::Write as _;

/// The outcome for one path of the command line.
#[derive(Clone, Debug)]
pub struct ChartReport {
    /// The path as the user gave it.
    pub path: String,
    /// What the rules found, or why the chart cannot be read at all.
    pub result: Result<Findings, String>,
}

/// The text of a whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Standard output.
    pub text: String,
    /// The summary, as an error when a chart failed.
    pub failure: Option<String>,
}

/// Puts the outcomes together; with `strict` warnings are failures, with `quiet` what is in order is left out.
#[must_use]
pub fn report(charts: &[ChartReport], strict: bool, quiet: bool) -> Report {
    let tolerated = if strict { Severity::Info } else { Severity::Warning };
    let mut text = String::new();
    let (mut failed, mut noteworthy) = (0, 0);
    for ChartReport { path, result } in charts {
        let messages = result.as_ref().map(|findings| findings.messages.as_slice()).unwrap_or_default();
        let is_noteworthy = result.is_err() || messages.iter().any(|message| message.severity > Severity::Info);
        noteworthy += usize::from(is_noteworthy);
        failed += usize::from(result.is_err() || messages.iter().any(|message| message.severity > tolerated));
        if quiet && !is_noteworthy {
            continue;
        }
        let _ = writeln!(text, "==> Linting {path}");
        if let Err(error) = result {
            let _ = writeln!(text, "Error {error}");
        }
        for message in messages.iter().filter(|message| !quiet || message.severity > Severity::Info) {
            let _ = writeln!(text, "{message}");
        }
        text.push('\n');
    }
    let summary = format!("{} chart(s) linted, {failed} chart(s) failed", charts.len());
    if failed > 0 {
        return Report { text, failure: Some(summary) };
    }
    if !quiet || noteworthy > 0 {
        let _ = writeln!(text, "{summary}");
    }
    Report { text, failure: None }
}
