//! Shows how following goes: a live view on a terminal, one line per event elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::error::Result;
use crate::follow::{Changes, Entry, Outcome, Plan, Stage};
use crate::output;

/// How many objects in progress the live view shows.
const LIVE_LINES: usize = 12;

const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Prints progress.
pub(crate) struct Progress {
    live: bool,
    /// Lines of the live view that are on the screen now.
    drawn: usize,
    ticks: usize,
}

impl Progress {
    /// Live on a terminal.
    pub(crate) fn new() -> Self {
        Self { live: std::io::stdout().is_terminal(), drawn: 0, ticks: 0 }
    }

    /// How often the live view moves; nothing moves elsewhere.
    pub(crate) fn tick(&self) -> Duration {
        if self.live { Duration::from_millis(100) } else { Duration::from_secs(3600) }
    }

    /// Shows what a step changed.
    pub(crate) fn show(&mut self, plan: &Plan, changes: &Changes, elapsed: Duration) -> Result<()> {
        let mut text = self.erase();
        for entry in changes.done.iter().filter_map(|key| plan.entry(key)) {
            text.push_str(&self.finished(entry, elapsed));
        }
        if !self.live {
            for entry in changes.request.iter().filter_map(|key| plan.entry(key)) {
                text.push_str(&format!("syncing  {}\n", entry.object.title()));
            }
        }
        if self.live {
            self.ticks += 1;
            text.push_str(&self.active(plan, elapsed));
        }
        if text.is_empty() { Ok(()) } else { output::print(&text) }
    }

    /// Takes the live view away, before the last words.
    pub(crate) fn end(&mut self) -> Result<()> {
        let text = self.erase();
        if text.is_empty() { Ok(()) } else { output::print(&text) }
    }

    fn erase(&mut self) -> String {
        let lines = std::mem::take(&mut self.drawn);
        // Up, and clear to the end of the screen; then lines may wrap again.
        if lines > 0 { format!("\x1b[{lines}A\x1b[J\x1b[?7h") } else { String::new() }
    }

    fn active(&mut self, plan: &Plan, elapsed: Duration) -> String {
        let active: Vec<&Entry> = plan.entries().filter(|entry| entry.stage == Stage::Requested).collect();
        let waiting = plan.entries().filter(|entry| entry.stage == Stage::Waiting).count();
        let spinner = SPINNER.get(self.ticks % SPINNER.len()).copied().unwrap_or('-');
        let mut lines: Vec<String> = active
            .iter()
            .take(LIVE_LINES)
            .map(|entry| format!("{spinner} {}  {}", entry.object.title(), entry.object.message()))
            .collect();
        let hidden = active.len().saturating_sub(LIVE_LINES) + waiting;
        let more = if hidden > 0 { format!(", {hidden} more to come") } else { String::new() };
        lines.push(format!("  {}{more}", seconds(elapsed)));
        self.drawn = lines.len();
        // Long lines are cut by the terminal instead of wrapping, so that going up finds the first one.
        format!("\x1b[?7l{}\n", lines.join("\n"))
    }

    fn finished(&self, entry: &Entry, elapsed: Duration) -> String {
        let Stage::Done(outcome) = &entry.stage else { return String::new() };
        let title = entry.object.title();
        let time = seconds(elapsed);
        let word = |live: &'static str, plain: &'static str| if self.live { live } else { plain };
        match outcome {
            Outcome::Ready => {
                format!("{} {title}: {} ({time})\n", word("✔", "ready   "), entry.object.message())
            }
            Outcome::Failed(lines) => {
                format!("{} {title}: {} ({time})\n", word("✗", "failed  "), lines.join("\n           "))
            }
            Outcome::Blocked(key) => {
                format!("{} {title}: {} {}/{} is not ready\n", word("✗", "blocked "), key.kind, key.namespace, key.name)
            }
            Outcome::Suspended => {
                let name = entry.object.data.metadata.name.as_deref().unwrap_or_default();
                let kind = entry.object.kind.kind.to_ascii_lowercase();
                format!("{} {title}: suspended (towline resume {kind}/{name})\n", word("‖", "skipped "))
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let text = self.erase();
        // Ending must not fail; the terminal may be gone.
        let _ = std::io::stdout().write_all(text.as_bytes());
    }
}

/// A time span as `1.2 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
